"""Every claim judged by the check it names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.errors import InputError
from bench.report.claims.counts import cost_ratio, fewer, macs, parameters
from bench.report.claims.file import (
    CLAIMS,
    Ablated,
    Accuracy,
    Check,
    Claim,
    ClaimsFile,
    ClassAuc,
    CostRatio,
    Exponents,
    Fewer,
    Gains,
    Macs,
    Parameters,
    Raced,
    Replication,
    Source,
    Unstated,
    Validation,
)
from bench.report.claims.kept import Kept
from bench.report.claims.replication import replication
from bench.report.claims.scores import ablation, accuracy, class_auc, gains
from bench.report.claims.speed import exponents, raced
from bench.report.claims.validation import validation
from bench.report.claims.verdict import WORDS, Judgement, absent
from bench.toml_file import read_toml, shown


@dataclass(frozen=True)
class Judged:
    """A claim, who makes it, and what the records say."""

    claim: Claim
    source: Source
    judgement: Judgement

    @property
    def verdict(self) -> str:
        """In the words that its subject allows."""
        return WORDS[self.claim.about, self.judgement.outcome]


@dataclass(frozen=True)
class Audit:
    """All claims of a file, judged by what lies in one results folder."""

    results: Path
    claims: list[Judged]
    damaged: list[str]  # records that could not be read, one line each


def judge_claims(results: Path, path: Path = CLAIMS) -> Audit:
    """Judge every claim of a file by the records below ``results``.

    Raises:
        InputError: the file, a suite or a printed number that it names cannot be used.
    """
    file, kept = read_toml(path, ClaimsFile), Kept(results)
    judged = []
    for claim in file.claim:
        try:
            found = _judge(claim.check, kept)
        except InputError as error:
            raise error.in_file(shown(path), f"claim {claim.id}") from None
        judged.append(Judged(claim, file.source[claim.source], found))
    return Audit(results, judged, kept.damaged)


def _judge(check: Check, kept: Kept) -> Judgement:
    match check:
        case Parameters():
            return parameters(check, kept)
        case Macs():
            return macs(check, kept)
        case Fewer():
            return fewer(check, kept)
        case CostRatio():
            return cost_ratio(check, kept)
        case Raced():
            return raced(check, kept)
        case Exponents():
            return exponents(check, kept)
        case Accuracy():
            return accuracy(check, kept)
        case Gains():
            return gains(check, kept)
        case ClassAuc():
            return class_auc(check, kept)
        case Ablated():
            return ablation(check, kept)
        case Validation():
            return validation(check, kept)
        case Replication():
            return replication(check, kept)
        case Unstated():
            return absent(check.why)
