"""What a suite would cost on some hardware, and how far more machines would help, as text."""

from __future__ import annotations

from bench.cluster.hardware import HardwareEstimate
from bench.cluster.scaling import scaling, stops_scaling
from bench.report.accuracy import Row
from bench.report.text import duration
from bench.suite import Suite


def cost_lines(suite: Suite, estimate: HardwareEstimate) -> list[str]:
    """Sentences: on what the estimate rests, what it leaves out, and the total."""
    runs, known = estimate.runs, estimate.known
    lines = [f"{suite.name} on {'; '.join(estimate.devices)}: {len(runs)} runs."]
    derived = sum(run.by_inference for run in runs)
    if derived:
        lines.append(
            f"{derived} of them are derived from inference speeds measured there: one image pass "
            f"of a whole run takes as long as {estimate.passes_per_inference:.1f} inferences, the "
            f"median of {estimate.models_with_both} models of which both were recorded on one "
            "device."
        )
    if estimate.unknown_models:
        lines.append(
            f"{len(runs) - len(known)} have no estimate, nothing of their models was recorded "
            f"there at this size: {', '.join(estimate.unknown_models)}."
        )
    if known:
        whole = "All" if len(known) == len(runs) else "The others"
        lines.append(f"{whole} take {sum(known) / 3600:,.1f} hours of one such machine.")
    return lines


def scaling_rows(estimate: HardwareEstimate) -> list[Row]:
    """A row for each number of machines."""
    return [
        {
            "machines": str(point.machines),
            "until the last run ends": duration(point.makespan_s),
            "utilisation": f"{point.utilisation:.0%}",
        }
        for point in scaling(estimate.known)
    ]


def limit_line(estimate: HardwareEstimate) -> str:
    """Where more machines stop helping, and why."""
    points = scaling(estimate.known)
    stop = stops_scaling(points)
    longest = max(
        (run for run in estimate.runs if run.seconds is not None), key=lambda run: run.seconds or 0
    )
    share = f"The longest run ({longest.spec.label}) takes {duration(longest.seconds)}"
    if stop is None:
        return f"{share}: {points[-1].machines} machines are still used well."
    if stop.makespan_s <= 1.01 * (longest.seconds or 0.0):
        return (
            f"{share}, and no number of machines ends sooner: with {stop.machines} it does not "
            "scale any more."
        )
    return (
        f"From {stop.machines} machines on a fifth or more of their time is idle: there are "
        f"{len(estimate.known) / stop.machines:.1f} runs for each, and the last ones do not come "
        f"out even. {share}."
    )
