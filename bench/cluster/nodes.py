"""The cluster's nodes as the driver sees them: room for runs, what was used of it, who is out."""

from __future__ import annotations

import logging
import time
from typing import Any

from bench.cluster.needs import Needs, slots
from bench.cluster.task import Unfit, check_node
from bench.errors import InputError, one_line

log = logging.getLogger(__name__)

LOOK_S = 5.0
"""Between looks at which nodes there are."""

CHECK_S = 900.0
"""That a node may take to read its data."""

GONE_S = 45.0
"""That Ray may take to miss a node: it waits for several heartbeats."""

NODE_ID = "ray.io/node-id"


class Nodes:
    """Which nodes there are; looks every ``LOOK_S`` seconds.

    Attributes:
        slots: how many runs the fitting nodes have room for at once.
        lost: how many tasks lost their worker or their node.
    """

    def __init__(self, needs: Needs) -> None:
        self._needs = needs
        self._unfit: dict[str, Unfit] = {}
        self.fitting: dict[str, str] = {}  # by id: the machine's name
        self.slots = 0
        self.lost = 0
        self._looked: float | None = None
        self._began = time.monotonic()
        self._busy_s = self._room_s = 0.0  # slot-seconds used and offered

    def look(self, *, now: bool = False) -> bool:
        """Count the nodes anew, if it is time; whether it was."""
        import ray

        at = time.monotonic()
        if not now and self._looked is not None and at - self._looked < LOOK_S:
            return False
        self._account(at)
        alive = {node["NodeID"]: node for node in ray.nodes() if node["Alive"]}
        fitting = {
            node_id: node
            for node_id, node in alive.items()
            if node_id not in self._unfit and self._needs.fit_in(node["Resources"])
        }
        self.fitting = {node_id: node["NodeManagerHostname"] for node_id, node in fitting.items()}
        self.slots = slots((node["Resources"] for node in fitting.values()), self._needs)
        return True

    def _account(self, at: float) -> None:
        if self._looked is not None:
            self._room_s += self.slots * (at - self._looked)
        self._looked = at

    def stop(self) -> None:
        """Nothing runs any more: the room offered is counted up to now."""
        self._account(time.monotonic())

    def used(self, seconds: float) -> None:
        """A task took one slot for so long and brought a result."""
        self._busy_s += seconds

    @property
    def utilisation(self) -> float:
        """Share of the slots' time that went into runs that ended, so far; lost work counts not."""
        return min(1.0, self._busy_s / self._room_s) if self._room_s else 0.0

    def set_aside(self, unfit: Unfit) -> None:
        """Give a node that came later and does not fit no more runs.

        Raises:
            InputError: there is no other.
        """
        if unfit.node_id in self._unfit:
            return
        self._unfit[unfit.node_id] = unfit
        why = f"{unfit.node} gets no more runs: {', '.join(unfit.why)}"
        self.look(now=True)
        if not self.slots:
            raise InputError(
                f"no node is left: {why}",
                remedy="make the nodes equal; finished runs are kept",
                key="--engine ray",
            )
        log.warning("%s", why)

    def set_aside_unfit(self, briefing: list[Any]) -> bool:
        """Ask every node anew and set aside those that do not fit; whether there are any.

        Raises:
            InputError: there is no other.
        """
        self.look(now=True)
        asked = self.fitting
        for node_id, why in node_reports(asked, briefing).items():
            self.set_aside(Unfit(node_id, asked[node_id], why))
        return self.fitting.keys() != asked.keys()

    @property
    def selection(self) -> dict[str, Any]:
        """Options of a task that keep it off the nodes set aside."""
        if not self._unfit:
            return {}
        return {"label_selector": {NODE_ID: f"!in({','.join(sorted(self._unfit))})"}}


def node_reports(nodes: dict[str, str], briefing: list[Any]) -> dict[str, list[str]]:
    """What is unfit of each node by its id, asked of all at once; not those that fit or are gone.

    Args:
        nodes: the machine's name by the node's id.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    asked = {
        node_id: ray.remote(check_node)
        .options(
            num_cpus=0,
            max_retries=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False),
        )
        .remote(briefing)
        for node_id in nodes
    }
    found = {}
    for node_id, reference in asked.items():
        try:
            why = ray.get(reference, timeout=CHECK_S)
        except ray.exceptions.RayTaskError as error:
            cause = error.cause
            why = [f"the harness cannot be loaded there ({one_line(cause)})"]
        except ray.exceptions.RayError as error:
            if _is_gone(node_id):
                continue
            why = [f"it does not answer ({one_line(error)})"]
        if why:
            found[node_id] = why
    return found


def _is_gone(node_id: str) -> bool:
    """Whether a node that did not answer is lost; Ray learns that only after a while."""
    import ray

    until = time.monotonic() + GONE_S
    while time.monotonic() < until:
        if node_id not in {node["NodeID"] for node in ray.nodes() if node["Alive"]}:
            return True
        time.sleep(1.0)
    return False


def named(nodes: dict[str, str]) -> dict[str, str]:
    """Names by id; nodes of one machine are told apart by the start of their id."""
    names = list(nodes.values())
    return {
        node_id: name if names.count(name) == 1 else f"{name} ({node_id[:8]})"
        for node_id, name in nodes.items()
    }
