"""Whether pre-trained weights can be had: on this machine already, or from their hub."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from urllib.parse import urlparse

import timm
import torch
from huggingface_hub import constants, try_to_load_from_cache

_FILES = ("model.safetensors", "pytorch_model.bin")
_TIMEOUT_S = 3.0


def within_reach(name: str) -> bool:
    """Whether the weights of a timm model lie in a cache here, or their host answers."""
    config = timm.get_pretrained_cfg(name)
    if config is None or not config.has_weights:
        return True  # said elsewhere, with a better reason
    if config.hf_hub_id and any(
        isinstance(try_to_load_from_cache(config.hf_hub_id, file), str) for file in _FILES
    ):
        return True
    url = str(config.url or "")
    cached = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(url).path).name
    if url and cached.is_file():
        return True
    if os.environ.get("HF_HUB_OFFLINE") in ("1", "true", "yes", "on"):
        return False
    place = urlparse(constants.ENDPOINT if config.hf_hub_id else url)
    port = place.port or (443 if place.scheme == "https" else 80)
    try:
        socket.create_connection((place.hostname or "", port), timeout=_TIMEOUT_S).close()
    except OSError:
        return False
    return True
