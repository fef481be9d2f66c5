"""Whether the models of a suite or a search can be used at its size, before anything runs."""

from __future__ import annotations

from collections.abc import Iterable

from bench.errors import InputError
from bench.specs import ModelSpec
from bench.suite import Suite
from bench.toml_file import shown

USUAL_SIZE = 224
"""Pixels of the side at which a model that works at all does."""


def check_models(suite: Suite, models: Iterable[ModelSpec]) -> None:
    """Refuse, before anything runs, a model that cannot be built at the suite's image size.

    Raises:
        InputError: naming the suite's file and the model.
    """
    settings = suite.settings
    for spec in models:
        listed = "cost.models" if spec.name in (settings.cost.models or ()) else "grid.models"
        key = f"model.{spec.name}" if spec.name in settings.model else listed
        check_model(spec, settings.image_size, file=shown(suite.path), key=key)


def check_measurable(suite: Suite, models: Iterable[ModelSpec]) -> dict[str, str]:
    """Refuse a model that is unusable at any size; one that only this size does not suit passes.

    It leaves a blank with its reason among the suite's costs, and the others are measured.

    Returns:
        Names of the models that the suite's size does not suit, each with the reason.

    Raises:
        InputError: naming the suite's file and the model.
    """
    from bench import models as model_registry  # torch and timm: only if there is one to check

    unfit = {}
    for spec in models:
        try:
            check_models(suite, [spec])
        except InputError as error:
            try:
                model_registry.check(spec, USUAL_SIZE)
            except InputError:
                raise error from None
            unfit[spec.name] = error.problem
    return unfit


def check_model(spec: ModelSpec, image_size: int, *, file: str, key: str) -> None:
    """Refuse one model that cannot be built, or whose weights cannot be had.

    Args:
        file, key: where the model stands, for the error; an argument's name is added to the key.

    Raises:
        InputError: naming ``file`` and ``key``.
    """
    from bench import models as model_registry  # torch and timm: only if there is one to check

    try:
        _check_weights_within_reach(spec)
        model_registry.check(spec, image_size)
    except InputError as error:
        raise InputError(
            error.problem,
            remedy=error.remedy,
            file=error.file or file,
            key=(error.key or "models").replace("models", key, 1),
        ) from None
    except SystemExit as error:  # a user's module that ends the process
        raise InputError(
            f"model {spec.name!r} called sys.exit({error.code!r}) while it was built",
            remedy="let it raise an exception instead",
            file=file,
            key=key,
        ) from None


def _check_weights_within_reach(spec: ModelSpec) -> None:
    """Pre-trained weights that are neither here nor to be fetched: said once, not after retries."""
    if not spec.pretrained or spec.factory is not None:
        return
    from bench.weights import within_reach

    if not within_reach(spec.timm or spec.name):
        raise InputError(
            f"pre-trained weights of {spec.name!r} are not here and there is no network",
            remedy="connect to the network once, or set pretrained = false",
            key="models",
        )
