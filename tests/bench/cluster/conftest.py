"""A real Ray cluster of several nodes on this machine, started once for all tests."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

NODES = 2


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[Any]:
    """Two nodes of one core each, and a head that does no runs."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install -e '.[cluster]'")
    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ray.cluster_utils import Cluster

        cluster = Cluster(
            initialize_head=True,
            head_node_args={"num_cpus": 0, "object_store_memory": 100 * 2**20},
        )
        for _ in range(NODES):
            cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20)
        yield cluster
        cluster.shutdown()


@pytest.fixture
def joined(ray_cluster: Any) -> Iterator[Any]:
    """This process is a driver of the cluster."""
    from bench.cluster.connect import connected

    with connected(ray_cluster.address):
        yield ray_cluster
