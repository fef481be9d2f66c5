"""The command line as its user meets it: exit codes, messages, and work never done twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Said = Any
Bench = Callable[..., Said]
ROOT = Path(__file__).resolve().parents[2]


def records(results: Path) -> dict[str, dict[str, Any]]:
    """Every record by id, as plain JSON."""
    paths = sorted((results / "records").glob("*.json"))
    return {path.stem: json.loads(path.read_text()) for path in paths}


def test_a_suite_from_nothing_to_tables_and_asked_again_it_is_instant(
    bench: Bench, suite_file: Path, results: Path, tmp_path: Path
) -> None:
    first = bench("run", suite_file)
    assert first.code == 0, first.err
    made = records(results)
    assert [r["status"] for r in made.values()] == ["done"] * 5
    assert all((results / "records" / f"{name}.npz").is_file() for name in made)

    again = bench("run", suite_file)
    assert again.code == 0
    assert "5 finished runs kept" in again.out
    assert records(results) == made  # not even touched

    assert bench("measure", suite_file).code == 0
    assert "2 kept" in bench("measure", suite_file).out
    drawn = bench("report", suite_file, "--output", tmp_path / "out", "--show")
    assert drawn.code == 0, drawn.err
    for name in ("accuracy", "ablations", "cost"):
        assert (tmp_path / "out" / f"{name}.md").read_text().startswith("# ")
        assert (tmp_path / "out" / f"{name}.csv").exists()
    assert "5 of 5 runs of this suite are shown." in drawn.out
    assert "**synthetic data**" in drawn.out
    status = bench("status", suite_file)
    assert "mine: 5 done; time left none." in status.out
    assert not list((results / "running").iterdir())


def test_a_record_says_where_it_came_from_and_keeps_what_is_needed_to_recompute(
    bench: Bench, suite_file: Path, results: Path
) -> None:
    import numpy as np

    from bench.evaluation.scores import score
    from bench.records.store import Store

    bench("run", suite_file, "--only", "model=small,seed=0,control=none")
    (record,) = Store(results).all()
    assert record.training is not None
    assert record.provenance.packages["torch"]
    assert record.provenance.source_digest
    assert record.training.test_opened_at >= record.provenance.started_at
    assert record.suite is not None
    assert record.suite.seeds == [0, 1]
    kept = Store(results).load_predictions(record.id)
    assert kept["test_logits"].dtype == np.float16
    names = tuple(record.training.data.class_names)
    again = score(
        kept["test_logits"].astype(np.float16),
        kept["test_labels"].astype(np.int64),
        "multi-class",
        names,
    )
    assert again == record.training.test


def test_dry_run_changes_nothing_and_says_how_much_there_is(
    bench: Bench, suite_file: Path, results: Path
) -> None:
    said = bench("run", suite_file, "--dry-run")
    assert said.code == 0
    assert "5 runs, 5 to do" in said.out
    assert not results.exists()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('timm = "test_resnet"', 'timm = "test_resnett"', "did you mean 'test_resnet'?"),
        ('"phantom-joint"]\nseeds = [0, 1]', '"phantom-jiont"]\nseeds = [0, 1]', "phantom-joint"),
        ("n_train = 32", "n_trian = 32", "n_train"),
        ("n_train = 32", "n_train = -2", "n_train"),
        ("image_size = 32", "image_size = 16", "at least"),
        ("sigma = 2.0", "sigma = 30.0", "reaches across"),
        ("channels = 1", "channels = 2", "channels"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    bench: Bench, suite_file: Path, results: Path, old: str, new: str, expected: str
) -> None:
    text = suite_file.read_text()
    assert old in text
    suite_file.write_text(text.replace(old, new, 1))
    said = bench("run", suite_file)
    assert said.code == 2
    assert expected in said.err
    assert "mine.toml" in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert not list(results.glob("records/*"))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run", "quik"], "did you mean 'quick'?"),
        (["run"], "Missing argument"),
        (["run", "quick", "--only", "modle=x"], "did you mean 'model'?"),
        (["run", "quick", "--only", "model=resnet17"], "did you mean 'resnet18'?"),
        (["run", "quick", "--only", "model"], "has no value"),
        (["runn", "quick"], "No such command"),
    ],
)
def test_a_wrong_command_line_ends_with_two(
    bench: Bench, arguments: list[str], expected: str
) -> None:
    said = bench(*arguments)
    assert said.code == 2
    assert expected in said.err


FAILING = """
from torch import nn

