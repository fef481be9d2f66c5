"""Attention over tokens at linear cost, and the quadratic form it approximates.

Linear form: φ(Q)(φ(K)ᵀV), normalised by φ(Q)Σφ(K); cost grows with the number of tokens N.
Quadratic form: the same kernel evaluated pair by pair, (φ(Q)φ(K)ᵀ)V. Softmax form: exp(QKᵀ/√d)V.
Lineage: Katharopoulos et al., "Transformers are RNNs" (2020), https://arxiv.org/abs/2006.16236.
Letters: B batch, M heads, N tokens, D key width of one head, E value width of one head.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from medspectralnet.layers import ConvNorm

AttentionKind = Literal["linear", "softmax"]


def feature_map(x: Tensor) -> Tensor:
    """φ(x) = elu(x) + 1 > 0, elementwise."""
    return F.elu(x) + 1


def linear_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """φ(Q)(φ(K)ᵀV): q, k (B, M, N, D), v (B, M, N, E) → (B, M, N, E) in O(N·D·E)."""
    q, k = feature_map(q), feature_map(k) / k.shape[-2]  # a mean over tokens stays in half range
    context = k.transpose(-2, -1) @ v  # (B, M, D, E)
    total = k.sum(dim=-2).unsqueeze(-1)  # (B, M, D, 1)
    return (q @ context) / (q @ total)


def quadratic_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """(φ(Q)φ(K)ᵀ)V, the kernel of :func:`linear_attention` pair by pair, in O(N²·(D + E))."""
    kernel = feature_map(q) @ feature_map(k).transpose(-2, -1)  # (B, M, N, N)
    return (kernel / kernel.sum(dim=-1, keepdim=True)) @ v


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
        height, width = x.shape[-2:]
        tokens = self.qkv(x).flatten(2).transpose(1, 2)  # (B, N, 2C)
        tokens = tokens.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, M, N, 2D + E)
        width_qk = self.key_channels // self.heads
        q, k, v = tokens.split([width_qk, width_qk, 2 * width_qk], dim=-1)
        attend = linear_attention if self.kind == "linear" else softmax_attention
        out = attend(q, k, v)  # (B, M, N, E)
        out = out.transpose(1, 2).flatten(2)  # (B, N, C)
        return out.transpose(1, 2).unflatten(2, (height, width))
