"""What stands of the positive control at the head of other pages."""

from __future__ import annotations

from collections.abc import Iterable

from bench.records.schema import Record
from bench.report.collect import collect
from bench.report.control.expected import judge_expectations
from bench.report.control.file import load_expected
from bench.report.control.trainings import Trainings
from bench.staleness import ALL_STALE, Staleness


def control_line(records: Iterable[Record], known: Staleness = ALL_STALE) -> str:
    """How many planted expectations held, by these records, and where to read of them.

    Args:
        known: of changed code that gives the same bits.
    """
    file, suite = load_expected()
    trainings = Trainings(collect(suite, records, staleness=known))
    judged = judge_expectations(file, trainings)
    held = sum(one.held for one in judged)
    if all(one.verdict is None for one in judged):
        return (
            "What this harness can detect was not tried on phantoms with these records: "
            f"`python -m bench run {suite.reference}`, then `python -m bench control`."
        )
    doubt = "" if held == len(judged) else ", so read on with care"
    if trainings.stale:
        doubt += f"; {trainings.stale} of its records were made by code that has changed since"
    return (
        f"What this harness can detect: **{held} of {len(judged)} expectations on phantoms with a "
        f"known cue held**{doubt} (`python -m bench control`)."
    )
