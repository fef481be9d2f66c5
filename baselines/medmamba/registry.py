"""MedMamba's sizes, as timm models. Parameters are counted with 8 classes, as the paper counts."""

from __future__ import annotations

from typing import Any, cast

from timm.models import build_model_with_cfg, generate_default_cfgs, register_model

from baselines.medmamba.model import MedMamba

SIZES: dict[str, dict[str, tuple[int, ...]]] = {
    "medmamba_tiny": {"depths": (2, 2, 4, 2), "widths": (96, 192, 384, 768)},
    "medmamba_small": {"depths": (2, 2, 8, 2), "widths": (96, 192, 384, 768)},
    "medmamba_base": {"depths": (2, 2, 12, 2), "widths": (128, 256, 512, 1024)},
    "test_medmamba": {"depths": (1, 2, 1, 1), "widths": (8, 16, 32, 64)},
}
"""Blocks and channels of each stage, as the authors' code has them."""


def _cfg(**kwargs: object) -> dict[str, object]:
    return {
        "url": "",
        "num_classes": 1000,
        "input_size": (3, 224, 224),
        "min_input_size": (3, 32, 32),
        "pool_size": (7, 7),
        "crop_pct": 1.0,
        "interpolation": "bicubic",
        "mean": (0.5, 0.5, 0.5),  # images lie in [-1, 1], as the authors train
        "std": (0.5, 0.5, 0.5),
        "first_conv": "patch_embed.proj",
        "classifier": "head",
        "license": "mit",
        **kwargs,
    }


default_cfgs = generate_default_cfgs({name: _cfg() for name in SIZES})


def _create(variant: str, pretrained: bool, **kwargs: Any) -> MedMamba:
    arguments = {**SIZES[variant], **kwargs}
    return cast(MedMamba, build_model_with_cfg(MedMamba, variant, pretrained, **arguments))


@register_model  # type: ignore[untyped-decorator]
def medmamba_tiny(pretrained: bool = False, **kwargs: Any) -> MedMamba:
    """14.46 M parameters (the paper prints 14.5)."""
    return _create("medmamba_tiny", pretrained, **kwargs)


@register_model  # type: ignore[untyped-decorator]
def medmamba_small(pretrained: bool = False, **kwargs: Any) -> MedMamba:
    """18.63 M parameters (the paper prints 22.8)."""
    return _create("medmamba_small", pretrained, **kwargs)


@register_model  # type: ignore[untyped-decorator]
def medmamba_base(pretrained: bool = False, **kwargs: Any) -> MedMamba:
    """39.87 M parameters (the paper prints 47 to 48)."""
    return _create("medmamba_base", pretrained, **kwargs)


@register_model  # type: ignore[untyped-decorator]
def test_medmamba(
    pretrained: bool = False,  # noqa: PT028 (timm's signature)
    **kwargs: Any,
) -> MedMamba:
    """A tiny one for tests: the same code in milliseconds."""
    return _create("test_medmamba", pretrained, **kwargs)


test_medmamba.__test__ = False  # not a pytest function, whatever its name
