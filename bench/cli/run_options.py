"""What the options of ``run`` mean: refused before anything trains, or handed to the engine."""

from __future__ import annotations

from pathlib import Path

from bench.errors import InputError
from bench.execution.places import Place, make_places
from bench.plan import Plan
from bench.run.options import RunOptions


def places_of(plan: Plan, workers: int | None, per_gpu: int | None) -> list[Place] | None:
    """Where the workers run; None: there are none, the runs are done in this process.

    Raises:
        InputError: the workers do not fit on this machine, or there are none to share a GPU.
    """
    if workers is None:
        if per_gpu is not None:
            raise InputError(
                "it says how many workers share a GPU, and there are no workers",
                remedy="add --workers N",
                key="--per-gpu",
            )
        return None
    threads = plan.suite.settings.threads
    return make_places(workers, per_gpu, device=plan.device.kind, threads=threads)


def make_options(
    tensorboard: Path | None, checkpoint_every_s: float, stream: bool, *, dry_run: bool
) -> RunOptions:
    """The options that runs take, checked.

    Raises:
        InputError: TensorBoard is asked for and not installed.
        OSError: its folder cannot be made.
    """
    if tensorboard is not None:
        from bench.execution.curves import check_tensorboard

        check_tensorboard()
        tensorboard = tensorboard.expanduser().resolve()
        if not dry_run:
            tensorboard.mkdir(parents=True, exist_ok=True)
    return RunOptions(tensorboard=tensorboard, checkpoint_every_s=checkpoint_every_s, stream=stream)
