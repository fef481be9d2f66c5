"""What a run takes of a node, and how many have room."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.cluster.needs import GIB, Needs, needs_of, slots
from bench.errors import InputError
from bench.plan import Device
from bench.suite import load_suite

GPU = Device("cuda", "a GPU", "bfloat16")
CPU = Device("cpu", "a CPU", "float32")


@pytest.mark.parametrize(
    ("needs", "resources", "room"),
    [
        (Needs(2), {"CPU": 8.0}, 4),
        (Needs(2), {"CPU": 7.0}, 3),
        (Needs(2), {}, 0),
        (Needs(1, 0.3333), {"CPU": 64.0, "GPU": 2.0}, 6),
        (Needs(1, 1.0), {"CPU": 64.0}, 0),
        (Needs(4, 0.5), {"CPU": 6.0, "GPU": 8.0}, 1),
        (Needs(1, 0.0, 3 * GIB), {"CPU": 64.0, "memory": 10.0 * GIB}, 3),
    ],
)
def test_a_node_has_room_for_what_its_scarcest_resource_carries(
    needs: Needs, resources: dict[str, float], room: int
) -> None:
    assert needs.fit_in(resources) == room
    assert slots([resources, resources], needs) == 2 * room


def test_threads_and_shares_of_a_gpu_come_from_suite_and_options(suite_file: Path) -> None:
    suite = load_suite(str(suite_file))
    assert needs_of(suite, CPU, None, None) == Needs(1)
    assert needs_of(suite, GPU, None, 1.5) == Needs(1, 1.0, int(1.5 * GIB))
    assert needs_of(suite, GPU, 4, None) == Needs(1, 0.25)
    with pytest.raises(InputError, match="no GPU to share"):
        needs_of(suite, CPU, 2, None)
