"""The log of a run: what a person looks for is in it, and it is never in the way."""

from __future__ import annotations

import errno
import logging
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.execution.one_run import _NewEpochs
from bench.execution.run_log import RunLog
from bench.execution.running import log_path
from bench.records.schema import Epoch
from bench.training.loop import Progress

Bench = Callable[..., Any]
ONE = ("--only", "model=small,seed=0,control=none")


def epoch(number: int, auc: float | None = 0.75) -> Epoch:
    return Epoch(
        epoch=number,
        train_loss=1.25,
        val_loss=1.5,
        val_acc=0.5,
        val_auc=auc,
        lr=1e-3,
        seconds=2.0,
    )


def log_of(results: Path) -> str:
    (path,) = (results / "logs").iterdir()
    return path.read_text()


def test_each_epoch_is_one_line_with_its_time(tmp_path: Path) -> None:
    progress = Progress(2, 5, 0.4, 0.75)
    with RunLog(tmp_path, "a" * 16) as log:
        log.epoch(progress, epoch(2))
        log.epoch(progress, epoch(3, auc=None))
    first, second = log_path(tmp_path, "a" * 16).read_text().splitlines()
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} epoch 2/5: ", first)
    assert first.endswith(
        "train loss 1.2500, validation loss 1.5000 ACC 0.5000 AUC 0.7500, "
        "learning rate 0.001, 2.0 s"
    )
    assert "AUC –" in second


def test_a_later_try_is_added_and_an_interruption_is_said(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), RunLog(tmp_path, "a" * 16):
        raise KeyboardInterrupt
    with RunLog(tmp_path, "a" * 16) as log:
        log.say("second")
    logging.getLogger("bench").error("of no run")
    said = [line[24:] for line in log_path(tmp_path, "a" * 16).read_text().splitlines()]
    assert said == [
        "interrupted (KeyboardInterrupt); no record is kept of this try",
        "second",
    ]
    assert logging.getLogger("bench").handlers == []
    assert logging.getLogger("bench").level == logging.NOTSET


def test_what_the_process_prints_goes_there_on_request(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with RunLog(tmp_path, "a" * 16, capture_output=True):
        os.write(1, b"from C\n")
        print("to stderr", file=sys.__stderr__)
    os.write(1, b"afterwards\n")
    text = log_path(tmp_path, "a" * 16).read_text()
    assert "from C" in text
    assert "to stderr" in text
    assert capfd.readouterr().out == "afterwards\n"


def test_a_warning_is_still_seen_at_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])  # pytest's own
    with RunLog(tmp_path, "a" * 16):
        logging.getLogger("bench.somewhere").warning("mind the %s", "gap")
        logging.getLogger("bench.somewhere").info("quietly")
    assert capsys.readouterr().err == "mind the gap\n"
    assert "mind the gap" in log_path(tmp_path, "a" * 16).read_text()


def test_a_finished_run_says_when_it_began_and_what_came_of_it(
    bench: Bench, suite_file: Path, results: Path
) -> None:
    assert bench("run", suite_file, *ONE).code == 0
    text = log_of(results)
    assert f"started: small · phantom-joint · seed 0, cpu, 1 threads, process {os.getpid()}" in text
    assert "done: test ACC 0." in text


def test_a_failed_run_leaves_its_traceback_and_the_screen_says_where(
    bench: Bench,
    suite_file: Path,
    results: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "broken_model.py").write_text(
        "from torch import nn\n"
        "class Fails(nn.Linear):\n"
        "    def forward(self, x):\n"
        "        if self.training: raise ValueError('planted')\n"
        "        return super().forward(x.mean((2, 3)))\n"
        "def make(num_classes, in_chans): return Fails(in_chans, num_classes)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    text = suite_file.read_text().replace('timm = "test_resnet"', 'factory = "broken_model:make"')
    suite_file.write_text(text)
    said = bench("run", suite_file, *ONE)
    assert said.code == 1
    found = log_of(results)
    assert "Traceback (most recent call last)" in found
    assert "broken_model.py" in found
    assert "failed: ValueError: planted" in found
    failed = "small · phantom-joint · seed 0: failed: ValueError: planted"
    assert f"[1/1] {failed}" in said.out  # at once
    assert f"\n{failed}; see " in said.out  # and at the end
    assert next((results / "logs").iterdir()).name in said.out


def test_a_log_that_cannot_be_written_stops_nothing(
    bench: Bench, suite_file: Path, results: Path, caplog: pytest.LogCaptureFixture
) -> None:
    results.mkdir()
    (results / "logs").write_text("a file where the folder should be")
    assert bench("run", suite_file, *ONE).code == 0
    assert "no log of this run" in caplog.text


@pytest.mark.parametrize(
    ("reports", "resumed", "ended"),
    [
        # every report carries the last epoch
        ([(1, None), (1, 1), (2, 1), (2, 2), (3, 2)], [], [1, 2]),
        # only the one after an epoch does
        ([(1, None), (1, 1), (2, None), (2, 2), (3, None)], [], [1, 2]),
        # resumed: epochs of the earlier process stand in the log already
        ([(3, 2), (3, 2), (3, 3), (4, 3)], [3], [3]),
        ([(3, None), (3, 3), (4, 4)], [3], [3, 4]),
        # an epoch of one update
        ([(1, 1), (2, 2)], [], [1, 2]),
    ],
)
def test_an_epoch_is_passed_on_once_and_a_resumption_is_noticed(
    reports: list[tuple[int, int | None]], resumed: list[int], ended: list[int]
) -> None:
    told_resumed: list[int] = []
    told_ended: list[int] = []
    epochs = _NewEpochs(
        lambda progress: told_resumed.append(progress.epoch),
        lambda _, ended: told_ended.append(ended.epoch),
    )
    for at, last in reports:
        epochs.see(Progress(at, 9, 0.1, None, last_epoch=None if last is None else epoch(last)))
    assert (told_resumed, told_ended) == (resumed, ended)


def test_a_log_that_cannot_be_closed_hides_no_other_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = logging.FileHandler.close

    def full(handler: logging.FileHandler) -> None:
        close(handler)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(logging.FileHandler, "close", full)
    with pytest.raises(KeyError), RunLog(tmp_path, "run"):
        raise KeyError
