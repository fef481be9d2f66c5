"""MedMamba against a slow float64 second implementation; each fact, mutated, must show."""

from __future__ import annotations

import math

import pytest
import timm
import torch
from torch import Tensor
from torch.nn import functional as F

import baselines  # noqa: F401  (registers the models)
from baselines.medmamba import MedMamba
from baselines.medmamba.scan import OPERATOR, scan_macs, use_form

Weights = dict[str, Tensor]
MUTATIONS = (
    "halves swapped",
    "columns before rows",
    "nothing reversed",
    "order not undone",
    "no shuffle",
    "shuffle of the other half first",
    "merge by rows",
    "odd side cut in front",
    "A positive",
    "B and C swapped",
    "z before x",
    "no D",
    "one scan left out",
    "norm epsilon 1e-6",
    "no gate",
    "residual left out",
)


def slow_medmamba(
    w: Weights, images: Tensor, depths: tuple[int, ...], mutation: str = ""
) -> Tensor:
    """The network in evaluation mode, written from the description of it, one pixel at a time."""
    eps = 1e-6 if mutation == "norm epsilon 1e-6" else 1e-5
    x = F.conv2d(images, w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], stride=4)
    x = norm(x.permute(0, 2, 3, 1), w, "patch_embed.norm", eps)
    for i, depth in enumerate(depths):
        for j in range(depth):
            x = slow_block(sub(w, f"layers.{i}.blocks.{j}."), x, eps, mutation)
        if i + 1 < len(depths):
            x = slow_merging(sub(w, f"layers.{i}.downsample."), x, eps, mutation)
    return x.mean((1, 2)) @ w["head.weight"].T + w["head.bias"]


def sub(w: Weights, prefix: str) -> Weights:
    return {name[len(prefix) :]: value for name, value in w.items() if name.startswith(prefix)}


def norm(x: Tensor, w: Weights, name: str, eps: float) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    scaled = centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + eps)
    return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]


def batch_norm(x: Tensor, w: Weights, name: str) -> Tensor:
    mean, var, weight, bias = (
        w[f"{name}.{key}"][:, None, None]
        for key in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / torch.sqrt(var + 1e-5) * weight + bias


def slow_merging(w: Weights, x: Tensor, eps: float, mutation: str) -> Tensor:
    height, width = x.shape[1] // 2 * 2, x.shape[2] // 2 * 2
    if mutation == "odd side cut in front":
        x = x[:, x.shape[1] - height :, x.shape[2] - width :]
    neighbours = [(0, 0), (1, 0), (0, 1), (1, 1)]  # (row, column)
    if mutation == "merge by rows":
        neighbours = [(0, 0), (0, 1), (1, 0), (1, 1)]
    x = torch.cat([x[:, r:height:2, c:width:2] for r, c in neighbours], dim=-1)
    return norm(x, w, "norm", eps) @ w["reduction.weight"].T


def slow_block(w: Weights, x: Tensor, eps: float, mutation: str) -> Tensor:
    half = x.shape[-1] // 2
    first, second = x[..., :half], x[..., half:]
    if mutation == "halves swapped":
        first, second = second, first
    y, branch = first.permute(0, 3, 1, 2), sub(w, "conv33conv33conv11.")
    y = batch_norm(y, branch, "0")
    y = F.conv2d(y, branch["1.weight"], branch["1.bias"], padding=1)
    y = batch_norm(y, branch, "2").clamp(min=0)
    y = F.conv2d(y, branch["4.weight"], branch["4.bias"], padding=1)
    y = batch_norm(y, branch, "5").clamp(min=0)
    y = F.conv2d(y, branch["7.weight"], branch["7.bias"]).clamp(min=0).permute(0, 2, 3, 1)
    z = slow_ss2d(sub(w, "self_attention."), norm(second, w, "ln_1", eps), eps, mutation)
    out = torch.empty_like(x)
    out[..., 0::2], out[..., 1::2] = y, z
    if mutation == "no shuffle":
        out = torch.cat((y, z), dim=-1)
    if mutation == "shuffle of the other half first":
        out[..., 0::2], out[..., 1::2] = z, y
    return out if mutation == "residual left out" else out + x


def slow_ss2d(w: Weights, tokens: Tensor, eps: float, mutation: str) -> Tensor:
    batch, height, width, _ = tokens.shape
    inner = w["out_norm.weight"].numel()
    both = tokens @ w["in_proj.weight"].T
    x, z = both[..., :inner], both[..., inner:]
    if mutation == "z before x":
        x, z = z, x
    x = F.conv2d(
        x.permute(0, 3, 1, 2), w["conv2d.weight"], w["conv2d.bias"], padding=1, groups=inner
    )
    x = (x * torch.sigmoid(x)).permute(0, 2, 3, 1)
    rows = [(i, j) for i in range(height) for j in range(width)]
    columns = [(i, j) for j in range(width) for i in range(height)]
    visits = [rows, columns, rows[::-1], columns[::-1]]
    if mutation == "columns before rows":
        visits = [columns, rows, columns[::-1], rows[::-1]]
    if mutation == "nothing reversed":
        visits = [rows, columns, rows, columns]
    total = torch.zeros(batch, height, width, inner, dtype=x.dtype)
    for k, order in enumerate(visits[:3] if mutation == "one scan left out" else visits):
        total = total + slow_scan(w, x, k, order, rows, mutation)
    y = norm(total, w, "out_norm", eps)
    gate = torch.ones_like(z) if mutation == "no gate" else z * torch.sigmoid(z)
    return (y * gate) @ w["out_proj.weight"].T


def slow_scan(
    w: Weights,
    x: Tensor,
    k: int,
    order: list[tuple[int, int]],
    rows: list[tuple[int, int]],
    mutation: str,
) -> Tensor:
    inner, rank = w["dt_projs_weight"].shape[1:]
    own = slice(k * inner, (k + 1) * inner)
    a, d = -torch.exp(w["A_logs"][own]), w["Ds"][own]
    if mutation == "A positive":
        a = -a
    if mutation == "no D":
        d = torch.zeros_like(d)
    y = torch.zeros_like(x)
    h = torch.zeros(x.shape[0], *a.shape, dtype=x.dtype)
    for t, (i, j) in enumerate(order):
        pixel = x[:, i, j]  # (B, E)
        low, b, c = (pixel @ w["x_proj_weight"][k].T).split([rank, 16, 16], dim=-1)
        if mutation == "B and C swapped":
            b, c = c, b
        step = torch.log1p(torch.exp(low @ w["dt_projs_weight"][k].T + w["dt_projs_bias"][k]))
        h = torch.exp(step[..., None] * a) * h + (step * pixel)[..., None] * b[:, None]
        i, j = rows[t] if mutation == "order not undone" else (i, j)
        y[:, i, j] = (h * c[:, None]).sum(-1) + d * pixel
    return y


def random_model(**kwargs: object) -> MedMamba:
    """The test variant with every parameter and running statistic away from its initial value."""
    torch.manual_seed(0)
    model = timm.create_model("test_medmamba", num_classes=5, **kwargs).eval()
    assert isinstance(model, MedMamba)
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if name.endswith("running_var"):
                value.uniform_(0.5, 2)
            elif value.is_floating_point():
                spread = 0.3 if value.ndim == 1 else 1.5 / math.sqrt(value[0].numel())
                value.add_(torch.randn_like(value) * spread)
    return model


DEPTHS = (1, 2, 1, 1)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (37, 44), (65, 40)])
def test_equals_the_slow_network(height: int, width: int) -> None:
    model = random_model(in_chans=1)
    images = torch.randn(2, 1, height, width)
    wanted = slow_medmamba(as_double(model.state_dict()), images.double(), DEPTHS)
    with torch.no_grad():
        error = (model(images) - wanted).abs().max() / wanted.abs().max()
    assert error < 1e-5


