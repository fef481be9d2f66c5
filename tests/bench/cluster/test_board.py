"""What a worker tells of its run: nothing of one that is over at once, else how far it has come."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.cluster.board import Board, BoardReporter, News
from bench.plan import make_plan
from bench.specs import RunSpec
from bench.suite import load_suite
from bench.training.loop import Progress

HALF = Progress(epoch=1, epochs=2, fraction=0.5, val_auc=None)


@pytest.fixture
def spec(suite_file: Path) -> RunSpec:
    suite = load_suite(str(suite_file))
    return make_plan(suite, suite.cells, download=False).runs[0]


@pytest.fixture
def board() -> Board:
    """One without Ray, called as an actor is."""
    board = Board()
    board.tell = SimpleNamespace(remote=board.tell)  # type: ignore[assignment,method-assign]
    return board


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.cluster.board.LOOK_S", 0.05)
    monkeypatch.setattr("bench.cluster.board.REPORT_EVERY_S", 0.2)


def test_of_a_run_that_is_over_at_once_nothing_is_told(spec: RunSpec, board: Board) -> None:
    reporter = BoardReporter(board, "node")
    reporter.started(spec)
    reporter.progressed(spec, HALF)
    reporter.over()
    time.sleep(0.15)
    assert board.take() == []


def test_that_a_run_has_begun_is_told_without_any_progress(spec: RunSpec, board: Board) -> None:
    reporter = BoardReporter(board, "node")
    reporter.started(spec)
    time.sleep(0.15)
    assert board.take() == [News(spec.id, "node")]


def test_progress_is_told_now_and_then(spec: RunSpec, board: Board) -> None:
    reporter = BoardReporter(board, "node")
    reporter.started(spec)
    time.sleep(0.1)
    for _ in range(2):
        reporter.progressed(spec, HALF)
    (news,) = board.take()
    assert news.progress is not None
    assert news.progress["fraction"] == 0.5
    reporter.progressed(spec, HALF)
    assert board.take() == []
    time.sleep(0.25)
    reporter.progressed(spec, HALF)
    assert len(board.take()) == 1
