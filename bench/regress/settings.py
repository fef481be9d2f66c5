"""What a gate's numbers are of: sizes, protocols, threads; limits and repeats decide none."""

from __future__ import annotations

from pydantic import JsonValue

from bench.regress.file import GateFile
from bench.specs import content_id

EXACT, RUN_TIME, PROCESSES = "exact", "run time", "processes"

_ROW = {"channels", "num_classes", "yardstick", "dataset", "source_size", "protocol"}
_PROCESS = {"model", "image_size", "batch_size", "channels", "num_classes"}


def settings_of(file: GateFile) -> dict[str, str]:
    """A short digest by part, and by cell of accuracy; rows of run time have theirs in the label.

    A record of other settings cannot be held against: its numbers are of something else.
    """
    found: dict[str, JsonValue] = {
        EXACT: file.exact.model_dump(mode="json", exclude={"models"}),
    }
    if file.accuracy is not None:
        protocol = file.accuracy.protocol.deciding()
        for cell in file.accuracy.cell:
            found[cell.label] = {"cell": cell.model_dump(mode="json"), "protocol": protocol}
    if file.run_time is not None:
        found[RUN_TIME] = file.run_time.model_dump(mode="json", include=_ROW)
    if file.processes is not None:
        found[PROCESSES] = file.processes.model_dump(mode="json", include=_PROCESS)
    return {
        name: content_id("gate settings", {"threads": file.threads, "of": content})
        for name, content in found.items()
    }
