"""Parameters, MACs, throughput and latency, one row a model and machine."""

from __future__ import annotations

from bench.records.schema import CostResult
from bench.report.accuracy import Context, Row, cost_marks
from bench.report.collect import cost_of
from bench.report.text import BLANK, giga, millions, milliseconds, rate

_SCAN = "scan"  # the family of bench.measure.handles


def _scan_mark(context: Context, cost: CostResult) -> str:
    """What of the count is a selective scan: others leave it out, some its projections too."""
    scan = cost.macs_by_family.get(_SCAN)
    if not scan:
        return ""
    note = (
        f"{giga(cost.macs - scan)} G without the selective scan, counted as 4·B·L·E·N + 2·B·L·E. "
        "Counters of modules see neither the scan nor the products with raw parameters that make "
        "Δ, B and C: the 2.02 G quoted for MedMamba-T at 224 px leave out both (0.34 and 0.24 G)."
    )
    return " " + context.notes.mark(note)


def cost_rows(context: Context) -> list[Row]:
    """Every model of the suite in its order; one that was not measured keeps a row of blanks."""
    collected, rows = context.collected, []
    for model in collected.suite.cost_models:
        measured = [key for key in collected.costs if key[0] == model.name]
        for key in measured:
            record = collected.costs[key]
            cost = cost_of(record)
            rows.append(
                {
                    "model": model.name + cost_marks(context, record),
                    "params (M)": millions(cost.params_trainable),
                    "weights (MiB)": f"{cost.weights_bytes / 2**20:.1f}",
                    "MACs (G)": giga(cost.macs) + _scan_mark(context, cost),
                    "images/s": rate(cost.throughput_images_per_s_median),
                    "95 % interval": f"{rate(cost.throughput_images_per_s_low)} to "
                    f"{rate(cost.throughput_images_per_s_high)}",
                    "latency p50 (ms)": milliseconds(cost.latency_s_p50),
                    "p95 (ms)": BLANK
                    if cost.latency_s_p95 is None
                    else milliseconds(cost.latency_s_p95),
                    "measured on": key[1],
                }
            )
        if not measured:
            reason = collected.cost_problems[model.name]
            mark = context.notes.mark(f"No cost: {reason}.")
            names = ["params (M)", "weights (MiB)", "MACs (G)", "images/s", "95 % interval"]
            blanks = dict.fromkeys([*names, "latency p50 (ms)", "p95 (ms)", "measured on"], BLANK)
            rows.append({"model": f"{model.name} {mark}", **blanks})
    return rows


def role_rows(context: Context) -> list[Row]:
    """MACs by role: parts of the same name in all blocks of a model taken together."""
    rows, shown = [], set()
    for (name, _), record in context.collected.costs.items():
        cost = cost_of(record)
        if name in shown or not cost.macs_by_role:
            continue
        shown.add(name)  # the same on every machine
        for role, macs in sorted(cost.macs_by_role.items(), key=lambda pair: -pair[1]):
            rows.append(
                {
                    "model": name + ("" if cost.macs_complete else " (incomplete)"),
                    "part": role,
                    "MACs (M)": f"{macs / 1e6:.3g}" if macs < 1e9 else f"{macs / 1e6:.0f}",
                    "share (%)": f"{100 * macs / cost.macs:.1f}",
                }
            )
    return rows
