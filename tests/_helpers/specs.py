"""Specs that tests change one field of."""

from __future__ import annotations

from typing import Any

from bench.specs import CostSpec, DataIdentity, ModelSpec, Optimizer, Protocol, RunSpec


def protocol(**changes: Any) -> Protocol:
    """A short protocol, with ``changes``."""
    values: dict[str, Any] = {
        "about": "a",
        "source": "s",
        "epochs": 3,
        "batch_size": 8,
        "select": "auc",
        "optimizer": Optimizer(name="adam", lr=1e-3),
    }
    return Protocol(**(values | changes))


def run_spec(**changes: Any) -> RunSpec:
    """resnet18 on BreastMNIST, with ``changes``."""
    values: dict[str, Any] = {
        "model": ModelSpec(name="resnet18"),
        "data": DataIdentity(name="breastmnist", checksum="md5:1", source_size=28),
        "image_size": 64,
        "channels": 3,
        "control": None,
        "protocol": protocol(),
        "seed": 0,
        "device": "cpu",
        "precision": "float32",
        "threads": 2,
    }
    return RunSpec(**(values | changes))


def cost_spec(**changes: Any) -> CostSpec:
    """resnet18 at 64 px on some CPU, with ``changes``."""
    values: dict[str, Any] = {
        "model": ModelSpec(name="resnet18"),
        "image_size": 64,
        "channels": 3,
        "num_classes": 8,
        "device": "cpu",
        "device_name": "cpu",
        "precision": "float32",
        "threads": 2,
        "batch_size": 4,
        "channels_last": True,
    }
    return CostSpec(**(values | changes))
