"""The page of a suite's costs: the table every suite has, and what a full measurement adds."""

from __future__ import annotations

from collections.abc import Callable

from bench.report.circumstances import circumstance_rows
from bench.report.collect import cost_of
from bench.report.context import Context
from bench.report.cost import cost_table
from bench.report.full_cost import forms_rows, latency_rows, memory_rows
from bench.report.growth import scaling_rows
from bench.report.limits import limit_rows, limits_sentence
from bench.report.table.model import Row, Table, columns_of

_WORDS = ("model", "measured on", "fed", "types", "clock", "fastest form", "nearest limit")

SECTIONS: tuple[tuple[str, str, Callable[[Context], list[Row]], str], ...] = (
    (
        "circumstances",
        "Circumstances",
        circumstance_rows,
        "How busy the processors were before the measurement, with other processes during it, and "
        "after it; what a loaded machine disturbed was measured again. Energy is what the "
        "machine's own counter says; a column that this machine cannot tell (energy, the clock) "
        "is left out.",
    ),
    (
        "forms",
        "Forms and precisions",
        forms_rows,
        "Images/s at the batch above; in brackets how many times the speed of `plain`, timed in "
        "the same rounds, with its interval (Hodges–Lehmann, signed rank). `fused` is the deploy "
        "form with equal outputs; a precision below float32 is automatic mixed precision, and "
        "blank where the device has no arithmetic for it.",
    ),
    (
        "latency",
        "Latency at batch 1",
        latency_rows,
        "A percentile is blank where the sample is too small to hold it: 59 passes for p95, 299 "
        "for p99.",
    ),
    (
        "memory",
        "Memory and cold start",
        memory_rows,
        "Each in a fresh process, at the batch above: the largest resident set beyond what Python "
        "and the libraries take (on a GPU the allocator's peak). Training is forward, backward "
        "and AdamW.",
    ),
    (
        "scaling",
        "Growth",
        scaling_rows,
        "Slope of log time against log pixels at batch 1, and against the batch; 1 is linear. "
        "Memory is that of the whole process; its slope, of what the model adds to the libraries, "
        "over the larger half of the sizes, has the straight line's own interval. The best batch "
        "gives the most images a second.",
    ),
    (
        "limits",
        "Against the machine's limits",
        limit_rows,
        "Throughput of the first table beside the limits measured here. Bytes are those of every "
        "operator's inputs and outputs, as if there were no cache, so that more than all of the "
        "copy's rate means that caches were used, and more than all of the product's that a "
        "convolution did fewer multiplications (Winograd) than are counted. *Fixed* is what a "
        "pass costs however small the image: the time at the smallest size timed, less its "
        "arithmetic at the product's rate and the weights read once at the copy's.",
    ),
)


def cost_tables(context: Context) -> list[Table]:
    """The tables of the page in order: that of every suite, then what a full measurement adds."""
    tables = [cost_table(context.afresh(), _read(context))]
    for name, title, draw, explained in SECTIONS:
        own = context.afresh()
        rows = draw(own)
        if rows:
            more = limits_sentence(context) if name == "limits" else ""
            columns = columns_of(rows, words=_WORDS)
            read = f"{explained} {more}".rstrip()
            tables.append(own.table(f"cost-{name}", title, columns, rows, read=read))
    return tables


def _read(context: Context) -> str:
    settings = context.collected.suite.settings
    read = (
        f"Images {settings.image_size} × {settings.image_size}, {settings.channels} channels, "
        f"{settings.cost.num_classes} classes, batch {settings.cost.batch_size}, "
        f"{settings.threads} threads on a CPU, "
        f"{'channels_last' if settings.cost.channels_last else 'contiguous'} memory, eager, "
        "evaluation mode. 1 MAC is one multiply-add; many papers print it as "
        "one FLOP. Throughput is the median of interleaved rounds with its bootstrap interval over "
        "rounds (95 % nominal; with ten rounds it holds the truth about nine times in ten); "
        "compare models measured on the same machine only. " + floor_sentence(context)
    )
    return read.rstrip()


def floor_sentence(context: Context) -> str:
    """What two copies of one model seemed to differ by: no smaller difference means anything."""
    floors = {record.id: cost_of(record).noise_floor for record in context.collected.costs.values()}
    distinct = {floor.model_dump_json(): floor for floor in floors.values() if floor is not None}
    if not distinct:
        return ""
    worst = max(floor.throughput for floor in distinct.values())
    latency = max(floor.latency_p50 for floor in distinct.values())
    names = ", ".join(sorted({floor.model for floor in distinct.values()}))
    return (
        f"*Noise floor*: two copies of one model ({names}), timed in turn, could differ by "
        f"{100 * worst:.1f} % in throughput and {100 * latency:.1f} % in p50 by their interval; "
        "no smaller difference between two rows means anything."
    )
