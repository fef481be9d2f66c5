"""The page on the training engine, from the records of its trial."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.engine.record import EngineRecord, load
from bench.records.store import write_atomic
from bench.report.accuracy import Row
from bench.report.folder import reports_folder
from bench.report.table.markdown import markdown
from bench.report.text import BLANK, rate
from bench.statistics.timings import Estimate, speed_ratio

PAGE = "engine.md"
PARTS = ("feeding", "overhead", "resume", "chaos")
TITLES = {
    "feeding": "Feeding batches",
    "overhead": "What the harness adds",
    "resume": "After a kill",
    "chaos": "Killed at random moments",
}


def engine_page(records: dict[str, EngineRecord | None]) -> str:
    """The page as Markdown; a part that was not measured says so."""
    parts = ["# The training engine on trial"]
    for name in PARTS:
        record = records.get(name)
        parts.append(f"## {TITLES[name]}")
        if record is None:
            parts.append(f"Not measured here: `python -m bench engine {name}` measures it.")
            continue
        parts += [*_DRAWN[name](record), _made(record)]
    return "\n\n".join(parts) + "\n"


def write_engine_page(results: Path) -> Path:
    """Draw the records below ``results`` as ``reports/engine.md``; returns its path.

    Raises:
        InputError: a record is damaged.
    """
    path = reports_folder(results) / PAGE
    write_atomic(path, engine_page({name: load(results, name) for name in PARTS}).encode())
    return path


def passed(record: EngineRecord) -> bool:
    """Whether the part reached all that its file asks for."""
    return "missed" not in "".join(row["verdict"] for row in _ROWS[record.part](record))


def _made(record: EngineRecord) -> str:
    made = record.provenance
    stale = " **Stale**: the code that decides it has changed since." if record.stale else ""
    return (
        f"{made.processor}, {made.threads} threads, torch {made.packages['torch']}; commit "
        f"{(made.commit or 'unknown')[:12]}.{stale}"
    )


def feeding_rows(record: EngineRecord) -> list[Row]:
    """Our path beside medmnist's, by fed size."""
    rows = []
    for found in record.feeding or []:
        ratio = _ratio(found.ours_s, found.theirs_s)
        least = record.spec.feeding.at_least[str(found.image_size)]
        rows.append(
            {
                "fed size (px)": str(found.image_size),
                "ours (images/s)": rate(found.images / float(np.median(found.ours_s))),
                "theirs (images/s)": rate(found.images / float(np.median(found.theirs_s))),
                "ours / theirs": _shown(ratio, 1),
                "at least": f"{least:g}",
                "verdict": _verdict(ratio.value >= least),
                "first batch, ours (s)": f"{found.ours_first_batch_s:.2f}",
                "from the cache (s)": f"{found.ours_cached_first_batch_s:.2f}",
                "theirs (s)": f"{found.theirs_first_batch_s:.2f}",
            }
        )
    return rows


def _feeding(record: EngineRecord) -> list[str]:
    assert record.feeding
    found = record.feeding[0]
    return [
        f"Passes over the training split ({found.data}), batch {found.batch_size}, "
        f"{found.source_size}-pixel grey images as three channels, by this project's path and by "
        f"medmnist's `Dataset` with torch's `DataLoader` ({found.workers} workers) and PIL "
        "transforms, in turn in one process. The first batch comes after the split was resized "
        "(ours) or the workers started (theirs).",
        markdown(feeding_rows(record)),
    ]


def overhead_rows(record: EngineRecord) -> list[Row]:
    """The share of an epoch that is not training, and whole trainings beside a plain loop."""
    found, spec = record.overhead, record.spec.overhead
    assert found is not None
    shares = [1 - u / e for e, u in zip(found.epochs_s, found.updates_s, strict=True)]
    share = float(np.median(shares))
    ratio = _ratio(found.plain_s, found.harness_s)
    return [
        {
            "what": "share of an epoch beside forward, backward and optimizer",
            "measured": f"{100 * share:.1f} %",
            "at most": f"{100 * spec.share_at_most:g} %",
            "verdict": _verdict(share <= spec.share_at_most),
        },
        {
            "what": "whole training, times the plain loop's",
            "measured": _shown(ratio, 3),
            "at most": f"{spec.ratio_at_most:g}",
            "verdict": _verdict(ratio.value <= spec.ratio_at_most),
        },
    ]


