"""Files of weights: safetensors with a description, refused unless every byte is as written."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from bench.errors import CannotWrite, InputError
from bench.records.store import write_atomic
from bench.release.metadata import KEY, WeightsMetadata
from bench.specs import describe_invalid
from bench.toml_file import shown

MAKE = "make it anew: python -m bench weights SUITE"


@dataclass(frozen=True)
class Weights:
    """A state dict and what it belongs to."""

    metadata: WeightsMetadata
    state: dict[str, Tensor]


def write_weights(weights: Weights, path: Path) -> WeightsMetadata:
    """Write the file whole or not at all; returns its description with its checksum.

    Raises:
        CannotWrite: the disk is full, or the folder read-only.
    """
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.state.items()}
    whole = weights.metadata.model_copy(
        update={"content_sha256": _checksum(weights.metadata, state)}
    )
    content = save(state, metadata={"format": "pt", KEY: whole.model_dump_json()})
    try:
        write_atomic(path, content)
    except OSError as error:
        raise CannotWrite(f"{shown(path)}: cannot be written ({error.strerror})") from error
    return whole


def read_metadata(path: Path) -> WeightsMetadata:
    """The description alone, its checksum not yet compared.

    Raises:
        InputError: no such file, not safetensors, or no description that this program reads.
    """
    return _opened(path)[0]


def read_weights(path: Path) -> Weights:
    """The file's weights and description.

    Raises:
        InputError: as ``read_metadata``, or the content is not what was written.
    """
    metadata, state = _opened(path, tensors=True)
    if _checksum(metadata, state) != metadata.content_sha256:
        raise InputError(
            "its checksum is wrong: weights or description were changed after it was written",
            remedy=MAKE,
            file=shown(path),
        )
    return Weights(metadata, state)


def _opened(path: Path, *, tensors: bool = False) -> tuple[WeightsMetadata, dict[str, Tensor]]:
    if not path.is_file():
        raise InputError("no such file", remedy="give a .safetensors file", file=shown(path))
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()} if tensors else {}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(
            f"is no whole safetensors file ({' '.join(str(error).split())[:120]})",
            remedy="give one that `python -m bench weights` wrote",
            file=shown(path),
        ) from None
    if KEY not in header:
        raise InputError(
            "does not say what it is: no class names, image size or normalisation in its header",
            remedy="give one that `python -m bench weights` wrote",
            file=shown(path),
            key=KEY,
        )
    try:
        return WeightsMetadata.model_validate_json(header[KEY]), state
    except ValidationError as error:
        raise InputError(
            f"its description cannot be used: {describe_invalid(error)}",
            remedy=MAKE,
            file=shown(path),
            key=KEY,
        ) from None


def _checksum(metadata: WeightsMetadata, state: dict[str, Tensor]) -> str:
    """SHA-256 over the description without its checksum, and names, types, shapes and bytes."""
    described = metadata.model_dump(mode="json", exclude={"content_sha256"})
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    for name in sorted(state):
        tensor = state[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
