"""Registers every entry of the table with timm, under its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from timm.models import generate_default_cfgs, register_model

from ablations.table import ABLATIONS, Ablation
from medspectralnet import MedSpectralNet
from medspectralnet.registry import create, default_cfg

default_cfgs = generate_default_cfgs({name: default_cfg() for name in ABLATIONS})


def entrypoint(ablation: Ablation) -> Callable[..., MedSpectralNet]:
    """The function timm calls to build ``ablation``; callers may change other arguments."""

    def build(pretrained: bool = False, **kwargs: Any) -> MedSpectralNet:
        return create(ablation.name, pretrained=pretrained, **{**ablation.changed, **kwargs})

    build.__name__ = build.__qualname__ = ablation.name
    build.__doc__ = f"MedSpectralNet without {ablation.removes}."
    return build


for _ablation in ABLATIONS.values():
    register_model(entrypoint(_ablation))
