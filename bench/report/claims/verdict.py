"""What a check answers, and the words a verdict is given in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Literal


class Outcome(Enum):
    """What the evidence says of a claim."""

    HOLDS = "holds"
    FAILS = "fails"
    OPEN = "open"  # measured, and not decided by it
    ABSENT = "absent"  # not measured


@dataclass(frozen=True)
class Link:
    """A file that a value comes from."""

    text: str
    path: Path


@dataclass(frozen=True)
class Evidence:
    """One value, with its interval where it has one, and the files it comes from."""

    what: str
    value: str
    links: tuple[Link, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """The outcome, one sentence on why, the values it rests on, and what would measure more."""

    outcome: Outcome
    reason: str
    evidence: tuple[Evidence, ...] = ()
    command: str = ""


WORDS: dict[tuple[Literal["network", "facts"], Outcome], str] = {
    ("network", Outcome.HOLDS): "reproduced by our reimplementation",
    ("network", Outcome.FAILS): "not reproduced by our reimplementation",
    ("facts", Outcome.HOLDS): "confirmed",
    ("facts", Outcome.FAILS): "refuted",
    ("network", Outcome.OPEN): "undecided",
    ("facts", Outcome.OPEN): "undecided",
    ("network", Outcome.ABSENT): "not measured",
    ("facts", Outcome.ABSENT): "not measured",
}
"""A network that we rebuilt from an abstract can neither confirm nor refute what its authors'
did; arithmetic, printed numbers and our own claims can be."""


def absent(reason: str, command: str = "", evidence: Sequence[Evidence] = ()) -> Judgement:
    """Not measured, and why."""
    return Judgement(Outcome.ABSENT, reason, tuple(evidence), command)


def by_interval(low: float, high: float, *, holds_above: float, fails_below: float) -> Outcome:
    """Holds where all of the interval lies above one value, fails where below another."""
    if low > holds_above:
        return Outcome.HOLDS
    return Outcome.FAILS if high < fails_below else Outcome.OPEN


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """Of several that must all hold: one failure fails it, one that is open leaves it open."""
    for outcome in (Outcome.FAILS, Outcome.ABSENT, Outcome.OPEN):
        if outcome in outcomes:
            return outcome
    return Outcome.HOLDS
