"""Where workers on any node say what their runs are doing, for the driver to read now and then."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.records.schema import Record
from bench.specs import RunSpec

if TYPE_CHECKING:
    from bench.training.loop import Progress

LOOK_S = 0.5
"""Between the driver's looks at the board."""

REPORT_EVERY_S = 2.0


@dataclass(frozen=True)
class News:
    """The last that is known of a run under way.

    Attributes:
        progress: the fields of a ``Progress``, since the board does without torch; None where the
            run has only begun.
    """

    run_id: str
    node: str
    progress: dict[str, Any] | None = None


class Board:
    """A Ray actor: holds the last news of each run until they are read."""

    def __init__(self) -> None:
        self._news: dict[str, News] = {}

    def tell(self, news: News) -> None:
        self._news[news.run_id] = news

    def take(self) -> list[News]:
        """What came since the last time."""
        taken, self._news = list(self._news.values()), {}
        return taken


def start_board() -> Any:
    """The actor, on the driver's node; it takes no slot from a run."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    options = {"num_cpus": 0, "max_restarts": -1, "scheduling_strategy": here}
    return ray.remote(Board).options(**options).remote()


def read_board(board: Any) -> list[News]:
    """The news since the last time; none where the board was lost with its node."""
    import ray

    with contextlib.suppress(ray.exceptions.RayError):
        news: list[News] = ray.get(board.take.remote(), timeout=5.0)
        return news
    return []


class BoardReporter:
    """A ``Watcher`` of a worker's runs, one by one, that tells the board and never waits for it.

    Of a run that is over before anyone would look, the board is told nothing. One thread looks
    after that for all runs: one for each would take longer than a short run's files.
    """

    def __init__(self, board: Any, node: str) -> None:
        self._board, self._node, self._told = board, node, 0.0
        self._untold: tuple[RunSpec, float] | None = None  # a run that has begun, and when
        self._stopped = threading.Event()
        threading.Thread(target=self._tell_starts, daemon=True).start()

    def started(self, spec: RunSpec) -> None:
        now = time.monotonic()
        self._untold, self._told = (spec, now), now + LOOK_S - REPORT_EVERY_S

    def progressed(self, spec: RunSpec, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._told >= REPORT_EVERY_S:
            self._untold, self._told = None, now
            self._tell(spec, {**vars(progress), "last_epoch": None})

    def ended(self, record: Record) -> None:
        """The driver learns it from the task's result."""

    def over(self) -> None:
        """The run has ended, whatever came of it."""
        self._untold = None

    def stop(self) -> None:
        """There are no more runs for this board."""
        self._stopped.set()

    def _tell(self, spec: RunSpec, fields: dict[str, Any] | None = None) -> None:
        self._board.tell.remote(News(spec.id, self._node, fields))

    def _tell_starts(self) -> None:
        while not self._stopped.wait(LOOK_S):
            untold = self._untold
            if untold is not None and time.monotonic() - untold[1] >= LOOK_S:
                if self._untold is untold:  # not the next run's
                    self._untold = None
                self._tell(untold[0])
