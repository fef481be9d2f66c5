"""The closed form of the MACs against fvcore's count of the same network."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import timm
import torch

from medspectralnet.config import Config
from medspectralnet.macs import attention_macs, count_macs, main
from medspectralnet.registry import TINY

COUNTED = ("conv", "addmm", "linear", "matmul", "bmm", "einsum")


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("size", [(224, 224), (32, 32), (45, 90)])
@pytest.mark.parametrize(
    "switch",
    [
        {},
        {"context_gate": False},
        {"streams": "local"},
        {"streams": "global"},
        {"frequency_split": False},
    ],
)
def test_closed_form_is_what_fvcore_counts(switch: dict[str, Any], size: tuple[int, int]) -> None:
    from fvcore.nn import FlopCountAnalysis  # warns on import, so not at collection

    logging.getLogger("fvcore").setLevel(logging.ERROR)
    arguments = {**TINY, **switch}
    model = timm.create_model("medspectralnet", num_classes=8, **arguments).eval()
    by_operator = FlopCountAnalysis(model, torch.zeros(1, 3, *size)).by_operator()
    counted = sum(by_operator[op] for op in COUNTED)
    height, width = size
    assert count_macs(Config(**arguments), height=height, width=width).total() == counted


def test_the_network_stays_under_one_gmac() -> None:
    assert 0.5e9 < count_macs(Config()).total() <= 1.0e9


def test_attention_by_hand() -> None:
    assert attention_macs(10, 8, 2) == 2 * (10 * 4 * 5 + 10 * 4 * 5)
    assert attention_macs(10, 8, 2, "softmax") == 2 * (10 * 10 * 2 + 10 * 10 * 4)


def test_linear_attention_grows_with_tokens_and_softmax_with_their_square() -> None:
    for kind, growth in (("linear", 4), ("softmax", 16)):
        assert attention_macs(4 * 49, 64, 4, kind) == growth * attention_macs(49, 64, 4, kind)


def test_prints_every_part(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    assert len(capsys.readouterr().out.splitlines()) == 2 + len(count_macs(Config())) + 1
