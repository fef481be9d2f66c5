"""Results without what tells of time: equal for equal code, seed and machine."""

from __future__ import annotations

from pydantic import BaseModel, JsonValue

TIMES = frozenset({"seconds", "train_images_per_s", "test_opened_at", "resumed_at_updates"})
"""Fields of a training that tell of time, or of interruptions, not of results."""


def timeless(result: BaseModel) -> JsonValue:
    """All that a result holds, as JSON, without its times."""
    return _without(result.model_dump(mode="json"))


def _without(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {key: _without(part) for key, part in value.items() if key not in TIMES}
    return [_without(part) for part in value] if isinstance(value, list) else value


def first_difference(one: JsonValue, other: JsonValue, at: str = "") -> str | None:
    """Where two results differ first, as ``epochs.3.train_loss: 0.5, not 0.6``; None if nowhere."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        parts = [(key, one[key], other[key]) for key in one]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        parts = [(str(place), a, b) for place, (a, b) in enumerate(zip(one, other, strict=True))]
    else:
        return None if one == other else f"{at.strip('.') or 'result'}: {other!r}, not {one!r}"
    found = (first_difference(a, b, f"{at}.{key}") for key, a, b in parts)
    return next(filter(None, found), None)
