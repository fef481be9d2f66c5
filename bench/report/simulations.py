"""The page on whether the statistics can be believed, from the one record of their simulations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from bench.records.store import write_atomic
from bench.report.accuracy import Row
from bench.report.folder import reports_folder
from bench.report.simulation_words import (
    ASKED,
    BELIEVE,
    COVERAGE_READ,
    FALSE_READ,
    NEAR_READ,
    POWER_READ,
    PRACTICE_READ,
    WORLDS_READ,
)
from bench.report.table.markdown import markdown
from bench.simulate.file import SimulationFile
from bench.simulate.rates import Kind, Rate, held
from bench.simulate.record import AnalysisCost, SimulationRecord, load

PAGE = "statistics.md"
ABSENT = "# The statistics on trial\n\nNot measured here: `python -m bench simulate` measures it.\n"

_Order = Callable[[tuple[str, str, str, int]], tuple[int, ...]]
JUDGED: tuple[Kind, ...] = ("coverage", "difference", "equivalent", "power")


def simulations_page(record: SimulationRecord | None) -> str:
    """The page as Markdown."""
    if record is None:
        return ABSENT
    spec, made = record.spec, record.provenance
    stale = " **Stale**: the code that decides it has changed since." if record.stale else ""
    parts = [
        "# The statistics on trial",
        f"{spec.about} Made with numpy {made.packages['numpy']}; commit "
        f"{(made.commit or 'unknown')[:12]}.{stale} What each method is: "
        "[docs/statistics.md](../docs/statistics.md).",
        "## What may be believed",
        BELIEVE.format(errors=spec.limits.errors, coverage_errors=spec.limits.coverage_errors),
        markdown(method_rows(record)),
        _missed_lines(record),
        _near_lines(record),
        "## The worlds",
        WORLDS_READ,
        markdown(world_rows(spec)),
        markdown(score_rows(spec)),
        "## Intervals: how often they hold the truth (%)",
        COVERAGE_READ,
        markdown(rate_rows(record, ("coverage",))),
        "## False words (%)",
        FALSE_READ,
        markdown(rate_rows(record, ("difference", "equivalent"))),
        "## Power: how often a true difference is found (%)",
        POWER_READ,
        markdown(rate_rows(record, ("power",))),
        "## What is often done instead (%)",
        PRACTICE_READ.format(ahead=100 * spec.practice.ahead_by),
        markdown(rate_rows(record, ("practice",))),
        "## The whole analysis, timed",
        _analysis(record),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def write_simulations_page(results: Path) -> Path:
    """Draw the simulations below ``results`` as ``reports/statistics.md``; returns its path.

    Raises:
        InputError: the record is damaged.
    """
    folder = reports_folder(results)
    write_atomic(folder / PAGE, simulations_page(load(results)).encode())
    return folder / PAGE


def passed(record: SimulationRecord) -> bool:
    """Whether every method held, and the analysis was quick and small enough."""
    right = not missed(record)
    return right and (record.analysis is None or all(_within(record.spec, record.analysis)))


def missed(record: SimulationRecord) -> list[Rate]:
    """The rates beyond their limit by more than chance explains."""
    return [rate for rate in record.rates if held(rate, record.spec.limits) is False]


def simulation_table(record: SimulationRecord | None) -> str | None:
    """What may be believed, for another document; None where nothing was simulated."""
    return None if record is None else markdown(method_rows(record))


def method_rows(record: SimulationRecord) -> list[Row]:
    """Each method with what is asked of it, what was measured and whether it held."""
    limits, rows = record.spec.limits, []
    groups: dict[tuple[Kind, str], list[Rate]] = {}
    for rate in record.rates:
        if rate.kind in JUDGED and rate.value is not None:
            groups.setdefault((rate.kind, rate.method), []).append(rate)
    for (kind, method), rates in groups.items():
        asked = ASKED[kind].format(
            low=100 * limits.coverage[0],
            high=100 * limits.coverage[1],
            most=100 * limits.false_at_most,
            within=100 * limits.power_within,
        )
        right = [held(rate, limits) for rate in rates]
        rows.append(
            {
                "method": method,
                "asked (%)": asked,
                "measured (%)": _span(kind, rates),
                "held in": f"{sum(map(bool, right))} of {len(right)}",
                "verdict": "held" if all(right) else "**missed**",
            }
        )
    return rows


def world_rows(spec: SimulationFile) -> list[Row]:
    """What the worlds of decisions are like."""
    return [
        {
            "world": name,
            "share of classes": _percents(world.class_shares),
            "ACC by class": _percents(world.class_accuracy),
            "two seeds differ on": f"{100 * world.between_seeds:g}",
            "two models differ on": f"{100 * world.between_models:g}",
            "sd of ACC over seeds": f"{100 * world.seed_sd:g}",
        }
        for name, world in spec.world.items()
    ]


def score_rows(spec: SimulationFile) -> list[Row]:
    """What the worlds of scores are like."""
    return [
        {
            "world": name,
            "positive (%)": f"{100 * world.positive:g}",
            "AUC (%)": f"{100 * world.auc:g}",
            "sd of AUC over seeds (%)": f"{100 * world.seed_sd:g}",
            "scores of two seeds correlate by": f"{world.between_seeds:g}",
            "of two models": f"{world.between_models:g}",
        }
        for name, world in spec.scores.items()
    ]


def rate_rows(record: SimulationRecord, kinds: Iterable[Kind]) -> list[Row]:
    """A row for each method, world, number of seeds and setting; a column for each test size."""
    chosen = [rate for rate in record.rates if rate.kind in set(kinds)]
    sizes = sorted({rate.images for rate in chosen})
    rows: dict[tuple[str, str, str, int], Row] = {}
    for rate in chosen:
        setting = _setting(rate)
        row = rows.setdefault(
            (rate.method, setting, rate.world, rate.seeds),
            {"method": rate.method, "of": setting, "world": rate.world, "seeds": str(rate.seeds)}
            | {f"{size} images": "–" for size in sizes},
        )
        row[f"{rate.images} images"] = _cell(rate, held(rate, record.spec.limits))
    if not any(row["of"] for row in rows.values()):
        for row in rows.values():
            del row["of"]
    return [rows[key] for key in sorted(rows, key=_order(list(rows)))]


def _order(keys: list[tuple[str, str, str, int]]) -> _Order:
    """Methods, settings and worlds as they first come; within them by seeds."""
    places: list[dict[str, int]] = []
    for part in range(3):
        names = dict.fromkeys(str(key[part]) for key in keys)
        places.append({name: place for place, name in enumerate(names)})

    def order(key: tuple[str, str, str, int]) -> tuple[int, ...]:
        return (*(places[part][str(key[part])] for part in range(3)), key[3])

    return order


def _setting(rate: Rate) -> str:
    if rate.kind in ("power", "equivalent"):
        return f"{100 * float(rate.setting):g} points"
    return rate.setting


def _cell(rate: Rate, right: bool | None) -> str:
    if rate.value is None:
        return "no answer"
    shown = f"{100 * rate.value:.1f} ± {100 * rate.error:.1f}"
    if rate.predicted is not None:
        shown += f" ({100 * rate.predicted:.1f})"
    share = rate.blank / (rate.of + rate.blank)
    if share >= 0.001:
        shown += f", {100 * share:.1f} blank"
    return f"**{shown}**" if right is False else shown


def _span(kind: Kind, rates: Sequence[Rate]) -> str:
    values = [100 * (rate.value or 0.0) for rate in rates]
    if kind == "power":
        values = [v - 100 * (rate.predicted or 0.0) for v, rate in zip(values, rates, strict=True)]
        return f"{min(values):+.1f} to {max(values):+.1f} beside the prediction"
    return f"{min(values):.1f} to {max(values):.1f}"


def _line(rate: Rate) -> str:
    setting = f", {_setting(rate)}" if rate.setting else ""
    return (
        f"- {rate.method}: {_cell(rate, None)} % in world `{rate.world}`, {rate.images} images, "
        f"seeds {rate.seeds}{setting}."
    )


def _near_lines(record: SimulationRecord) -> str:
    """Coverage beyond its limit that is not counted as missed: the reader may judge otherwise."""
    bare = record.spec.limits.model_copy(update={"coverage_errors": 0.0})
    near = [
        rate
        for rate in record.rates
        if rate.kind == "coverage" and held(rate, bare) is False and held(rate, record.spec.limits)
    ]
    return "\n".join([NEAR_READ + "\n", *map(_line, near)]) if near else ""


def _missed_lines(record: SimulationRecord) -> str:
    lines = [_line(rate) for rate in missed(record)]
    return "\n".join(["Missed:\n", *lines]) if lines else "No limit is missed."


def _percents(shares: Sequence[float]) -> str:
    return ", ".join(f"{100 * share:g}" for share in shares)


def _within(spec: SimulationFile, cost: AnalysisCost) -> tuple[bool, bool]:
    load = spec.analysis
    return cost.wall_s <= load.seconds_at_most, cost.peak_bytes <= load.bytes_at_most


def _analysis(record: SimulationRecord) -> str:
    load, cost = record.spec.analysis, record.analysis
    if cost is None:
        return "Not measured."
    quick, small = (
        "**reached**" if right else "**missed**" for right in _within(record.spec, cost)
    )
    made = record.provenance
    return (
        f"{load.models} models × {len(load.datasets)} data sets ({', '.join(load.datasets)}, with "
        f"their own numbers of classes and of images) × {load.seeds} seeds, {load.draws} draws, in "
        f"a fresh process on {made.processor}: {cost.runs} runs, {cost.comparisons} verdicts.\n\n"
        f"- time: {cost.wall_s:.1f} s, at most {load.seconds_at_most:g} s: {quick};\n"
        f"- memory: {cost.peak_bytes / 2**30:.2f} GiB at its peak, of it "
        f"{cost.predictions_bytes / 2**30:.2f} GiB the predictions, at most "
        f"{load.bytes_at_most / 2**30:g} GiB: {small}."
    )
