"""``python -m bench gpu``: without a GPU it says so; what travels without git keeps its commit."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import torch

from bench import packed, provenance
from bench.errors import InputError
from bench.gpu import kernels, machine
from bench.gpu.file import REHEARSAL, load_steps
from bench.gpu.kept_race import is_kept
from bench.gpu.kernels import (
    KernelCheck,
    KernelTest,
    digest_today,
    kept_check,
    load_all,
    read_report,
)
from bench.gpu.machine import find_machine
from bench.gpu.pack import LONGEST_COMMAND, load_pack, pinned, run_command
from bench.gpu.record import Machine
from bench.race.file import load_races
from bench.race.record import load_all as load_races_made
from bench.race.record import save
from bench.records.single import save_single
from bench.toml_file import ROOT
from tests._helpers.records import provenance as made_by
from tests._helpers.specs import cost_spec
from tests.bench.conftest import Command

CPU = Machine(device="cpu", device_name="a CPU", torch="2", cuda=None, python="3")


@pytest.fixture
def no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the process that asks torch would say, without torch's seconds."""
    monkeypatch.setattr(machine, "_ASK", """print('["2.0", null, null]')""")


@pytest.mark.usefixtures("no_cuda")
def test_without_a_gpu_it_ends_with_2_and_one_line_and_writes_nothing(
    bench: Command, results: Path, tmp_path: Path
) -> None:
    said = bench("gpu", "--archive", tmp_path / "a.tar.gz")
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert "no CUDA device" in said.err
    assert "--device cpu" in said.err
    assert not results.exists()
    assert not (tmp_path / "a.tar.gz").exists()


def test_a_dry_run_lists_the_steps_of_the_time_and_needs_no_gpu(
    bench: Command, results: Path
) -> None:
    said = bench("gpu", "--dry-run", "--minutes", "1.5")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].startswith("kernels: python -m bench kernels --missing ")
    assert lines[0].endswith(": at most 60 s")
    assert all(line.endswith("left for a later call") for line in lines[1:-1])
    assert not results.exists()


REHEARSED = """
about = "one step"
[[step]]
name = "{name}"
about = "fails"
command = "measure"
arguments = ["there-is-no-such-suite"]
share = 1
least_s = 1
"""


@pytest.mark.usefixtures("no_cuda")
def test_a_rehearsal_keeps_to_a_folder_of_its_own_and_says_what_failed(
    bench: Command, results: Path, tmp_path: Path
) -> None:
    steps = tmp_path / "steps.toml"
    steps.write_text(REHEARSED.format(name="x"))
    left = tmp_path / "a.tar.gz"
    said = bench("gpu", "--device", "cpu", "--minutes", 2, "--steps", steps, "--archive", left)
    assert said.code == 1
    assert "failed" in said.out
    assert "there-is-no-such-suite" in said.out
    assert "left: python -m bench measure" in said.out
    assert [path.name for path in results.iterdir()] == ["fresh-gpu-rehearsal"]
    refused = bench("gpu", "--merge", left)
    assert refused.code == 2
    assert "rehearsal" in refused.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("a.tar.gz",), "add --merge"),
        (("--merge",), "no archive is named"),
        (("--merge", "--pack"), "not both"),
        (("--merge", "nowhere.tar.gz"), "cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    arguments: tuple[str, ...], said: str, bench: Command
) -> None:
    refused = bench("gpu", *arguments)
    assert refused.code == 2
    assert said in refused.err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_machine_without_a_gpu_is_found_as_one() -> None:
    found = find_machine("either")
    assert (found.device, found.torch) == ("cpu", torch.__version__)
    assert found.device_name == provenance.processor()


def check(outcome: str, selected: str | None = None, **changes: object) -> KernelCheck:
    digest = {"source_digest": digest_today()}
    return KernelCheck(
        machine=CPU,
        selected=selected,
        provenance=made_by(cost_spec()).model_copy(update=digest | changes),
        tests=[KernelTest(name="t", outcome=outcome, seconds=1.0)],  # type: ignore[arg-type]
    )


