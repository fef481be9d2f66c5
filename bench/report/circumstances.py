"""Under what each model was timed, and what the first touch of it took."""

from __future__ import annotations

from bench.records.schema import CostResult, MachineState
from bench.report.collect import cost_of
from bench.report.context import Context
from bench.report.table.model import Row
from bench.report.text import BLANK, milliseconds
from bench.specs import CostSpec


def circumstance_rows(context: Context) -> list[Row]:
    """One row a measurement; a column that no machine could tell is left out."""
    rows = []
    for (name, _), record in context.collected.costs.items():
        spec, cost = record.spec, cost_of(record)
        assert isinstance(spec, CostSpec)
        if cost.first_forward_s is None:  # of a version that kept none of this
            continue
        told: dict[str, tuple[str, float | None]] = {
            "model": (name, None),
            "measured on": (spec.device_name, None),
            "fed": (" × ".join(map(str, cost.fed)) or BLANK, None),
            "types": (_types(cost), None),
            "build (s)": _number(cost.build_s, "{:.2f}"),
            "first pass (ms)": (milliseconds(cost.first_forward_s), 1000 * cost.first_forward_s),
            "energy (J/image)": _number(cost.energy_j_per_image, "{:.3g}"),
            "load before": _percent(cost.load_before),
            "others meanwhile": _percent(cost.load_others),
            "load after": _percent(cost.load_after),
            "measured again": (str(cost.repeats), cost.repeats),
            "clock": (_clock(cost.state_before, cost.state_after), None),
        }
        rows.append({key: context.cell(*one, [record]) for key, one in told.items()})
    known = {key for row in rows for key, cell in row.items() if cell.text != BLANK}
    return [{key: cell for key, cell in row.items() if key in known} for row in rows]


def _number(value: float | None, form: str) -> tuple[str, float | None]:
    return (BLANK if value is None else form.format(value)), value


def _types(cost: CostResult) -> str:
    """The types of number, with what ran in each where there is more than one."""
    found: dict[str, list[str]] = {}
    for kind, types in cost.types.items():
        for name in types:
            found.setdefault(name, []).append(kind)
    if len(found) < 2:
        return next(iter(found), BLANK)
    return "; ".join(f"{name}: {', '.join(kinds)}" for name, kinds in found.items())


def _percent(share: float | None) -> tuple[str, float | None]:
    return (BLANK, None) if share is None else (f"{100 * share:.0f} %", 100 * share)


def _clock(before: MachineState, after: MachineState) -> str:
    told = [before.governor] if before.governor else []
    if after.gpu_clock_mhz is not None:
        told.append(f"{after.gpu_clock_mhz} of {after.gpu_clock_limit_mhz} MHz")
    told += sorted({*before.gpu_throttled, *after.gpu_throttled})
    others = max(before.gpu_other_processes, after.gpu_other_processes)
    told += [f"{others} other processes"] if others else []
    return ", ".join(told) or BLANK
