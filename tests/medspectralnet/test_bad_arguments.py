"""Arguments and inputs that do not fit: a ValueError that names them and what would fit."""

from __future__ import annotations

from typing import Any

import pytest
import timm
import torch

from medspectralnet import MedSpectralNet
from medspectralnet.config import Config


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"widths": (32, 64, 192)}, r"widths: give 4 positive integers, one a stage, not \(32, 64"),
        ({"depths": (1, 2, 0, 3)}, "depths: give 4 positive integers"),
        ({"heads": (2, 4, 6, 1.5)}, "heads: give 4 positive integers"),
        ({"pools": (8, 4, 2, True)}, "pools: give 4 positive integers"),
        ({"widths": (32, 64, 200, 544)}, "widths: 200 .* 8 heads .* multiple of 16, such as 192"),
        ({"stem_width": 0}, "stem_width: give a positive integer, not 0"),
        ({"grid": -1}, "grid: give a positive integer, not -1"),
        ({"gate_reduction": 0}, "gate_reduction: give a positive integer, not 0"),
        ({"kernel_size": 4}, "kernel_size: give an odd size such as 5, not 4"),
        ({"mlp_ratio": 0}, "mlp_ratio: give a number above 0, not 0"),
        ({"streams": "none"}, "streams: give one of both, local, global, not 'none'"),
        ({"attention": "flash"}, "attention: give one of linear, softmax, not 'flash'"),
        ({"in_chans": 0}, "in_chans: give a positive integer, not 0"),
        ({"num_classes": -1}, "num_classes: give 0 or more, not -1"),
        ({"drop_rate": 1.0}, "drop_rate: give a rate in \\[0, 1\\), not 1.0"),
        ({"drop_path_rate": -0.1}, "drop_path_rate: give a rate in \\[0, 1\\), not -0.1"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        timm.create_model("medspectralnet", **arguments)


def test_arguments_are_keyword_only_and_known() -> None:
    with pytest.raises(TypeError):
        MedSpectralNet(10)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="depth_s"):
        MedSpectralNet(depth_s=(1, 1, 1, 1))


def test_lists_are_as_good_as_tuples() -> None:
    assert Config(widths=[32, 64, 208, 544]) == Config()  # type: ignore[arg-type]


@pytest.mark.parametrize("features_only", [False, True])
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 1, 32, 32), r"input: shape \(1, 1, 32, 32\) does not fit in_chans=3"),
        ((3, 32, 32), r"input: shape \(3, 32, 32\) does not fit in_chans=3"),
        ((1, 3, 27, 40), r"input: 27×40 pixels is too small; give at least 28×28"),
        ((1, 3, 40, 27), r"input: 40×27 pixels is too small; give at least 28×28"),
    ],
)
def test_bad_inputs_are_named(shape: tuple[int, ...], message: str, features_only: bool) -> None:
    model = timm.create_model("test_medspectralnet", features_only=features_only).eval()
    with pytest.raises(ValueError, match=message):
        model(torch.zeros(shape))


def test_another_output_format_is_refused() -> None:
    model = timm.create_model("test_medspectralnet")
    with pytest.raises(ValueError, match="output_fmt: give 'NCHW', not 'NLC'"):
        model.forward_intermediates(torch.zeros(1, 3, 32, 32), output_fmt="NLC")
