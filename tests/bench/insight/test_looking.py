"""What is told of a network is what happens in it, by closed forms and its own outputs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from bench.errors import InputError
from bench.insight.attention import grad_cam, map_stage, received, rows, spread
from bench.insight.frequency import bands, kernels_seen, maps_seen, power, radial, radii, response
from bench.insight.gates import gates_seen, share_between_images
from bench.insight.hooks import blocks_of
from bench.insight.record import load_all, load_maps
from medspectralnet import MedSpectralNet
from medspectralnet.attention import LinearAttention
from medspectralnet.gate import ContextGate
from medspectralnet.registry import TINY
from medspectralnet.spectral import high_pass
from tests._helpers.released import Released, release


def tiny(**changed: object) -> MedSpectralNet:
    torch.manual_seed(0)
    return MedSpectralNet(num_classes=3, in_chans=1, **(TINY | changed)).eval()


def batches(count: int = 2, side: int = 64) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(3, 1, side, side, generator=generator) for _ in range(count)]


@pytest.mark.parametrize("kind", ["linear", "softmax"])
def test_rows_of_attention_are_what_the_module_averages_by(kind: str) -> None:
    torch.manual_seed(0)
    module = LinearAttention(16, 2, kind=kind).eval()  # type: ignore[arg-type]
    x = torch.randn(2, 16, 3, 4)
    with torch.no_grad():
        weights = rows(module, x)
        tokens = module.qkv(x).flatten(2).transpose(1, 2).reshape(2, 12, 2, -1).transpose(1, 2)
        out = (weights @ tokens[..., -8:]).transpose(1, 2).flatten(2).transpose(1, 2)
        assert torch.allclose(out.reshape(x.shape), module(x), atol=1e-4)
    assert torch.allclose(weights.sum(dim=-1), torch.ones(2, 2, 12), atol=1e-5)


def test_spread_is_one_for_even_rows_and_one_token_for_sharp_ones() -> None:
    even, sharp = torch.full((1, 5, 5), 0.2), torch.eye(5)[None]
    assert torch.allclose(spread(even), torch.ones(1, 5))
    assert torch.allclose(spread(sharp), torch.full((1, 5), 0.2))


def test_received_weight_is_one_a_token_on_average() -> None:
    model = tiny()
    got = received(model, map_stage(model, batches()[0]), batches()[0])
    assert got is not None
    assert got.shape == (3, 8, 8)
    assert torch.allclose(got.mean(dim=(1, 2)), torch.ones(3), atol=1e-4)
    assert received(tiny(streams="local"), 2, batches()[0]) is None


def test_grad_cam_of_a_linear_head_is_its_closed_form() -> None:
    """Behind the last stage only a mean and a linear layer: α is the class's weights ÷ pixels."""
    model = tiny()

    class Last(nn.Module):
        def forward(self, maps: list[torch.Tensor]) -> torch.Tensor:
            return maps[-1]

    model.fusion = Last()  # type: ignore[assignment]
    batch, followed = batches()[0], torch.tensor([0, 2, 1])
    cam = grad_cam(model, 4, batch.clone(), followed)
    with torch.no_grad():
        maps = model.forward_features(batch)
    weights = model.get_classifier().weight[followed][:, :, None, None]  # type: ignore[index]
    expected = (weights * maps).sum(dim=1).relu().detach()
    expected = expected / expected.amax(dim=(1, 2), keepdim=True).clamp_min(1e-12)
    assert torch.allclose(cam, expected, atol=1e-5)


