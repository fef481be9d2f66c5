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
from baselines.medmamba.scan import use_form

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


@pytest.mark.parametrize(("height", "width"), [(32, 32), (37, 44)])
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
