"""What ContextGates do on real images: how much weight each map gets, and whether that adapts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.insight.hooks import blocks_of, inputs_of
from bench.insight.record import QUANTILES, GateSeen, GateSource, Place
from medspectralnet.gate import ContextGate
from medspectralnet.network import MedSpectralNet


@dataclass
class _Gathered:
    """A gate's weights and the power of its weighted maps, batch by batch."""

    place: Place | None
    names: Sequence[str]
    gate: ContextGate
    weights: list[Tensor] = field(default_factory=list)  # (B, S, C)
    powers: list[Tensor] = field(default_factory=list)  # (B, S): mean square of the weighted map

    def add(self, maps: Sequence[Tensor]) -> None:
        weights = self.gate.weights(maps)  # (B, S, C, 1, 1)
        weighted = [m * w for m, w in zip(maps, weights.unbind(dim=1), strict=True)]
        self.weights.append(weights.flatten(2))
        self.powers.append(torch.stack([w.square().mean(dim=(1, 2, 3)) for w in weighted], dim=1))

    def seen(self) -> GateSeen:
        weights = torch.cat(self.weights).double().numpy()  # (N, S, C)
        powers = torch.cat(self.powers).double().mean(dim=0)
        return GateSeen(
            place=self.place,
            channels=weights.shape[2],
            sources=[
                GateSource(
                    name=name,
                    mean=float(weights[:, s].mean()),
                    quantiles=[float(q) for q in np.quantile(weights[:, s], QUANTILES)],
                    rms=float(powers[s].sqrt()),
                )
                for s, name in enumerate(self.names)
            ],
            between_images=share_between_images(weights),
        )


def share_between_images(weights: NDArray[np.float64]) -> float:
    """Of the variance of weights ``(N, S, C)`` over N and C, the share within a channel.

    By the law of total variance: the mean over channels of the variance over images, over the sum
    of that and the variance over channels of the mean over images; both added up over S. Weights
    that never change have none between images: 0.
    """
    within = float(weights.var(axis=0).mean(axis=-1).sum())
    total = float(weights.var(axis=(0, 2)).sum())
    return min(within / total, 1.0) if total > 0 else 0.0


def gates_seen(model: MedSpectralNet, batches: Sequence[Tensor]) -> list[GateSeen]:
    """Every ContextGate of the network on these images; none where it is ablated.

    Args:
        batches: as they are fed, ``(B, C, S, S)``.
    """
    gathered: dict[str, _Gathered] = {}
    for name, (place, block) in blocks_of(model).items():
        if isinstance(block.mixer.gate, ContextGate):
            gathered[name] = _Gathered(place, ("local", "global"), block.mixer.gate)
    if isinstance(model.fusion.gate, ContextGate):
        names = [f"stage {n}" for n in range(1, len(model.fusion.laterals) + 1)]
        gathered["fusion"] = _Gathered(None, names, model.fusion.gate)
    gates = {name: one.gate for name, one in gathered.items()}
    with inputs_of({**gates}) as caught, torch.inference_mode():
        for batch in batches:
            model(batch)
            for name, one in gathered.items():
                one.add(caught[name])
    return [one.seen() for one in gathered.values()]
