"""Two trees under other names in one process: each is its own code, and leaves no trace."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch

from bench.errors import InputError
from bench.regress.file import GATE, GateFile, Row, RunTime, for_own
from bench.regress.judge import judge_times
from bench.regress.lanes import lane
from bench.regress.timing import time_row
from bench.regress.tree import Tree, baseline_tree
from bench.regress.twin import Twin
from bench.toml_file import ROOT, read_toml
from tests.bench.regress.conftest import changed

PACKAGES = ("theirnet",)
FILE = read_toml(GATE, GateFile)


@contextmanager
def both(repository: Path) -> Iterator[tuple[Twin, Twin]]:
    with (
        baseline_tree("HEAD", repository, PACKAGES, PACKAGES) as before,
        Twin(before, "before_", PACKAGES, PACKAGES) as first,
        Twin(Tree(repository, "now"), "now_", PACKAGES, PACKAGES) as second,
    ):
        yield first, second


def built(twin: Twin) -> torch.nn.Module:
    with twin.active():
        model: torch.nn.Module = timm.create_model("theirnet_a", num_classes=2)
    return model


def test_each_twin_runs_its_own_code_through_every_kind_of_import(repository: Path) -> None:
    changed(repository, "theirnet/parts.py", "return 4", "return 6")
    with both(repository) as (first, second):
        for twin, width in ((first, 4), (second, 6)):
            model: Any = built(twin)
            assert twin.owns(model)
            assert model.conv.out_channels == model.head.fc.in_features == width
        assert not first.owns(built(second))


def test_nothing_of_a_twin_is_left(repository: Path) -> None:
    before = len(timm.list_models())
    with both(repository) as (first, _):
        built(first)
        assert "theirnet_a" not in timm.list_models()
    assert not [name for name in sys.modules if name.startswith(("before_", "now_"))]
    assert "theirnet" not in sys.modules
    assert len(timm.list_models()) == before
    assert not list(repository.rglob("__pycache__"))


def test_a_model_that_the_tree_lacks_is_not_taken_from_elsewhere(repository: Path) -> None:
    """This process has a medspectralnet; a tree whose package has none must not get that one."""
    import medspectralnet  # noqa: F401

    (repository / "medspectralnet").mkdir()
    (repository / "medspectralnet" / "__init__.py").write_text("")
    tree = Tree(repository, "theirs")
    with Twin(tree, "bare_", ["medspectralnet"], ["medspectralnet"]) as twin, twin.active():
        assert not timm.list_models("medspectralnet")
    assert timm.list_models("medspectralnet")


def test_operators_of_one_name_do_not_take_each_others_place(repository: Path) -> None:
    path = repository / "theirnet" / "parts.py"
    path.write_text(
        path.read_text()
        + "\nimport torch\n\n\n@torch.library.custom_op('theirnet::width', mutates_args=())\n"
        "def op(x: torch.Tensor) -> torch.Tensor:\n    return x + width()\n"
    )
    tree = Tree(repository, "now")
    with Twin(tree, "one_", PACKAGES, PACKAGES) as first:
        path.write_text(path.read_text().replace("return 4", "return 6"))
        with Twin(tree, "two_", PACKAGES, PACKAGES) as second:
            sums = [float(t.module("theirnet.parts").op(torch.zeros(()))) for t in (first, second)]
    assert sums == [4.0, 6.0]


def test_a_tree_that_cannot_be_imported_says_so(repository: Path) -> None:
    (repository / "theirnet" / "parts.py").write_text("raise OSError('gone')\n")
    with (
        pytest.raises(InputError, match="cannot be imported beside the other tree: OSError: gone"),
        Twin(Tree(repository, "theirs"), "bad_", PACKAGES, PACKAGES),
    ):
        pass
    assert not [name for name in sys.modules if name.startswith("bad_")]


def own(metric: str) -> tuple[Row, RunTime]:
    spec = for_own(FILE, "theirnet", ["theirnet_a"]).run_time
    assert spec is not None
    row = Row.model_validate(
        {"metric": metric, "model": "theirnet_a", "image_size": 32, "batch_size": 4, "rounds": 12}
    )
    data = spec.dataset.model_copy(update={"options": {"n_train": 8, "n_val": 8, "n_test": 8}})
    update = {"first_blocks": 1, "most_blocks": 1, "dataset": data, "source_size": 32}
    return row, spec.model_copy(update={**update, "yardstick": "test_resnet"})


@pytest.mark.parametrize("metric", ["throughput", "training step"])
def test_slowness_planted_in_one_tree_shows_in_that_lane_alone(
    repository: Path, metric: str
) -> None:
    changed(repository, "theirnet/parts.py", "WAIT_S = 0.0", "WAIT_S = 0.02")
    row, spec = own(metric)
    with (
        both(repository) as (first, second),
        baseline_tree("HEAD", repository, PACKAGES, PACKAGES) as tree,
        Twin(tree, "again_", PACKAGES, PACKAGES) as again,
    ):
        twins = {"baseline": first, "again": again, "candidate": second}
        rng = np.random.default_rng(0)
        timed = time_row(row, twins, spec, thread_count=1, rng=rng, deadline=0.0)
    assert timed.blocks == [12]
    medians = {
        name: float(np.median(getattr(timed, f"{name}_s")))
        for name in ("baseline", "again", "candidate", "yardstick")
    }
    others = max(medians["baseline"], medians["again"])
    assert medians["candidate"] > max(0.02, others + 0.01)
    assert judge_times(timed, spec).ratio.value > 1.1


def test_code_of_others_and_a_missing_model_are_not_timed(repository: Path) -> None:
    row, spec = own("throughput")
    with both(repository) as (first, _):
        for name, said in (("resnet18", "no part of"), ("nope", "has no model")):
            with pytest.raises(InputError, match=said):
                lane("baseline", first, row.model_copy(update={"model": name}), spec, 1)


def test_the_suites_own_trees_can_stand_side_by_side() -> None:
    tree = Tree(ROOT, "here")
    with Twin(tree, "here_", FILE.packages, FILE.imports) as twin:
        loop = twin.module("bench.training.loop")
        assert loop.__name__ == "here_bench.training.loop"
        assert loop.Feed.__module__ == "here_bench.data.feed"
        with twin.active():
            model = timm.create_model("test_medmamba", num_classes=2)
        assert twin.owns(model)
        from baselines.medmamba.scan import operator

        assert twin.module("baselines.medmamba.scan.operator") is not operator
