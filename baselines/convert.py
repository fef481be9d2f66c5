"""Published MedMamba checkpoints, read strictly: every name and shape must be this network's.

Names and shapes here are the authors' own, so reading one is a matter of unpacking: wrappers
(``{"model": …}``, ``{"state_dict": …}``), the prefix of ``DataParallel``, and the counters that a
profiler leaves behind. The order of the classes is the checkpoint's: the authors trained on image
folders, which sort class names as text, where MedMNIST numbers its labels.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from baselines.medmamba.model import MedMamba
from baselines.medmamba.registry import SIZES

_WRAPPERS = ("model", "state_dict", "model_state_dict", "net")
_PREFIX = "module."
_PROFILER = ("total_ops", "total_params")  # buffers that thop registers in every module


@dataclass(frozen=True)
class Published:
    """A checkpoint that fits: the registered name, its classes, and the weights."""

    name: str
    num_classes: int
    state: dict[str, Tensor]


def read_published(path: Path) -> Published:
    """Read and check a checkpoint; only tensors are unpickled, never code.

    Raises:
        ValueError: the file cannot be read, or is not a MedMamba's to the last name and shape.
    """
    state = _tensors(_content(path))
    name = _size(state)
    head = state.get("head.weight")
    if head is None or head.ndim != 2:
        raise ValueError("it has no head.weight (classes, width), so its classes are unknown")
    _check_values(state)
    _check_fits(state, name, num_classes=len(head))
    return Published(name, len(head), state)


def write_converted(published: Published, path: Path) -> None:
    """Write safetensors that ``timm.create_model(name, checkpoint_path=…)`` loads.

    Raises:
        ValueError: ``path`` cannot be written.
    """
    facts = {"model": published.name, "num_classes": str(published.num_classes)}
    tensors = {name: tensor.contiguous().clone() for name, tensor in published.state.items()}
    try:
        save_file(tensors, path, metadata=facts)
    except SafetensorError as error:
        raise ValueError(f"{path} cannot be written ({error})") from error


def _content(path: Path) -> object:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's advice on layouts that are refused below
            return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ValueError(f"it cannot be read ({error.strerror or error})") from error
    except Exception as error:  # a broken file breaks its readers in many ways
        raise ValueError(
            f"it is no checkpoint of tensors alone ({type(error).__name__} while reading it)"
        ) from error


def _tensors(content: object) -> dict[str, Tensor]:
    for wrapper in _WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
    if not isinstance(content, dict) or not content:
        raise ValueError(f"it holds {type(content).__name__}, not names and tensors")
    state: dict[str, Tensor] = {}
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise ValueError(f"its entry {name!r} is {type(value).__name__}, not a tensor")
        if name.split(".")[-1] in _PROFILER:
            continue
        plain = name.removeprefix(_PREFIX)
        if plain in state:
            raise ValueError(f"it holds {plain} twice, with and without {_PREFIX!r}")
        state[plain] = value
    return state


def _size(state: dict[str, Tensor]) -> str:
    """Which size this is, by the width of the first layer and the depth of the third stage."""
    for name, size in SIZES.items():
        width, depth = size["widths"][0], size["depths"][2]
        stem = state.get("patch_embed.proj.weight")
        blocks = {key.split(".")[3] for key in state if key.startswith("layers.2.blocks.")}
        if stem is not None and stem.ndim == 4 and len(stem) == width and len(blocks) == depth:
            return name
    raise ValueError(f"it is none of {', '.join(SIZES)} by its widths and depths")


def _check_values(state: dict[str, Tensor]) -> None:
    """Weights are dense, finite floating-point numbers; only a norm counts its batches."""
    for name, value in state.items():
        if value.layout != torch.strided or value.is_meta:
            raise ValueError(f"its {name} holds no dense values")
        if name.endswith("num_batches_tracked"):
            continue
        if not value.is_floating_point() or not bool(value.isfinite().all()):
            raise ValueError(f"its {name} holds {value.dtype} that are not finite real weights")


def _check_fits(state: dict[str, Tensor], name: str, *, num_classes: int) -> None:
    stem = state["patch_embed.proj.weight"]
    with torch.device("meta"):
        size = SIZES[name]
        network = MedMamba(num_classes, stem.shape[1], depths=size["depths"], widths=size["widths"])
        wanted = network.state_dict()
    faults = [f"{key} is missing" for key in wanted if key not in state]
    faults += [f"{key} is unknown" for key in state if key not in wanted]
    faults += [
        f"{key} is {tuple(state[key].shape)}, not {tuple(value.shape)}"
        for key, value in wanted.items()
        if key in state and state[key].shape != value.shape
    ]
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise ValueError(f"it is not a {name}: {faults[0]}{more}")
