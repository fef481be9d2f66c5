"""One call: the steps in turn within the time, and an archive of what they made."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench import provenance
from bench.errors import InputError
from bench.gpu.archive import changed, snapshot, write_archives
from bench.gpu.budget import limit_s
from bench.gpu.file import GpuFile, Step
from bench.gpu.fresh_step import Ran, run_step
from bench.gpu.mps import WAIT_S, overlapping
from bench.gpu.record import Call, Machine, StepOutcome

CLOSING_S = 10.0
"""Of the call's time: for the last archive and the table."""

Run = Callable[[Step, float], Ran]


class Calling:
    """The steps of one call; after each of them the archive holds all that was made by then.

    So whatever ends this process, what finished steps made is in the archive and in ``results``.
    """

    def __init__(
        self, machine: Machine, results: Path, archive: Path, minutes: float, *, rehearsal: bool
    ) -> None:
        """Raises InputError where there is an archive of that name: it may not be merged yet."""
        if archive.exists():
            raise InputError(
                "there is an archive of that name", remedy="choose another", file=str(archive)
            )
        self._started, self._clock = datetime.now(UTC), time.monotonic()
        self._machine, self._rehearsal = machine, rehearsal
        self._results, self._archive, self._minutes = results, archive, minutes
        self._logs = results / "logs" / "gpu"
        for log in self._logs.glob("*.log"):
            log.unlink()  # of an earlier call
        self._before = snapshot(results)
        self._outcomes: dict[str, StepOutcome] = {}
        self.archives: list[Path] = []

    @property
    def left_s(self) -> float:
        """Seconds that steps may still take."""
        return self._minutes * 60 - CLOSING_S - (time.monotonic() - self._clock)

    def do(
        self,
        file: GpuFile,
        begin: Callable[[Step, float], None],
        tell: Callable[[StepOutcome], None],
        run: Run | None = None,
    ) -> Call:
        """Do the steps in order; what is overdue is taken up again where time is left at the end.

        Args:
            begin, tell: told that a step begins with how many seconds, and what it came to.
            run: runs one step; by default in a fresh process.
        """
        waiting: Sequence[Step] = file.step
        while waiting:
            again = []
            for number, step in enumerate(waiting):
                limit = limit_s(waiting[number:], self.left_s)
                if limit is None:
                    self._leave(step)
                else:
                    begin(step, limit)
                    try:
                        ran = (run or self._fresh)(step, limit)
                    except BaseException:  # Ctrl-C, SIGTERM: what it finished is kept too
                        self._take(step, Ran("overdue", 0.0, "interrupted"))
                        raise
                    self._take(step, ran)
                    again += [step] if ran.ending == "overdue" else []
                tell(self._outcomes[step.name])
            waiting = again if again and self.left_s > min(s.least_s for s in again) else []
        return self._write(changed(self._results, self._before))

    def _fresh(self, step: Step, limit: float) -> Ran:
        environment = {"BENCH_RESULTS": str(self._results), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "bench", *step.words]
        log = self._logs / f"{step.name}.log"
        if not step.mps or self._machine.device == "cpu":
            return run_step(command, limit, log, environment)
        start = time.monotonic()
        with overlapping() as overlap:
            left = limit - (time.monotonic() - start) - WAIT_S
            ran = run_step(command, left, log, environment | overlap.environment)
        return replace(ran, said=f"{ran.said} ({overlap.told})")

    def _leave(self, step: Step) -> None:
        if step.name in self._outcomes:  # overdue, and no time to take it up again
            return
        why = f"needs {step.least_s:.0f} s, {max(0.0, self.left_s):.0f} s are left"
        self._note(step, Ran("left", 0.0, why), files=0)

    def _take(self, step: Step, ran: Ran) -> None:
        made = changed(self._results, self._before)
        counted = sum(outcome.files for outcome in self._outcomes.values())
        earlier = self._outcomes.get(step.name)
        files = len(made) - counted + (earlier.files if earlier else 0)
        seconds = ran.seconds + (earlier.seconds if earlier else 0.0)
        self._note(step, Ran(ran.ending, seconds, ran.said), files=max(0, files))
        self._write(made)

    def _note(self, step: Step, ran: Ran, files: int) -> None:
        self._outcomes[step.name] = StepOutcome(
            name=step.name,
            words=step.words,
            ending=ran.ending,
            seconds=ran.seconds,
            files=files,
            said=ran.said,
        )

    def _write(self, files: Mapping[str, str]) -> Call:
        commit, dirty = provenance.commit()
        call = Call(
            rehearsal=self._rehearsal,
            machine=self._machine,
            commit=commit,
            dirty=dirty,
            started_at=self._started,
            minutes=self._minutes,
            steps=list(self._outcomes.values()),
            files=dict(files),
        )
        logs = sorted(self._logs.glob("*.log"))
        self.archives = write_archives(self._archive, call, self._results, logs)
        return call


def table(call: Call) -> list[dict[str, str]]:
    """One row a step, for people."""
    return [
        {
            "step": outcome.name,
            "ended": outcome.ending,
            "seconds": f"{outcome.seconds:.0f}",
            "files": str(outcome.files),
            "said last": outcome.said,
        }
        for outcome in call.steps
    ]
