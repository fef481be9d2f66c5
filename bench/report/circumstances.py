"""Under what each model was timed, and what the first touch of it took."""

from __future__ import annotations

from bench.records.schema import CostResult, MachineState
from bench.report.accuracy import Context, Row
from bench.report.collect import cost_of
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
        rows.append(
            {
                "model": name,
                "measured on": spec.device_name,
                "fed": " × ".join(map(str, cost.fed)) or BLANK,
                "types": _types(cost),
                "build (s)": BLANK if cost.build_s is None else f"{cost.build_s:.2f}",
                "first pass (ms)": milliseconds(cost.first_forward_s),
                "energy (J/image)": BLANK
                if cost.energy_j_per_image is None
                else f"{cost.energy_j_per_image:.3g}",
                "load before": _percent(cost.load_before),
                "others meanwhile": _percent(cost.load_others),
                "load after": _percent(cost.load_after),
                "measured again": str(cost.repeats),
                "clock": _clock(cost.state_before, cost.state_after),
            }
        )
    told = {key for row in rows for key, value in row.items() if value != BLANK}
    return [{key: value for key, value in row.items() if key in told} for row in rows]


def _types(cost: CostResult) -> str:
    """The types of number, with what ran in each where there is more than one."""
    found: dict[str, list[str]] = {}
    for kind, types in cost.types.items():
        for name in types:
            found.setdefault(name, []).append(kind)
    if len(found) < 2:
        return next(iter(found), BLANK)
    return "; ".join(f"{name}: {', '.join(kinds)}" for name, kinds in found.items())


def _percent(share: float | None) -> str:
    return BLANK if share is None else f"{100 * share:.0f} %"


def _clock(before: MachineState, after: MachineState) -> str:
    told = [before.governor] if before.governor else []
    if after.gpu_clock_mhz is not None:
        told.append(f"{after.gpu_clock_mhz} of {after.gpu_clock_limit_mhz} MHz")
    told += sorted({*before.gpu_throttled, *after.gpu_throttled})
    others = max(before.gpu_other_processes, after.gpu_other_processes)
    told += [f"{others} other processes"] if others else []
    return ", ".join(told) or BLANK
