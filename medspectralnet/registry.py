"""Names under which timm builds the network: ``timm.create_model("medspectralnet")``."""

from __future__ import annotations

from typing import Any

from timm.models import build_model_with_cfg, generate_default_cfgs, register_model

from medspectralnet.network import MIN_SIDE, MedSpectralNet

__all__ = ["create", "default_cfg", "medspectralnet", "test_medspectralnet"]

TINY: dict[str, Any] = {
    "widths": (8, 16, 24, 32),
    "depths": (1, 1, 2, 1),
    "heads": (1, 2, 3, 4),
    "stem_width": 8,
}
"""The differences of ``test_medspectralnet``: every part is there, tests take milliseconds."""


def default_cfg(**differences: Any) -> dict[str, Any]:
    """timm's description of the model: input, normalisation, names of the first and last layer."""
    return {
        "url": "",
        "num_classes": 1000,
        "input_size": (3, 224, 224),
        "min_input_size": (3, MIN_SIDE, MIN_SIDE),
        "pool_size": (7, 7),
        "crop_pct": 0.95,
        "interpolation": "bicubic",
        "mean": (0.485, 0.456, 0.406),
        "std": (0.229, 0.224, 0.225),
        "first_conv": "stem.conv1.conv",
        "classifier": "head.fc",
        "license": "mit",
        **differences,
    }


default_cfgs = generate_default_cfgs(
    {
        "medspectralnet": default_cfg(),
        "test_medspectralnet": default_cfg(),
    }
)


def create(variant: str, *, pretrained: bool = False, **kwargs: Any) -> MedSpectralNet:
    """Build a registered variant as timm does; there are no pretrained weights to load."""
    model: MedSpectralNet = build_model_with_cfg(
        MedSpectralNet,
        variant,
        pretrained,
        feature_cfg={"out_indices": (0, 1, 2, 3), "flatten_sequential": True},
        **kwargs,
    )
    return model


@register_model  # type: ignore[untyped-decorator]
def medspectralnet(pretrained: bool = False, **kwargs: Any) -> MedSpectralNet:
    """MedSpectralNet at the paper's size, 8.5 M parameters."""
    return create("medspectralnet", pretrained=pretrained, **kwargs)


@register_model  # type: ignore[untyped-decorator]
def test_medspectralnet(
    pretrained: bool = False,  # noqa: PT028 (timm's signature)
    **kwargs: Any,
) -> MedSpectralNet:
    """The same network, tiny, for tests."""
    return create("test_medspectralnet", pretrained=pretrained, **{**TINY, **kwargs})


test_medspectralnet.__test__ = False  # not a pytest function, whatever its name
