"""Checks on races: how many times as fast, and how time grows with the image."""

from __future__ import annotations

from bench.report.claims.file import Exponents, Raced
from bench.report.claims.kept import Kept
from bench.report.claims.verdict import (
    Evidence,
    Judgement,
    Outcome,
    absent,
    by_interval,
    together,
)


def raced(check: Raced, kept: Kept) -> Judgement:
    """Faster than the rival where the whole interval of the ratio lies above 1."""
    record, why, link = kept.race(check.races)
    if record is None:
        return absent(why, check.command)
    found = next((race for race in record.races if race.spec.name == check.race), None)
    compared = [c for c in found.comparisons if c.rival == check.rival] if found else []
    if not found or not compared:
        why = f"the record has no comparison with {check.rival!r} in {check.race!r}"
        return absent(why, check.command)
    ratio = compared[0]
    subject = found.spec.subject.label
    outcome = by_interval(ratio.low, ratio.high, holds_above=1, fails_below=1)
    value = f"{ratio.ratio:.2f} [{ratio.low:.2f}, {ratio.high:.2f}] times as fast"
    evidence = Evidence(
        f"{subject} against {check.rival}, {check.race}, {record.provenance.device_name}",
        value,
        (link,),
    )
    words = {Outcome.HOLDS: "lies above 1", Outcome.FAILS: "lies below 1"}
    told = words.get(outcome, f"holds 1; it is {ratio.high - ratio.low:.2f} wide")
    return Judgement(outcome, f"The ratio's 95 % interval {told}.", (evidence,))


def exponents(check: Exponents, kept: Kept) -> Judgement:
    """Linear or less where every span's exponent has its whole interval at or below the limit."""
    command = f"make bench RACES={check.races}"
    record, why, link = kept.race(check.races)
    if record is None:
        return absent(why, command)
    scaled = next((s for s in record.scaling if s.spec.name == check.scaling), None)
    found = [e for e in scaled.exponents if e.label == check.model] if scaled else []
    lacking = scaled is None or len(found) < len(scaled.spec.spans)
    if scaled is None or lacking:
        why = f"the record lacks {check.model} in {check.scaling!r} over every span"
        return absent(why, command)
    outcomes = [
        by_interval(-e.high, -e.low, holds_above=-check.at_most, fails_below=-check.at_most)
        for e in found
    ]
    evidence = tuple(
        Evidence(
            f"{e.label}, {e.small} to {e.large} px: time ∝ pixels to the",
            f"{e.exponent:.2f} [{e.low:.2f}, {e.high:.2f}]",
            (link,),
        )
        for e in scaled.exponents
        if e.label in (check.model, check.beside)
    )
    outcome = together(outcomes)
    words = {
        Outcome.HOLDS: f"Every span's 95 % interval lies below {check.at_most:g}",
        Outcome.FAILS: f"A span's 95 % interval lies above {check.at_most:g}",
    }
    told = words.get(outcome, f"A span's 95 % interval holds {check.at_most:g}")
    return Judgement(outcome, f"{told} ({record.provenance.device_name}).", evidence)
