"""The losses against closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from bench.training.objective import make_loss
from tests._helpers.specs import protocol


def test_cross_entropy_of_equal_logits_is_log_of_the_number_of_classes() -> None:
    labels = torch.tensor([0, 2, 1])
    loss = make_loss("multi-class", protocol(), labels, 3)
    assert float(loss(torch.zeros(3, 3), labels)) == pytest.approx(math.log(3))


def test_smoothed_loss_by_hand() -> None:
    labels = torch.tensor([0])
    loss = make_loss("multi-class", protocol(label_smoothing=0.2), labels, 2)
    logits = torch.tensor([[math.log(0.9), math.log(0.1)]])
    expected = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1))
    assert float(loss(logits, labels)) == pytest.approx(expected)


def test_balanced_weights_make_each_class_count_alike() -> None:
    labels = torch.tensor([0, 0, 0, 1])
    loss = make_loss("binary-class", protocol(class_weights="balanced"), labels, 2)
    logits = torch.tensor([[2.0, 0.0]] * 4)
    wrong, right = math.log(1 + math.exp(2)), math.log(1 + math.exp(-2))
    assert float(loss(logits, labels)) == pytest.approx((wrong + right) / 2, rel=1e-6)


def test_multi_label_loss_is_the_mean_over_labels() -> None:
    labels = torch.tensor([[1, 0], [0, 0]])
    loss = make_loss("multi-label, binary-class", protocol(), labels, 2)
    assert float(loss(torch.zeros(2, 2), labels)) == pytest.approx(math.log(2))


def test_multi_label_balanced_weights_raise_the_rare_positives() -> None:
    labels = torch.tensor([[1], [0], [0], [0]])
    loss = make_loss("multi-label, binary-class", protocol(class_weights="balanced"), labels, 1)
    # positives weigh 3: (3 log 2 + 3 · log 2) / 4
    assert float(loss(torch.zeros(4, 1), labels)) == pytest.approx(6 * math.log(2) / 4)
