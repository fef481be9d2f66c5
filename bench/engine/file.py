"""``suites/engine/engine.toml``: what the engine is tried on."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bench.specs import Strict
from bench.toml_file import ROOT

ENGINE = ROOT / "suites" / "engine" / "engine.toml"

Count = Annotated[int, Field(ge=1)]
Rounds = Annotated[int, Field(ge=6)]  # fewer have no 95 % interval
Seconds = Annotated[float, Field(gt=0)]


class Feeding(Strict):
    """Batches by our path and by medmnist's own."""

    rounds: Rounds
    at_least: dict[str, float]  # fed size in px: times the speed


class Overhead(Strict):
    """A whole training by the harness and by a plain loop."""

    model: str
    dataset: str
    image_size: Count
    epochs: Count
    rounds: Rounds
    share_at_most: Annotated[float, Field(gt=0, lt=1)]
    ratio_at_most: Annotated[float, Field(gt=1)]


class Resume(Strict):
    """One training, killed and continued."""

    model: str
    dataset: str
    image_size: Count
    epochs: Count
    checkpoint_every_s: Seconds
    restart_at_most_s: Seconds


class Chaos(Strict):
    """A suite killed at random moments."""

    seed: Annotated[int, Field(ge=0)]
    checkpoint_every_s: Seconds
    kill_between_s: Annotated[list[Seconds], Field(min_length=2, max_length=2)]


class EngineFile(Strict):
    """The file as it stands on disk."""

    about: str
    threads: Count
    feeding: Feeding
    overhead: Overhead
    resume: Resume
    chaos: Chaos
