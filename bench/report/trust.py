"""The page on whether the timer can be believed, from its one record."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from pathlib import Path

from bench.records.store import write_atomic
from bench.report.accuracy import Row
from bench.report.folder import reports_folder
from bench.report.table.markdown import markdown
from bench.statistics.floor import widened
from bench.statistics.timings import Estimate, speed_ratio
from bench.trust.record import CopyTimes, TrustRecord, load

PAGE = "trust.md"
ABSENT = "# The timer on trial\n\nNot measured here: `python -m bench trust` measures it.\n"


def trust_page(record: TrustRecord | None) -> str:
    """The page as Markdown."""
    if record is None:
        return ABSENT
    made = record.provenance
    low, high = record.spec.loops.ratio_within
    spec = record.spec.copies
    same, slower = copies_right(record)
    bare = [speed_ratio(copies.first_s, copies.copy_s) for copies in record.copies]
    usual = sum(ratio.low <= 1 <= ratio.high for ratio in bare)
    marks = (" **Stale**: the code that decides it has changed since." if record.stale else "") + (
        " *Noisy*: the machine was loaded." if record.noisy else ""
    )
    pooled = pooled_ratio(record)
    parts = [
        "# The timer on trial",
        f"{record.spec.about} Measured on {made.processor}, {made.threads} threads, torch "
        f"{made.packages['torch']}, timm {made.packages['timm']}; commit "
        f"{(made.commit or 'unknown')[:12]}.{marks}",
        "## Beside timm's own loop",
        "Seconds a pass by this project's loop over those by a loop written after timm's "
        "`benchmark.py`, one pass each in turn in one process; "
        f"{record.spec.loops.image_size} px, batch {record.spec.loops.batch_size}. The interval "
        f"should lie within {low} to {high}. (timm prints the mean of its passes, this project the "
        "median: on a disturbed machine the mean is longer, whatever the loop.)",
        markdown(loop_rows(record)),
        f"All models together (geometric mean, round by round): {_shown(pooled)}, "
        f"**{_verdict(_within(pooled, low, high))}**; "
        f"models shown to lie outside: {', '.join(_outside(record)) or 'none'}.",
        "## Identical copies, and one made slower",
        f"{spec.repeats} repeats with {spec.model} at {spec.image_size} px, batch "
        f"{spec.batch_size}: a model, a copy of it, and a copy that stays busy for "
        f"{100 * spec.slower_by:g} % of each pass. A copy lies elsewhere in memory and so differs "
        f"a little in truth: the {100 * spec.level:g} % interval of a ratio is widened by a "
        f"floor of {100 * spec.floor:g} %, and should then hold 1 for the copy and lie above it "
        f"for the slower one. (The bare 95 % interval held 1 in {usual}.)",
        f"- identical copies: the interval holds 1 in {same} of {spec.repeats}, "
        f"**{_verdict(same >= spec.right_at_least)}** (at least {spec.right_at_least});\n"
        f"- {100 * spec.slower_by:g} % slower: the interval lies above 1 in {slower} of "
        f"{spec.repeats}, **{_verdict(slower >= spec.right_at_least)}** "
        f"(at least {spec.right_at_least}).",
        markdown(copy_rows(record)),
    ]
    return "\n\n".join(parts) + "\n"


def write_trust_page(results: Path) -> Path:
    """Draw the trial below ``results`` as ``reports/trust.md``; returns its path.

    Raises:
        InputError: the record is damaged.
    """
    folder = reports_folder(results)
    write_atomic(folder / PAGE, trust_page(load(results)).encode())
    return folder / PAGE


def passed(record: TrustRecord) -> bool:
    """Whether the timer stood the whole trial."""
    low, high = record.spec.loops.ratio_within
    same, slower = copies_right(record)
    least = record.spec.copies.right_at_least
    together = _within(pooled_ratio(record), low, high) and not _outside(record)
    return together and min(same, slower) >= least


def _outside(record: TrustRecord) -> list[str]:
    """The models on which the two loops are shown to differ by more than the limits."""
    low, high = record.spec.loops.ratio_within
    ratios = {loop.model: speed_ratio(loop.timm_s, loop.ours_s) for loop in record.loops}
    return [name for name, ratio in ratios.items() if ratio.high < low or ratio.low > high]


def loop_rows(record: TrustRecord) -> list[Row]:
    """The ratio of the two loops by model."""
    low, high = record.spec.loops.ratio_within
    rows = []
    for loop in record.loops:
        ratio = speed_ratio(loop.timm_s, loop.ours_s)
        rows.append(
            {
                "model": loop.model,
                "ours / timm's": _shown(ratio),
                "verdict": "within" if _within(ratio, low, high) else "not shown to be within",
            }
        )
    return rows


def pooled_ratio(record: TrustRecord) -> Estimate:
    """The ratio of the loops' geometric means over all models, round by round."""

    def over_models(rounds: Iterable[list[list[float]]]) -> list[list[float]]:
        return [
            [statistics.geometric_mean(statistics.median(passes) for passes in of_models)]
            for of_models in zip(*rounds, strict=True)
        ]

    theirs = over_models(loop.timm_s for loop in record.loops)
    return speed_ratio(theirs, over_models(loop.ours_s for loop in record.loops))


def copies_right(record: TrustRecord) -> tuple[int, int]:
    """In how many repeats the interval holds 1 for copies, and lies above 1 for the slower one."""
    found = [_ratios(record, copies) for copies in record.copies]
    same = sum(copy.low <= 1 <= copy.high for copy, _ in found)
    return same, sum(slower.low > 1 for _, slower in found)


def copy_rows(record: TrustRecord) -> list[Row]:
    """Both ratios of every repeat."""
    rows = []
    for number, copies in enumerate(record.copies, 1):
        copy, slower = _ratios(record, copies)
        rows.append(
            {
                "repeat": str(number),
                "copy / first": _shown(copy),
                "slower / first": _shown(slower),
            }
        )
    return rows


def _ratios(record: TrustRecord, copies: CopyTimes) -> tuple[Estimate, Estimate]:
    spec = record.spec.copies
    copy = speed_ratio(copies.first_s, copies.copy_s, spec.level)
    slower = speed_ratio(copies.first_s, copies.slower_s, spec.level)
    return widened(copy, spec.floor), widened(slower, spec.floor)


def _within(ratio: Estimate, low: float, high: float) -> bool:
    return low <= ratio.low and ratio.high <= high


def _shown(ratio: Estimate) -> str:
    return f"{ratio.value:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]"


def _verdict(right: bool) -> str:
    return "reached" if right else "missed"
