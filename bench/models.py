"""Names to models: check what a suite asks for, build it, say which arguments were passed.

Any name registered with timm is accepted; the suite's own (MedSpectralNet, its ablations, MedMamba)
register themselves on import. A user's own model is a function, ``module:function``.
"""

from __future__ import annotations

import contextlib
import importlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import timm
import torch
from pydantic import JsonValue
from torch import Tensor, nn

import ablations  # noqa: F401  (registers its models with timm)
import medspectralnet  # noqa: F401
from baselines import roster
from bench.errors import InputError, nearest
from bench.specs import ModelSpec

Factory = Callable[..., nn.Module]

_REFUSED = re.compile(r"unexpected keyword argument '(\w+)'")


@dataclass(frozen=True)
class Built:
    """A model and how it was made.

    Attributes:
        model: freshly initialised (or pre-trained), in training mode, on the CPU.
        arguments: every keyword argument that was passed.
        omitted: protocol arguments that the model does not have, each with the reason.
    """

    model: nn.Module
    arguments: dict[str, JsonValue]
    omitted: dict[str, str] = field(default_factory=dict)


def families() -> dict[str, str]:
    """The suite's own roster, name to family, in the order in which tables show it."""
    listed = {name: entry.family for name, entry in roster.load().items()}
    ours = dict.fromkeys(timm.list_models("medspectralnet_*"), "ablation")
    return listed | {name: family for name, family in ours.items() if name not in listed}


def names() -> list[str]:
    """The names of the suite's own roster; every other timm name is accepted too."""
    return list(families())


def check(spec: ModelSpec, image_size: int) -> None:
    """Refuse a model that cannot be built with the user's arguments at this image size.

    Leaves the global random state as it found it.

    Raises:
        InputError: unknown name, too small an image, a factory that cannot be imported, an argument
            or value the model refuses, pre-trained weights that do not exist.
    """
    smallest = _smallest_image(spec)
    if image_size < smallest:
        raise InputError(
            f"model {spec.name!r} needs images of at least {smallest} px, got {image_size}",
            remedy="raise image_size or leave the model out",
            key="models",
        )
    factory = _factory(spec)
    _check_weights_exist(spec)
    untrained = spec.model_copy(update={"pretrained": False})  # nothing is downloaded for a check
    wanted: dict[str, JsonValue] = {"num_classes": 2, "in_chans": 3}
    with _same_random_state(restore=True):
        try:
            with torch.device("meta"):  # shapes without values: no time, no memory
                _try(untrained, factory, wanted, image_size)
        except InputError:  # not every sound model can be made without values
            _try(untrained, factory, wanted, image_size)


def _try(spec: ModelSpec, factory: Factory, wanted: dict[str, JsonValue], image_size: int) -> None:
    """Build the model and pass two images through it."""
    built = _call(spec, factory, dict(wanted), image_size)
    check_output(built.model, name=spec.name, num_classes=2, in_chans=3, image_size=image_size)


def build(
    spec: ModelSpec,
    *,
    num_classes: int,
    in_chans: int,
    image_size: int,
    drop_path_rate: float | None = None,
    drop_rate: float | None = None,
) -> Built:
    """Make the model; the caller seeds torch, whose state alone decides the initial weights.

    ``drop_path_rate`` and ``drop_rate`` are the protocol's: a model without them is built without,
    and ``omitted`` says so. What stands in ``spec.args`` is the user's and is never left out.

    Raises:
        InputError: the model cannot be built so, cannot take such an image, or does not answer
            ``(batch, num_classes)``.
    """
    protocol = {"drop_path_rate": drop_path_rate, "drop_rate": drop_rate}
    wanted: dict[str, JsonValue] = {"num_classes": num_classes, "in_chans": in_chans}
    wanted |= {name: value for name, value in protocol.items() if value is not None}
    _check_weights_exist(spec)
    built = _call(spec, _factory(spec), wanted, image_size)
    check_output(
        built.model,
        name=spec.name,
        num_classes=num_classes,
        in_chans=in_chans,
        image_size=image_size,
    )
    return built


def check_output(
    model: nn.Module, *, name: str, num_classes: int, in_chans: int, image_size: int
) -> None:
    """One forward pass of two black images in evaluation mode; the model is left as it was.

    Raises:
        InputError: the pass fails, or the answer is not a tensor of shape ``(2, num_classes)``.
    """
    images = torch.zeros(2, in_chans, image_size, image_size)
    try:
        with _same_random_state(restore=True), evaluating(model), torch.no_grad():
            answer = model(images)
    except Exception as error:
        raise InputError(
            f"model {name!r} fails on images of {in_chans} × {image_size} × {image_size}: "
            f"{_first_line(error)}",
            remedy="change image_size or leave the model out",
            key="models",
        ) from error
    shape = tuple(answer.shape) if isinstance(answer, Tensor) else type(answer).__name__
    if shape != (2, num_classes):
        raise InputError(
            f"model {name!r} answers {shape} to a batch of 2 for {num_classes} classes",
            remedy=f"it must return one tensor (batch, num_classes), here (2, {num_classes})",
            key="models",
        )


