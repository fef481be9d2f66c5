"""Searches: trials on validation alone, shared by processes, drawn without a test score."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.data.dataset import LockedSplit
from bench.errors import InputError
from bench.report.search import search_page, write_search_page
from bench.search.file import known_searches, load_search, trial_id
from bench.search.record import Trial, load, load_all
from bench.search.running import load_data, pending
from tests.bench.conftest import TINY_PROTOCOL

Said = Any
Bench = Callable[..., Said]

TINY = """
about = "tiny"
protocol = "tiny.toml"
source_size = 28
image_size = 32
channels = 1
threads = 1
models = ["first", "second"]
datasets = ["phantom-global"]
seeds = [0, 1]

[vary]
lr = [1e-3, 1e-2]

[dataset.phantom-global]
options = { n_train = 32, n_val = 32, n_test = 32 }

[model.first]
timm = "test_resnet"

[model.second]
timm = "test_medspectralnet"
"""


@pytest.fixture
def search_file(tmp_path: Path) -> Path:
    """A search of eight trials on a phantom of 64 images."""
    (tmp_path / "tiny.toml").write_text(TINY_PROTOCOL)
    path = tmp_path / "find.toml"
    path.write_text(TINY)
    return path


@pytest.mark.parametrize("name", known_searches())
def test_the_searches_of_the_checkout_are_valid(name: str) -> None:
    search = load_search(name)
    checksums = dict.fromkeys(search.file.datasets, "md5:x")
    ids = [trial_id(spec) for spec in search.specs(checksums)]
    file = search.file
    cells = len(file.models) * len(file.datasets) * len(file.seeds) * len(search.protocols)
    assert len(set(ids)) == len(ids) == cells


def test_a_search_is_done_once_and_opens_no_test_split(
    bench: Bench, search_file: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*args: object) -> None:
        raise AssertionError("a trial opened the test split")

    monkeypatch.setattr(LockedSplit, "open", opened)
    first = bench("search", search_file)
    assert first.code == 0, first.err + first.out
    made = {path.name: path.read_text() for path in (results / "trials").glob("*.json")}
    assert len(made) == 8
    for text in made.values():
        assert "test" not in json.loads(text)["result"]
        assert json.loads(text)["result"]["images"].keys() == {"train", "val"}
    again = bench("search", search_file)
    assert "8 kept." in again.out
    assert {p.name: p.read_text() for p in (results / "trials").glob("*.json")} == made
    assert not list((results / "records").glob("*")) if (results / "records").exists() else True


def test_a_failed_trial_is_tried_again_and_the_others_go_on(
    bench: Bench, search_file: Path, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "moody.py").write_text(
        "from torch import nn\nimport os\n"
        "class M(nn.Module):\n"
        "    def __init__(self, n, c):\n"
        "        super().__init__(); self.f = nn.Linear(c, n)\n"
        "    def forward(self, x):\n"
        "        if self.training and os.environ.get('MOODY'): raise RuntimeError('a mood')\n"
        "        return self.f(x.mean((2, 3)))\n"
        "def make(num_classes, in_chans, **_): return M(num_classes, in_chans)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("MOODY", "1")
    text = search_file.read_text().replace('timm = "test_resnet"', 'factory = "moody:make"')
    search_file.write_text(text)
    assert bench("search", search_file).code == 1
    statuses = [trial.status for trial in load_all(results).values()]
    assert sorted(statuses) == ["done"] * 4 + ["failed"] * 4
    assert "a mood" in search_page([load_search(str(search_file))], load_all(results))
    monkeypatch.delenv("MOODY")
    assert bench("search", search_file).code == 0
    assert {trial.status for trial in load_all(results).values()} == {"done"}


def trial(search_file: Path, results: Path) -> Trial:
    search = load_search(str(search_file))
    data = load_data(search)
    spec = pending(search, data, results, refresh=False)[0]
    found = load(results, trial_id(spec))
    assert found is None
    from bench.search.trial import try_out

    return try_out(spec, data[spec.data.name], search=search.name, device_name="here")


def planted(search_file: Path, results: Path, auc: dict[tuple[str, int, float], float]) -> str:
    """The page of a search whose trials scored as given by (model, seed, lr)."""
    search = load_search(str(search_file))
    like = trial(search_file, results)
    assert like.result is not None
    trials = {}
    for spec in search.specs({"phantom-global": like.spec.data.checksum}):
        key = (spec.model.name, spec.seed, spec.protocol.optimizer.lr)
        if key in auc:
            val = like.result.val.model_copy(update={"auc_present": auc[key]})
            changes = {
                "id": trial_id(spec),
                "spec": spec,
                "result": like.result.model_copy(update={"val": val}),
            }
            trials[trial_id(spec)] = like.model_copy(update=changes)
    return search_page([search], trials)


def test_the_protocol_best_on_average_is_chosen(search_file: Path, results: Path) -> None:
    auc = {
        (model, seed, lr): value
        for model, values in {"first": (0.7, 0.8), "second": (0.9, 0.85)}.items()
        for lr, value in zip((1e-3, 1e-2), values, strict=True)
        for seed in (0, 1)
    }
    page = planted(search_file, results, auc)
    assert "Best on average over the 2 models that tried all: **lr 0.01, wd 0**." in page
    assert "**80.0**" in page
    assert "**90.0**" in page
    assert "8 of 8 trials are done." in page
    assert "The next, lr 0.001, wd 0, is 2.50 lower." in page
    assert "another choice in 1 of 2 cases: lr 0.001, wd 0 without first." in page
    alike = {key: value + (key[0] == "first") / 100 for key, value in auc.items() if key[2] == 1e-2}
    page = planted(search_file, results, auc | {k: v + 0.1 for k, v in alike.items()})
    assert "Leaving out any one model gives the same choice." in page


def test_a_model_that_tried_a_part_chooses_nothing(search_file: Path, results: Path) -> None:
    page = planted(search_file, results, {("first", 0, 1e-3): 0.7, ("first", 1, 1e-3): 0.7})
    assert "No model has tried every protocol yet: none is chosen." in page
    assert "2 of 8 trials are done." in page


def test_models_are_compared_seed_by_seed(search_file: Path, results: Path) -> None:
    search_file.write_text(TINY.replace("lr = [1e-3, 1e-2]", ""))
    auc = {
        ("first", 0, 1e-3): 0.80,
        ("first", 1, 1e-3): 0.82,
        ("second", 0, 1e-3): 0.79,
        ("second", 1, 1e-3): 0.80,
    }
    page = planted(search_file, results, auc)
    # gaps 0.01 and 0.02: mean 0.015, s = 0.00707, t(1) = 12.706, half width 0.0635
    assert "+1.5 [-4.9, +7.9]" in page
    one = planted(search_file, results, {k: v for k, v in auc.items() if k[1] == 0})
    assert "+1.0 (one seed)" in one


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seeds = [0, 1]", "seeds = [0, 0]", "seeds: 0 is listed twice"),
        ("[model.second]", "[model.third]", "model.third: models does not name it"),
        ("lr = [1e-3, 1e-2]", "lr = [1e-3, 20.0]", "optimizer.lr"),
        ("lr = [1e-3, 1e-2]", "speed = [1]", "vary.speed: unknown key"),
        ('protocol = "tiny.toml"', 'protocol = "tinny"', "no protocol is called"),
        ('"phantom-global"', '"phantom-global", "breastmnst"', "breastmnst"),
        ('timm = "test_resnet"', 'timm = "test_resnett"', "did you mean 'test_resnet'"),
    ],
)
def test_what_is_wrong_is_one_line(
    bench: Bench, search_file: Path, results: Path, old: str, new: str, message: str
) -> None:
    assert old in TINY
    search_file.write_text(TINY.replace(old, new))
    said = bench("search", search_file)
    assert said.code == 2
    assert message in said.err
    assert "find.toml" in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert not (results / "trials").exists()


def test_a_damaged_trial_is_named(bench: Bench, search_file: Path, results: Path) -> None:
    bench("search", search_file)
    path = sorted((results / "trials").glob("*.json"))[0]
    path.write_text(path.read_text().replace('"seed": ', '"seed": 5'))
    with pytest.raises(InputError, match=f"{path.name}: damaged trial: its content belongs"):
        load_all(results)
    path.write_text("{}")
    assert bench("search", search_file).code == 2


def test_the_page_is_written_beside_the_results(
    bench: Bench, search_file: Path, results: Path
) -> None:
    assert write_search_page(results).parent == results / "reports"


def test_an_unknown_search_gets_the_nearest() -> None:
    with pytest.raises(InputError, match="no search 'protocl'; did you mean 'protocol'"):
        load_search("protocl")
