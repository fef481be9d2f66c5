"""The evidence in plain words, never stronger than the words that the statistics allow."""

from __future__ import annotations

from bench.report.compare.cost import Speed
from bench.report.compare.evidence import Evidence
from bench.report.compare.trained import Trained
from bench.report.compare.trainings import Scored
from bench.report.table.markdown import Row
from bench.report.verdicts.cells import with_interval
from bench.report.verdicts.differences import count

Part = str | list[Row]
"""A paragraph, or the rows of a table."""

MANY = 6  # comparisons whose numbers a sentence can hold


def in_words(found: Evidence) -> str:
    """One paragraph: accuracy, then speed; the two are not weighed against each other."""
    a, b = found.names
    told = [sentence for one in found.trained for sentence in _trained(one, a, b)]
    if not found.trained:
        told.append(
            f"No suite holds finished runs of both, so nothing here says whether `{a}` or `{b}` is "
            "the more accurate."
        )
    told += _speed(found, a, b)
    if found.trained and (found.races or found.measured):
        told.append("Accuracy and speed are told apart; what one is worth in the other is not.")
    return " ".join(told)


def _trained(one: Trained, a: str, b: str) -> list[str]:
    where = f"Under `{one.suite}` ({one.image_size} px, {one.variant})"
    synthetic = {s.dataset for s in one.scores} <= set(one.synthetic)
    where += ", on made-up images alone," if synthetic else ""
    told = [f"{where} {'; '.join(_verdicts(one, a, b))}."]
    fragile = [s for s in one.scores if s.verdict.word in ("better", "worse") and _holds_zero(s)]
    if fragile:
        said = ", ".join(_name(s) for s in fragile)
        told.append(
            f"On other test images of the kind that could be otherwise ({said}: the interval over "
            "seeds and images holds 0)."
        )
    stale = sum(runs.stale for runs in one.runs)
    if stale:
        told.append(f"{count(stale, 'run')} of these are of code that has changed since.")
    alone = [s for s in one.scores if s.verdict.word == "undecided" and _excludes_zero(s)]
    if alone:
        said, size = ", ".join(_name(s) for s in alone), next(iter(one.families.values())).size
        told.append(
            f"Taken alone an interval lies beside 0 ({said}), which among {size} comparisons "
            "decides nothing."
        )
    lacking = [
        f"`{r.model}` {r.asked - r.shown} of {r.asked}" for r in one.runs if r.asked > r.shown
    ]
    if lacking:
        told.append(f"Runs are missing: {', '.join(lacking)}.")
    return told


def _holds_zero(one: Scored) -> bool:
    both = one.over_both
    return both.low is None or both.high is None or both.low <= 0 <= both.high


def _excludes_zero(one: Scored) -> bool:
    alone = one.verdict.difference
    return alone.low is not None and alone.high is not None and not alone.low <= 0 <= alone.high


def _name(one: Scored) -> str:
    return f"{one.dataset} {one.metric}"


def _verdicts(one: Trained, a: str, b: str) -> list[str]:
    """A clause for each word, with the comparisons that it is said of."""
    by_word: dict[str, list[Scored]] = {}
    for score in one.scores:
        by_word.setdefault(score.verdict.word, []).append(score)
    clauses = []
    for word, said in (
        ("better", f"`{a}` is better than `{b}`"),
        ("worse", f"`{a}` is worse than `{b}`"),
        ("equivalent", f"the two are shown to lie within ± {100 * one.region:g} points"),
    ):
        if word in by_word:
            clauses.append(f"{said} ({_listed(by_word[word])})")
    if "undecided" in by_word:
        clauses.append(_undecided(by_word["undecided"], a, b))
    return clauses


def _listed(scores: list[Scored]) -> str:
    """With their differences, where they are few."""
    if len(scores) > MANY:
        return ", ".join(map(_name, scores))
    return ", ".join(f"{_name(s)}: {with_interval(s.verdict.difference)} points" for s in scores)


def _undecided(scores: list[Scored], a: str, b: str) -> str:
    seen = [s for s in scores if s.verdict.difference.value is not None]
    told = _listed(seen) if len(seen) <= MANY else f"on {len(seen)} comparisons"
    clause = f"`{a}` is not shown to be better than `{b}`, nor worse"
    clause += f" ({told})" if told else ", since they share no data set"
    finds = [d for s in scores if (d := s.verdict.detectable) is not None]
    if finds:
        least = f"{100 * min(finds):.1f}" if min(finds) <= 1 else "100"
        clause += (
            f"; that is no sign that they are alike: the smallest true difference that these seeds "
            f"find in 80 of 100 cases is {least} points or more"
        )
    elif told and all(s.verdict.difference.low is None for s in scores):
        clause += "; nothing can be shown without a spread over seeds, and these show none"
    return clause


def _speed(found: Evidence, a: str, b: str) -> list[str]:
    """A sentence for each word; a ratio that no shared rounds stand behind decides nothing."""
    timed = [*found.races, *(m.speed for m in found.measured if m.speed is not None)]
    if not timed:
        measured = "were measured apart" if found.measured else "were not measured alike"
        return [f"Of speed nothing is said: the two {measured}, never in the same rounds."]
    told = []
    for word, said in (
        ("faster", f"`{a}` is faster than `{b}`"),
        ("slower", f"`{a}` is slower than `{b}`"),
        ("not told apart", f"neither of `{a}` and `{b}` is shown to be the faster"),
    ):
        these = [one for one in timed if one.word == word]
        if these:
            where = "; ".join(_ratio(one) for one in these)
            told.append(f"{said[0].upper()}{said[1:]} where both were timed in turn: {where}.")
    stale = sum(one.stale for one in timed)
    if stale:
        told.append(f"{stale} of these {count(len(timed), 'timing')} are of code that has changed.")
    return told


def _ratio(one: Speed) -> str:
    ratio = one.ratio
    times = f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}] times as fast"
    return f"{one.where}, {times}" + (" (noisy)" if one.noisy else "")
