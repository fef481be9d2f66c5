"""Cost of several models: exact sizes, failures as rows, JSON round trip."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from bench.errors import InputError
from bench.measure.cost import CostFailure, measure_costs
from bench.measure.parameters import count_parameters
from bench.records.schema import CostResult
from bench.specs import CostSpec, ModelSpec

pytestmark = pytest.mark.alone


def _request(model: ModelSpec, **changes: object) -> CostSpec:
    fields: dict[str, object] = {
        "model": model,
        "image_size": 32,
        "channels": 3,
        "num_classes": 4,
        "device": "cpu",
        "device_name": "test",
        "precision": "float32",
        "threads": 1,
        "batch_size": 4,
        "channels_last": False,
    }
    return CostSpec.model_validate(fields | changes)


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "cost_nets_for_test.py").write_text(
        "import torch\n"
        "from torch import nn\n"
        "class Limited(nn.Module):\n"
        "    def __init__(self, num_classes, in_chans):\n"
        "        super().__init__()\n"
        "        self.head = nn.Linear(in_chans * 32 * 32, num_classes)\n"
        "    def forward(self, x):\n"
        "        if len(x) > 2:\n"
        "            raise torch.OutOfMemoryError('out of memory at a batch of %d' % len(x))\n"
        "        return self.head(x.flatten(1))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return "cost_nets_for_test"


def test_failures_are_rows_and_the_others_go_on(nets: str) -> None:
    requests = [
        _request(ModelSpec(name="limited", factory=f"{nets}:Limited")),
        _request(ModelSpec(name="test_resnet")),
        _request(ModelSpec(name="no_such_net")),
    ]
    seen: list[float] = []
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    memory, good, unknown = measure_costs(
        requests, seconds_per_model=0.4, seed=0, on_progress=lambda _, done: seen.append(done)
    )
    assert memory == CostFailure(status="out-of-memory", reason="out of memory at a batch of 4")
    assert isinstance(unknown, CostFailure)
    assert unknown.status == "failed"
    assert "unknown model 'no_such_net'" in unknown.reason
    assert isinstance(good, CostResult)
    assert good.throughput_images_per_s_low <= good.throughput_images_per_s_median
    assert good.throughput_images_per_s_median <= good.throughput_images_per_s_high
    assert len(good.throughput_samples_s) >= 3
    assert CostResult.model_validate_json(good.model_dump_json()) == good
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)
    assert torch.equal(state, torch.get_rng_state())
    assert torch.get_num_threads() == threads


def test_a_missing_device_is_unusable_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="no CUDA device"):
        measure_costs(
            [_request(ModelSpec(name="test_resnet"), device="cuda")], seconds_per_model=1, seed=0
        )


def test_parameters() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(5, 6), nn.Linear(6, 5))
    model[2].weight.requires_grad = False
    count = count_parameters(model)
    assert count.total == (4 * 3 * 9 + 4) + 8 + (30 + 6) + (30 + 5)
    assert count.trainable == count.total - 30
    assert count.buffers == 4 + 4 + 1
    assert count.weights_bytes == 4 * (count.total + 8) + 8  # the batch counter is int64


def test_shared_weights_count_once() -> None:
    shared = nn.Linear(3, 3, bias=False)
    count = count_parameters(nn.Sequential(shared, shared))
    assert (count.total, count.weights_bytes) == (9, 36)
