"""The parts of the network and of the harness alone: ``make bench`` times them one by one.

Between two processes of identical code times differ by 9 %, so these are told as a course over
revisions (reports/history.md), where a change must show against that; no gate rests on them.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor, nn

from baselines.medmamba.scan import selective_scan
from baselines.medmamba.ss2d import scan_orders
from bench.data.dataset import Split
from bench.data.feed import batches, make_resident
from bench.statistics.delong import macro_auc_parts
from bench.statistics.timings import speed_ratio
from medspectralnet.attention import LinearAttention
from medspectralnet.config import Config
from medspectralnet.gate import ContextGate
from medspectralnet.network import Block

BATCH, WIDTH, SIDE = 8, 64, 16


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def _timed(benchmark: BenchmarkFixture, module: nn.Module, *inputs: object) -> None:
    module.eval()

    def forward() -> None:
        with torch.inference_mode():
            module(*inputs)

    benchmark(forward)


def _map(width: int = WIDTH, side: int = SIDE) -> Tensor:
    return torch.randn(BATCH, width, side, side)


@pytest.mark.parametrize("kind", ["linear", "softmax"])
def test_attention(benchmark: BenchmarkFixture, kind: str) -> None:
    attention = LinearAttention(WIDTH, 4, kind=kind)  # type: ignore[arg-type]
    _timed(benchmark, attention, _map())


def test_gate(benchmark: BenchmarkFixture) -> None:
    _timed(benchmark, ContextGate(WIDTH, 2, reduction=16), [_map(), _map(side=SIDE // 2)])


@pytest.mark.parametrize("stage", range(4))
def test_block(benchmark: BenchmarkFixture, stage: int) -> None:
    config = Config()
    _timed(benchmark, Block(config, stage, 0.0), _map(config.widths[stage], SIDE >> stage))


def test_scan(benchmark: BenchmarkFixture) -> None:
    directions, states, length = 4, 16, SIDE**2
    leaves = [
        torch.randn(BATCH, length, WIDTH),
        torch.randn(directions, BATCH, length, WIDTH),
        -torch.arange(1.0, states + 1).expand(directions, WIDTH, states).contiguous(),
        torch.randn(BATCH, length, directions, states),
        torch.randn(BATCH, length, directions, states),
        torch.randn(directions, WIDTH),
        torch.randn(directions, WIDTH) - 4,
    ]
    orders = scan_orders(SIDE, SIDE, torch.device("cpu"))
    x, delta, a, b, c, d, bias = leaves
    benchmark(selective_scan, x, delta, a, b, c, d, bias, orders)


def test_loader(benchmark: BenchmarkFixture) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(1024, 28, 28, 1), dtype=np.uint8)
    split = Split("train", images, rng.integers(2, size=1024))
    feed = make_resident(split, image_size=28, channels=1, control=None, device=torch.device("cpu"))
    order = torch.Generator().manual_seed(0)

    def one_pass() -> None:
        for _ in batches(feed, 64, channels=1, order=order):
            pass

    benchmark(one_pass)


def test_speed_ratio(benchmark: BenchmarkFixture) -> None:
    rng = np.random.default_rng(0)
    first, second = rng.lognormal(sigma=0.02, size=(2, 100, 1)).tolist()
    benchmark(speed_ratio, first, second)


def test_delong(benchmark: BenchmarkFixture) -> None:
    rng = np.random.default_rng(0)
    probs, labels = rng.dirichlet(np.ones(8), size=2000), rng.integers(8, size=2000)
    benchmark(macro_auc_parts, probs, labels, "multi-class")
