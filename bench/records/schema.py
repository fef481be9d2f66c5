"""What a record holds. Numbers are exact, units stand in the names, nothing is rounded here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from bench.details import DetailSpec
from bench.records.base import Stored
from bench.records.details import DetailResult
from bench.specs import CostSpec, RunSpec

SCHEMA_VERSION = 1

Status = Literal["done", "failed", "skipped", "out-of-memory"]


Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class ClassScore(Stored):
    """One class (or label) of one split; a value that is undefined is None, never 0."""

    name: str
    support: Count  # images of the class in the split
    recall: Share | None
    auc: Share | None  # this class against the rest
    blank: str | None = None  # why a value is missing


class Scores(Stored):
    """What ``bench.evaluation.scores`` computes from stored logits and labels.

    ``acc`` and ``auc`` are MedMNIST's; ``auc`` and the averages over classes are None where a
    class is absent (``blank`` of the class says so); ``auc_present`` averages the classes present.
    """

    images: Count
    acc: Share
    auc: Share | None
    auc_present: Share | None
    balanced_accuracy: Share | None
    macro_f1: Share | None
    ece: Share
    ece_bins: Count
    loss: float  # mean cross-entropy in nats (multi-label: mean binary cross-entropy)
    per_class: list[ClassScore]


class Epoch(Stored):
    """One line of a learning curve."""

    epoch: int  # from 1
    train_loss: float
    val_loss: float
    val_acc: float
    val_auc: float | None
    lr: float  # of the first group, after the epoch's last update
    seconds: float


class DataSeen(Stored):
    """The data set as the run saw it."""

    task: str
    class_names: list[str]
    channels_in_file: int
    images: dict[str, Count]  # by split
    official: bool | None
    synthetic: bool
    licence: str
    note: str


class TrainingResult(Stored):
    """One finished training and its single look at the test split."""

    data: DataSeen
    params_trainable: Count
    model_arguments: dict[str, JsonValue]
    omitted_arguments: dict[str, str]  # protocol arguments the model lacks: why
    omitted_augmentations: dict[str, str]  # augmentations the data set forbids: why
    notes: list[str]  # anything that ran otherwise than asked, one sentence each
    epochs: list[Epoch]
    selected_epoch: int
    selected_on: str  # e.g. "validation auc"
    test_opened_at: datetime
    val: Scores
    test: Scores
    train_images_per_s: float
    predictions_sha256: str
    resumed_at_updates: list[int] = []  # updates done wherever an interrupted training went on


class NoiseFloor(Stored):
    """How far two copies of one model differ on this machine, as a share of either."""

    model: str
    throughput: float
    latency_p50: float
    latency_p95: float | None  # None: too few samples


class MachineState(Stored):
    """What could slow a measurement down, as the machine tells it; empty where it tells nothing."""

    governor: str | None = None  # of the CPU's clock
    gpu_clock_mhz: int | None = None
    gpu_clock_limit_mhz: int | None = None
    gpu_throttled: list[str] = []  # reasons, by NVML's names
    gpu_other_processes: Count = 0


class CostResult(Stored):
    """One cost measurement; ``samples`` are raw."""

    params_trainable: Count
    params_total: Count
    buffers: Count
    weights_bytes: Count
    macs: Count
    macs_complete: bool
    macs_uncounted: dict[str, int]  # operation: calls seen without a formula
    macs_by_part: dict[str, int]
    macs_by_family: dict[str, int] = {}  # kind of operation: MACs; they sum to ``macs``
    macs_by_role: dict[str, int] = {}  # parts of the same name in all blocks taken together
    macs_second_counter: int
    macs_counters_differ: str | None  # why, where they differ by more than 1 %
    throughput_images_per_s_median: float
    throughput_images_per_s_low: float  # 95 % bootstrap interval of the median
    throughput_images_per_s_high: float
    throughput_samples_s: list[float]  # seconds per batch
    latency_s_p50: float
    latency_s_p95: float | None  # None: too few samples
    latency_samples_s: list[float]  # seconds at batch 1
    throughput_rounds: list[int] = []  # how many of the samples, in order, make each round
    latency_rounds: list[int] = []
    fed: list[int] = []  # shape of the tensor that was really fed
    types: dict[str, list[str]] = {}  # kind of operation: types of number in which it ran
    operator_calls: Count | None = None  # of one pass
    bytes_moved: Count | None = None  # read and written by those, as if there were no cache
    build_s: float | None = None
    first_forward_s: float | None = None
    energy_j_per_image: float | None = None  # None: this machine does not tell it
    energy_source: str | None = None
    noise_floor: NoiseFloor | None = None
    noisy: bool
    repeats: Count = 0  # how often it was measured again because the machine was loaded
    load_before: float
    load_after: float
    load_others: float | None = None  # of other processes, meanwhile
    seconds: float | None = None  # that it was to be timed for
    state_before: MachineState = MachineState()
    state_after: MachineState = MachineState()
    notes: list[str]


class Attempt(Stored):
    """One try that did not end in a result."""

    status: Status
    reason: str
    started_at: datetime
    wall_s: float


class SuiteSeen(Stored):
    """The suite that asked for the run, as it stood then; the run itself does not depend on it."""

    name: str
    seeds: list[int]  # fixed before anything ran


class Provenance(Stored):
    """Where a record came from."""

    commit: str | None
    dirty: bool | None
    source_digest: str
    packages: dict[str, str]
    python: str
    platform: str
    processor: str
    device_name: str
    threads: int
    started_at: datetime
    wall_s: float


class Record(Stored):
    """One run, one cost measurement or one cell of a full one, whole."""

    schema_version: Literal[1] = 1
    kind: Literal["training", "cost", "detail"]
    id: str
    status: Status
    reason: str | None
    spec: RunSpec | CostSpec | DetailSpec
    suite: SuiteSeen | None
    provenance: Provenance
    attempts: list[Attempt]  # earlier tries that failed, oldest first
    training: TrainingResult | None = None
    cost: CostResult | None = None
    detail: DetailResult | None = None
