"""The page on the engine for clusters, from the records of its trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bench.cluster.hardware import HardwareEstimate
from bench.cluster.record import PARTS, ClusterRecord, Part, load
from bench.records.store import write_atomic
from bench.report.accuracy import Row
from bench.report.folder import reports_folder
from bench.report.scaling import cost_lines, limit_line, scaling_rows
from bench.report.table.markdown import markdown
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
    rounds, runs_s = len(found.bare_runs_s), sum(found.suite_runs_s)
    inside = outside = None
    if rounds > 1:
        inside = speed_ratio([[s] for s in found.bare_runs_s], [[s] for s in found.ray_runs_s])
    if runs_s:
        outside = (found.joining_s + found.suite_s - runs_s) / runs_s
    whole = inside is not None and outside is not None and rounds == spec.rounds
    both = inside.value + outside if inside is not None and outside is not None else None
    reached = both is not None and both <= spec.ratio_at_most
    return [
        {
            "what": f"a suite of {spec.runs} runs: added around them, joining the cluster and "
            "starting a worker too, of their time",
            "measured": BLANK if outside is None else f"{outside:+.4f}",
            "at most": "",
            "verdict": "",
        },
        {
            "what": "a run, times the same run by the bare loop, with its 95 % interval",
            "measured": BLANK if inside is None else f"{inside.value:.3f} {told(inside)}",
            "at most": "",
            "verdict": "",
        },
        {
            "what": "both together, times the bare loop's",
            "measured": BLANK if both is None else f"{both:.3f}",
            "at most": f"{spec.ratio_at_most:g}",
            "verdict": _verdict(reached)
            if whole
            else f"missed: {rounds} of {spec.rounds} rounds, {len(found.suite_runs_s)} of "
            f"{spec.runs} runs of the suite",
        },
        {
            "what": "Ray's own processes meanwhile, of one core",
            "measured": f"{found.rays_own_s / found.watched_s:.3f}" if found.watched_s else BLANK,
            "at most": "",
            "verdict": "",
        },
    ]


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
    found = record.overhead
    assert found is not None
    noisy = " *Noisy*: the machine was loaded." if found.noisy else ""
    each = f" ({np.median(found.bare_runs_s):.1f} s)" if found.bare_runs_s else ""
    return (
        f"{len(found.bare_runs_s)} rounds of one real training{each} by a bare loop and by Ray on "
        "a cluster that is up, in turn and in the same worker process: two processes of one code "
        "differ by more than what is looked for. Then a suite by Ray alone, for what it adds "
        "around its runs: the check of its nodes, handing them out, writing them down. Ray's own "
        f"processes run beside both.{noisy}"
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
