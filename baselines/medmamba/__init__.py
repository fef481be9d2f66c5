"""MedMamba, own implementation; importing it registers the sizes with timm."""

from baselines.medmamba.model import MedMamba
from baselines.medmamba.registry import (
    medmamba_base,
    medmamba_small,
    medmamba_tiny,
    test_medmamba,
)

__all__ = ["MedMamba", "medmamba_base", "medmamba_small", "medmamba_tiny", "test_medmamba"]
