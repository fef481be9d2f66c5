"""Which input control fits which image size; no torch, so that a suite is checked at once."""

from __future__ import annotations

from bench.errors import InputError
from bench.specs import Control

BLUR_REACH = 4.0  # standard deviations at which the Gaussian is cut off


def check_control(control: Control, image_size: int) -> None:
    """Refuse a control that images of this size cannot take.

    Raises:
        InputError: the grid does not divide the size, or the blur reaches across the whole image.
    """
    if control.grid is not None and image_size % control.grid:
        fitting = [n for n in range(2, min(image_size, 32) + 1) if image_size % n == 0]
        raise InputError(
            f"a {control.grid} × {control.grid} grid does not divide {image_size} pixels",
            remedy=f"use one of {', '.join(map(str, fitting))}" if fitting else "change image_size",
            key="grid",
        )
    if control.sigma is not None and round(BLUR_REACH * control.sigma) >= image_size:
        raise InputError(
            f"a blur of sigma {control.sigma:g} reaches across all {image_size} pixels",
            remedy=f"use at most {(image_size - 1) / BLUR_REACH:g}",
            key="sigma",
        )
