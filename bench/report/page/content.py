"""What a suite's page says, before it is HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.report.page.blocks import Block
from bench.report.page.cards import Card, Shared
from bench.report.page.pictures import Picture


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it; ``name`` is its anchor."""

    name: str
    title: str
    blocks: Sequence[Block] = ()


@dataclass(frozen=True)
class Tally:
    """How often each word was said of the subject by one metric, in the order of ``WORDS``."""

    metric: str
    counts: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class ClaimLine:
    """One claim that rests on the suite; ``href`` leads to it on the page of claims."""

    says: str
    verdict: str
    outcome: str
    reason: str
    href: str


@dataclass(frozen=True)
class Missing:
    """Something that is not on the page: what, why, and the command that makes it.

    Attributes:
        records: ids of tries that failed.
    """

    what: str
    why: str
    command: str = ""
    records: Sequence[str] = ()


@dataclass(frozen=True)
class Content:
    """The whole page.

    Attributes:
        about: what the suite is, in Markdown.
        facts: what is shown, as terms and texts.
        tallies: counts of the verdicts; empty where nothing was compared.
        lines: sentences below the tallies, in Markdown.
        not_drawn: figures that are not there.
        makes_all: commands that make everything that is missing of runs and costs.
        left_out: sentences on records that fit the suite and are not shown.
        shared: what many records have in common (protocols, circumstances), told once.
    """

    suite: str
    about: str
    facts: Sequence[tuple[str, str]]
    tallies: Sequence[Tally]
    lines: Sequence[str]
    verdicts: Section
    sections: Sequence[Section]
    pictures: Sequence[Picture]
    not_drawn: Sequence[Missing]
    claims: Sequence[ClaimLine]
    claims_page: str
    missing: Sequence[Missing]
    makes_all: Sequence[str]
    left_out: Sequence[str]
    provenance: Section
    cards: Sequence[Card]
    shared: Sequence[Shared]
    command: str
