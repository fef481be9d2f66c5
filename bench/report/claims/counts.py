"""Checks on counts and arithmetic: parameters, operations, shares, ratios of costs."""

from __future__ import annotations

from collections.abc import Callable

from bench.records.schema import CostResult, Record
from bench.report.claims.file import CostRatio, Fewer, Macs, Parameters
from bench.report.claims.kept import Kept
from bench.report.claims.verdict import (
    Evidence,
    Judgement,
    Outcome,
    absent,
    by_interval,
)
from bench.report.collect import cost_of
from bench.report.text import giga, millions, rate
from bench.statistics.timings import Estimate

SCAN = "scan"  # the family of bench.measure.handles
SCAN_BLOCK = "layers.blocks.self_attention"  # MedMamba's: what stands in no module of its own
OUT_PROJECTION = f"{SCAN_BLOCK}.out_proj"


def parameters(check: Parameters, kept: Kept) -> Judgement:
    """Our count against a printed one, in millions."""
    claimed, link = kept.printed(check.printed, "params_m")
    printed = Evidence(f"printed for {check.printed.model}", f"{claimed} M", (link,))
    costs = kept.costs(check.suite, check.model)
    if not costs:
        lacks = kept.lacks_cost(check.suite, check.model)
        return absent(lacks, f"python -m bench measure {check.suite}", [printed])
    ours = cost_of(costs[0]).params_trainable
    classes = getattr(costs[0].spec, "num_classes", 0)
    counted = Evidence(
        f"counted for {check.model}, {classes} classes",
        f"{ours:,} = {millions(ours)} M",
        (kept.link(costs[0], check.suite),),
    )
    off = ours / 1e6 / float(claimed) - 1
    if check.within is None:
        holds = f"{ours / 1e6:.{len(claimed.partition('.')[2])}f}" == claimed
        asked = f"rounds to {claimed} M" if holds else f"does not round to {claimed} M"
        reason = f"{millions(ours)} M {asked} ({100 * off:+.1f} %)."
    else:
        holds = abs(off) <= check.within
        asked = "within" if holds else "not within"
        reason = f"{100 * off:+.1f} % off the printed count, {asked} {100 * check.within:g} %."
    return Judgement(Outcome.HOLDS if holds else Outcome.FAILS, reason, (printed, counted))


def _module_macs(cost: CostResult) -> int:
    """What a counter of modules sees of a MedMamba: no scan, no product with raw parameters.

    The block's first projection is run as part of it here, and takes twice the MACs of its last
    (d to 4d and 2d to d channels).
    """
    roles = cost.macs_by_role
    return cost.macs - roles.get(SCAN_BLOCK, 0) + 2 * roles.get(OUT_PROJECTION, 0)


_COUNTS: dict[str, Callable[[CostResult], int]] = {
    "everything": lambda cost: cost.macs,
    "without the scan": lambda cost: cost.macs - cost.macs_by_family.get(SCAN, 0),
    "modules alone (no scan, no products with raw parameters)": _module_macs,
}
_OPERATIONS = {1: "one operation a multiply-add", 2: "two operations a multiply-add"}


def macs(check: Macs, kept: Kept) -> Judgement:
    """Whether one kind of count gives all the printed numbers."""
    printed, evidence, counted = {}, [], {}
    for model, wanted in check.printed.items():
        claimed, link = kept.printed(wanted, "gmacs")
        printed[model] = float(claimed)
        evidence.append(Evidence(f"printed for {wanted.model}", f"{claimed} G", (link,)))
        costs = kept.costs(check.suite, model)
        if not costs:
            lacks = kept.lacks_cost(check.suite, model)
            return absent(lacks, f"python -m bench measure {check.suite}", evidence)
        counted[model] = costs[0]
    fits: list[str] = []
    alone: dict[str, list[str]] = {model: [] for model in counted}
    for name, count in _COUNTS.items():
        for operations, said in _OPERATIONS.items():
            found = {m: operations * count(cost_of(r)) / 1e9 for m, r in counted.items()}
            off = {model: found[model] / printed[model] - 1 for model in found}
            cells = [f"{giga(round(1e9 * found[m]))} G ({100 * off[m]:+.1f} %)" for m in found]
            links = tuple(kept.link(record, check.suite) for record in counted.values())
            label = f"{name}, {said}"
            evidence.append(Evidence(f"counted: {label}", ", ".join(cells), links))
            if all(abs(value) <= check.within for value in off.values()):
                fits.append(label)
            for model, value in off.items():
                alone[model] += [label] if abs(value) <= check.within else []
    limit = f"{100 * check.within:g} %"
    if fits:
        reason = f"One kind of count gives all of them within {limit}: {'; '.join(fits)}."
        return Judgement(Outcome.HOLDS, reason, tuple(evidence))
    each = (f"{model}: {'; '.join(found) or 'none'}" for model, found in alone.items())
    reason = f"No one kind of count gives all within {limit}. Alone: {'. '.join(each)}."
    return Judgement(Outcome.FAILS, reason, tuple(evidence))


