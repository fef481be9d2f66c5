"""Frequency split: a low band for the global stream, a high band for the local stream.

Average pooling is a low-pass filter, so the low band is the pooled map. The high band is what a
pixel's surroundings do not explain, x − mean(x around it), and is never written to memory:
subtracting the window's mean and then convolving with a kernel K of the same window is one
convolution, with the kernel K − mean(K). The constraint lives in weight space and costs no pass
over the map. Letters: B batch, C channels, H × W the map.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


def pool_factor(side: int, *, largest: int, grid: int) -> int:
    """Down-sampling of the low band: at most ``largest``, at least ``grid`` tokens a side if any.

    Small maps are pooled less, so that attention never works on fewer tokens than it must.
    """
    return max(1, min(largest, side // grid))


def low_band(x: Tensor, factor: int) -> Tensor:
    """Low frequencies of ``x`` (B, C, H, W), one mean per ``factor`` × ``factor`` window.

    Windows cut by an odd side's edge take the mean of what is there.
    """
    if factor == 1:
        return x
    return F.avg_pool2d(x, factor, ceil_mode=True, count_include_pad=False)


def high_pass(kernel: Tensor) -> Tensor:
    """Depthwise kernels (C, 1, k, k) freed of their mean: blind to a constant, but at borders."""
    return kernel - kernel.mean(dim=(2, 3), keepdim=True)


class BandConv2d(nn.Conv2d):
    """Depthwise convolution that sees the high band only, or the whole band (``split=False``).

    Both have the same parameters; only the constraint on the kernel differs.
    """

    def __init__(self, channels: int, kernel_size: int, *, split: bool) -> None:
        super().__init__(
            channels,
            channels,
            kernel_size,
            padding=kernel_size // 2,
            groups=channels,
            bias=False,
        )
        self.split = split

    def kernel(self) -> Tensor:
        """The kernel that is applied, (C, 1, k, k)."""
        return high_pass(self.weight) if self.split else self.weight

    def forward(self, x: Tensor) -> Tensor:
        """Filter ``x`` (B, C, H, W) → (B, C, H, W)."""
        out: Tensor = self._conv_forward(x, self.kernel(), self.bias)
        return out
