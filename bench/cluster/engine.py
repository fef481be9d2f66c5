"""What every engine is: something that does the runs of a plan, here or elsewhere."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from bench.execution.watcher import Watcher
from bench.plan import Plan
from bench.records.store import Store
from bench.run.options import DEFAULTS, RunOptions
from bench.specs import RunSpec


class Engine(Protocol):
    """Does runs and keeps their records; ``bench.execution.local.run_plan`` is the plainest one."""

    def __call__(
        self,
        plan: Plan,
        todo: list[RunSpec],
        store: Store,
        watcher: Watcher,
        /,
        *,
        refresh: bool = False,
        options: RunOptions = DEFAULTS,
    ) -> Counter[str]:
        """Do these runs of a plan; how many ended with each status.

        Every run that ends leaves its record in ``store``, whatever came of it, and ``watcher`` is
        told. The same run is never done twice, and where it is done changes nothing of its result.

        Args:
            refresh: a run whose record is stale counts as not done.

        Raises:
            KeyboardInterrupt, Terminated: as they come; runs that ended before are kept.
            BenchError: the harness cannot go on, such as a full disk.
        """
