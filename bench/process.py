"""How the process ends: one line on stderr and an exit code for every expected error."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from bench.errors import BenchError

DEBUG = "BENCH_DEBUG"
USAGE, INTERRUPTED, TERMINATED = 2, 130, 143

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Terminated(BaseException):
    """SIGTERM arrived; unwinds like Ctrl-C does."""


def run_to_exit(app: typer.Typer) -> NoReturn:
    """Run the command line; an error of ours shows its traceback only under ``--debug``."""
    signal.signal(signal.SIGTERM, raise_terminated)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's "&" leaves it ignored
    try:
        ended = app(standalone_mode=False)  # an exit code where a command asked for one
        code = ended if isinstance(ended, int) else 0
        if code == INTERRUPTED:  # typer's answer to Ctrl-C
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        code = _say("interrupted; finished runs are kept", INTERRUPTED)
    except Terminated:
        code = _say("terminated; finished runs are kept", TERMINATED)
    except TyperException as error:  # a wrong option or argument
        code = _say(f"{error.format_message()}; see --help", USAGE)
    except BenchError as error:
        if os.environ.get(DEBUG):
            raise
        code = _say(str(error), error.exit_code)
    except OSError as error:  # a place that cannot be written; ours are checked before
        if os.environ.get(DEBUG) or error.filename is None:
            raise
        code = _say(f"{error.filename}: {error.strerror}; choose another place", USAGE)
    sys.exit(code)


def raise_terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    """A handler for SIGTERM."""
    raise Terminated


def end_with_parent() -> None:
    """On Linux this process is killed as soon as its parent ends, however that one ends.

    Elsewhere it goes on until it next finds the pipe to its parent closed.
    """
    if sys.platform != "linux":
        return
    parent = multiprocessing.parent_process()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent.pid:  # it ended before it could be watched
        os._exit(TERMINATED)


def _say(text: str, code: int) -> int:
    typer.echo(text, err=True)
    return code
