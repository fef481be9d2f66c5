"""Trainings that a search or a study asks for, each done once; several processes may share them."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Container, Iterable
from pathlib import Path
from typing import Protocol, TypeVar

from bench.data import catalog
from bench.data.dataset import Dataset
from bench.errors import InputError
from bench.execution.running import claim
from bench.model_checks import check_model
from bench.specs import DatasetSpec, ModelSpec, RunSpec
from bench.toml_file import shown
from bench.training.loop import Progress

Report = Callable[[str, float], None]
"""Told what is under way, and the fraction done of all, 0 to 1."""

POLL_S = 2.0


class Ended(Protocol):
    """What is kept of one training."""

    @property
    def status(self) -> str: ...


Kept = TypeVar("Kept", bound=Ended)


def load_each(
    datasets: Iterable[DatasetSpec], source_size: int, *, file: Path
) -> dict[str, Dataset]:
    """The data sets by name.

    Raises:
        InputError: one is not there or cannot be used; it names the ``file`` that asks for it.
    """
    loaded = {}
    for spec in datasets:
        try:
            loaded[spec.name] = catalog.load(spec, source_size)
        except InputError as error:
            raise error.in_file(shown(file), "datasets") from None
    return loaded


def check_each(
    models: Iterable[ModelSpec], described: Container[str], image_size: int, *, file: Path
) -> None:
    """Refuse, before anything is trained, a model that cannot be built.

    Args:
        described: names that have a table of their own in the ``file``.

    Raises:
        InputError: naming the file and the model.
    """
    for spec in models:
        key = f"model.{spec.name}" if spec.name in described else "models"
        check_model(spec, image_size, file=shown(file), key=key)


def do_in_turn(
    todo: list[RunSpec],
    results: Path,
    *,
    identity: Callable[[RunSpec], str],
    kept: Callable[[RunSpec], Kept | None],
    do: Callable[[RunSpec, Callable[[Progress], None]], Kept],
    label: Callable[[RunSpec], str],
    on_progress: Report,
    on_end: Callable[[Kept], None],
) -> Counter[str]:
    """Do each that is not kept by then; how many ended with each status.

    One that another process does is waited for.

    Args:
        kept: what is kept of a training, None where it is to be done.
        do: does it and keeps what comes of it.
    """
    statuses, queue, passed_over, ended = Counter[str](), deque(todo), 0, 0
    while queue:
        spec = queue.popleft()
        with claim(results, identity(spec)) as mine:
            if not mine:
                queue.append(spec)
                passed_over += 1
                if passed_over >= len(queue):
                    time.sleep(POLL_S)
                continue
            passed_over = 0

            def tell(progress: Progress, name: str = label(spec), before: int = ended) -> None:
                on_progress(name, (before + progress.fraction) / len(todo))

            record = kept(spec) or do(spec, tell)
        ended += 1
        statuses[record.status] += 1
        on_end(record)
    return statuses