def raises(num_classes, in_chans):
    class Fails(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(in_chans, num_classes)
        def forward(self, x):
            if self.training:
                raise {error}
            return self.head(x.mean((2, 3)))
    return Fails()
"""


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("ValueError('planted fault')", "failed"),
        ("MemoryError('planted')", "out-of-memory"),
        ("RuntimeError('DefaultCPUAllocator: not enough memory: you tried')", "out-of-memory"),
        ("RuntimeError('DefaultCPUAllocator: can\\'t allocate memory')", "out-of-memory"),
    ],
)
def test_a_run_that_raises_is_recorded_the_others_go_on_and_it_is_tried_again(
    bench: Bench,
    suite_file: Path,
    results: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: str,
    status: str,
) -> None:
    (tmp_path / "failing.py").write_text(FAILING.format(error=error))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "failing", raising=False)
    text = suite_file.read_text().replace(
        'timm = "test_medspectralnet"', 'factory = "failing:raises"'
    )
    suite_file.write_text(text)
    only = ["--only", "seed=0,control=none"]
    said = bench("run", suite_file, *only)
    assert said.code == 1
    found = {r["spec"]["model"]["name"]: r for r in records(results).values()}
    assert found["medspectralnet"]["status"] == status
    assert (
        "planted" in found["medspectralnet"]["reason"]
        or "memory" in found["medspectralnet"]["reason"]
    )
    assert found["small"]["status"] == "done"
    assert bench("run", suite_file, *only).code == 1
    again = {r["spec"]["model"]["name"]: r for r in records(results).values()}
    assert len(again["medspectralnet"]["attempts"]) == 1
    assert "planted" in bench("report", suite_file, "--output", tmp_path / "out", "--show").out or (
        "memory" in bench("report", suite_file, "--output", tmp_path / "out", "--show").out
    )
    assert f"{status}" in bench("status", suite_file).out


def test_a_refresh_that_fails_keeps_the_result_there_was(
    bench: Bench,
    suite_file: Path,
    results: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = "from torch import nn\nimport timm\n" + (
        "def make(**arguments):\n    return timm.create_model('test_resnet', **arguments)\n"
    )
    module = tmp_path / "refreshed.py"
    module.write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "refreshed", raising=False)
    text = suite_file.read_text().replace('timm = "test_resnet"', 'factory = "refreshed:make"')
    suite_file.write_text(text)
    only = ["--only", "model=small,seed=0,control=none"]
    assert bench("run", suite_file, *only).code == 0
    (before,) = records(results).values()
    import refreshed  # type: ignore[import-not-found]

    from bench import provenance

    module.write_text(source + "CHANGED = 1\n")
    provenance._normalised.cache_clear()

    def fails(**_: object) -> None:
        raise ValueError("planted")

    monkeypatch.setattr(refreshed, "make", fails)
    assert bench("run", suite_file, *only, "--refresh").code == 1
    (after,) = records(results).values()
    assert after["training"] == before["training"]
    assert after["status"] == "done"
    assert "planted" in after["attempts"][0]["reason"]


def test_scores_without_their_predictions_are_not_shown_and_are_made_anew(
    bench: Bench, suite_file: Path, results: Path
) -> None:
    only = ["--only", "model=small,seed=0,control=none"]
    bench("run", suite_file, *only)
    (path,) = (results / "records").glob("*.npz")
    whole = path.read_bytes()
    for damage in (lambda: path.unlink(), lambda: path.write_bytes(whole[:-1] + b"x")):
        damage()
        said = bench("report", suite_file)
        assert said.code == 2
        assert "predictions" in said.err
        assert bench("run", suite_file, *only).code == 0
        assert bench("report", suite_file, "--output", results / "out").code == 0


def test_two_processes_share_a_suite_and_train_each_run_once(
    suite_file: Path, results: Path
) -> None:
    command = [sys.executable, "-m", "bench", "run", str(suite_file)]
    environment = os.environ | {"BENCH_RESULTS": str(results)}
    both = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=200)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    started = [line for text in said for line in text.splitlines() if " … " in line]
    assert len(started) == 5
    assert len(records(results)) == 5


def test_a_run_that_another_process_ended_since_the_plan_is_not_done_again(
    bench: Bench, suite_file: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process may end between this one's look at the store and its turn."""
    only = ["--only", "model=small,seed=0,control=none"]
    original = __import__("bench.execution.local", fromlist=["run_plan"]).run_plan

    def late(*arguments: Any, **options: Any) -> Any:
        command = [sys.executable, "-m", "bench", "run", str(suite_file), *only]
        environment = os.environ | {"BENCH_RESULTS": str(results)}
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
        return original(*arguments, **options)

    monkeypatch.setattr("bench.execution.local.run_plan", late)
    said = bench("run", suite_file, *only)
    assert said.code == 0
    assert " … " not in said.out  # nothing was started here
    assert len(records(results)) == 1


def test_only_val_is_seen_before_selection_and_test_once_after_it_all_under_the_control(
    bench: Bench, suite_file: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Selection on the test split, or a control that spares it, would show here."""
    import numpy as np

    from bench.data import preparation
    from bench.data.controls import apply_control
    from bench.data.dataset import LockedSplit
    from bench.evaluation.predict import predict
    from bench.records.store import Store
    from bench.run import experiment
    from bench.training import loop

    happened: list[tuple[str, Any]] = []

    def seen_predict(model: Any, split: Any, **rest: Any) -> Any:
        happened.append(("predict", split.name))
        return plain_predict(model, split, **rest)

    def seen_open(self: LockedSplit, selection: Any) -> Any:
        happened.append(("open", "test"))
        return plain_open(self, selection)

    def seen_control(images: Any, *rest: Any) -> Any:
        happened.append(("control", len(images)))
        return apply_control(images, *rest)

    plain_predict, plain_open = predict, LockedSplit.open
    monkeypatch.setattr(loop, "predict", seen_predict)
    monkeypatch.setattr(experiment, "predict", seen_predict)
    monkeypatch.setattr(LockedSplit, "open", seen_open)
    monkeypatch.setattr(preparation, "apply_control", seen_control)
    text = suite_file.read_text()
    suite_file.write_text(text.replace("n_val = 32, n_test = 32", "n_val = 24, n_test = 40"))
    said = bench("run", suite_file, "--only", "model=small,seed=0,control=blur-2")
    assert said.code == 0, said.err
    assert happened == [
        ("control", 32),
        ("control", 24),
        ("predict", "val"),
        ("open", "test"),
        ("control", 40),
        ("predict", "test"),
    ]
    (record,) = Store(results).all()
    kept = Store(results).load_predictions(record.id)
    assert (len(kept["val_logits"]), len(kept["test_logits"])) == (24, 40)
    assert not np.array_equal(kept["val_labels"], kept["test_labels"][:24])


def test_a_damaged_record_stops_a_report_and_is_set_aside_by_a_run(
    bench: Bench, suite_file: Path, results: Path
) -> None:
    only = ["--only", "model=small,seed=0,control=none"]
    bench("run", suite_file, *only)
    (path,) = (results / "records").glob("*.json")
    whole = path.read_text()
    path.write_text(whole[:100])
    for command in ("report", "status"):
        said = bench(command, suite_file)
        assert said.code == 2
        assert path.name in said.err
        assert path.read_text() == whole[:100]
    said = bench("run", suite_file, *only)
    assert said.code == 0
    assert "damaged record set aside" in said.err
    assert path.with_name(path.name + ".damaged").read_text() == whole[:100]
    assert json.loads(path.read_text())["training"]["test"] == json.loads(whole)["training"]["test"]


def test_a_results_folder_that_is_a_file_is_refused(
    bench: Bench, suite_file: Path, results: Path
) -> None:
    results.write_text("not a folder")
    said = bench("run", suite_file)
    assert said.code == 2
    assert "BENCH_RESULTS" in said.err


def test_data_that_cannot_be_had_is_one_line_and_a_reason_in_the_table(
    bench: Bench, suite_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nothing").mkdir()
    monkeypatch.setenv("MEDMNIST_ROOT", str(tmp_path / "nothing"))
    monkeypatch.setenv("HOME", str(tmp_path))
    text = suite_file.read_text().replace("phantom-joint", "breastmnist")
    suite_file.write_text(text.replace("options = { n_train = 32, n_val = 32, n_test = 32 }", ""))
    said = bench("run", suite_file)
    assert said.code == 2
    assert "breastmnist" in said.err
    assert "Traceback" not in said.err


def start(suite_file: Path, results: Path) -> subprocess.Popen[str]:
    """The real command in a process of its own, once its first run is under way."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", "run", str(suite_file)],
        cwd=ROOT,
        env=os.environ | {"BENCH_RESULTS": str(results)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(1200):
        if list(results.glob("records/*.json")):
            return process
        time.sleep(0.05)
    process.kill()
    raise AssertionError("no run ended within a minute")


@pytest.mark.parametrize(
    ("sent", "code", "said"),
    [
        (signal.SIGINT, 130, "interrupted; finished runs are kept"),
        (signal.SIGTERM, 143, "terminated; finished runs are kept"),
        (signal.SIGKILL, -9, ""),
    ],
)
def test_a_suite_that_is_stopped_goes_on_without_training_anything_twice(
    bench: Bench, suite_file: Path, results: Path, sent: signal.Signals, code: int, said: str
) -> None:
    protocol = suite_file.with_name("tiny.toml")
    protocol.write_text(protocol.read_text().replace("epochs = 1", "epochs = 20"))
    process = start(suite_file, results)
    before = records(results)
    process.send_signal(sent)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert said in err
    assert "Traceback" not in err
    before |= records(results)
    assert 0 < len(before) < 5
    protocol.write_text(protocol.read_text())
    assert bench("run", suite_file).code == 0
    after = records(results)
    assert len(after) == 5
    assert all(after[name] == record for name, record in before.items())


def test_help_answers_without_torch() -> None:
    code = (
        "import sys; sys.argv = ['bench', '--help']\n"
        "from bench.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "assert 'torch' not in sys.modules and 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)


def test_reports_and_status_are_drawn_without_torch(
    bench: Bench, suite_file: Path, results: Path, tmp_path: Path
) -> None:
    bench("run", suite_file, "--only", "model=small,seed=0,control=none")
    for command in (
        ["report", str(suite_file), "--output", str(tmp_path)],
        ["status", str(suite_file)],
    ):
        code = (
            f"import sys; sys.argv = ['bench', *{command!r}]\n"
            "from bench.cli import main\n"
            "try: main()\n"
            "except SystemExit as e: assert not e.code, e.code\n"
            "assert 'torch' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
