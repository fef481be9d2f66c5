"""The sentences that say what a suite's trained numbers stand on."""

from __future__ import annotations

from bench.report.collect import Collected, training_of

SPREAD = (
    "Mean ± standard deviation over seeds; for one seed the 95 % Wilson interval over test images, "
    "in brackets."
)


def what_is_shown(collected: Collected, spread: str = "") -> str:
    """Data, sizes, protocol, seeds, devices; how numbers spread; how checkpoint and test were used.

    Args:
        spread: a sentence on how the numbers of the table vary.
    """
    suite, settings = collected.suite, collected.suite.settings
    kinds = {training_of(record).data.synthetic for record in collected.records}
    shown = {True: "**synthetic data**", False: "real data"}
    data = " and ".join(shown[kind] for kind in sorted(kinds)) or "no finished runs"
    seeds = ", ".join(map(str, suite.seeds))
    stands = [
        data,
        f"{settings.source_size} px source fed at {settings.image_size} px",
        f"protocol `{suite.protocol_name}`",
        f"seeds {seeds}",
        *map(str, collected.variants),
    ]
    chosen = (
        f"The checkpoint is chosen on validation ({suite.protocol.select}); the test split is "
        "predicted once."
    )
    return " ".join(filter(None, (f"Shown: {'; '.join(stands)}.", spread, chosen)))
