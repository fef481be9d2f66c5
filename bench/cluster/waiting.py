"""Until the tasks of a job array have ended, and what became of each."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any

QUEUE_S = 15.0  # between looks at Slurm's queue
LATE_S = 5.0  # that a result may be seen after its task has left the queue


def wait_for(jobs: list[Any], on_ended: Callable[[int, str], None]) -> int:
    """Until every job has ended; how many have no result. Each is told with how it ended.

    Args:
        on_ended: the job's place in the list, and its run's status or what went wrong.
    """
    failed = 0
    for place, job in enumerate(jobs):
        try:
            said = str(job.result()) if _has_result(job) else f"no result: see {job.paths.stderr}"
        except Exception as error:  # the task's own, told as text by submitit
            said = f"no result: {_cause(error)}"
        failed += said != "done"
        on_ended(place, said)
    return failed


def _has_result(job: Any) -> bool:
    """Wait for it; false of a task that was cancelled or lost its node.

    Submitit learns of those from Slurm's accounting alone, which not every cluster keeps.
    """
    import submitit

    asked = time.monotonic()
    while not job.done():
        time.sleep(1.0)
        if not isinstance(job, submitit.SlurmJob) or time.monotonic() - asked < QUEUE_S:
            continue
        asked = time.monotonic()
        if not _in_queue(job.job_id):
            time.sleep(LATE_S)
            return bool(job.paths.result_pickle.exists())
    return True


def _in_queue(job_id: str) -> bool:
    """Whether Slurm still knows the task; where Slurm does not answer it is taken to."""
    asked = subprocess.run(
        ["squeue", "-h", "-j", job_id], capture_output=True, text=True, check=False
    )
    return bool(asked.stdout.strip()) or (asked.returncode != 0 and "Invalid" not in asked.stderr)


def _cause(error: Exception) -> str:
    """The last line of the traceback that submitit quotes between rules, else of what it says."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    rules = [at for at, line in enumerate(lines) if set(line) == {"-"}]
    quoted = lines[rules[0] + 1 : rules[1]] if len(rules) > 1 else lines
    return quoted[-1].strip() if quoted else type(error).__name__
