"""The page of races: who is how many times as fast as whom, and which floors that reaches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.race.file import known_races, load_races
from bench.race.record import (
    Comparison,
    RaceRecord,
    RaceResult,
    ScalingResult,
    TimedContender,
    load_all,
)
from bench.records.store import write_atomic
from bench.report.folder import reports_folder
from bench.report.table.markdown import markdown
from bench.report.text import BLANK, rate

PAGE = "races.md"

_READ = (
    "Every race is timed in one process, contenders in turn in rounds of random order; a ratio is "
    "that of median times, its 95 % interval resamples whole rounds. Each model runs in the "
    "fastest of its own eager forms (contiguous or channels last, for inference also fused), "
    "chosen by five passes of each, so two equal models may differ by a percent or two. "
    "*reached*: the whole interval lies at or above the floor; *missed*: below; *within noise*: "
    "the interval holds it. Absolute times hold for the machine named and for nothing else."
)


def write_race_page(results: Path) -> Path:
    """Draw every record of races below ``results`` as ``reports/races.md``.

    Raises:
        InputError: a record is damaged.
    """
    folder = reports_folder(results)
    write_atomic(folder / PAGE, race_page(load_all(results)).encode())
    return folder / PAGE


def race_page(records: Sequence[RaceRecord]) -> str:
    """The records, and what is not measured yet, as Markdown; the same give the same text."""
    parts = ["# Races", _READ]
    for record in records:
        parts += _file_parts(record)
    for name in sorted(set(known_races()) - {record.name for record in records}):
        _, file = load_races(name)
        made_by = "make gpu" if file.device == "cuda" else f"make bench RACES={name}"
        parts += [f"## {name}", f"{file.about} *Not measured here*: `{made_by}` measures it."]
    return "\n\n".join(parts) + "\n"


def _file_parts(record: RaceRecord) -> list[str]:
    made = record.provenance
    packages = ", ".join(f"{name} {made.packages[name]}" for name in ("torch", "timm"))
    place = f"{made.device_name}, {made.threads} threads, {packages}"
    commit = (made.commit or "no commit")[:12] + (" with changes" if made.dirty else "")
    told = f"{record.about} Measured on {place}; commit {commit}."
    if record.stale:
        told += " **Stale**: the code that decides it has changed since."
    parts = [f"## {record.name}", told]
    for race in record.races:
        parts += [f"### {race.spec.name}", markdown(_race_rows(race)), *_race_notes(race)]
    for scaled in record.scaling:
        parts += [f"### {scaled.spec.name}", markdown(_scaling_rows(scaled)), _SCALING_READ]
    if record.memory:
        parts += ["### Peak memory of a process", markdown(_memory_rows(record))]
    return parts


_SCALING_READ = (
    "*exponent*: log of the ratio of times over log of the ratio of pixels; 1 is linear, 2 is "
    "quadratic. Deploy form, channels last, all sizes timed in the same rounds."
)


def _scaling_rows(scaled: ScalingResult) -> list[dict[str, str]]:
    rows = [
        {
            "contender": found.label,
            "from → to (px)": f"{found.small} → {found.large}",
            "exponent": f"{found.exponent:.2f} [{found.low:.2f}, {found.high:.2f}]",
            "at most": BLANK if found.at_most is None else f"{found.at_most:g}",
            "verdict": found.verdict,
        }
        for found in scaled.exponents
    ]
    for contender in scaled.contenders:
        for size, why in contender.failures.items():
            failed = {"contender": contender.label, "from → to (px)": f"{size}: {why}"}
            rows.append({**dict.fromkeys(rows[0] if rows else failed, BLANK), **failed})
    return rows


def _race_rows(race: RaceResult) -> list[dict[str, str]]:
    against = {comparison.rival: comparison for comparison in race.comparisons}
    rows = []
    for contender in race.contenders:
        comparison = against.get(contender.label)
        if contender.label == race.fastest and race.against_fastest is not None:
            comparison = race.against_fastest
        rows.append(_row(contender, comparison, race))
    return rows


def _row(
    contender: TimedContender, comparison: Comparison | None, race: RaceResult
) -> dict[str, str]:
    subject = contender.label == race.spec.subject.label
    samples = sorted(s for passes in contender.rounds_s for s in passes)
    median = samples[len(samples) // 2] if samples else None
    scan = race.spec.task.startswith("scan")
    speed = contender.units_per_pass / median if median else None
    shown = BLANK if speed is None else rate(speed / 1e9 if scan else speed)
    return {
        "contender": f"**{contender.label}**" if subject else contender.label,
        "form": contender.form.replace("_", " "),
        "G state updates/s" if scan else "images/s": shown,
        "ms a pass": BLANK if median is None else f"{1000 * median:.3g}",
        "subject is … times as fast": _ratio(comparison),
        "floor": f"{comparison.at_least:g}" if comparison and comparison.at_least else BLANK,
        "verdict": comparison.verdict if comparison else (contender.failure or BLANK),
    }


def _ratio(comparison: Comparison | None) -> str:
    if comparison is None:
        return BLANK
    return f"{comparison.ratio:.2f} [{comparison.low:.2f}, {comparison.high:.2f}]"


def _race_notes(race: RaceResult) -> list[str]:
    notes = []
    if race.against_fastest is not None:
        notes.append(f"The floor is against the fastest rival, {race.fastest}.")
    if race.spec.precision != "float32":
        notes.append(f"In {race.spec.precision} by autocast; a selective scan stays in float32.")
    if race.noisy:
        notes.append("Noisy: other processes used the machine meanwhile.")
    return [" ".join(notes)] if notes else []


def _memory_rows(record: RaceRecord) -> list[dict[str, str]]:
    return [
        {
            "what": f"{ceiling.spec.subject.label}, {ceiling.spec.name}",
            "peak (GiB)": _gib(ceiling.peak_bytes),
            "before the model (GiB)": _gib(ceiling.before_bytes),
            "ceiling (GiB)": f"{ceiling.spec.at_most_gib:g}",
            "verdict": ceiling.failure or ceiling.verdict,
        }
        for ceiling in record.memory
    ]


def _gib(count: int | None) -> str:
    return BLANK if count is None else f"{count / 2**30:.2f}"
