"""What MedSpectralNet is compared with; importing it registers the models with timm."""

from baselines import medmamba, resnet_cifar

__all__ = ["medmamba", "resnet_cifar"]
