"""Deterministic algorithms where asked for, and all put back."""

from __future__ import annotations

import os

import pytest
import torch

from bench.training.determinism import determinism


def test_it_is_on_inside_and_as_before_outside() -> None:
    before = torch.are_deterministic_algorithms_enabled()
    with determinism(True):
        assert torch.are_deterministic_algorithms_enabled()
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"]
    assert torch.are_deterministic_algorithms_enabled() == before
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ


def test_an_operation_without_a_deterministic_form_is_refused() -> None:
    """The planted one: torch names it so on every device."""
    values, places = torch.zeros(3), torch.tensor([0, 0])
    with determinism(True), pytest.raises(RuntimeError, match="deterministic"):
        values.put_(places, torch.ones(2), accumulate=False)


def test_it_is_off_where_it_is_not_asked_for() -> None:
    with determinism(False):
        assert not torch.are_deterministic_algorithms_enabled()
