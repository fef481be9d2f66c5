"""What a run that was too large for the memory could do instead; nothing is changed for it."""

from __future__ import annotations

import gc
from collections.abc import Callable

import torch

from bench.data.dataset import Dataset
from bench.run.experiment import Prepared, prepare
from bench.run.options import DEFAULTS, RunOptions
from bench.run.surroundings import surroundings
from bench.specs import RunSpec
from bench.training.loop import Trainer

OUT_OF_MEMORY = ("not enough memory", "can't allocate memory", "CUDA out of memory")
"""How PyTorch's allocators say it, on Windows, Linux and older CUDA builds."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory was what an exception lacked."""
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in OUT_OF_MEMORY)


def advice(spec: RunSpec, dataset: Dataset, options: RunOptions = DEFAULTS) -> str:
    """The batch that would fit, found by halving, and how to ask for it; the run stays failed.

    Another batch size is another training, and so are smaller parts of the same batch wherever
    there is batch normalisation: the user chooses, and the choice is in the run's id.
    """
    asked, parts = spec.protocol.batch_size, spec.protocol.accumulate
    try:
        with surroundings(spec):
            fits = largest_that_fits(
                lambda size: _one_update(prepare(spec, dataset, options), size), asked // 2
            )
    except Exception as error:  # whatever a model raises: then nothing is known
        return f"which batch would fit could not be tried ({type(error).__name__})"
    if fits is None:
        return "no smaller batch fits either: the model or the data set alone is too large"
    parts *= -(-asked // fits)
    return f"a batch of {fits} fits: set batch_size = {fits}, or accumulate = {parts} (another run)"


def largest_that_fits(attempt: Callable[[int], None], size: int) -> int | None:
    """The first of ``size``, half of it, … down to 2 that does not run out of memory, or None.

    Raises:
        Exception: as ``attempt`` does for any other reason.
    """
    while size >= 2:
        try:
            attempt(size)
        except Exception as error:  # whatever a model raises
            if not is_out_of_memory(error):
                raise
        else:
            return size
        _release()
        size //= 2
    return None


def _one_update(prepared: Prepared, size: int) -> None:
    """A training step as the run takes it, on the first images of the training split."""
    train = prepared.train
    trainer = Trainer(prepared.built.model, train, prepared.val, prepared.setting)
    count = min(size, len(train))
    images = train.images(slice(count)).float().expand(-1, prepared.setting.channels, -1, -1)
    with torch.random.fork_rng(devices=[train.device] if train.device.type == "cuda" else []):
        float(trainer.update(images, train.labels[:count]))


def _release() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
