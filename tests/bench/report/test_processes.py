"""The same results in the same order, whatever the number of processes."""

from __future__ import annotations

import os
import sys
from concurrent.futures.process import BrokenProcessPool

import pytest

from bench.report import processes
from bench.report.processes import mapped


@pytest.mark.parametrize("count", [1, 2, 3])
def test_results_come_in_order(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(processes, "processors", lambda: count)
    items = list(range(100))
    found = list(mapped(lambda item: (item**2, os.getpid()), items))
    assert [value for value, _ in found] == [item**2 for item in items]
    others = {pid for _, pid in found} - {os.getpid()}
    assert bool(others) == (count > 1 and sys.platform == "linux")
    assert len(others) <= count


def test_few_items_stay_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "processors", lambda: 8)
    assert {*mapped(lambda _: os.getpid(), range(9), least=5)} == {os.getpid()}
    assert list(mapped(str, [])) == []


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is forked elsewhere")
def test_an_error_and_a_lost_process_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "processors", lambda: 2)
    with pytest.raises(ZeroDivisionError):
        list(mapped(lambda item: 1 // (item - 3), range(20)))
    with pytest.raises(BrokenProcessPool):
        list(mapped(lambda item: os._exit(9) if item == 3 else item, range(20)))
