"""The base of everything that a record holds."""

from __future__ import annotations

from bench.specs import Strict


class Stored(Strict, strict=False, allow_inf_nan=False):
    """A part of a record: read back from JSON, so that a date may come as text."""
