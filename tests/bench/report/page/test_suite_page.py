"""A suite's page from its records: what it says, what is missing, and that it says no more."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from bench.cli.options import parse_only
from bench.records.store import Store
from bench.report.figures import draw
from bench.report.page.cards import Cards
from bench.report.page.gather import gather
from bench.report.page.pictures import pictures
from bench.report.page.write import write_page
from bench.specs import RunSpec
from tests._helpers.html import Structure
from tests._helpers.runs_of import keep_run
from tests.bench.conftest import Command
from tests.bench.report.page.conftest import EVIL, LONG, Made, make_suite


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures take seconds and have tests of their own."""
    monkeypatch.setattr(draw, "_KINDS", ())


def test_the_same_records_give_the_same_bytes_in_any_order(made: Made, text: str) -> None:
    again = made.folder / "again"
    path = write_page(made.suite, made.store.all()[::-1], made.store, again)
    assert path.read_text(encoding="utf-8") == text
    assert len(text.encode()) < 5_000_000


def test_verdicts_come_first_and_what_everything_rests_on_last(text: str) -> None:
    page = Structure(text)
    order = [given["id"] for given in page.of("section") if (given.get("id") or "").isalpha()]
    assert order[:2] == ["verdicts", "accuracy"]
    assert order[-5:] == ["figures", "claims", "missing", "provenance", "records"]
    said = page.text[page.text.index("Verdicts", page.text.index("Suite made")) :]
    assert said.index("undecided") < said.index("How to read it")


def test_links_numbers_and_names_hold_for_a_page_from_records(made: Made, text: str) -> None:
    page = Structure(text)
    assert not page.open
    assert len(page.ids) == len(set(page.ids))
    links = {address[1:] for address in page.addresses if address.startswith("#")}
    assert links <= set(page.ids)
    cards = [given for given in page.of("details") if "data-n" in given]
    assert len(cards) == len(made.store.all())
    for given in page.of("a"):
        if "data-r" in given:
            assert all(0 < int(n) <= len(cards) for n in (given["data-r"] or "").split())
    assert len(page.of("script")) == 2
    for name in (LONG, EVIL, f"{EVIL} said 0"):
        assert name in page.text.replace("\u200b", "")
    levels = [level for level, _ in page.headings]
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_what_is_missing_is_told_with_its_command(made: Made, text: str) -> None:
    page = Structure(text)
    assert "resnet18 on breastmnist, seed 1: failed: a <b>fault</b>." in page.text
    assert f"{EVIL} on breastmnist, seeds 0, 1: not run yet." in page.text
    assert f"cost of {LONG}: not measured here." in page.text
    assert "audit of breastmnist: not made." in page.text
    assert f"record-{made.gone.id}" in page.ids
    assert f"record-{made.stale.id}" in page.ids
    assert "5 of 8" in page.text


def test_the_figures_are_inside_with_their_captions(made: Made, text: str) -> None:
    page = Structure(text)
    images = page.of("img")
    assert len(images) > 2
    assert all((given["src"] or "").startswith("data:image/svg+xml,") for given in images)
    assert all(given["alt"] and given["width"] and given["height"] for given in images)
    assert len(page.of("figcaption")) == len(images)


def test_svg_gives_way_to_pixels_where_there_is_no_room(made: Made) -> None:
    plans = draw.plan_figures(made.suite, made.store.all(), made.store)
    figures = plans.figures[:2]
    whole = pictures(figures, "figures")
    tight = pictures(figures, "figures", room=sum(len(one.source) for one in whole) - 1)
    assert {one.source.partition(",")[0] for one in whole} == {"data:image/svg+xml"}
    kinds = [one.source.partition(",")[0] for one in tight]
    assert kinds.count("data:image/webp;base64") == 1
    assert [one.size for one in whole] == [one.size for one in tight]


@pytest.mark.usefixtures("no_figures")
def test_an_empty_results_folder_gives_a_page_that_says_how_to_begin(tmp_path: Path) -> None:
    suite = make_suite(tmp_path)
    page = Structure(write_page(suite, [], Store(tmp_path / "none"), tmp_path).read_text())
    assert "no finished run" in page.text
    assert f"python -m bench run {suite.reference}" in page.text
    assert "0 of 8" in page.text
    assert "No record is shown" in page.text
    assert not [given for given in page.of("a") if "data-r" in given]


@pytest.mark.usefixtures("no_figures")
def test_one_seed_decides_nothing_and_the_page_says_so(tmp_path: Path) -> None:
    suite, store = make_suite(tmp_path, (0,)), Store(tmp_path / "results")
    for model in ("medspectralnet", "resnet18"):
        keep_run(store, suite, model, "breastmnist", 0)
    content = gather(suite, store.all(), store, tmp_path)
    for tally in content.tallies:
        assert dict(tally.counts)["undecided"] == 1
        assert sum(dict(tally.counts)[word] for word in ("better", "worse", "equivalent")) == 0


def test_a_cards_command_asks_for_exactly_that_record(made: Made) -> None:
    cards = Cards(made.suite, ())
    for record in made.store.all():
        if isinstance(record.spec, RunSpec):
            said = re.search(r"--only '?(model=.*?)'?$", cards.of(record).command)
            assert said is not None
            (cell,) = made.suite.only(parse_only(said[1]))
            spec = record.spec
            wanted = (spec.model.name, spec.data.name, spec.seed)
            assert (cell.model.name, cell.dataset.name, cell.seed) == wanted


@pytest.mark.usefixtures("no_figures")
def test_the_command_writes_the_page_and_refuses_in_a_line(
    bench: Command, results: Path, tmp_path: Path
) -> None:
    suite, store = make_suite(tmp_path), Store(results)
    record = keep_run(store, suite, "resnet18", "breastmnist", 0)
    said = bench("page", suite.path, "--output", tmp_path / "out")
    assert said.code == 0, said.err
    assert said.out.splitlines() == [str(tmp_path / "out" / "index.html")]
    store.predictions_path(record.id).write_bytes(b"other")
    said = bench("page", suite.path, "--output", tmp_path / "none")
    assert said.code == 2
    assert f"{record.id}.json" in said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / "none").exists()