def test_gates_are_told_as_they_are_set() -> None:
    """Logits of the gates planted: 0.75 to the local stream in all blocks, whatever the image."""
    model = tiny()
    for module in model.modules():
        if isinstance(module, ContextGate):
            nn.init.zeros_(module.weigh.weight)
            bias = torch.zeros(module.sources, module.weigh.out_features // module.sources)
            bias[0] = np.log(3)
            module.weigh.bias.data = bias.flatten()
    seen = gates_seen(model, batches())
    assert [one.place is None for one in seen] == [False] * 5 + [True]
    for one in seen[:-1]:
        assert [s.mean for s in one.sources] == pytest.approx([0.75, 0.25], abs=1e-6)
        assert one.sources[0].quantiles == pytest.approx([0.75] * 5, abs=1e-6)
        assert one.between_images < 1e-6
    assert [s.mean for s in seen[-1].sources] == pytest.approx([0.5, *[1 / 6] * 3], abs=1e-6)
    assert gates_seen(tiny(context_gate=False), batches()) == []


def test_share_between_images_is_the_law_of_total_variance() -> None:
    rng = np.random.default_rng(0)
    images = rng.normal(size=(50, 1, 1)) * np.ones((50, 2, 30))
    channels = rng.normal(size=(1, 1, 30)) * np.ones((50, 2, 30))
    assert share_between_images(images) == pytest.approx(1)
    assert share_between_images(channels) == pytest.approx(0, abs=1e-12)
    assert share_between_images(np.ones((5, 2, 3))) == 0
    both = images / images.std() + channels / channels.std()
    assert share_between_images(both) == pytest.approx(0.5, abs=0.01)


def test_power_is_all_of_a_map_and_lies_where_a_stripe_lies() -> None:
    x = torch.randn(2, 3, 8, 8)
    assert float(radial(power(x), mean=False).sum()) == pytest.approx(
        float(x.square().sum()), rel=1e-5
    )
    wave = torch.cos(2 * torch.pi * 2 * torch.arange(8) / 8).expand(1, 1, 8, 8)
    assert int(radial(power(wave), mean=False).argmax()) == 2
    assert int(radii(8).max()) == 6  # √2 · 4, rounded


def test_the_split_takes_the_mean_out_of_kernels_and_maps() -> None:
    kernel = torch.randn(4, 1, 5, 5) + 1
    assert float(response(high_pass(kernel))[0, 0]) == pytest.approx(0, abs=1e-8)
    assert float(response(kernel)[0, 0]) > 1
    for split in (True, False):
        for seen in kernels_seen(tiny(frequency_split=split)):
            assert (seen.applied[0] < 1e-8) == split
            assert (seen.applied == seen.unconstrained) == (not split)


def test_bands_are_what_the_network_computes() -> None:
    model = tiny()
    _, block = next(iter(blocks_of(model).values()))
    x = torch.randn(1, 8, 16, 16)
    with torch.no_grad():
        found = bands(block, x)
        centre = x[0, :, 8, 8] - x[0, :, 6:11, 6:11].mean(dim=(1, 2))
        assert torch.allclose(found["high band"][0, :, 8, 8], centre, atol=1e-5)
        mixed = block.mixer.gate([found["local stream"], block.mixer.global_stream(x)])  # type: ignore[misc]
        assert torch.allclose(block.mixer.project(mixed), block.mixer(x), atol=1e-5)
    seen = maps_seen(model, batches())
    assert [one.pooled_by for one in seen] == [2, 1, 1, 1, 1]
    for one in seen:
        for shares in one.bands.values():
            assert sum(shares) == pytest.approx(1, abs=1e-6)
    assert "high band" not in maps_seen(tiny(streams="global"), batches())[0].bands


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Released:
    made = release(tmp_path_factory.mktemp("insight"))
    made.call("insight", made.suite, "--weights", made.weights.parent, "--only", seed(made))
    return made


def seed(made: Released) -> str:
    return f"seed={made.read.metadata.chosen.seed}"


def test_a_look_is_kept_with_its_maps(released: Released) -> None:
    (record,) = load_all(released.store.root).values()
    maps = load_maps(record, released.store.root)
    assert record.run == released.read.metadata.run
    assert [one.shown_for for one in record.looked[::2]] == released.read.metadata.class_names
    logits = released.store.load_predictions(record.run)["val_logits"]
    for one in record.looked:
        assert one.right == (one.label == one.decided)
        assert one.followed == released.read.metadata.class_names[int(logits[one.index].argmax())]
    assert maps["grad_cam"].shape == maps["untrained"].shape == (32, 8, 8)
    assert maps["pictures"].shape == (8, 28, 28, 1)


def test_damage_and_missing_weights_are_told(released: Released, tmp_path: Path) -> None:
    (record,) = load_all(released.store.root).values()
    folder = released.store.root / "insight"
    path, maps = folder / f"{record.run}.json", folder / f"{record.run}.npz"
    text, content = path.read_text(), maps.read_bytes()
    try:
        maps.write_bytes(content[:-1] + b"x")
        with pytest.raises(InputError, match="maps cannot be read"):
            load_maps(record, released.store.root)
        path.write_text(json.dumps(json.loads(text) | {"odd": 1}))
        with pytest.raises(InputError, match=r"odd: unknown key.*python -m bench insight"):
            load_all(released.store.root)
    finally:
        path.write_text(text)
        maps.write_bytes(content)
    with pytest.raises(InputError, match=r"no weights of 1 .*bench weights .* --only seed="):
        released.call("insight", released.suite, "--weights", tmp_path)
    with pytest.raises(InputError, match="no finished training"):
        released.call("insight", released.suite, "--only", "model=small")
