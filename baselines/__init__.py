"""What MedSpectralNet is compared with; importing it registers the models with timm."""

from baselines import medmamba

__all__ = ["medmamba"]
