"""Learning curves for TensorBoard, an option: one folder a run, one point an epoch."""

from __future__ import annotations

import importlib.util
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import InputError
from bench.records.schema import Epoch
from bench.specs import RunSpec

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from bench.training.loop import Progress

log = logging.getLogger(__name__)


def check_tensorboard() -> None:
    """Refuse ``--tensorboard`` before anything trains where the package is missing.

    Raises:
        InputError: with the command that installs it.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise InputError(
            "TensorBoard is not installed",
            remedy="run: python -m pip install -c constraints.txt -e '.[tensorboard]'",
            key="--tensorboard",
        )


class Curves:
    """Context manager: writes the epochs of one run below ``folder``; None writes nothing.

    A run that goes on, or is done anew, replaces the points from its first epoch on. That they
    cannot be written never stops a run.
    """

    def __init__(self, folder: Path | None, spec: RunSpec) -> None:
        name = re.sub(r"[^\w.-]+", "_", spec.label)
        self._folder = folder / f"{name}_{spec.id}" if folder is not None else None
        self._writer: SummaryWriter | None = None

    def __enter__(self) -> Curves:
        return self

    def add(self, _progress: Progress, epoch: Epoch) -> None:
        """One epoch's point of each curve."""
        if self._folder is None:
            return
        curves = {
            "loss/train": epoch.train_loss,
            "loss/validation": epoch.val_loss,
            "validation/ACC": epoch.val_acc,
            "validation/AUC": epoch.val_auc,
            "learning rate": epoch.lr,
            "seconds": epoch.seconds,
        }
        try:
            writer = self._writer or self._open(epoch.epoch)
            for name, value in curves.items():
                if value is not None:
                    writer.add_scalar(name, value, epoch.epoch)
            writer.flush()
        except OSError as error:
            log.warning("%s: no more curves of this run (%s)", self._folder, error)
            self._folder = None

    def _open(self, first: int) -> SummaryWriter:
        from torch.utils.tensorboard import SummaryWriter  # only where it is asked for

        self._writer = SummaryWriter(str(self._folder), purge_step=first)
        return self._writer

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            try:
                self._writer.close()
            except OSError as error:
                log.warning("%s: curves are not whole (%s)", self._folder, error)