@contextlib.contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside; afterwards each part is again in the mode in which it was."""
    was_training = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in was_training.items():
            module.training = training


def _smallest_image(spec: ModelSpec) -> int:
    """Side in px of the smallest image the roster allows; 1 for models it does not list."""
    if spec.factory is not None:
        return 1
    name = spec.timm or spec.name
    listed = roster.load()
    if name not in listed and name.startswith("medspectralnet_"):
        name = "medspectralnet"  # an ablation takes what the whole network takes
    return listed[name].min_image_size if name in listed else 1


def _factory(spec: ModelSpec) -> Factory:
    """What is called to make the model: the user's function, or timm under the registered name."""
    if spec.factory is not None:
        return _own_function(spec.factory)
    name = spec.timm or spec.name
    known = timm.list_models()
    # timm also takes a weights tag after a dot, and weights of a hub by a prefix and a colon.
    if name.split(".")[0] not in known:
        raise InputError(f"unknown model {name!r}", remedy=nearest(name, known), key="models")

    def create(**arguments: object) -> nn.Module:
        model: nn.Module = timm.create_model(name, **arguments)
        return model

    return create


def _own_function(path: str) -> Factory:
    module_name, function_name = path.split(":")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # whatever the user's module raises while it is imported
        raise InputError(
            f"cannot import {module_name!r} of factory {path!r}: {_first_line(error)}",
            remedy="run from the folder that holds it, or put that folder on PYTHONPATH",
            key="models",
        ) from error
    function = getattr(module, function_name, None)
    if not callable(function):
        raise InputError(
            f"module {module_name!r} has no function {function_name!r}",
            remedy=nearest(function_name, [n for n in vars(module) if not n.startswith("_")]),
            key="models",
        )
    return function  # type: ignore[no-any-return]


def _check_weights_exist(spec: ModelSpec) -> None:
    if not spec.pretrained or spec.factory is not None:
        return
    config = timm.get_pretrained_cfg(spec.timm or spec.name)
    if config is None or not config.has_weights:
        raise InputError(
            f"model {spec.name!r} has no pre-trained weights",
            remedy="set pretrained = false",
            key="models",
        )


def _call(
    spec: ModelSpec, factory: Factory, wanted: dict[str, JsonValue], image_size: int
) -> Built:
    """Call the factory, leaving out one by one the optional arguments that it refuses.

    ``img_size`` is offered to every model: those with a fixed grid of tokens need it. Each attempt
    starts from the same random state, so a refused one does not change the weights.
    """
    offered = wanted | {"img_size": image_size} | spec.args
    optional = {"drop_path_rate", "drop_rate", "img_size"} - spec.args.keys()
    extra = {"pretrained": True} if spec.pretrained else {}
    omitted: dict[str, str] = {}
    while True:
        try:
            with _same_random_state():
                model = factory(**offered, **extra)
            break
        except TypeError as error:
            refused = _REFUSED.search(str(error))
            if refused is None or refused[1] not in optional & offered.keys():
                raise _unusable(spec, error) from error
            del offered[refused[1]]
            omitted[refused[1]] = "the model has no such argument"
        except Exception as error:
            raise _unusable(spec, error) from error
    if not isinstance(model, nn.Module):
        raise _unusable(spec, TypeError(f"made {type(model).__name__}, not a torch.nn.Module"))
    omitted.pop("img_size", None)  # a fully convolutional model takes any size: nothing is lost
    return Built(model, offered | extra, omitted)


def _unusable(spec: ModelSpec, error: Exception) -> InputError:
    refused = _REFUSED.search(str(error))
    if isinstance(error, TypeError) and refused is not None:
        return InputError(
            f"model {spec.name!r} takes no argument {refused[1]!r}",
            remedy="correct it or leave it out",
            key=f"models.args.{refused[1]}" if refused[1] in spec.args else "models",
        )
    if spec.pretrained:
        return InputError(
            f"pre-trained weights of {spec.name!r} cannot be had: {_first_line(error)}",
            remedy="connect to the network once, or set pretrained = false",
            key="models",
        )
    return InputError(
        f"model {spec.name!r} cannot be built: {_first_line(error)}",
        remedy=f"correct its arguments {spec.args}" if spec.args else "correct the model",
        key="models",
    )


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__


@contextlib.contextmanager
def _same_random_state(*, restore: bool = False) -> Iterator[None]:
    """Put the CPU generator back where it stood if the block fails (or always, on request)."""
    state = torch.get_rng_state()
    try:
        yield
    except BaseException:
        torch.set_rng_state(state)
        raise
    if restore:
        torch.set_rng_state(state)
