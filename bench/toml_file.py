"""A TOML file read into a checked model, with errors that name the file, the key and the remedy."""

from __future__ import annotations

import tomllib
from pathlib import Path
from types import UnionType
from typing import TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from bench.errors import InputError, nearest
from bench.specs import describe_invalid, foremost

ROOT = Path(__file__).resolve().parent.parent
"""The checkout: suites, results and reports are found from here, wherever the shell stands."""

Model = TypeVar("Model", bound=BaseModel)


def shown(path: Path) -> str:
    """A path as people read it: from the checkout where it lies in it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def read_toml(path: Path, model: type[Model]) -> Model:
    """The file's content as ``model``.

    Raises:
        InputError: the file cannot be read, is not TOML, or has a key or value ``model`` refuses.
    """
    try:
        return model.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise InputError(
            describe_invalid(error), remedy=_remedy(error, model), file=shown(path)
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"not valid TOML: {error}", remedy="correct it there", file=shown(path)
        ) from None
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror})", remedy="check the path", file=shown(path)
        ) from None


def _remedy(error: ValidationError, model: type[BaseModel]) -> str:
    """For an unknown key the nearest known one of its table; else the general advice."""
    fault = foremost(error)
    if fault["type"] != "extra_forbidden":
        return "correct the value"
    *parents, key = fault["loc"]
    table, known = model, [model]
    for parent in parents:
        if field := table.model_fields.get(str(parent)):
            known = _models_in(field.annotation) or known
            table = known[0]
        else:  # a place in a list, or the kind of a table that comes in several
            table = next((found for found in known if _is_of_kind(found, parent)), table)
    return nearest(str(key), table.model_fields)


def _models_in(annotation: object) -> list[type[BaseModel]]:
    """The models inside ``Model``, ``list[Model]``, ``dict[str, Model]`` or ``A | B | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (list, dict, Union, UnionType):
        return [model for part in get_args(annotation) for model in _models_in(part)]
    return []


def _is_of_kind(model: type[BaseModel], kind: object) -> bool:
    field = model.model_fields.get("kind")
    return field is not None and kind in get_args(field.annotation)
