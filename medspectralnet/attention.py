"""Attention over tokens at linear cost, and the quadratic form it approximates.

Linear form: φ(Q)(φ(K)ᵀV), normalised by φ(Q)Σφ(K); cost grows with the number of tokens N.
Quadratic form: the same kernel evaluated pair by pair, (φ(Q)φ(K)ᵀ)V. Softmax form: exp(QKᵀ/√d)V.
Lineage: Katharopoulos et al., "Transformers are RNNs" (2020), https://arxiv.org/abs/2006.16236.
Letters: B batch, M heads, N tokens, D key, E value and F feature width of one head.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medspectralnet.layers import ConvNorm

AttentionKind = Literal["linear", "softmax"]

EPS = 1e-6  # keeps 0/0 away where no key agrees with a query


def feature_map(x: Tensor) -> Tensor:
    """φ(x) = [relu(x), relu(−x)], (…, D) → (…, 2D).

    φ(q)·φ(k) adds up |qᵢkᵢ| where q and k agree in sign. Like exp(q·k), and unlike relu or elu + 1,
    it does not change when both change sign, and it comes closer to softmax than they do.
    """
    return F.relu(torch.cat([x, -x], dim=-1))


def linear_attention(phi_q: Tensor, phi_k: Tensor, v: Tensor) -> Tensor:
    """φ(Q)(φ(K)ᵀV), normalised: (B, M, N, F), (B, M, N, F), (B, M, N, E) → (B, M, N, E).

    Costs O(N·F·E). A column of ones beside V makes the same two products yield the normaliser.
    """
    v = F.pad(v, (0, 1), value=1.0)  # (B, M, N, E + 1)
    context = phi_k.transpose(-2, -1) @ v / v.shape[-2]  # (B, M, F, E + 1); a mean, whatever N
    out = phi_q @ context  # (B, M, N, E + 1)
    return out[..., :-1] / (out[..., -1:] + EPS)


def quadratic_attention(phi_q: Tensor, phi_k: Tensor, v: Tensor) -> Tensor:
    """(φ(Q)φ(K)ᵀ)V, normalised: the same pair by pair, in O(N²·(F + E))."""
    kernel = phi_q @ phi_k.transpose(-2, -1) / v.shape[-2]  # (B, M, N, N)
    return kernel @ v / (kernel.sum(dim=-1, keepdim=True) + EPS)


def softmax_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """softmax(QKᵀ/√D)V, what a transformer computes, in O(N²·(D + E))."""
    return F.scaled_dot_product_attention(q, k, v)


class LinearAttention(nn.Module):
    """Multi-head attention over the pixels of a (small) map; keys are half as wide as values.

    Args:
        channels: C, of input and output.
        heads: M; must divide C/2.
        kind: ``linear``, or ``softmax`` for the ablation, with the same parameters.
    """

    def __init__(self, channels: int, heads: int, *, kind: AttentionKind) -> None:
        super().__init__()
        self.heads = heads
        self.kind = kind
        self.key_channels = channels // 2
        self.qkv = ConvNorm(channels, 2 * self.key_channels + channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C, H, W), each pixel a weighted mean of all pixels' values."""
        qkv: Tensor = self.qkv(x)
        tokens = qkv.flatten(2).transpose(1, 2)  # (B, N, 2C)
        tokens = tokens.reshape(*tokens.shape[:2], self.heads, -1).transpose(1, 2)
        # (B, M, N, 2D + E)
        width_qk = self.key_channels // self.heads
        qk, v = tokens.split([2 * width_qk, 2 * width_qk], dim=-1)
        qk = qk.unflatten(-1, (2, width_qk)).movedim(-2, 0)  # (2, B, M, N, D)
        if self.kind == "linear":
            phi_q, phi_k = feature_map(qk)  # of both at once: half as many passes
            out = linear_attention(phi_q, phi_k, v)  # (B, M, N, E)
        else:
            q, k = qk
            out = softmax_attention(q, k, v)
        out = out.transpose(1, 2).flatten(2)  # (B, N, C)
        return out.transpose(1, 2).reshape(x.shape)  # (B, C, H, W)
