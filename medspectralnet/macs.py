"""Multiply-accumulates of MedSpectralNet in closed form, part by part.

Counts convolutions, linear layers and matrix products; sums, activations, norms, pooling and
softmax are left out, as fvcore leaves them out or as deployment folds them away. ``python -m
medspectralnet.macs`` prints the table of docs/medspectralnet.md.
"""

from __future__ import annotations

from collections import Counter
from math import ceil

from medspectralnet.config import STAGES, Config
from medspectralnet.gate import squeezed_width
from medspectralnet.spectral import pool_factor


def attention_macs(tokens: int, channels: int, heads: int, kind: str = "linear") -> int:
    """Products of one attention, without its qkv convolution; D = C/2M, E = C/M.

    Linear: φ(K)ᵀ[V, 1], then φ(Q) times that, φ twice as wide as a key. Softmax: QKᵀ, then AV.
    """
    key, value = channels // (2 * heads), channels // heads
    if kind == "linear":
        return heads * tokens * 2 * (2 * key) * (value + 1)
    return heads * tokens * tokens * (key + value)


def gate_macs(channels: int, sources: int, reduction: int) -> int:
    """Two linear layers, S·C → C/r → S·C."""
    return 2 * sources * channels * squeezed_width(channels, reduction)


def block_macs(config: Config, stage: int, height: int, width: int) -> Counter[str]:
    """One block on a map of ``height`` × ``width``."""
    channels, pixels = config.widths[stage], height * width
    largest = config.pools[stage] if config.frequency_split else 1
    pool = pool_factor(min(height, width), largest=largest, grid=config.grid)
    tokens = ceil(height / pool) * ceil(width / pool)
    macs: Counter[str] = Counter()
    if config.streams != "global":
        macs["local stream"] = pixels * channels * config.kernel_size**2
    if config.streams != "local":
        heads, kind = config.heads[stage], config.attention
        macs["global stream"] = tokens * (9 * channels + 2 * channels**2)
        macs["attention"] = attention_macs(tokens, channels, heads, kind)
    if config.streams == "both" and config.context_gate:
        macs["ContextGate"] = gate_macs(channels, 2, config.gate_reduction)
    macs["projection"] = (tokens if config.streams == "global" else pixels) * channels**2
    macs["MLP"] = 2 * pixels * channels * int(channels * config.mlp_ratio)
    return macs


def count_macs(
    config: Config, *, height: int = 224, width: int = 224, in_chans: int = 3, num_classes: int = 8
) -> Counter[str]:
    """MACs of one image by part; their sum is the network's (deploy form or not)."""
    macs: Counter[str] = Counter()
    half, quarter = (ceil(height / 2), ceil(width / 2)), (ceil(height / 4), ceil(width / 4))
    stem, widths = config.stem_width, config.widths
    macs["stem"] = 9 * stem * (in_chans * half[0] * half[1] + widths[0] * quarter[0] * quarter[1])
    last = ceil(height / 32) * ceil(width / 32)
    for stage in range(STAGES):
        h, w = ceil(height / (4 * 2**stage)), ceil(width / (4 * 2**stage))
        if stage:
            macs["down-sampling"] += 9 * widths[stage - 1] * widths[stage] * h * w
        for _ in range(config.depths[stage]):
            macs.update(block_macs(config, stage, h, w))
        macs["scale fusion"] += last * widths[stage] * widths[-1]
    if config.context_gate:
        macs["scale fusion"] += gate_macs(widths[-1], STAGES, 2 * config.gate_reduction)
    macs["classifier"] = widths[-1] * num_classes
    return macs


def main() -> None:
    """Print the table for 224 × 224 and for 32 × 32."""
    large, small = count_macs(Config()), count_macs(Config(), height=32, width=32)
    print("| part | MMACs at 224 px | MMACs at 32 px |\n| --- | ---: | ---: |")
    for part in large:
        print(f"| {part} | {large[part] / 1e6:.2f} | {small[part] / 1e6:.3f} |")
    print(f"| **all** | **{large.total() / 1e6:.1f}** | **{small.total() / 1e6:.2f}** |")


if __name__ == "__main__":
    main()
