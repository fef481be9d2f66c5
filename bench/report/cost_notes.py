"""What must be known of a cost measurement before its numbers are used."""

from __future__ import annotations

from bench.records.schema import Record
from bench.report.collect import cost_of
from bench.report.context import NOISY, STALE, Context
from bench.report.places import place_of, places_told
from bench.report.text import sentence


def cost_sentences(context: Context, record: Record) -> list[str]:
    """Incomplete counts, a loaded machine, code changed since, and its own notes."""
    cost, place = cost_of(record), record.provenance.device_name
    costs = context.collected.costs.values()
    beside = {place_of(one) for one in costs if one.provenance.device_name == place}
    sentences = places_told(beside, [record])
    sentences += macs_sentences(record)
    if cost.noisy:
        sentences.append(NOISY)
    if record.id in context.collected.stale:
        sentences.append(STALE)
    return [*sentences, *map(sentence, cost.notes)]


def macs_sentences(record: Record) -> list[str]:
    """What must be known of its MACs alone: operators uncounted, counters that differ."""
    cost, sentences = cost_of(record), []
    if not cost.macs_complete:
        missing = ", ".join(sorted(cost.macs_uncounted))
        sentences.append(f"MACs are incomplete, uncounted: {missing}.")
    if cost.macs_counters_differ:
        sentences.append(f"Two counters of MACs differ: {cost.macs_counters_differ}.")
    return sentences
