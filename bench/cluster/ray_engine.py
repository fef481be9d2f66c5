"""The engine that hands the runs of a plan to Ray as tasks; Ray alone decides where each is done.

The driver keeps a bounded number of tasks with Ray, so its memory does not grow with the suite,
and writes each record as it comes.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bench.cluster.board import start_board
from bench.cluster.connect import passing_signals
from bench.cluster.dispatch import Dispatch
from bench.cluster.fitness import refusal, wanted_for
from bench.cluster.needs import Needs
from bench.cluster.nodes import Nodes, named, node_reports
from bench.cluster.order import longest_first
from bench.cluster.shared_store import SharedStore
from bench.cluster.task import Briefing, DoRun
from bench.errors import InputError
from bench.execution.leftovers import sweep
from bench.execution.one_run import do_run, take_digests
from bench.execution.watcher import Watcher
from bench.plan import Plan
from bench.records.schema import SuiteSeen
from bench.records.store import Store
from bench.run.options import DEFAULTS, RunOptions
from bench.specs import RunSpec


@dataclass
class RayEngine:
    """An ``Engine`` on the Ray cluster that this process has joined (``connect.connected``).

    Attributes:
        needs: what each run takes of a node.
        shared: where checkpoints outlive their node; None: a run whose node is lost begins anew.
        seconds: expected time of a run, for the order.
        on_slots: told how many runs have room at once and which share of them was used so far.
        losses: so often in a row a run may lose its worker or node without coming further; then it
            is itself to blame, and failed.
        do_run: what does a run on a worker; another one for trials of the engine itself.
    """

    needs: Needs
    shared: SharedStore | None = None
    seconds: Callable[[RunSpec], float | None] = lambda _: None
    on_slots: Callable[[int, float], None] = lambda slots, used: None
    losses: int = 8
    do_run: DoRun = do_run
    nodes: Nodes = field(init=False)

    def __post_init__(self) -> None:
        self.nodes = Nodes(self.needs)

    @cached_property
    def board(self) -> Any:
        """Where workers say what they do; one for all calls, since to start it takes a process."""
        return start_board()

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
        """See ``Engine``.

        Raises:
            InputError: no node has room for a run, or a node would not give the same results.
        """
        import ray

        if not todo:
            return Counter()
        take_digests(todo)
        wanted = wanted_for(plan, todo)
        plan.datasets.clear()
        seen = SuiteSeen(name=plan.suite.name, seeds=plan.suite.seeds)
        probing = self.shared.probe() if self.shared else contextlib.nullcontext("")
        with passing_signals(), probing as probe:
            briefing = Briefing(seen, wanted, refresh, options, self.shared, self.do_run, probe)
            reference = [ray.put(briefing)]
            dispatch = Dispatch(self, plan, store, watcher, refresh, reference)
            if self.shared is not None:  # what an earlier driver did not live to see
                self.shared.pull(store, {spec.id for spec in todo})
                asked, todo = todo, dispatch.without_done(todo)
                done = {spec.id for spec in asked} - {spec.id for spec in todo}
                sweep(store.root, done)
                self.shared.discard_checkpoints(done)
            if todo:
                self._check(reference)
                dispatch.run(longest_first(todo, self.seconds))
        return dispatch.statuses

    def _check(self, reference: list[Any]) -> None:
        nodes, unfit, checked = self.nodes, dict[str, list[str]](), dict[str, str]()
        nodes.look(now=True)
        if not nodes.slots:
            raise InputError(
                f"no node of the cluster has room for a run ({self.needs})",
                remedy="add nodes, or let a run take less",
                key="--engine ray",
            )
        while new := nodes.fitting.keys() - checked.keys():  # nodes come while others are asked
            asked = {node: nodes.fitting[node] for node in new}
            unfit |= node_reports(asked, reference)
            checked |= asked
            nodes.look(now=True)
        if unfit:
            names = named(checked)
            raise refusal({names[node]: why for node, why in unfit.items()})