def as_double(state: Weights) -> Weights:
    return {name: value.detach().double() for name, value in state.items()}


@pytest.mark.parametrize("form", ["reference", "pytorch"])
def test_equals_the_slow_network_in_float64_with_all_gradients(form: str) -> None:
    model = random_model().double()
    images = torch.randn(1, 3, 36, 44, dtype=torch.float64)
    weights = as_double(model.state_dict())
    leaves = {name: weights[name].requires_grad_() for name, _ in model.named_parameters()}
    with use_form(form):
        (model(images) ** 2).sum().backward()
    wanted = torch.autograd.grad(
        (slow_medmamba(weights, images, DEPTHS) ** 2).sum(), list(leaves.values())
    )
    for (name, parameter), theirs in zip(model.named_parameters(), wanted, strict=True):
        torch.testing.assert_close(parameter.grad, theirs, rtol=1e-8, atol=1e-8, msg=name)


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_every_fact_shows(mutation: str) -> None:
    model = random_model().double()
    images = torch.randn(1, 3, 36, 44, dtype=torch.float64)
    weights = as_double(model.state_dict())
    with torch.no_grad():
        ours = model(images)
        right = slow_medmamba(weights, images, DEPTHS)
        wrong = slow_medmamba(weights, images, DEPTHS, mutation)
    torch.testing.assert_close(ours, right, rtol=1e-9, atol=1e-9)
    assert not torch.allclose(ours, wrong, rtol=1e-6, atol=1e-6)


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
    images, gradients = torch.randn(2, 3, 64, 64), []
    for enable in (False, True):
        model.set_grad_checkpointing(enable)
        model.zero_grad()
        model(images).square().sum().backward()
        gradients.append([p.grad.clone() for p in model.parameters()])
    for plain, recomputed in zip(*gradients, strict=True):
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
    model = random_model()
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
def test_macs_with_and_without_the_scan() -> None:
    from fvcore.nn import FlopCountAnalysis

    def count(inputs: list[object], outputs: list[object]) -> int:
        batch, length, channels = inputs[0].type().sizes()  # type: ignore[attr-defined]
        directions, _, state = inputs[2].type().sizes()  # type: ignore[attr-defined]
        return scan_macs(batch, directions * channels, length, state)

    model = timm.create_model("medmamba_tiny", num_classes=8).eval()
    counter = FlopCountAnalysis(model, torch.zeros(1, 3, 224, 224))
    counter.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    without = counter.total()
    counted = FlopCountAnalysis(model, torch.zeros(1, 3, 224, 224)).set_op_handle(OPERATOR, count)
    counted.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    assert without / 1e9 == pytest.approx(2.26, rel=0.01)
    assert counted.total() / 1e9 == pytest.approx(2.60, rel=0.01)
