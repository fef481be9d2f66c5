"""MedSpectralNet; importing it registers it, and the tiny ``test_medspectralnet``, with timm."""

from medspectralnet.network import MedSpectralNet
from medspectralnet.registry import medspectralnet, test_medspectralnet

__all__ = ["MedSpectralNet", "medspectralnet", "test_medspectralnet"]
