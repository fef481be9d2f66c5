"""The parts of the gate, by the names under which they are asked for."""

from __future__ import annotations

PARTS = ("exact", "checks", "accuracy", "run-time", "processes")
