"""MedMamba's parameters, initial state and behaviour as a timm model."""

from __future__ import annotations

import math

import pytest
import timm
import torch
from torch.nn import functional as F

import baselines  # noqa: F401  (registers the models)
from baselines.medmamba import MedMamba
from baselines.medmamba.scan import OPERATOR, scan_macs, selective_scan

DEPTHS = (1, 2, 1, 1)  # of test_medmamba


@pytest.mark.parametrize(
    ("name", "millions", "depths", "width"),
    [
        ("medmamba_tiny", 14.46, (2, 2, 4, 2), 96),
        ("medmamba_small", 18.63, (2, 2, 8, 2), 96),
        ("medmamba_base", 39.87, (2, 2, 12, 2), 128),
    ],
)
def test_parameters_have_the_public_names_and_shapes(
    name: str, millions: float, depths: tuple[int, ...], width: int
) -> None:
    with torch.device("meta"):
        model = timm.create_model(name, num_classes=8)
    shapes = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    assert shapes == public_shapes(depths, width, num_classes=8)
    assert round(sum(p.numel() for p in model.parameters()) / 1e6, 2) == millions


def public_shapes(depths: tuple[int, ...], width: int, num_classes: int) -> dict[str, object]:
    shapes: dict[str, object] = {
        "patch_embed.proj.weight": (width, 3, 4, 4),
        "patch_embed.proj.bias": (width,),
        **affine("patch_embed.norm", width),
    }
    for i, depth in enumerate(depths):
        c = width * 2**i
        for j in range(depth):
            shapes |= {f"layers.{i}.blocks.{j}.{k}": v for k, v in block_shapes(c // 2).items()}
        if i + 1 < len(depths):
            shapes |= affine(f"layers.{i}.downsample.norm", 4 * c)
            shapes[f"layers.{i}.downsample.reduction.weight"] = (2 * c, 4 * c)
    last = width * 2 ** (len(depths) - 1)
    return {**shapes, "head.weight": (num_classes, last), "head.bias": (num_classes,)}


def affine(name: str, width: int) -> dict[str, object]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def block_shapes(d: int) -> dict[str, object]:
    e, r, n, k = 2 * d, math.ceil(d / 16), 16, 4
    shapes: dict[str, object] = {
        **affine("ln_1", d),
        "self_attention.in_proj.weight": (2 * e, d),
        "self_attention.conv2d.weight": (e, 1, 3, 3),
        "self_attention.conv2d.bias": (e,),
        "self_attention.x_proj_weight": (k, r + 2 * n, e),
        "self_attention.dt_projs_weight": (k, e, r),
        "self_attention.dt_projs_bias": (k, e),
        "self_attention.A_logs": (k * e, n),
        "self_attention.Ds": (k * e,),
        **affine("self_attention.out_norm", e),
        "self_attention.out_proj.weight": (d, e),
    }
    branch = "conv33conv33conv11"
    for index in (0, 2, 5):
        shapes |= affine(f"{branch}.{index}", d)
        shapes |= {f"{branch}.{index}.running_{stat}": (d,) for stat in ("mean", "var")}
        shapes[f"{branch}.{index}.num_batches_tracked"] = ()
    for index, side in ((1, 3), (4, 3), (7, 1)):
        shapes |= {f"{branch}.{index}.weight": (d, d, side, side), f"{branch}.{index}.bias": (d,)}
    return shapes


def test_the_initial_state_is_the_stated_one() -> None:
    torch.manual_seed(0)
    mixer = timm.create_model("medmamba_tiny", num_classes=8).layers[2].blocks[0].self_attention
    torch.testing.assert_close(mixer.A_logs[5].exp(), torch.arange(1.0, 17))
    assert (mixer.Ds == 1).all()
    step = F.softplus(mixer.dt_projs_bias)
    assert 0.001 <= step.min() < 0.0015
    assert 0.08 < step.max() <= 0.1001
    assert abs(step.log().mean() - math.log(0.01)) < 0.1  # log-uniform: the mean of the logs
    assert 0.95 * 12**-0.5 < mixer.dt_projs_weight.abs().max() <= 12**-0.5
    assert abs(mixer.in_proj.weight.std() - 0.02) < 0.001


def test_drop_path_rises_linearly() -> None:
    model = timm.create_model("medmamba_tiny", drop_path_rate=0.3)
    rates = [block.drop_path.drop_prob for stage in model.layers for block in stage.blocks]
    assert rates == pytest.approx([0.3 * i / 9 for i in range(10)])


def test_drop_path_takes_the_scan_branch_alone() -> None:
    last = timm.create_model("medmamba_tiny").layers[3].blocks[1]
    assert last.drop_path.drop_prob == pytest.approx(0.1)
    torch.manual_seed(0)
    block = timm.create_model("test_medmamba", drop_path_rate=0.5).layers[3].blocks[0].train()
    x = torch.randn(64, 2, 2, 64)
    change = block(x) - x
    scanned, convolved = change[..., 1::2], change[..., 0::2]
    dropped = (scanned == 0).flatten(1).all(1)
    assert 10 < dropped.sum() < 54  # of 64, at a rate of one half
    assert not (convolved == 0).flatten(1).all(1).any()


def test_the_initial_weights_follow_their_laws() -> None:
    torch.manual_seed(0)
    model = timm.create_model("medmamba_tiny", num_classes=8)
    conv = model.layers[2].blocks[0].conv33conv33conv11[1]
    assert conv.weight.std().item() == pytest.approx(math.sqrt(2 / (9 * conv.out_channels)), 0.02)
    stem = model.patch_embed.proj  # fan-out, not fan-in: 96·16 against 3·16
    assert stem.weight.std().item() == pytest.approx(math.sqrt(2 / (16 * 96)), 0.05)
    assert not model.head.bias.any()
    mixer = model.layers[2].blocks[0].self_attention
    bound = mixer.x_proj_weight.shape[-1] ** -0.5
    assert 0.99 * bound < mixer.x_proj_weight.abs().max() <= bound
    assert mixer.dt_projs_weight.min() < -0.9 * mixer.rank**-0.5
    assert mixer.dt_projs_weight.mean().abs() < 0.01 * mixer.rank**-0.5


def test_the_head_drops_out_in_training_alone() -> None:
    model = timm.create_model("test_medmamba", num_classes=3, drop_rate=0.9).train()
    features = torch.ones(1000, 1, 1, 64)
    kept = (model.forward_head(features, pre_logits=True) != 0).float().mean()
    assert 0.05 < kept < 0.15
    assert (model.eval().forward_head(features, pre_logits=True) == 1).all()


def test_the_scan_gets_a_in_float32_from_a_half_precision_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[torch.dtype] = []

    def scan(*arguments: torch.Tensor) -> torch.Tensor:
        seen.append(arguments[2].dtype)
        return selective_scan(*arguments)

    monkeypatch.setattr("baselines.medmamba.ss2d.selective_scan", scan)
    model = timm.create_model("test_medmamba", num_classes=3).eval().to(torch.bfloat16)
    with torch.no_grad():
        model(torch.randn(1, 3, 32, 32, dtype=torch.bfloat16))
    assert set(seen) == {torch.float32}


def test_weight_decay_spares_the_scan() -> None:
    model = timm.create_model("test_medmamba")
    spared = model.no_weight_decay()
    assert len(spared) == 2 * sum(DEPTHS)
    assert {name.split(".")[-1] for name in spared} == {"A_logs", "Ds"}


@pytest.mark.parametrize("side", [32, 33, 65, 100])
def test_sizes_that_do_not_divide_train(side: int) -> None:
    model = timm.create_model("test_medmamba", num_classes=3, in_chans=1, drop_path_rate=0.2)
    model(torch.randn(2, 1, side, side)).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_a_size_that_leaves_no_pixel_is_refused() -> None:
    model = timm.create_model("test_medmamba", num_classes=3)
    with pytest.raises(ValueError, match=r"28 × 28 px leave no pixel.*at least 32 × 32"):
        model(torch.zeros(2, 3, 28, 28))


def test_checkpointing_changes_nothing_but_memory() -> None:
    model = timm.create_model("test_medmamba", num_classes=3, drop_path_rate=0.0).train()
    images, seen = torch.randn(2, 3, 64, 64), []
    start = {name: value.clone() for name, value in model.state_dict().items()}
    calls: list[int] = []
    mixer = model.layers[1].blocks[0].self_attention
    mixer.register_forward_pre_hook(lambda *_: calls.append(1))
    for enable in (False, True):
        model.load_state_dict(start)
        model.set_grad_checkpointing(enable)
        model.zero_grad()
        model(images).square().sum().backward()
        gradients = [p.grad.clone() for p in model.parameters()]
        seen.append(gradients + [buffer.clone() for buffer in model.buffers()])
    assert len(calls) == 1 + 2  # once, then once more in the backward pass
    for plain, recomputed in zip(*seen, strict=True):
        torch.testing.assert_close(plain, recomputed)


def test_behaves_as_a_timm_model() -> None:
    model = timm.create_model("test_medmamba", num_classes=3).eval()
    images = torch.randn(2, 3, 64, 64)
    features = model.forward_features(images)
    assert features.shape == (2, 2, 2, 64)
    assert model.forward_head(features, pre_logits=True).shape == (2, model.num_features)
    torch.testing.assert_close(model.forward_head(features), model(images))
    model.reset_classifier(7)
    assert model(images).shape == (2, 7)
    model.reset_classifier(0)
    assert model(images).shape == (2, 64)
    with pytest.raises(ValueError, match="pools by 'avg' alone"):
        model.reset_classifier(3, global_pool="max")
    with pytest.raises(ValueError, match="widths must be even and double"):
        MedMamba(widths=(8, 16, 24, 32))


def test_works_compiled_and_in_half_precision() -> None:
    torch.manual_seed(0)
    model = timm.create_model("test_medmamba", num_classes=5).eval()
    assert isinstance(model, MedMamba)
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        plain = model(images)
        compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
        torch.testing.assert_close(compiled(images), plain, rtol=1e-4, atol=1e-4)
        with torch.autocast("cpu", torch.bfloat16):
            assert (model(images) - plain).abs().max() < 0.1 * plain.abs().max()
        halved = model.to(torch.bfloat16)(images.bfloat16()).float()
        assert (halved - plain).abs().max() < 0.1 * plain.abs().max()


@pytest.mark.filterwarnings("ignore")  # fvcore's and the tracer's own
@pytest.mark.parametrize(
    ("name", "without_scan", "scan"),
    [
        ("medmamba_tiny", 2.26, 0.34),
        ("medmamba_small", 3.06, 0.42),
        ("medmamba_base", 6.71, 0.66),
    ],
)
def test_macs_with_and_without_the_scan(name: str, without_scan: float, scan: float) -> None:
    from fvcore.nn import FlopCountAnalysis

    def count(inputs: list[object], outputs: list[object]) -> int:
        batch, length, channels = inputs[0].type().sizes()  # type: ignore[attr-defined]
        directions, _, state = inputs[2].type().sizes()  # type: ignore[attr-defined]
        return scan_macs(batch, directions * channels, length, state)

    model = timm.create_model(name, num_classes=8).eval()
    counter = FlopCountAnalysis(model, torch.zeros(1, 3, 224, 224))
    counter.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    without = counter.total()
    counted = FlopCountAnalysis(model, torch.zeros(1, 3, 224, 224)).set_op_handle(OPERATOR, count)
    counted.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    assert without / 1e9 == pytest.approx(without_scan, rel=0.01)
    assert counted.total() / 1e9 == pytest.approx(without_scan + scan, rel=0.01)
