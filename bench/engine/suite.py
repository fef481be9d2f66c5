"""Small suites on disk, run by the command line in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.toml_file import ROOT

PROTOCOL = """
about = "The engine's trial: everything that a checkpoint must hold."
source = "this project's own"
epochs = {epochs}
batch_size = {batch_size}
select = "auc"
label_smoothing = 0.1
ema_decay = 0.99
clip_grad_norm = 5.0
drop_path_rate = 0.1

[optimizer]
name = "adamw"
lr = 1e-3
weight_decay = 0.05

[schedule]
name = "cosine"
warmup_epochs = 0.5

[augment]
shift = 2.0
brightness = 0.2
"""


def write_protocol(folder: Path, *, epochs: int, batch_size: int) -> None:
    """``protocol.toml``, which draws from every stream that a training has."""
    folder.mkdir(parents=True, exist_ok=True)
    text = PROTOCOL.format(epochs=epochs, batch_size=batch_size)
    (folder / "protocol.toml").write_text(text)


def start(suite: Path, results: Path, *, checkpoint_every_s: float) -> subprocess.Popen[bytes]:
    """``python -m bench run`` in a session of its own, its output in a file beside the results."""
    results.mkdir(parents=True, exist_ok=True)
    with (results / "output.txt").open("ab") as output:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "bench", "run", str(suite)),
                *("--checkpoint-every", str(checkpoint_every_s)),
            ],
            cwd=ROOT,
            env=os.environ | {"BENCH_RESULTS": str(results), "PYTHONPATH": str(ROOT)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def finish(suite: Path, results: Path, *, checkpoint_every_s: float) -> None:
    """Run the suite to its end.

    Raises:
        RuntimeError: it did not end with 0; the message holds the last of its output.
    """
    code = start(suite, results, checkpoint_every_s=checkpoint_every_s).wait()
    if code != 0:
        said = (results / "output.txt").read_text(errors="replace").strip().splitlines()[-5:]
        raise RuntimeError(f"the suite ended with {code}: {' / '.join(said)}")


def wait_for(holds: Callable[[], bool], process: subprocess.Popen[bytes], limit_s: float) -> None:
    """Until something holds, while the process lives.

    Raises:
        RuntimeError: the process ended, or the limit passed.
    """
    until = time.monotonic() + limit_s
    while not holds():
        if process.poll() is not None:
            raise RuntimeError(f"the suite ended with {process.returncode} too soon")
        if time.monotonic() > until:
            raise RuntimeError(f"nothing came of it within {limit_s:g} s")
        time.sleep(0.05)
