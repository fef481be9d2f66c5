"""The page on the engine for clusters, from the records of its trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bench.cluster.hardware import HardwareEstimate
from bench.cluster.record import PARTS, ClusterRecord, OverheadResult, Part, load
from bench.records.store import write_atomic
from bench.report.accuracy import Row
from bench.report.folder import reports_folder
from bench.report.scaling import cost_lines, limit_line, scaling_rows
from bench.report.tables import markdown
from bench.report.text import BLANK, duration
from bench.statistics.timings import Estimate, speed_ratio
from bench.suite import Suite

PAGE = "cluster.md"
TITLES: dict[Part, str] = {
    "overhead": "What Ray adds",
    "throughput": "Many short runs",
    "kills": "Nodes killed at random",
}
MIB = 2**20


def cluster_page(
    records: Mapping[Part, ClusterRecord | None],
    estimates: Sequence[tuple[Suite, HardwareEstimate]] = (),
) -> str:
    """The page as Markdown; a part that was not measured says so.

    Args:
        estimates: suites on hardware that was recorded, to show how they would scale.
    """
    parts = ["# The engine for clusters on trial"]
    for part in PARTS:
        record = records.get(part)
        parts.append(f"## {TITLES[part]}")
        if record is None:
            parts.append(f"Not measured here: `python -m bench cluster {part}` measures it.")
            continue
        parts += [_ABOUT[part](record), markdown(rows(record)), *_listed(record), _made(record)]
    parts += _scaling(estimates)
    return "\n\n".join(parts) + "\n"


def write_cluster_page(
    results: Path, estimates: Sequence[tuple[Suite, HardwareEstimate]] = ()
) -> Path:
    """Draw the records below ``results`` as ``reports/cluster.md``; returns its path.

    Raises:
        InputError: a record is damaged.
    """
    path = reports_folder(results) / PAGE
    records = {part: load(results, part) for part in PARTS}
    write_atomic(path, cluster_page(records, estimates).encode())
    return path


def _scaling(estimates: Sequence[tuple[Suite, HardwareEstimate]]) -> list[str]:
    if not estimates:
        return []
    parts = [
        "## How far suites would scale",
        "Simulated, not run: expected times of runs on hardware that was recorded, dealt out to so "
        "many machines, the longest first, each to the machine that is free first. Starting "
        "workers and reading data are taken as free.",
    ]
    for suite, estimate in estimates:
        parts.append(" ".join(cost_lines(suite, estimate)))
        if estimate.known:
            parts += [markdown(scaling_rows(estimate)), limit_line(estimate)]
    return parts


def passed(record: ClusterRecord) -> bool:
    """Whether the part reached all that its file asks for."""
    return all(row["verdict"] in ("reached", "") for row in rows(record))


def rows(record: ClusterRecord) -> list[Row]:
    """What was measured beside what is asked for."""
    return _ROWS[record.part](record)


def _overhead(record: ClusterRecord) -> list[Row]:
    found, spec = record.overhead, record.spec.overhead
    assert found is not None
    total = (found.joining_s + sum(found.ray_s)) / sum(found.bare_s)
    outside = _outside_the_runs(found)
    inside = speed_ratio(found.bare_runs_s, found.ray_runs_s) if len(found.bare_s) > 1 else None
    short = len(found.bare_s) < spec.rounds
    verdict = f"missed: {len(found.bare_s)} of {spec.rounds} rounds" if short else None
    interval = BLANK if inside is None else f"{inside.value:.3f} {told(inside)}"
    both = outside + (1.0 if inside is None else inside.value)
    return [
        {
            "what": "added outside the runs, joining the cluster too, of the bare loop's time",
            "measured": f"{outside:+.3f}",
            "at most": "",
            "verdict": "",
        },
        {
            "what": "a run, times the same run by the bare loop, with its 95 % interval",
            "measured": interval,
            "at most": "",
            "verdict": "",
        },
        {
            "what": "both together, times the bare loop's",
            "measured": f"{both:.3f}",
            "at most": f"{spec.ratio_at_most:g}",
            "verdict": verdict or _verdict(both <= spec.ratio_at_most),
        },
        {
            "what": "for comparison: sums of all rounds, whatever the machine's mood",
            "measured": f"{total:.3f}",
            "at most": "",
            "verdict": "",
        },
    ]


def _outside_the_runs(found: OverheadResult) -> float:
    """What Ray's rounds take beyond their runs, less what the loop's do, over the loop's time.

    Free of what disturbs the runs themselves, from which the sums of rounds suffer most.
    """
    by_ray = found.joining_s + sum(found.ray_s) - sum(map(sum, found.ray_runs_s))
    by_loop = sum(found.bare_s) - sum(map(sum, found.bare_runs_s))
    return (by_ray - by_loop) / sum(found.bare_s)


def told(ratio: Estimate) -> str:
    """``[0.990, 1.010]``."""
    return f"[{ratio.low:.3f}, {ratio.high:.3f}]"


def _throughput(record: ClusterRecord) -> list[Row]:
    found, spec = record.throughput, record.spec.throughput
    assert found is not None
    growth = memory_growth_mib(record)
    return [
        {
            "what": f"{spec.runs:,} runs, scheduled and recorded (s)",
            "measured": f"{found.wall_s:.1f}",
            "at most": f"{spec.at_most_s:g}",
            "verdict": _verdict(found.wall_s <= spec.at_most_s),
        },
        {
            "what": "growth of the driver's memory, second tenth to last (MiB)",
            "measured": f"{growth:.1f}",
            "at most": f"{spec.memory_growth_at_most_mib:g}",
            "verdict": _verdict(growth <= spec.memory_growth_at_most_mib),
        },
        {
            "what": "runs without a whole record",
            "measured": str(found.missing),
            "at most": "0",
            "verdict": _verdict(found.missing == 0),
        },
    ]


def memory_growth_mib(record: ClusterRecord) -> float:
    """The driver's resident memory in the last tenth of the samples over that in the second."""
    assert record.throughput is not None
    resident = [sample.driver_bytes for sample in record.throughput.samples]
    tenth = max(1, len(resident) // 10)
    return float(np.median(resident[-tenth:]) - np.median(resident[tenth : 2 * tenth])) / MIB


def _kills(record: ClusterRecord) -> list[Row]:
    found = record.kills
    assert found is not None
    return [
        {
            "nodes killed": str(found.node_kills),
            "drivers killed": str(found.driver_kills),
            "suites done": str(found.suites),
            "runs compared": str(found.runs_compared),
            "of these resumed": str(found.runs_resumed),
            "done again, by drivers that lived on": str(found.runs_done_again),
            "differences": str(len(found.differences)),
            "verdict": _verdict(not found.differences and found.runs_resumed > 0),
        }
    ]


def _about_overhead(record: ClusterRecord) -> str:
    found, spec = record.overhead, record.spec.overhead
    assert found is not None
    noisy = " *Noisy*: the machine was loaded." if found.noisy else ""
    each = np.median(found.bare_s) / spec.runs
    return (
        f"{len(found.bare_s)} rounds of {spec.runs} real trainings ({each:.1f} s each by the bare "
        "loop), all recorded: by a bare loop over the runs in one process, and by Ray with one "
        "slot on a cluster that is up, in turn. Ray's time holds the check of its nodes each "
        f"round, the start of a worker that loads torch in the first. What is added outside the "
        "runs is read from their records; how much slower a run itself is, from rounds in turn."
        f"{noisy}"
    )


def _about_throughput(record: ClusterRecord) -> str:
    found, spec = record.throughput, record.spec.throughput
    assert found is not None
    least = spec.runs * spec.seconds / spec.slots
    noisy = " *Noisy*: the machine was loaded." if found.noisy else ""
    return (
        f"Runs that sleep {1000 * spec.seconds:g} ms and leave a record and predictions, on "
        f"{spec.slots} slots of this machine: {duration(least)} of sleep on each. "
        f"{found.utilisation:.0%} of the slots' time went into runs.{noisy}"
    )


def _about_kills(record: ClusterRecord) -> str:
    spec = record.spec.kills
    low, high = spec.kill_between_s
    return (
        f"The suite of [the engine's trial](engine.md) on {spec.nodes} nodes of one core, each a "
        f"Ray node of its own on this machine. One node is ended by SIGKILL with all its workers "
        f"{low:g} to {high:g} s after the one before, and another takes its place; after every "
        f"{spec.driver_every} of them the driver is killed too and started again. Checkpoints go "
        "through a shared folder. Predictions and every field of the records that tells no time "
        "are compared, bit for bit, with those of the same suite undisturbed in one process; a run "
        "recorded twice and files left behind count as differences."
    )


def _listed(record: ClusterRecord) -> list[str]:
    if record.kills is None or not record.kills.differences:
        return []
    return ["\n".join(f"- {difference}" for difference in record.kills.differences[:20])]


def _made(record: ClusterRecord) -> str:
    made = record.provenance
    stale = " **Stale**: the code that decides it has changed since." if record.stale else ""
    return f"{made.processor}; commit {(made.commit or 'unknown')[:12]}.{stale}"


def _verdict(right: bool) -> str:
    return "reached" if right else "missed"


_ROWS = {"overhead": _overhead, "throughput": _throughput, "kills": _kills}
_ABOUT = {"overhead": _about_overhead, "throughput": _about_throughput, "kills": _about_kills}