def test_a_check_of_the_kernels_is_kept_where_all_passed_with_todays_code(results: Path) -> None:
    def keep(one: KernelCheck) -> None:
        save_single(one, results / "kernels" / f"{one.id}.json")

    assert kept_check(CPU, None, results) is None
    keep(check("failed"))
    assert kept_check(CPU, None, results) is None
    keep(check("skipped"))
    assert kept_check(CPU, None, results) is None
    keep(check("passed", source_digest="old"))
    keep(check("passed", selected="some"))
    assert kept_check(CPU, None, results) is None
    keep(check("passed"))
    assert kept_check(CPU, None, results) == check("passed")
    assert kept_check(CPU.model_copy(update={"torch": "3"}), None, results) is None
    assert len(load_all(results)) == 3


def test_a_check_is_of_its_tests_too(monkeypatch: pytest.MonkeyPatch) -> None:
    today, every = digest_today(), kernels.DECIDING
    for place in every:
        monkeypatch.setattr(kernels, "DECIDING", tuple(one for one in every if one != place))
        assert digest_today() != today


def test_pytests_report_is_read_with_its_failures(tmp_path: Path) -> None:
    suite = ET.Element("testsuite")
    for name, tag in (("a", None), ("b", "failure"), ("c", "skipped"), ("d", "error")):
        case = ET.SubElement(suite, "testcase", name=name, time="0.5")
        ET.SubElement(case, "system-out").text = "noise"
        if tag:
            ET.SubElement(case, tag, message=f"why\n {name}")
    ET.ElementTree(suite).write(tmp_path / "r.xml")
    tests = read_report(tmp_path / "r.xml")
    assert [t.outcome for t in tests] == ["passed", "failed", "skipped", "failed"]
    assert [t.why for t in tests] == ["", "why b", "why c", "why d"]


def test_a_race_is_kept_only_as_the_file_asks_for_it_on_this_machine(results: Path) -> None:
    assert not is_kept("medspectralnet", load_races("medspectralnet")[1], results)
    name, file = load_races("medspectralnet")
    (made,) = [r for r in load_races_made(ROOT / "results") if r.name == name]
    today = made.provenance.model_copy(
        update={"device_name": provenance.processor(), "packages": provenance.packages()}
    )
    if made.stale:
        pytest.skip("the record of these races is stale")
    here = made.model_copy(update={"provenance": today})
    save(here, results)
    asked = file.model_copy(
        update={
            "race": [r.spec for r in made.races],
            "scaling": [s.spec for s in made.scaling],
            "memory": [m.spec for m in made.memory],
        }
    )
    assert is_kept(name, asked, results)
    for otherwise in ({"race": file.race[:1]}, {"threads": 7}, {"rounds": file.rounds + 1}):
        assert not is_kept(name, asked.model_copy(update=otherwise), results)
    elsewhere = today.model_copy(update={"device_name": "another"})
    save(here.model_copy(update={"provenance": elsewhere}), results)
    assert not is_kept(name, asked, results)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text("a = 1")
    (tmp_path / "one.toml").write_text("")
    return tmp_path


PLACES = ("code", "one.toml")


def test_a_stamp_holds_for_the_tree_it_was_made_of(tree: Path) -> None:
    stamp = tree / "stamp.json"
    assert packed.read_stamp(PLACES, stamp, tree) == (None, None)
    stamp.write_bytes(packed.write_stamp("abc", False, PLACES, tree))
    (tree / "code" / "__pycache__").mkdir()
    (tree / "code" / "__pycache__" / "a.pyc").write_bytes(b"x")
    assert packed.read_stamp(PLACES, stamp, tree) == ("abc", False)
    (tree / "code" / "a.py").write_text("a = 2")
    assert packed.read_stamp(PLACES, stamp, tree) == ("abc", True)
    stamp.write_text("{")
    assert packed.read_stamp(PLACES, stamp, tree) == (None, None)


def test_a_new_file_or_another_name_is_another_tree(tree: Path) -> None:
    first = packed.tree_digest(PLACES, tree)
    (tree / "code" / "b.py").write_text("")
    assert (second := packed.tree_digest(PLACES, tree)) != first
    (tree / "code" / "b.py").rename(tree / "code" / "c.py")
    assert packed.tree_digest(PLACES, tree) not in (first, second)


