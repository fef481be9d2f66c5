"""What needs a process of its own: peak memory of a training, processor time of the import."""

from __future__ import annotations

import time

from bench.regress.file import GateFile, Processes
from bench.regress.judge import judge_process
from bench.regress.processes import Probe, look
from bench.regress.record import ProcessRow
from bench.regress.tree import Tree


def measure_processes(
    spec: Processes, file: GateFile, candidate: Tree, baseline: Tree | None, deadline: float
) -> list[ProcessRow]:
    """Memory and import time of both trees, a process at a time, in turn.

    Memory is what the training takes beyond the libraries that were loaded before it.

    Args:
        deadline: of ``time.monotonic``; the first ``repeats`` are made whatever it says.

    Raises:
        ProbeFailed: a tree fails.
    """
    label = f"{spec.model}, {spec.image_size} px, batch {spec.batch_size}"
    memory = ProcessRow(label=f"memory of {label}", unit="bytes", baseline=[], candidate=[])
    imports = ProcessRow(
        label=f"import of {', '.join(file.imports)}", unit="s", baseline=[], candidate=[]
    )
    request = spec.model_dump(mode="json")
    for repeat in range(spec.most_repeats):
        started = time.monotonic()
        sides = [("candidate", candidate)] + ([("baseline", baseline)] if baseline else [])
        for side, tree in sides if repeat % 2 else reversed(sides):
            (found,) = look([Probe("process", tree, request)], file)
            getattr(memory, side).append(float(found["peak_bytes"] - found["libraries_bytes"]))
            getattr(imports, side).append(found["import_s"])
        enough = repeat + 1 >= spec.repeats
        late = time.monotonic() + (time.monotonic() - started) > deadline
        if enough and (late or baseline is None or _decided(memory, imports, spec)):
            break
    return [memory, imports]


def _decided(memory: ProcessRow, imports: ProcessRow, spec: Processes) -> bool:
    rows = ((memory, spec.memory), (imports, spec.import_time))
    return all(judge_process(row, limit).verdict != "too noisy" for row, limit in rows)
