"""Parameters, MACs, throughput and latency, one row a model and machine."""

from __future__ import annotations

from bench.records.schema import CostResult, Record
from bench.report.best import SPEED_RULE, best_by_throughput, told
from bench.report.collect import Collected, cost_of
from bench.report.context import Context
from bench.report.cost_notes import cost_sentences
from bench.report.table.model import Cell, Row, Table, columns_of
from bench.report.text import BLANK, giga, millions, milliseconds, rate

_SCAN = "scan"  # the family of bench.measure.handles


def cost_table(context: Context, read: str = "") -> Table:
    """Every model of the suite in its order; one that was not measured keeps a row of blanks."""
    collected, rows = context.collected, []
    machines = list(dict.fromkeys(machine for _, machine in collected.costs))
    best = {machine: best_by_throughput(_on(collected, machine)) for machine in machines}
    for model in collected.suite.cost_models:
        measured = [key for key in collected.costs if key[0] == model.name]
        for name, machine in measured:
            bold = name in best[machine].models
            rows.append(_row(context, collected.costs[name, machine], name, machine, bold=bold))
        if not measured:
            how = f"`python -m bench measure {collected.suite.reference}` measures it"
            reason = f"No cost: {collected.cost_problems[model.name]}; {how}."
            rows.append({"model": context.cell(model.name, None, (), [reason])} | _BLANKS)
    many = len(machines) > 1
    heads = {f"images/s on {m}" if many else "images/s": one for m, one in best.items()}
    columns = columns_of(rows, words=["model", "measured on"])
    legend = told(SPEED_RULE, heads)
    return context.table("cost", "Cost", columns, rows, read=read, legend=legend)


def role_table(context: Context) -> Table:
    """MACs by role: parts of the same name in all blocks of a model taken together."""
    rows: list[Row] = []
    shown: set[str] = set()
    for (name, _), record in context.collected.costs.items():
        cost = cost_of(record)
        if name in shown or not cost.macs_by_role:
            continue
        shown.add(name)  # the same on every machine
        for role, macs in sorted(cost.macs_by_role.items(), key=lambda pair: -pair[1]):
            share = 100 * macs / cost.macs
            few = f"{macs / 1e6:.3g}" if macs < 1e9 else f"{macs / 1e6:.0f}"
            label = name + ("" if cost.macs_complete else " (incomplete)")
            rows.append(
                {
                    "model": context.cell(label, None, [record]),
                    "part": context.cell(role, None, [record]),
                    "MACs (M)": context.cell(few, macs / 1e6, [record]),
                    "share (%)": context.cell(f"{share:.1f}", share, [record]),
                }
            )
    columns = columns_of(rows, words=["model", "part"])
    return context.table("macs", "MACs by part", columns, rows, read=_MACS_READ)


def _on(collected: Collected, machine: str) -> dict[str, CostResult]:
    return {name: cost_of(r) for (name, where), r in collected.costs.items() if where == machine}


def _row(
    context: Context, record: Record, model: str, machine: str, *, bold: bool
) -> dict[str, Cell]:
    cost = cost_of(record)
    speed = cost.throughput_images_per_s_median
    low, high = cost.throughput_images_per_s_low, cost.throughput_images_per_s_high
    p50, p95 = cost.latency_s_p50, cost.latency_s_p95
    weights, params = cost.weights_bytes / 2**20, cost.params_trainable
    told: dict[str, tuple[str, float | None]] = {
        "params (M)": (millions(params), params / 1e6),
        "weights (MiB)": (f"{weights:.1f}", weights),
        "MACs (G)": (giga(cost.macs), cost.macs / 1e9),
        "images/s": (rate(speed), speed),
        "95 % interval": (f"{rate(low)} to {rate(high)}", None),
        "latency p50 (ms)": (milliseconds(p50), 1000 * p50),
        "latency p95 (ms)": (BLANK, None) if p95 is None else (milliseconds(p95), 1000 * p95),
    }
    row = {"model": context.cell(model, None, [record], cost_sentences(context, record))}
    notes = {"MACs (G)": _scan_sentences(cost)}
    for key, (text, value) in told.items():
        best = bold and key == "images/s"
        row[key] = context.cell(text, value, [record], notes.get(key, ()), best=best)
    return row | {"measured on": context.cell(machine, None, [record])}


def _scan_sentences(cost: CostResult) -> list[str]:
    """What of the count is a selective scan: others leave it out, some its projections too."""
    scan = cost.macs_by_family.get(_SCAN)
    if not scan:
        return []
    return [
        f"{giga(cost.macs - scan)} G without the selective scan, counted as 4·B·L·E·N + 2·B·L·E. "
        "Counters of modules see neither the scan nor the products with raw parameters that make "
        "Δ, B and C: the 2.02 G quoted for MedMamba-T at 224 px leave out both (0.34 and 0.24 G)."
    ]


_BLANKS = {
    key: Cell(BLANK, state="missing")
    for key in (
        *("params (M)", "weights (MiB)", "MACs (G)", "images/s", "95 % interval"),
        *("latency p50 (ms)", "latency p95 (ms)", "measured on"),
    )
}
_MACS_READ = (
    "MACs of one image by the name of the part that does them, the numbers of stages and blocks "
    "left out, so that all blocks' parts of one name stand together."
)
