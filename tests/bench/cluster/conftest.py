"""A real Ray cluster of several nodes on this machine, started once for all tests."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest

from bench.cluster.local_cluster import LocalCluster, local_cluster


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[LocalCluster]:
    """Two nodes of one core each, and a head that does no runs."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install -e '.[cluster]'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's own
        with local_cluster(2) as cluster:
            yield cluster


@pytest.fixture
def joined(ray_cluster: LocalCluster) -> Iterator[LocalCluster]:
    """This process is a driver of the cluster."""
    from bench.cluster.connect import connected

    with connected(ray_cluster.address):
        yield ray_cluster
