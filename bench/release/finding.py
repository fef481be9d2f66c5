"""The file of weights that belongs to a record, wherever in a folder it lies."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bench.errors import InputError
from bench.records.schema import Record
from bench.release.file import Weights, read_metadata, read_weights


def weights_of(record: Record, folder: Path) -> tuple[Weights, str] | None:
    """Weights of this very training with the SHA-256 of their file; None if there are none.

    Raises:
        InputError: the file is damaged.
    """
    training = record.training
    assert training is not None
    for path in sorted(folder.glob("*.safetensors")):
        try:
            metadata = read_metadata(path)
        except InputError:
            continue  # another program's: no concern of this one
        if (metadata.run, metadata.predictions_sha256) == (record.id, training.predictions_sha256):
            return read_weights(path), hashlib.sha256(path.read_bytes()).hexdigest()
    return None
