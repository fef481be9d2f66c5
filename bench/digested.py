"""Which files decide which records; what is made of them is in ``bench/provenance.py``."""

from __future__ import annotations

PREPARATION = (
    "bench/data/arrays.py",
    "bench/data/control_limits.py",
    "bench/data/controls.py",
    "bench/data/feed.py",
    "bench/data/medmnist.py",
    "bench/data/npz.py",
    "bench/data/preparation.py",
    "bench/data/transform.py",
)
"""What decides the images that are fed, given the stored ones."""

TRIED = (
    "bootstrap", "decisions", "delong", "holm", "intervals", "over_seeds", "over_seeds_and_images",
    "power", "two_trainings", "verdict", "wilcoxon",
)  # fmt: skip

HARNESS: dict[str, tuple[str, ...]] = {
    "training": (
        *PREPARATION,
        "bench/data/augment.py",
        "bench/data/buffers.py",
        "bench/data/cache.py",
        "bench/data/dataset.py",
        "bench/data/invariances.py",
        "bench/data/sampling.py",
        "bench/evaluation",
        "bench/models.py",
        "bench/run/experiment.py",
        "bench/run/surroundings.py",
        "bench/training",
    ),
    "cost": (
        "baselines/deploy.py",
        "bench/measure",
        "bench/models.py",
        "bench/statistics/timings.py",
    ),
    "audit": (
        "bench/data/audit.py",
        "bench/data/duplicates.py",
        "bench/data/near_duplicates.py",
        "bench/data/transform.py",
        "bench/run/auditing.py",
    ),
    "study": ("bench/study/trial.py",),  # beside what decides a training
    "trust": (
        "bench/measure/building.py",
        "bench/measure/forms.py",
        "bench/measure/steps.py",
        "bench/measure/throughput.py",
        "bench/measure/timing.py",
        "bench/statistics/floor.py",
        "bench/statistics/timings.py",
        "bench/trust/trial.py",
    ),
    "engine": (
        "bench/data",
        "bench/engine",
        "bench/evaluation",
        "bench/execution",
        "bench/measure/load.py",
        "bench/measure/timing.py",
        "bench/models.py",
        "bench/records/store.py",
        "bench/records/timeless.py",
        "bench/run",
        "bench/training",
    ),
    "cluster": ("bench/cluster", "bench/execution", "bench/records/store.py", "bench/run"),
    "race": (
        "baselines/deploy.py",
        "bench/measure/building.py",
        "bench/measure/forms.py",
        "bench/measure/fresh.py",
        "bench/measure/load.py",
        "bench/measure/steps.py",
        "bench/measure/timing.py",
        "bench/models.py",
        "bench/race",
        "bench/statistics/timings.py",
    ),
    "simulations": ("bench/simulate", *(f"bench/statistics/{name}.py" for name in TRIED)),
}
"""The modules of the harness that decide a result. How own data and phantoms are made does not:
the checksum in a run's identity is taken over their arrays. A MedMNIST file has its own checksum,
so the code that reads it counts."""

MODEL_SOURCES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("medspectralnet_", ("medspectralnet", "ablations")),
    ("medspectralnet", ("medspectralnet",)),
    ("test_medspectralnet", ("medspectralnet",)),
    ("medmamba", ("baselines/medmamba",)),
    ("test_medmamba", ("baselines/medmamba",)),
    ("resnet18_cifar", ("baselines/resnet_cifar.py",)),
)
"""A model's own source by the start of its registered name; the first match counts. Models of timm
have none here: their version stands among the packages."""
