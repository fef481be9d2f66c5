"""The log of a run: ``<results>/logs/<id>.log``, for people; no table is drawn from it."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.execution.running import log_path
from bench.records.schema import Epoch, Record
from bench.specs import RunSpec

if TYPE_CHECKING:
    from bench.training.loop import Progress

log = logging.getLogger(__name__)
harness = logging.getLogger("bench")

STDOUT, STDERR = 1, 2


class RunLog:
    """Context manager: while it lasts, all that ``bench`` logs is added to the run's log.

    So a failure's traceback is there too. That it cannot be written never stops a run.

    Args:
        capture_output: also what this process prints, by C code too.
    """

    def __init__(self, results: Path, run_id: str, *, capture_output: bool = False) -> None:
        self._path, self._capture = log_path(results, run_id), capture_output
        self._handler: _RunHandler | None = None
        self._terminal: tuple[int, int] | None = None  # copies of stdout and stderr
        self._level = harness.level

    def __enter__(self) -> RunLog:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._handler = _RunHandler(self._path, shown=not self._capture)
        except OSError as error:
            log.warning("%s: no log of this run (%s)", self._path, error.strerror)
            return self
        self._level = harness.level
        harness.setLevel(logging.DEBUG)
        harness.addHandler(self._handler)
        if self._capture:
            _flush()
            self._terminal = os.dup(STDOUT), os.dup(STDERR)
            assert self._handler.stream is not None
            for descriptor in (STDOUT, STDERR):
                os.dup2(self._handler.stream.fileno(), descriptor)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and not issubclass(kind, Exception):
            self.say(f"interrupted ({kind.__name__}); no record is kept of this try")
        if self._handler is None:
            return
        if self._terminal is not None:
            _flush()
            for copy, descriptor in zip(self._terminal, (STDOUT, STDERR), strict=True):
                os.dup2(copy, descriptor)
                os.close(copy)
        harness.removeHandler(self._handler)
        harness.setLevel(self._level)
        with contextlib.suppress(OSError):  # a full disk: what it still held is lost, no more
            self._handler.close()

    def say(self, text: str) -> None:
        """Add a line."""
        log.info("%s", text)

    def started(self, spec: RunSpec) -> None:
        """The run begins in this process."""
        where = f"process {os.getpid()} on {socket.gethostname()}"
        self.say(f"started: {spec.label}, {spec.device}, {spec.threads} threads, {where}")

    def resumed(self, progress: Progress) -> None:
        """The run goes on where an earlier process left it."""
        self.say(f"resumed: in epoch {progress.epoch}/{progress.epochs}")

    def epoch(self, progress: Progress, ended: Epoch) -> None:
        """One line of the learning curve."""
        auc = "–" if ended.val_auc is None else f"{ended.val_auc:.4f}"
        self.say(
            f"epoch {ended.epoch}/{progress.epochs}: train loss {ended.train_loss:.4f}, "
            f"validation loss {ended.val_loss:.4f} ACC {ended.val_acc:.4f} AUC {auc}, "
            f"learning rate {ended.lr:.3g}, {ended.seconds:.1f} s"
        )

    def ended(self, record: Record) -> None:
        """What came of it."""
        if record.training is None:
            self.say(f"{record.status}: {record.reason}")
            return
        test, wall = record.training.test, record.provenance.wall_s
        auc = "–" if test.auc is None else f"{test.auc:.4f}"
        self.say(f"{record.status}: test ACC {test.acc:.4f} AUC {auc}, {wall:.1f} s in all")


class _RunHandler(logging.FileHandler):
    """Appends to a file; a full disk neither stops the run nor floods the terminal."""

    def __init__(self, path: Path, *, shown: bool) -> None:
        super().__init__(path, mode="a", encoding="utf-8")
        self._shown = shown
        self.setFormatter(logging.Formatter("%(asctime)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        # Python shows a warning by itself only where no handler has taken it.
        if self._shown and record.levelno >= logging.WARNING and not logging.root.handlers:
            sys.stderr.write(f"{record.getMessage()}\n")

    def handleError(self, record: logging.LogRecord) -> None:
        pass


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
