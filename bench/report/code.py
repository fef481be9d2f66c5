"""Which code decides what is kept of reports, and how long they take."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable

from bench.provenance import digest_of, processor

FINDINGS = (
    "bench/evaluation/scores.py",
    "bench/report/verdicts/calibration.py",
    "bench/report/verdicts/findings.py",
    "bench/report/verdicts/runs.py",
    "bench/statistics",
)
PRECISIONS = ("bench/evaluation/scores.py", "bench/report/per_class.py")
PICTURES = (
    "ablations/table.py",
    "bench/evaluation/scores.py",
    "bench/insight/record.py",
    "bench/report/ablations.py",
    "bench/report/collect.py",
    "bench/report/figures",
    "bench/report/text.py",
    "bench/statistics",
)
DRAWING = (
    *PICTURES,
    "bench/records/schema.py",
    "bench/records/store.py",
    "bench/report/cache.py",
    "bench/report/derived.py",
    "bench/report/processes.py",
    "bench/report/reading.py",
    "bench/report/scale",
    "bench/report/tables.py",
    "bench/report/verdicts",
)


def findings_digest() -> str:
    """Of all that decides what is said of one run alone, given its predictions."""
    return f"{digest_of(FINDINGS)} {_here(('numpy', 'scipy'))}"


def precisions_digest() -> str:
    """Of all that decides a run's precision by class, given its predictions."""
    return f"{digest_of(PRECISIONS)} {_here(('numpy',))}"


def pictures_digest() -> str:
    """Of all that decides a figure's files, given its records."""
    libraries = _here(("fonttools", "matplotlib", "numpy", "pillow", "scipy"))
    return f"{digest_of(PICTURES)} {libraries}"


def drawing_digest() -> str:
    """Of all that decides how long tables and figures take, but for the machine."""
    return digest_of(DRAWING)


def _here(packages: Iterable[str]) -> str:
    """Versions and the processor: on another one the last bit may differ."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in packages]
    return " ".join([*versions, platform.python_version(), processor()])
