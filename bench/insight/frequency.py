"""Which frequencies kernels answer to, and which the streams carry on real images.

Radii are in cycles per pixel of the stage's map: 0 is the mean, 0.5 the finest stripes along an
axis, 0.71 along the diagonal. Letters: B images, C channels, n the side of a map.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.insight.hooks import blocks_of, inputs_of
from bench.insight.record import KernelSeen, MapsSeen
from medspectralnet.gate import upsample_to
from medspectralnet.network import Block, MedSpectralNet
from medspectralnet.spectral import BandConv2d, low_band, pool_factor
from medspectralnet.streams import GlobalStream, LocalStream

GRID = 32  # points a side at which a kernel's response is taken


def radii(side: int) -> Tensor:
    """The rounded radius of each frequency of a ``side`` × ``side`` transform, in 1/side."""
    frequency = torch.fft.fftfreq(side) * side
    return torch.hypot(frequency[:, None], frequency[None, :]).round().long()


def radial(power: Tensor, *, mean: bool) -> Tensor:
    """Power ``(n, n)`` of a transform by radius: the mean at each, or the sum."""
    radius = radii(power.shape[-1]).flatten()
    summed = torch.zeros(int(radius.max()) + 1, dtype=power.dtype)
    summed.index_add_(0, radius, power.flatten())
    return summed / torch.bincount(radius) if mean else summed


def kernels_seen(model: MedSpectralNet) -> list[KernelSeen]:
    """The local stream's kernels of every block that has one."""
    found = []
    for place, block in blocks_of(model).values():
        stream = block.mixer.local_stream
        if not isinstance(stream, LocalStream):
            continue
        conv = stream.filter.conv
        assert isinstance(conv, BandConv2d)
        with torch.inference_mode():
            free = response(conv.weight)
            applied = response(conv.kernel())
        unit = float(free.mean())
        half = GRID // 2 + 1  # radii up to 0.5, where every direction has its frequency
        found.append(
            KernelSeen(
                place=place,
                split=conv.split,
                frequency=[n / GRID for n in range(half)],
                applied=[float(v) / unit for v in radial(applied, mean=True)[:half]],
                unconstrained=[float(v) / unit for v in radial(free, mean=True)[:half]],
            )
        )
    return found


def response(kernels: Tensor) -> Tensor:
    """Power of the response of kernels ``(C, 1, k, k)``, mean over channels: ``(GRID, GRID)``."""
    transform = torch.fft.fft2(kernels[:, 0].double(), s=(GRID, GRID))
    mean: Tensor = transform.abs().square().mean(dim=0)
    return mean


def maps_seen(model: MedSpectralNet, batches: Sequence[Tensor]) -> list[MapsSeen]:
    """Spectra of what enters, splits and leaves the streams of every block on these images."""
    blocks = blocks_of(model)
    sums: dict[str, dict[str, Tensor]] = {name: {} for name in blocks}
    mixers = {name: block.mixer for name, (_, block) in blocks.items()}
    with inputs_of(dict(mixers)) as caught, torch.inference_mode():
        for batch in batches:
            model(batch)
            for name, (_, block) in blocks.items():
                for band, seen in bands(block, caught[name]).items():
                    spectrum = power(seen)
                    sums[name][band] = sums[name].get(band, torch.zeros_like(spectrum)) + spectrum
    found = []
    for name, (place, block) in blocks.items():
        side = sums[name]["input"].shape[-1]
        totals = {band: radial(total, mean=False) for band, total in sums[name].items()}
        found.append(
            MapsSeen(
                place=place,
                side=side,
                pooled_by=_pooled_by(block, side),
                frequency=[n / side for n in range(len(totals["input"]))],
                bands={
                    band: [float(v) for v in total / total.sum().clamp_min(1e-30)]
                    for band, total in totals.items()
                },
            )
        )
    return found


def power(maps: Tensor) -> Tensor:
    """Power of maps ``(B, C, n, n)`` at each frequency, summed over B and C: ``(n, n)``."""
    summed: Tensor = torch.fft.fft2(maps.double()).abs().square().sum(dim=(0, 1))
    return summed / maps.shape[-1] ** 2


def bands(block: Block, x: Tensor) -> dict[str, Tensor]:
    """What enters a block's streams, its bands, and what leaves the streams, all at one size."""
    mixer, found = block.mixer, {"input": x}
    whole, local = mixer.global_stream, mixer.local_stream
    if isinstance(whole, GlobalStream):
        factor = pool_factor(min(x.shape[-2:]), largest=whole.pool, grid=whole.grid)
        found["low band"] = upsample_to(low_band(x, factor), x)
    if isinstance(local, LocalStream):
        conv = local.filter.conv
        if isinstance(conv, BandConv2d) and conv.split:
            size = int(conv.kernel_size[0])
            found["high band"] = x - F.avg_pool2d(x, size, stride=1, padding=size // 2)
        found["local stream"] = local(x)
    if isinstance(whole, GlobalStream):
        found["global stream"] = upsample_to(whole(x), x)
    return found


def _pooled_by(block: Block, side: int) -> int | None:
    whole = block.mixer.global_stream
    if not isinstance(whole, GlobalStream):
        return None
    return pool_factor(side, largest=whole.pool, grid=whole.grid)
