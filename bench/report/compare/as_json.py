"""The evidence as JSON: every number unrounded, the ids of the records that it stands on."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import numpy as np

from bench.records.schema import Record
from bench.report.compare.evidence import Evidence
from bench.report.compare.words import in_words


def as_json(found: Evidence) -> str:
    """The same evidence gives the same text; shares are shares, seconds seconds."""
    told = {"a": found.names[0], "b": found.names[1]} | _plain(found) | {"words": in_words(found)}
    return json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Record):  # its numbers stand in its own file
        cost = value.cost.model_dump(mode="json") if value.cost else {}
        told = {key: cost[key] for key in cost if not key.endswith(("samples_s", "_rounds"))}
        return {"id": value.id, **told}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        plain = {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        word = getattr(value, "word", None)
        return plain if word is None or "word" in plain else plain | {"word": word}
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
