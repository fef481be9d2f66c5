"""MedSpectralNet with one part taken away; importing it registers every ablation with timm."""

from ablations import registry as registry
from ablations.table import ABLATIONS, Ablation

__all__ = ["ABLATIONS", "Ablation"]
