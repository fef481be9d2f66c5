"""Who is cited: exactly for what is shown, held against the sources of timm and medmnist."""

from __future__ import annotations

import inspect
import re
import sys
import tomllib
from pathlib import Path

import medmnist
import pytest
import timm

import ablations  # noqa: F401  registers names
import baselines  # noqa: F401
import medspectralnet  # noqa: F401
from bench.errors import InputError
from bench.report.references import FILE, bibliography, licences, load_references
from bench.specs import ModelSpec
from bench.suite import load_suite, suite_names
from bench.toml_file import ROOT
from tests._helpers.difficult import UNBROKEN, difficult_suite

KNOWN = load_references()
ROSTER = tomllib.loads((ROOT / "baselines" / "roster.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ROSTER)
def test_every_model_of_the_roster_is_cited_as_its_source_says(name: str) -> None:
    """timm's file, or ours, names the paper by the number that is filed here."""
    keys = KNOWN.of_model(ModelSpec(name=name))
    assert keys
    printed = [number for key in keys if (number := KNOWN.work[key].arxiv)]
    module = sys.modules[timm.model_entrypoint(name).__module__]
    source = inspect.getsource(module)
    if "arxiv.org" in source and printed:
        assert any(number in source for number in printed), (name, printed)


def test_only_two_sources_name_no_paper() -> None:
    """So that the test above cannot pass by finding nothing to hold a number against."""
    silent = []
    for name in ROSTER:
        source = inspect.getsource(sys.modules[timm.model_entrypoint(name).__module__])
        if "arxiv.org" not in source:
            silent.append(name)
    assert len(silent) <= 4, silent


def test_licences_are_those_of_the_package_that_ships_the_data() -> None:
    flat = {n: i for n, i in medmnist.INFO.items() if not n.endswith("3d")}
    assert KNOWN.data.keys() == flat.keys()
    assert {n: source.licence for n, source in KNOWN.data.items()} == {
        n: info["license"] for n, info in flat.items()
    }


def test_no_work_is_cited_by_nothing() -> None:
    cited = {key for keys in KNOWN.models.values() for key in keys}
    cited |= {key for source in KNOWN.data.values() for key in source.works}
    assert cited == KNOWN.work.keys()


def test_exactly_what_is_shown_stands_in_the_bibliography() -> None:
    suite = load_suite("breast")
    text = bibliography(suite, suite.models, KNOWN)
    assert "@article{aldhabyani2020breast," in text
    assert "@inproceedings{he2016resnet," in text
    assert "kermany" not in text
    assert "swin" not in text
    assert "NO ENTRY" not in text


def test_a_model_without_an_entry_is_named_not_dropped(tmp_path: Path) -> None:
    suite = difficult_suite(tmp_path)
    text = bibliography(suite, suite.models, KNOWN)
    assert f"% {UNBROKEN}: NO ENTRY; add one to results/references.toml" in text
    started = [ModelSpec(name="resnet18", pretrained=True)]
    told = licences(suite, started, KNOWN)
    assert "pretrained weights of resnet18: not recorded here" in told
    assert "No pretrained" not in told


@pytest.mark.parametrize("name", suite_names())
def test_the_projects_suites_show_nothing_uncited(name: str) -> None:
    suite = load_suite(name)
    missing = [m.name for m in suite.models if m.factory is None and not KNOWN.of_model(m)]
    assert not [m for m in missing if not m.startswith("test_")]


def test_a_work_that_is_not_there_is_named_with_its_place(tmp_path: Path) -> None:
    broken = tmp_path / "references.toml"
    broken.write_text(FILE.read_text().replace('["ma2024starnet"', '["ma2024stranet"'))
    with pytest.raises(InputError, match=r"models\.starnet_\*: cites 'ma2024stranet'"):
        load_references(broken)
    broken.write_text(FILE.read_text().replace("licence =", "license ="))
    with pytest.raises(InputError, match="unknown key"):
        load_references(broken)


def test_every_entry_says_what_it_was_checked_against(tmp_path: Path) -> None:
    """As a line that BibTeX skips: text outside an entry, without the sign that starts one."""
    suite = load_suite("breast")
    lines = bibliography(suite, suite.models, KNOWN).splitlines()
    entries = [number for number, line in enumerate(lines) if line.startswith("@")]
    assert len(entries) > 5
    assert all(lines[number - 1].startswith("% checked against: ") for number in entries)
    unchecked = tmp_path / "unchecked.toml"
    for said in ('checked = ""', 'checked = "a card @ a site"', ""):
        text = re.sub(r'^checked = ".*"$', said, FILE.read_text(), count=1, flags=re.MULTILINE)
        unchecked.write_text(text)
        with pytest.raises(InputError, match=r"afrin2026medspectralnet\.checked"):
            load_references(unchecked)
