"""ResNet-18 for small images, as the MedMNIST benchmark trains it at 28 × 28 px.

Papers: `Deep Residual Learning for Image Recognition` - https://arxiv.org/abs/1512.03385;
`MedMNIST v2` - https://doi.org/10.1038/s41597-022-01721-8. The stem is one 3×3 stride-1 convolution
without pooling (the CIFAR form), so the four stages see strides 1, 2, 4 and 8. Weights start at
PyTorch's defaults, as there; parameter names are those of the benchmark's code.
"""

from __future__ import annotations

from typing import Any, cast

from timm.models import build_model_with_cfg, generate_default_cfgs, register_model
from torch import Tensor, nn
from torch.nn import functional as F

_WIDTHS, _DEPTHS = (64, 128, 256, 512), (2, 2, 2, 2)


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut, projected where the shape changes."""

    def __init__(self, in_chans: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_chans, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_chans != width:
            project = nn.Conv2d(in_chans, width, 1, stride=stride, bias=False)
            self.shortcut = nn.Sequential(project, nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class ResNetCifar(nn.Module):
    """ResNet-18 with the CIFAR stem; any image size.

    Args:
        num_classes: outputs of the head; 0 for no head.
        in_chans: channels of the images.
        drop_rate: dropout before the head.
    """

    def __init__(self, num_classes: int = 1000, in_chans: int = 3, drop_rate: float = 0.0) -> None:
        super().__init__()
        self.num_classes, self.drop_rate = num_classes, drop_rate
        self.num_features = self.head_hidden_size = _WIDTHS[-1]
        self.conv1 = nn.Conv2d(in_chans, _WIDTHS[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(_WIDTHS[0])
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            _stage(before, width, depth, stride=1 if width == _WIDTHS[0] else 2)
            for before, width, depth in zip(
                (_WIDTHS[0], *_WIDTHS[:-1]), _WIDTHS, _DEPTHS, strict=True
            )
        )
        self.linear = _head(num_classes)

    def forward_features(self, images: Tensor) -> Tensor:
        """Images (B, in_chans, H, W) to features (B, 512, ⌈H/8⌉, ⌈W/8⌉)."""
        x = F.relu(self.bn1(self.conv1(images)))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return x

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Features to logits (B, num_classes), or to the pooled (B, 512)."""
        pooled = F.dropout(features.mean((2, 3)), self.drop_rate, self.training)
        logits: Tensor = pooled if pre_logits else self.linear(pooled)
        return logits

    def forward(self, images: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(images))

    def get_classifier(self) -> nn.Module:
        """The head."""
        return self.linear

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """A fresh head for ``num_classes``; pooling is always the average.

        Raises:
            ValueError: another pooling is asked for.
        """
        if global_pool not in (None, "avg"):
            raise ValueError(f"ResNetCifar pools by 'avg' alone, got global_pool={global_pool!r}")
        self.num_classes = num_classes
        self.linear = _head(num_classes).to(self.conv1.weight.device, self.conv1.weight.dtype)


def _stage(in_chans: int, width: int, depth: int, *, stride: int) -> nn.Sequential:
    first = BasicBlock(in_chans, width, stride)
    return nn.Sequential(first, *(BasicBlock(width, width, 1) for _ in range(depth - 1)))


def _head(num_classes: int) -> nn.Module:
    return nn.Linear(_WIDTHS[-1], num_classes) if num_classes > 0 else nn.Identity()


default_cfgs = generate_default_cfgs(
    {
        "resnet18_cifar": {
            "url": "",
            "num_classes": 1000,
            "input_size": (3, 28, 28),
            "pool_size": (4, 4),
            "crop_pct": 1.0,
            "interpolation": "bicubic",
            "mean": (0.5, 0.5, 0.5),  # as the benchmark normalises
            "std": (0.5, 0.5, 0.5),
            "first_conv": "conv1",
            "classifier": "linear",
        }
    }
)


@register_model  # type: ignore[untyped-decorator]
def resnet18_cifar(pretrained: bool = False, **kwargs: Any) -> ResNetCifar:
    """11.17 M parameters with 10 classes."""
    return cast(
        ResNetCifar, build_model_with_cfg(ResNetCifar, "resnet18_cifar", pretrained, **kwargs)
    )
