"""Where a network looks: rows of its attention, and Grad-CAM of what it decides.

Neither explains a decision. A row of attention tells what a token's value is averaged over, in one
of several streams and blocks; Grad-CAM (Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391)
tells where a stage's channels that raise a logit are active. Whether a map depends on training at
all is checked beside it, on a network with fresh weights (Adebayo et al. 2018,
https://arxiv.org/abs/1810.03292). Letters as in ``medspectralnet.attention``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from bench.insight.hooks import blocks_of, inputs_of, output_of
from bench.insight.record import QUANTILES, AttentionSeen, Place
from medspectralnet.attention import LinearAttention, feature_map
from medspectralnet.network import MedSpectralNet
from medspectralnet.streams import GlobalStream

SMALLEST = 7  # px a side of a map that is worth showing


def rows(attention: LinearAttention, x: Tensor) -> Tensor:
    """The weights by which each token's output averages all tokens' values: ``(B, M, N, N)``.

    φ(Q)φ(K)ᵀ with each row divided by its sum (softmax attention: softmax(QKᵀ/√D)), which the
    linear form never writes down. A query that no key agrees with has a row of zeros.
    """
    tokens = attention.qkv(x).flatten(2).transpose(1, 2)  # (B, N, 2C)
    tokens = tokens.reshape(*tokens.shape[:2], attention.heads, -1).transpose(1, 2)
    width = attention.key_channels // attention.heads
    q, k = tokens[..., :width], tokens[..., width : 2 * width]  # (B, M, N, D)
    if attention.kind == "softmax":
        weights: Tensor = (q @ k.transpose(-2, -1) / math.sqrt(width)).softmax(dim=-1)
        return weights
    weights = feature_map(q) @ feature_map(k).transpose(-2, -1)
    return weights / weights.sum(dim=-1, keepdim=True).clamp_min(1e-12)


def spread(weights: Tensor) -> Tensor:
    """exp(entropy) ÷ N of each row of ``(…, N, N)``: 1: all tokens count alike; 1/N: one does."""
    entropy = -(weights * weights.clamp_min(1e-12).log()).sum(dim=-1)
    return entropy.exp() / weights.shape[-1]


def attention_seen(model: MedSpectralNet, batches: Sequence[Tensor]) -> list[AttentionSeen]:
    """How widely every block's attention is spread on these images."""
    found = []
    for name, (place, attention) in _attentions(model).items():
        values = []
        with inputs_of({name: attention}) as caught, torch.inference_mode():
            for batch in batches:
                model(batch)
                values.append(spread(rows(attention, caught[name])))
        every = torch.cat(values).double().clamp(0, 1).numpy()
        found.append(
            AttentionSeen(
                place=place,
                tokens=every.shape[-1],
                heads=attention.heads,
                mean=float(every.mean()),
                quantiles=[float(q) for q in np.quantile(every, QUANTILES)],
            )
        )
    return found


def _attentions(model: MedSpectralNet) -> dict[str, tuple[Place, LinearAttention]]:
    return {
        name: (place, block.mixer.global_stream.attention)
        for name, (place, block) in blocks_of(model).items()
        if isinstance(block.mixer.global_stream, GlobalStream)
    }


def map_stage(model: MedSpectralNet, image: Tensor) -> int:
    """The deepest stage, from 1, whose map has ``SMALLEST`` px a side; else the first."""
    with torch.inference_mode():
        maps = model.forward_intermediates(image, intermediates_only=True)
    fitting = [n for n, m in enumerate(maps, start=1) if min(m.shape[-2:]) >= SMALLEST]
    return max(fitting, default=1)


def received(model: MedSpectralNet, stage: int, batch: Tensor) -> Tensor | None:
    """How much weight each token gets in the stage's last block, ``(B, h, w)``; 1 is an even share.

    Mean over heads and queries, times the number of tokens. None without a global stream.
    """
    known = [pair for pair in _attentions(model).items() if pair[1][0].stage == stage]
    if not known:
        return None
    name, (_, attention) = known[-1]
    with inputs_of({name: attention}) as caught, torch.inference_mode():
        model(batch)
        weights = rows(attention, caught[name])
        shape = caught[name].shape[-2:]
    share: Tensor = weights.mean(dim=(1, 2)).mul(weights.shape[-1])
    return share.reshape(-1, *shape)


def grad_cam(model: MedSpectralNet, stage: int, batch: Tensor, followed: Tensor) -> Tensor:
    """Grad-CAM of a stage's output for one logit an image, ``(B, h, w)``, each up to 1.

    Channels are weighted by the mean gradient of the logit, summed, cut at 0. A map that is 0 all
    over (no channel that raises the logit is active) stays 0.

    Args:
        followed: the class of each image, int64 ``(B,)``.
    """
    with output_of(model.stages[stage - 1]) as caught, torch.enable_grad():
        logits = model(batch.requires_grad_())
        chosen = logits.gather(1, followed[:, None]).sum()  # images do not mix in evaluation mode
        (gradient,) = torch.autograd.grad(chosen, caught[-1])
        weights = gradient.mean(dim=(2, 3), keepdim=True)
        cam = (weights * caught[-1]).sum(dim=1).relu().detach()
    return cam / cam.amax(dim=(1, 2), keepdim=True).clamp_min(1e-12)
