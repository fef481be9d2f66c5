"""Suites on all the hardware that was recorded, for the page."""

from __future__ import annotations

from collections.abc import Sequence

from bench.cluster.file import CLUSTER, ClusterFile
from bench.cluster.hardware import HardwareEstimate, estimate_on
from bench.plan import check_data
from bench.records.schema import Record
from bench.suite import Suite, load_suite
from bench.toml_file import read_toml


def estimate_suite(
    suite: Suite, wanted: dict[str, set[str]], records: Sequence[Record], hardware: str
) -> HardwareEstimate:
    """The suite's runs, or a part of them, on hardware whose recorded name holds ``hardware``.

    Args:
        wanted: names by key, as ``Suite.only`` takes them; empty for all.

    Raises:
        InputError: nothing was recorded there, or the suite has no such runs.
    """
    cells = suite.only(wanted) if suite.cells else ()
    images = {name: info.counts["train"] for name, info in check_data(suite, cells).items()}
    return estimate_on(suite, cells, images, records, hardware)


def page_estimates(records: Sequence[Record]) -> list[tuple[Suite, HardwareEstimate]]:
    """The suites that the trial's file names, each on every device that was recorded."""
    devices = sorted({record.provenance.device_name for record in records})
    suites = [load_suite(name) for name in read_toml(CLUSTER, ClusterFile).scaling.suites]
    return [
        (suite, estimate_suite(suite, {}, records, device))
        for suite in suites
        for device in devices
    ]