def fewer(check: Fewer, kept: Kept) -> Judgement:
    """Arithmetic on two printed numbers."""
    small, small_link = kept.printed(check.smaller, "params_m")
    large, large_link = kept.printed(check.larger, "params_m")
    share = float(small) / float(large)
    percent = 100 * (1 - share)
    holds = abs(percent - check.percent) <= check.within_points
    evidence = (
        Evidence(f"printed for {check.smaller.model}", f"{small} M", (small_link,)),
        Evidence(f"printed for {check.larger.model}", f"{large} M", (large_link,)),
    )
    reason = (
        f"1 − {small} / {large} is {percent:.1f} % fewer, where {check.percent:g} % is claimed; "
        f"{100 * share:.1f} % are left."
    )
    return Judgement(Outcome.HOLDS if holds else Outcome.FAILS, reason, evidence)


def cost_ratio(check: CostRatio, kept: Kept) -> Judgement:
    """A cost of ours over the rival's on each machine that measured both."""
    command = f"python -m bench measure {check.suite}"
    ours, theirs = (
        {getattr(r.spec, "device_name", ""): r for r in kept.costs(check.suite, model)}
        for model in (check.model, check.rival)
    )
    for model, found in ((check.model, ours), (check.rival, theirs)):
        if not found:
            return absent(kept.lacks_cost(check.suite, model), command)
    both = sorted(ours.keys() & theirs.keys())
    if not both:
        return absent("no machine measured both", command)
    outcomes, evidence = [], []
    for machine in both:
        ratio = _ratio(check, ours[machine], theirs[machine])
        sign = 1 if check.wanted == "above 1" else -1
        low, high = sorted((sign * ratio.low, sign * ratio.high))
        outcomes.append(by_interval(low, high, holds_above=sign, fails_below=sign))
        interval = "" if ratio.low == ratio.high else f" [{ratio.low:.2f}, {ratio.high:.2f}]"
        links = tuple(kept.link(r, check.suite) for r in (ours[machine], theirs[machine]))
        values = " / ".join(_shown(check, r) for r in (ours[machine], theirs[machine]))
        size = kept.suite(check.suite).suite.settings.image_size
        evidence.append(
            Evidence(
                f"{check.quantity} of {check.model} over {check.rival}, {size} px, {machine}",
                f"{values} = {ratio.value:.3g}{interval}",
                links,
            )
        )
    agree = len(set(outcomes)) == 1
    outcome = outcomes[0] if agree else Outcome.OPEN
    words = {Outcome.HOLDS: f"is {check.wanted}", Outcome.FAILS: f"is not {check.wanted}"}
    told = words.get(outcome, "has an interval that holds 1")
    reason = f"The ratio of {check.quantity} {told} on {', '.join(both)}."
    if not agree:
        reason = f"The machines disagree on the ratio of {check.quantity}: {', '.join(both)}."
    if check.quantity == "images/s":
        reason += " Its interval is what both 95 % intervals allow at their worst."
    return Judgement(outcome, reason, tuple(evidence))


def _ratio(check: CostRatio, ours: Record, theirs: Record) -> Estimate:
    mine, rival = cost_of(ours), cost_of(theirs)
    if check.quantity == "images/s":
        return Estimate(
            mine.throughput_images_per_s_median / rival.throughput_images_per_s_median,
            mine.throughput_images_per_s_low / rival.throughput_images_per_s_high,
            mine.throughput_images_per_s_high / rival.throughput_images_per_s_low,
        )
    counts = (
        (mine.macs, rival.macs)
        if check.quantity == "MACs"
        else (mine.params_trainable, rival.params_trainable)
    )
    exact = counts[0] / counts[1]
    return Estimate(exact, exact, exact)


def _shown(check: CostRatio, record: Record) -> str:
    cost = cost_of(record)
    if check.quantity == "images/s":
        return rate(cost.throughput_images_per_s_median)
    if check.quantity == "MACs":
        return f"{giga(cost.macs)} G"
    return f"{millions(cost.params_trainable)} M"
