"""From a built network to its outline: every number is read off the modules or counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ablations import ABLATIONS
from bench.errors import InputError
from bench.insight.outline import (
    PARTS,
    GateOutline,
    GlobalOutline,
    LocalOutline,
    Outline,
    Shape,
    Size,
    StageOutline,
)
from bench.measure.macs import MacCount, count_macs
from bench.models import build, evaluating
from bench.specs import ModelSpec
from medspectralnet.gate import ContextGate
from medspectralnet.network import Block, MedSpectralNet, ScaleFusion, Stage
from medspectralnet.spectral import BandConv2d, pool_factor
from medspectralnet.streams import DualStream, GlobalStream, LocalStream


def outlined(spec: ModelSpec, *, image_size: int, channels: int, classes: int) -> Outline:
    """Build the model, pass one image through it and write down what it is.

    Raises:
        InputError: no such model, or it is no MedSpectralNet.
    """
    with torch.random.fork_rng(devices=[]):  # fresh weights, of no use to anyone
        model = build(spec, num_classes=classes, in_chans=channels, image_size=image_size).model
    if not isinstance(model, MedSpectralNet):
        raise InputError(
            f"{spec.name!r} is no MedSpectralNet, and only that has a drawing",
            remedy=f"name medspectralnet or one of {', '.join(ABLATIONS)}",
            key="MODEL",
        )
    return outline_of(model, spec.name, (channels, image_size, image_size))


def outline_of(model: MedSpectralNet, name: str, image: Shape) -> Outline:
    """What ``model`` is, for images of ``(channels, height, width)``."""
    shapes, counted = _shapes(model, image), count_macs(model, image)
    parameters = _parameters(model)
    ablation = ABLATIONS.get(name)
    return Outline(
        model=name,
        image=image,
        classes=model.num_classes,
        stem=shapes["stem"],
        stages=tuple(
            _stage(stage, f"stages.{i}", shapes, image, counted, parameters)
            for i, stage in enumerate(model.stages)
            if isinstance(stage, Stage)
        ),
        fusion=_fusion(model.fusion),
        fused=shapes["fusion"],
        size=Size(sum(parameters.values()), counted.macs),
        parts=_by_part(parameters, counted),
        removes=ablation.removes if ablation is not None else "",
    )


def _shapes(model: nn.Module, image: Shape) -> dict[str, Shape]:
    """The shape of what each module gives, one image passed through it."""
    shapes: dict[str, Shape] = {}

    def note(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_: nn.Module, __: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output.ndim == 4:
                shapes[name] = tuple(output.shape[1:])  # type: ignore[assignment]

        return hook

    handles = [m.register_forward_hook(note(name)) for name, m in model.named_modules()]
    try:
        with evaluating(model), torch.no_grad():
            model(torch.zeros(1, *image))
    finally:
        for handle in handles:
            handle.remove()
    return shapes


def _stage(
    stage: Stage,
    name: str,
    shapes: dict[str, Shape],
    image: Shape,
    counted: MacCount,
    parameters: dict[str, int],
) -> StageOutline:
    block = stage.blocks[0]
    assert isinstance(block, Block)
    mixer, hidden = block.mixer, shapes[f"{name}.blocks.0.mlp.0"][0]
    shape = shapes[name]
    inside = sum(count for key, count in parameters.items() if key.startswith(f"{name}."))
    return StageOutline(
        shape=shape,
        stride=round(image[1] / shape[1]),
        downsampled=not isinstance(stage.downsample, nn.Identity),
        blocks=len(stage.blocks),
        local=_local(mixer),
        whole=_global(mixer, shape),
        gate=None if mixer.gate is None else _gate(mixer.gate, 2),
        mlp_width=hidden,
        size=Size(inside, counted.by_part.get(name, 0)),
    )


def _local(mixer: DualStream) -> LocalOutline | None:
    stream = mixer.local_stream
    if not isinstance(stream, LocalStream):
        return None
    conv = stream.filter.conv
    assert isinstance(conv, BandConv2d)
    return LocalOutline(int(conv.kernel_size[0]), conv.split)


def _global(mixer: DualStream, shape: Shape) -> GlobalOutline | None:
    stream = mixer.global_stream
    if not isinstance(stream, GlobalStream):
        return None
    pool = pool_factor(min(shape[1:]), largest=stream.pool, grid=stream.grid)
    attention = stream.attention
    return GlobalOutline(
        pool=pool,
        tokens=(-(-shape[1] // pool), -(-shape[2] // pool)),
        heads=attention.heads,
        key_width=attention.key_channels // attention.heads,
        attention=attention.kind,
    )


def _gate(gate: nn.Module, sources: int) -> GateOutline:
    units = gate.squeeze.out_features if isinstance(gate, ContextGate) else None
    return GateOutline(sources, units)


def _fusion(fusion: ScaleFusion) -> GateOutline:
    return _gate(fusion.gate, len(fusion.laterals))


def _parameters(model: nn.Module) -> dict[str, int]:
    return {name: p.numel() for name, p in model.named_parameters() if p.requires_grad}


def _by_part(parameters: dict[str, int], counted: MacCount) -> dict[str, Size]:
    """What each part costs over all stages; all of the network is in one of them."""
    elements: Counter[str] = Counter()
    for name, count in parameters.items():
        elements[_part(name)] += count
    macs: Counter[str] = Counter()
    for role, count in counted.by_role.items():
        macs[_part(role)] += count
    return {part: Size(elements[part], macs[part]) for part in PARTS.values()}


def _part(name: str) -> str:
    """The part to which a module of this dotted name belongs."""
    plain = ".".join(word for word in name.split(".") if not word.isdigit())
    return next(part for start, part in PARTS.items() if f"{plain}.".startswith(f"{start}."))