def test_a_tree_without_git_tells_its_commit_by_the_stamp(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(provenance, "_git", lambda *_: None)
    monkeypatch.setattr(provenance, "read_stamp", lambda places: ("abc", False))
    assert provenance.commit.__wrapped__() == ("abc", False)


@pytest.mark.parametrize(
    ("status", "stamped", "told"),
    [
        ("", ("abc", False), ("def", False)),
        (" M bench/a.py", ("abc", False), ("abc", False)),
        (" M bench/a.py", ("abc", True), ("def", True)),
        (" M bench/a.py", (None, None), ("def", True)),
        (None, ("abc", False), ("abc", False)),
        (None, ("abc", True), ("def", True)),
        (None, (None, None), ("def", True)),
    ],
)
def test_a_tree_that_travelled_on_top_of_another_commit_is_the_one_it_was_stamped_as(
    monkeypatch: pytest.MonkeyPatch, status: str | None, stamped: object, told: object
) -> None:
    answers = {"rev-parse": "def", "status": status}
    monkeypatch.setattr(provenance, "_git", lambda what, *_: answers[what])
    monkeypatch.setattr(provenance, "read_stamp", lambda places: stamped)
    assert provenance.commit.__wrapped__() == told


BORROWED = """
import sys
from importlib.metadata import packages_distributions

HAS = {has!r}
LACKS = {{
    module
    for module, distributions in packages_distributions().items()
    if not HAS & {{name.lower().replace("-", "_") for name in distributions}}
}}


class Lacks:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in LACKS:
            raise ModuleNotFoundError(f"No module named {{name!r}}: a borrowed machine lacks it")


sys.meta_path.insert(0, Lacks())
"""


def on_a_borrowed_machine(tmp_path: Path, steps: Path) -> subprocess.CompletedProcess[str]:
    """A rehearsal in a Python that has what pack.toml says and nothing else."""
    file = load_pack()
    has = {name.lower().replace("-", "_") for name in (*file.packages, *file.pure, *file.has)}
    has.add("medspectralnet")  # this checkout
    (tmp_path / "sitecustomize.py").write_text(BORROWED.format(has=has))
    path = {"PYTHONPATH": str(tmp_path), "BENCH_RESULTS": str(tmp_path / "results")}

    def python(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            env={**os.environ, **path},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    assert "a borrowed machine lacks it" in python("-c", "import pylatexenc").stderr
    words = ("gpu", "--device", "cpu", "--minutes", "2", "--steps", str(steps))
    return python("-m", "bench", *words, "--archive", str(tmp_path / "a.tar.gz"))


@pytest.mark.slow
def test_a_call_needs_nothing_that_a_borrowed_machine_lacks(tmp_path: Path) -> None:
    first, race, rest = REHEARSAL.read_text(encoding="utf-8").partition('[[step]]\nname = "race"')
    assert 'name = "kernels"' in first  # which take a minute, and import nothing more
    steps = tmp_path / "steps.toml"
    steps.write_text(f'about = "all but the kernels"\n{race}{rest}')
    done = on_a_borrowed_machine(tmp_path, steps)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rehearsal-suite: 2 done." in done.stdout


def test_what_travels_is_pinned_and_the_command_fits() -> None:
    file = load_pack()
    versions = pinned(ROOT / "constraints.txt", [*file.packages, *file.pure])
    assert all("==" in version for version in versions.values())
    assert len(run_command(file)) <= LONGEST_COMMAND
    with pytest.raises(InputError, match="no-such-package is not pinned"):
        pinned(ROOT / "constraints.txt", ["no-such-package"])


def test_the_shell_takes_the_command_that_is_printed() -> None:
    done = subprocess.run(["bash", "-n", "-c", run_command(load_pack())], check=False)
    assert done.returncode == 0


def test_the_project_asks_for_no_step_twice() -> None:
    for path in (ROOT / "suites" / "gpu").glob("*.toml"):
        if "[[step]]" in path.read_text():
            words = [step.words for step in load_steps(path).step]
            assert all(words.count(one) == 1 for one in words)
