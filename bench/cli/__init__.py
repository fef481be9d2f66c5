"""The commands: parse, call, print. Heavy imports stand inside them, so that help is instant."""

from __future__ import annotations

from typing import NoReturn

from bench.cli.app import app
from bench.process import run_to_exit


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    run_to_exit(app)