def _overhead(record: EngineRecord) -> list[str]:
    spec, found = record.spec.overhead, record.overhead
    assert found is not None
    noisy = " *Noisy*: the machine was loaded." if found.noisy else ""
    return [
        f"{spec.model} on {spec.dataset}, {spec.image_size} px, {spec.epochs} epochs; "
        f"{len(found.plain_s)} rounds. A whole training is from reading the file to the stored "
        "record (by hand: to the test accuracy), both in one process, in turn."
        f"{noisy} By hand {np.median(found.plain_s):.1f} s, by the harness "
        f"{np.median(found.harness_s):.1f} s.",
        markdown(overhead_rows(record)),
    ]


def resume_rows(record: EngineRecord) -> list[Row]:
    """What a kill lost and how soon the training went on."""
    found, spec = record.resume, record.spec.resume
    assert found is not None
    return [
        {
            "what": "work done again (s)",
            "measured": f"{found.lost_s:.1f} ({found.lost_updates} updates)",
            "at most": f"{spec.checkpoint_every_s:g}",
            "verdict": _verdict(found.lost_s <= spec.checkpoint_every_s),
        },
        {
            "what": "from the new process's start to its first update (s)",
            "measured": f"{found.restart_s:.1f}",
            "at most": f"{spec.restart_at_most_s:g}",
            "verdict": _verdict(found.restart_s <= spec.restart_at_most_s),
        },
    ]


def _resume(record: EngineRecord) -> list[str]:
    spec = record.spec.resume
    return [
        f"{spec.model} on {spec.dataset}, {spec.image_size} px, a checkpoint every "
        f"{spec.checkpoint_every_s:g} s; killed (SIGKILL) shortly before its second one.",
        markdown(resume_rows(record)),
    ]


def chaos_rows(record: EngineRecord) -> list[Row]:
    """Differences between the killed suites and the undisturbed one."""
    found = record.chaos
    assert found is not None
    return [
        {
            "kills": ", ".join(f"{n} {signal}" for signal, n in sorted(found.kills.items())),
            "suites done": str(found.suites),
            "runs compared": str(found.runs_compared),
            "of these resumed": str(found.runs_resumed),
            "differences": str(len(found.differences)),
            "verdict": _verdict(not found.differences and found.runs_resumed > 0),
        }
    ]


def _chaos(record: EngineRecord) -> list[str]:
    found, spec = record.chaos, record.spec.chaos
    assert found is not None
    listed = "\n".join(f"- {difference}" for difference in found.differences[:20])
    return [
        "A suite of three networks with dropped paths, averaged weights and augmentations, ended "
        f"at random moments {spec.kill_between_s[0]:g} to {spec.kill_between_s[1]:g} s after each "
        "start, half of them by SIGKILL, and started again until it was done; then its predictions "
        "and every field of its records that tells no time are compared, bit for bit, with those "
        "of the same suite undisturbed. Files left behind count as differences too.",
        markdown(chaos_rows(record)),
        *([listed] if listed else []),
    ]


_ROWS = {
    "feeding": feeding_rows,
    "overhead": overhead_rows,
    "resume": resume_rows,
    "chaos": chaos_rows,
}
_DRAWN = {"feeding": _feeding, "overhead": _overhead, "resume": _resume, "chaos": _chaos}


def _ratio(first: list[float], second: list[float]) -> Estimate:
    return speed_ratio([[s] for s in first], [[s] for s in second])


def _shown(ratio: Estimate, digits: int) -> str:
    if not np.isfinite(ratio.value):
        return BLANK
    low, high = f"{ratio.low:.{digits}f}", f"{ratio.high:.{digits}f}"
    return f"{ratio.value:.{digits}f} [{low}, {high}]"


def _verdict(right: bool) -> str:
    return "reached" if right else "missed"
