"""A training as a researcher would write it by hand: no harness, the same settings.

It reads the file, resizes once, trains, keeps the best weights by validation AUC and predicts the
test split. Nothing here is shared with the harness but the model's name.
"""

from __future__ import annotations

import copy
import math
import os
from pathlib import Path

import numpy as np
import timm
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional as F

BATCH_SIZE, EVAL_BATCH = 128, 256


def train_by_hand(
    model_name: str, data: Path, *, image_size: int, epochs: int, seed: int, threads: int
) -> float:
    """The test accuracy of a two-class MedMNIST file's training by Adam at 1e-3."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    with np.load(data) as file:
        arrays = {name: file[name] for name in file.files}
    splits = {
        split: (
            _resized(arrays[f"{split}_images"], image_size),
            torch.from_numpy(arrays[f"{split}_labels"].ravel().astype(np.int64)),
        )
        for split in ("train", "val", "test")
    }
    model = timm.create_model(model_name, num_classes=2).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    images, labels = splits["train"]
    best, best_auc = copy.deepcopy(model.state_dict()), -math.inf
    for _ in range(epochs):
        model.train()
        for index in torch.randperm(len(labels)).split(BATCH_SIZE):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(_fed(images[index])), labels[index])
            loss.backward()
            optimizer.step()
        scores = _predicted(model, splits["val"][0]).softmax(1)[:, 1]
        auc = roc_auc_score(splits["val"][1].numpy(), scores.numpy())
        if auc > best_auc:
            best, best_auc = copy.deepcopy(model.state_dict()), auc
    model.load_state_dict(best)
    test_images, test_labels = splits["test"]
    return float((_predicted(model, test_images).argmax(1) == test_labels).float().mean())


def _resized(images: np.ndarray, size: int) -> Tensor:
    grey = torch.from_numpy(images)[:, None].float()
    resized = F.interpolate(grey, (size, size), mode="bilinear", antialias=True)
    return resized.round().clamp(0, 255).to(torch.uint8)


def _fed(images: Tensor) -> Tensor:
    scaled = (images.float() / 127.5 - 1).expand(-1, 3, -1, -1)
    return scaled.contiguous(memory_format=torch.channels_last)


def _predicted(model: torch.nn.Module, images: Tensor) -> Tensor:
    model.eval()
    with torch.inference_mode():
        return torch.cat([model(_fed(part)) for part in images.split(EVAL_BATCH)])


def medmnist_file(name: str) -> Path:
    """Where a MedMNIST file lies, by ``MEDMNIST_ROOT``."""
    root = os.environ.get("MEDMNIST_ROOT", "~/.medmnist")
    return Path(root).expanduser() / f"{name}.npz"
