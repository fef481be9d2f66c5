"""``suites/cluster/cluster.toml``: what the Ray engine is tried on."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bench.specs import Strict
from bench.toml_file import ROOT

CLUSTER = ROOT / "suites" / "cluster" / "cluster.toml"

Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]


class Overhead(Strict):
    """Real runs by a bare loop and by Ray."""

    rounds: Annotated[int, Field(ge=6)]  # of one run by each; fewer have no 95 % interval
    runs: Count  # of the suite by Ray alone
    epochs: Count
    ratio_at_most: Annotated[float, Field(gt=1)]


class Throughput(Strict):
    """Many runs that do nothing."""

    runs: Count
    seconds: Annotated[float, Field(ge=0)]
    slots: Count
    at_most_s: Seconds
    memory_growth_at_most_mib: Seconds


class Kills(Strict):
    """A suite whose nodes are killed."""

    seed: Annotated[int, Field(ge=0)]
    nodes: Count
    epochs: Count
    checkpoint_every_s: Seconds
    kill_between_s: Annotated[list[Seconds], Field(min_length=2, max_length=2)]
    driver_every: Count


class Scaling(Strict):
    """Suites of which the page shows how they would scale."""

    suites: list[str]


class ClusterFile(Strict):
    """The file as it stands on disk."""

    about: str
    overhead: Overhead
    throughput: Throughput
    kills: Kills
    scaling: Scaling
