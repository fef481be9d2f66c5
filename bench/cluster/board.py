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
    """A ``Watcher`` of one run that tells the board, without ever waiting for it.

    Of a run that is over before anyone would look, the board is told nothing.
    """

    def __init__(self, board: Any, node: str) -> None:
        self._board, self._node, self._told = board, node, 0.0
        self._soon: threading.Timer | None = None

    def __enter__(self) -> BoardReporter:
        return self

    def __exit__(self, *_: object) -> None:
        self._forget_start()

    def _tell(self, spec: RunSpec, fields: dict[str, Any] | None = None) -> None:
        self._board.tell.remote(News(spec.id, self._node, fields))

    def _forget_start(self) -> None:
        if self._soon is not None:
            self._soon.cancel()

    def started(self, spec: RunSpec) -> None:
        self._told = time.monotonic() + LOOK_S - REPORT_EVERY_S
        self._soon = threading.Timer(LOOK_S, self._tell, (spec,))
        self._soon.daemon = True
        self._soon.start()

    def progressed(self, spec: RunSpec, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._told >= REPORT_EVERY_S:
            self._told = now
            self._forget_start()
            fields = {**vars(progress), "last_epoch": None}
            self._tell(spec, fields)

    def ended(self, record: Record) -> None:
        """The driver learns it from the task's result."""
