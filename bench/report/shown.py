"""The sentences that say what a suite's trained numbers stand on."""

from __future__ import annotations

from bench.report.collect import Collected, training_of
from bench.specs import RunSpec

SPREAD = "Mean ± standard deviation over seeds."
SPREAD_OF_ACC = (
    f"{SPREAD} Of one seed, ACC over all test images has its 95 % Wilson interval in brackets."
)


def what_is_shown(collected: Collected, spread: str = "") -> str:
    """Data, sizes, protocol, seeds, test images, devices; spread; use of checkpoint and test.

    Args:
        spread: a sentence on how the numbers of the table vary.
    """
    suite, settings = collected.suite, collected.suite.settings
    kinds = {training_of(record).data.synthetic for record in collected.records}
    shown = {True: "**synthetic data**", False: "real data"}
    data = " and ".join(shown[kind] for kind in sorted(kinds)) or "no finished runs"
    stands = [
        data,
        f"{settings.source_size} px source fed at {settings.image_size} px",
        f"protocol `{suite.protocol_name}`",
        f"seeds: {seeds_told(collected)}",
        *_test_images(collected),
        *map(str, collected.variants),
    ]
    chosen = (
        f"The checkpoint is chosen on validation ({suite.protocol.select}); the test split is "
        "predicted once."
    )
    return " ".join(filter(None, (f"Shown: {'; '.join(stands)}.", spread, chosen)))


def _test_images(collected: Collected) -> list[str]:
    """How many images a score is over, in the suite's order of data sets."""
    seen = {
        key[1]: training_of(records[0]).data.images["test"]
        for key, records in collected.done.items()
        if records
    }
    if len(seen) == 1:
        return [f"{count:,} test images of {name}" for name, count in seen.items()]
    names = [dataset.name for dataset in collected.suite.datasets if dataset.name in seen]
    told = ", ".join(f"{name} {seen[name]:,}" for name in names)
    return [f"test images: {told}"] if told else []


def seeds_told(collected: Collected) -> str:
    """``0, 2 (asked for: 0, 1, 2)``: those that are shown, and all where that is more."""
    asked = ", ".join(map(str, collected.suite.seeds))
    specs = (record.spec for record in collected.records)
    shown = sorted({spec.seed for spec in specs if isinstance(spec, RunSpec)})
    told = ", ".join(map(str, shown)) or "none"
    return told if told == asked else f"{told} (asked for: {asked})"
