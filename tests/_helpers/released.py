"""A tiny suite trained and its weights made, once for all tests of a module."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.cli.app import app
from bench.records.schema import Record
from bench.records.store import Store
from bench.release.file import Weights, read_weights
from tests.bench.conftest import TINY_PROTOCOL, TINY_SUITE


@dataclass(frozen=True)
class Released:
    """Where everything is; ``weights`` is the file of the best seed."""

    root: Path
    suite: Path
    weights: Path

    @property
    def store(self) -> Store:
        return Store(self.root / "results")

    @property
    def read(self) -> Weights:
        return read_weights(self.weights)

    @property
    def record(self) -> Record:
        found = self.store.load(self.read.metadata.run)
        assert found is not None
        return found

    def call(self, *arguments: str | Path) -> int | None:
        """``bench …`` in this process: its exit code, if not 0; raises what the command raises."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("BENCH_RESULTS", str(self.root / "results"))
            code: int | None = app([str(part) for part in arguments], standalone_mode=False)
            return code


def release(root: Path) -> Released:
    """Train two seeds of the tiny network on phantoms and make the better one's weights."""
    (root / "tiny.toml").write_text(TINY_PROTOCOL)
    suite = root / "mine.toml"
    suite.write_text(TINY_SUITE)
    stem = "phantom-joint-medspectralnet.safetensors"
    made = Released(root, suite, root / "weights" / stem)
    made.call("run", suite, "--only", "model=medspectralnet")
    made.call("weights", suite, "--output", root / "weights")
    return made
