"""Named checks: what they raise, how one becomes a result; and what a run is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Check = Callable[[], str]
"""Raises ``Fault`` where something is wrong; what it says otherwise is shown beside the pass."""


class Fault(Exception):
    """What a check found."""


class Untold(Exception):
    """Why a check could not tell."""


def outcome(name: str, check: Check) -> dict[str, Any]:
    """One check's result, None where it could not tell; what the tree raises is its fault."""
    try:
        return {"name": name, "passed": True, "detail": check()}
    except Fault as fault:
        return {"name": name, "passed": False, "detail": str(fault)}
    except Untold as why:
        return {"name": name, "passed": None, "detail": str(why)}
    except Exception as error:  # the code under trial may raise anything
        said = (str(error).strip() or "no message").splitlines()[0]
        return {"name": name, "passed": False, "detail": f"{type(error).__name__}: {said}"}


def run_fields(
    model: str,
    dataset: Any,
    protocol: dict[str, Any],
    *,
    image_size: int,
    source_size: int,
    seed: int,
    threads: int,
) -> dict[str, Any]:
    """A run on the CPU, as the tree's own ``RunSpec`` takes it."""
    data = {"name": dataset.name, "checksum": dataset.source.checksum, "source_size": source_size}
    return {
        "model": {"name": model},
        "data": data,
        "image_size": image_size,
        "channels": dataset.channels,
        "control": None,
        "protocol": protocol,
        "seed": seed,
        "device": "cpu",
        "precision": "float32",
        "threads": threads,
    }
