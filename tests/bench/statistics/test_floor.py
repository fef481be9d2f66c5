"""The floor widens an interval and moves no estimate."""

from __future__ import annotations

import pytest

from bench.statistics.floor import widened
from bench.statistics.timings import Estimate


def test_a_floor_widens_at_both_ends() -> None:
    found = widened(Estimate(1.004, 1.001, 1.007), 0.01)
    assert found.value == 1.004
    assert found.low == pytest.approx(1.001 / 1.01)
    assert found.high == pytest.approx(1.007 * 1.01)
    assert found.low < 1 < found.high
    assert widened(Estimate(1.05, 1.04, 1.06), 0.01).low > 1
    assert widened(found, 0.0) == found
    with pytest.raises(ValueError, match=r"got -0\.1"):
        widened(found, -0.1)
