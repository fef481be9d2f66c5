"""What is done to a split's stored images before they are fed: resized, then controlled.

Every image comes out the same to the last bit whether it is prepared alone, in a batch or with the
whole split, so that it may be done once and kept, or anew for each batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bench.data.controls import apply_control, draw_orders
from bench.data.dataset import Split
from bench.data.transform import resize
from bench.specs import Control

CONTROL_SEED = 0x5EED
"""Controls draw from streams of their own, one a split: all models see the same images."""

_SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Preparation:
    """Stored images to fed ones, for one split.

    Attributes:
        image_size: pixels of the fed images.
        orders: the patches' order in each image of the split, where the control shuffles.
    """

    image_size: int
    control: Control | None
    orders: Tensor | None

    @classmethod
    def of(
        cls, split: Split, *, image_size: int, channels: int, control: Control | None
    ) -> Preparation:
        """The preparation of a split whose images become ``channels`` channels in the batch.

        Raises:
            ValueError: colour images where one channel is asked for.
        """
        stored = split.images.shape[-1]
        if stored > channels:
            raise ValueError(f"images have {stored} channels, the suite asks for {channels}")
        orders = None
        if control is not None:
            stream = torch.Generator().manual_seed(CONTROL_SEED + _SPLITS.index(split.name))
            orders = draw_orders(control, len(split), stream)
        return cls(image_size, control, orders)

    def changes(self, split: Split) -> bool:
        """Whether the fed images differ from the stored ones."""
        size = (self.image_size, self.image_size)
        return self.control is not None or split.images.shape[1:3] != size

    def __call__(self, images: Tensor, rows: slice | Tensor) -> Tensor:
        """Stored images ``(B, H, W, C)`` uint8 as they are fed, ``(B, C, S, S)`` uint8.

        Args:
            rows: where these images stand in the split.
        """
        fed = resize(images.permute(0, 3, 1, 2), self.image_size)
        if self.control is None:
            return fed
        return apply_control(fed, self.control, None if self.orders is None else self.orders[rows])
