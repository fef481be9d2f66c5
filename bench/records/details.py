"""What the cells of a full cost measurement hold: raw times and bytes, by round where timed."""

from __future__ import annotations

from bench.details import Form
from bench.records.base import Stored
from bench.specs import Precision

Rounds = list[list[float]]
"""Seconds of each pass, by round; what stands at the same place was timed in the same round."""


class FormTiming(Stored):
    """One form in one precision; ``failure`` is why it has no times."""

    form: Form
    precision: Precision
    failure: str | None = None
    first_pass_s: float | None = None  # making the form not included, compiling it is
    rounds_s: Rounds = []  # at the batch asked for
    latency_rounds_s: Rounds = []  # at batch 1
    energy_j_per_image: float | None = None
    still_changing: bool = False  # times had not settled when the warm-up ended


class FormsResult(Stored):
    """A model's forms, timed in turn; ``plain`` in float32 is the one they are compared with."""

    timings: list[FormTiming]
    energy_source: str | None
    noisy: bool
    repeats: int  # how often it was measured again for a loaded machine
    seconds_per_form: float
    load_before: float
    load_after: float


class MemoryResult(Stored):
    """Peaks of fresh processes in bytes, and how a fresh process begins, in seconds."""

    libraries_bytes: int  # resident before the model is built; 0 on a GPU
    inference_peak_bytes: int
    repeat_difference_bytes: int  # of a second process of the same
    training_peak_bytes: int | None
    training_failure: str | None
    import_s: float
    build_s: float
    first_forward_s: float
    second_forward_s: float


class ScaledPoint(Stored):
    """One image size and batch; ``failure`` is why the series ends there."""

    image_size: int
    batch_size: int
    failure: str | None = None
    rounds_s: Rounds = []
    peak_bytes: int | None = None  # of the process, libraries included; image sizes only


class ScalingResult(Stored):
    """Time over image sizes at batch 1, and over batches at one size."""

    over_sizes: list[ScaledPoint]
    over_batches: list[ScaledPoint]
    seconds_per_point: float
    noisy: bool


class MachineResult(Stored):
    """The machine's own limits."""

    product_macs_per_s: dict[Precision, float]  # of a large square matrix product
    copy_bytes_per_s: float  # read and written, of a copy far larger than the caches
    operator_call_s: float  # one operator on one element, called from Python
    noisy: bool


DetailResult = FormsResult | MemoryResult | ScalingResult | MachineResult
