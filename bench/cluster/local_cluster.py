"""A Ray cluster of several nodes on this machine, for trials: nodes come and are killed."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Iterator
from typing import Any

from bench.cluster.connect import OBJECT_STORE_BYTES, check_installed


class LocalCluster:
    """A head that does no runs, and nodes of one core each."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self._nodes: list[Any] = []

    @property
    def address(self) -> str:
        """For ``--address``."""
        return str(self._cluster.address)

    def add_node(self) -> None:
        """Start another node of one core."""
        node = self._cluster.add_node(num_cpus=1, object_store_memory=OBJECT_STORE_BYTES)
        self._nodes.append(node)

    def kill_node(self, rng: random.Random) -> None:
        """End one node and all its workers by SIGKILL, as a lost machine would."""
        node = self._nodes.pop(rng.randrange(len(self._nodes)))
        self._cluster.remove_node(node, allow_graceful=False)


@contextlib.contextmanager
def local_cluster(nodes: int) -> Iterator[LocalCluster]:
    """Such a cluster while it lasts; the head's own processes outlive every node's.

    Raises:
        InputError: Ray is not installed.
    """
    check_installed("ray", "cluster")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    head = {
        "num_cpus": 0,
        "object_store_memory": OBJECT_STORE_BYTES,
        "include_dashboard": False,
    }
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        made = LocalCluster(cluster)
        for _ in range(nodes):
            made.add_node()
        yield made
    finally:
        cluster.shutdown()
