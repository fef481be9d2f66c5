"""What a person sees: every run under way, the time left shared out, failures at once."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from bench import console as module
from bench.console import SuiteScreen
from bench.execution.estimate import Estimator
from bench.records.schema import Record
from bench.specs import ModelSpec, RunSpec
from bench.training.loop import Progress
from tests._helpers.specs import run_spec

IMAGES = {"breastmnist": 100}


class Clock:
    """Stands in for ``time.monotonic``."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def specs(count: int) -> list[RunSpec]:
    return [run_spec(seed=seed) for seed in range(count)]


class Takes(Estimator):
    """Every run takes so many seconds."""

    def __init__(self, seconds: float | None) -> None:
        self.answer = seconds

    def learn(self, record: Record) -> None:
        pass

    def seconds(self, spec: RunSpec, train_images: int) -> float | None:
        return self.answer


def ended(spec: RunSpec, status: str = "done", reason: str | None = None) -> Record:
    test = SimpleNamespace(acc=0.5, auc=0.75)
    return cast(
        Record,
        SimpleNamespace(
            id=spec.id,
            spec=spec,
            status=status,
            reason=reason,
            training=SimpleNamespace(test=test) if status == "done" else None,
            provenance=SimpleNamespace(wall_s=3.0),
        ),
    )


def test_time_left_is_shared_over_the_workers_and_a_run_keeps_its_own_pace(clock: Clock) -> None:
    todo = specs(5)
    screen = SuiteScreen(todo, IMAGES, Takes(60.0), workers=2)
    assert screen.seconds_left() == 180  # three rounds of two
    for spec in todo[:2]:
        screen.started(spec)
        screen.progressed(spec, Progress(1, 10, 0.0, None))
    clock.now += 10
    screen.progressed(todo[0], Progress(5, 10, 0.5, None))  # 20 s in all
    screen.progressed(todo[1], Progress(1, 10, 0.1, None))  # 100 s in all
    # 10 s, then 60 and 60 more; and 90 s, then 60 more
    assert screen.seconds_left() == pytest.approx(150)


def test_a_resumed_run_is_judged_by_what_was_done_here(clock: Clock) -> None:
    (spec,) = specs(1)
    screen = SuiteScreen([spec], IMAGES, Takes(None))
    assert screen.seconds_left() is None
    screen.started(spec)
    screen.progressed(spec, Progress(8, 10, 0.7, None))
    clock.now += 10
    screen.progressed(spec, Progress(9, 10, 0.8, None))
    assert screen.seconds_left() == pytest.approx(20)


def test_without_a_terminal_each_start_and_end_is_a_plain_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "out", Console(file=sys.stdout, soft_wrap=True, highlight=False))
    first, second, third = todo = specs(3)
    with SuiteScreen(todo, IMAGES, Takes(60.0), workers=2) as screen:
        screen.started(first)
        screen.started(second)
        screen.progressed(second, Progress(1, 3, 0.3, None))
        screen.ended(ended(second, "failed", "its worker process was ended by signal 9"))
        screen.ended(ended(third))  # done by another process: never started here
        screen.ended(ended(first))
    assert capsys.readouterr().out.splitlines() == [
        "[1/3] resnet18 · breastmnist · seed 0 … (about 2 min 00 s left)",
        "[2/3] resnet18 · breastmnist · seed 1 … (about 2 min 00 s left)",
        "[1/3] resnet18 · breastmnist · seed 1: failed: its worker process was ended by signal 9 "
        "(3 s)",
        "[2/3] resnet18 · breastmnist · seed 2: test ACC 0.500, AUC 0.750 (3 s)",
        "[3/3] resnet18 · breastmnist · seed 0: test ACC 0.500, AUC 0.750 (3 s)",
    ]
    assert [record.spec for record in screen.failures] == [second]


@pytest.mark.parametrize("width", [80, 140])
def test_a_terminal_shows_a_line_for_each_run_under_way(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    screen_text = io.StringIO()
    console = Console(file=screen_text, force_terminal=True, width=width, highlight=False)
    monkeypatch.setattr(module, "out", console)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    first, second = specs(2)
    long = run_spec(model=ModelSpec(name="medspectralnet_quadratic_attention"))
    with SuiteScreen([first, second, long], IMAGES, Takes(60.0), workers=2) as screen:
        screen.started(long)
        screen.started(second)
        screen.progressed(long, Progress(3, 20, 0.15, 0.8731, images_per_s=412.3))
        screen.progressed(second, Progress(1, 20, 0.05, None))
        shown = _drawn(screen)
        screen.ended(ended(second))
        after = _drawn(screen)
    assert shown[0].startswith("all runs")
    assert "0/3" in shown[0]
    assert "about 2 min" in shown[0]
    assert "epoch 3/20" in shown[1]
    assert "val AUC 0.873" in shown[1]
    assert "412 images/s" in shown[1]
    assert "epoch 1/20" in shown[2]
    assert shown[1].startswith("medspectra")
    assert "seed 0" in shown[1]
    assert len(shown) == 3
    assert max(map(len, shown)) <= width
    assert "1/3" in after[0]
    assert len(after) == 2
    assert "test ACC 0.500" in screen_text.getvalue()


def _drawn(screen: SuiteScreen) -> list[str]:
    """The lines of the live screen as they are now."""
    plain = Console(file=io.StringIO(), width=module.out.width, force_terminal=False)
    plain.print(cast(Any, screen)._progress.get_renderable())
    return cast(io.StringIO, plain.file).getvalue().splitlines()
