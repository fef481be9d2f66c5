"""Figures of looks into networks, from hand-made records: what they say, and when they are not."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import InputError
from bench.insight.digest import insight_digest
from bench.insight.record import (
    AttentionSeen,
    GateSeen,
    GateSource,
    InsightRecord,
    KernelSeen,
    Looked,
    Maps,
    MapsSeen,
    Place,
    packed,
    save,
)
from bench.records.schema import Record
from bench.records.store import Store
from bench.report.figures.attention import agreements, correlation
from bench.report.figures.draw import Plans, plan_figures
from bench.report.figures.planned import Planned
from bench.specs import RunSpec
from bench.verify.insight import check_insights
from tests._helpers.records import provenance
from tests._helpers.runs_of import keep_run
from tests.bench.report.figures.test_figures import (
    Written,
    check,
    make_suite,
    written,  # noqa: F401
)

CLASSES = ("a", "a class of a very long name, and more")
PLACES = [Place(stage=1, block=1), Place(stage=2, block=1), Place(stage=2, block=2)]


def gate(place: Place | None, local: float, between: float) -> GateSeen:
    shares = {"local": local, "global": 1 - local}
    if place is None:
        shares = {"stage 1": local, "stage 2": 1 - local}
    sources = [
        GateSource(name=name, mean=s, quantiles=[s * f for f in (0.5, 0.9, 1, 1, 1)], rms=0.3)
        for name, s in shares.items()
    ]
    return GateSeen(place=place, channels=8, sources=sources, between_images=between)


def hand_made(record: Record, maps: Maps, **changed: Any) -> InsightRecord:
    spec, training = record.spec, record.training
    assert isinstance(spec, RunSpec)
    assert training is not None
    looked = [
        Looked(
            row=n,
            index=n,
            shown_for=CLASSES[n],
            label=[CLASSES[n]],
            decided=[CLASSES[0]],
            right=n == 0,
            probability=0.9,
            followed=CLASSES[0],
        )
        for n in range(2)
    ]
    values: dict[str, Any] = {
        "run": record.id,
        "model": spec.model.name,
        "data": spec.data.name,
        "seed": spec.seed,
        "predictions_sha256": training.predictions_sha256,
        "weights_sha256": "w",
        "images": 60,
        "gates": [*(gate(place, 0.6, 0.25) for place in PLACES), gate(None, 0.3, 0.5)],
        "gates_untrained": [*(gate(place, 0.5, 0.0) for place in PLACES), gate(None, 0.5, 0.0)],
        "kernels": [
            KernelSeen(
                place=place,
                split=True,
                frequency=[0.0, 0.25, 0.5],
                applied=[0.0, 1.0, 1.0],
                unconstrained=[2.0, 1.0, 1.0],
            )
            for place in PLACES
        ],
        "maps": [
            MapsSeen(
                place=place,
                side=4,
                pooled_by=3 - place.stage,
                frequency=[0.0, 0.25, 0.5, 0.75],
                bands={"input": [0.7, 0.2, 0.1, 0.0], "local stream": [0.1, 0.3, 0.4, 0.2]},
            )
            for place in PLACES
        ],
        "attention": [
            AttentionSeen(place=PLACES[0], tokens=16, heads=2, mean=0.8, quantiles=[0.8] * 5)
        ],
        "map_stage": 1,
        "looked": looked,
        "maps_sha256": hashlib.sha256(packed(maps)).hexdigest(),
        "provenance": provenance(spec).model_copy(
            update={"source_digest": insight_digest(spec.model)}
        ),
    }
    return InsightRecord.model_validate(values | changed)


def some_maps(seed: int, **changed: Any) -> Maps:
    rng = np.random.default_rng(seed)
    drawn: Maps = {
        "pictures": rng.integers(0, 255, (2, 28, 28, 1)).astype(np.uint8),
        "index": np.arange(5),
        "followed": np.zeros(5, np.uint8),
        "grad_cam": rng.random((5, 4, 4)).astype(np.float16),
        "untrained": rng.random((5, 4, 4)).astype(np.float16),
        "received": (0.5 + rng.random((5, 4, 4))).astype(np.float16),
    }
    return drawn | changed


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results")


def planned(store: Store, folder: Path, seeds: tuple[int, ...] = (0, 1)) -> Plans:
    suite = make_suite(folder, ("medspectralnet", "resnet18"), ("breastmnist",), (0, 1, 2))
    for seed in seeds:
        record = keep_run(store, suite, "medspectralnet", "breastmnist", seed, classes=CLASSES)
        maps = some_maps(seed)
        save(hand_made(record, maps), packed(maps), store.root)
    return plan_figures(suite, store.all(), store)


def figure(plans: Plans, name: str) -> Planned:
    return next(one for one in plans.figures if one.name == name)


def rows_of(plans: Plans, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(plans.documents()[f"{name}.csv"])))


def test_what_was_seen_stands_in_the_numbers(store: Store, tmp_path: Path) -> None:
    plans = planned(store, tmp_path)
    gates = rows_of(plans, "gates-breastmnist")
    assert {row["seed"] for row in gates} == {"0", "1"}
    local = [r for r in gates if r["map"] == "local" and r["trained"] == "yes"]
    assert {(r["mean weight"], r["variance between images"]) for r in local} == {("0.6", "0.25")}
    free = [r for r in rows_of(plans, "frequencies-breastmnist") if r["what"] == "kernel, free"]
    assert {r["power"] for r in free if r["radius"] == "0"} == {"2"}
    looked = rows_of(plans, "attention-breastmnist")
    assert [r["right"] for r in looked if r["seed"] == "0"] == ["yes", "no"]
    for name in ("gates", "frequencies", "attention"):
        told = figure(plans, f"{name}-breastmnist").caption
        assert "no test split was opened" in told
        assert "Rests on 2 records" in told


def test_the_figures_are_whole_with_one_seed_and_with_many(
    store: Store,
    tmp_path: Path,
    written: Written,  # noqa: F811
) -> None:
    for seeds in ((0,), (0, 1, 2)):
        plans = planned(store, tmp_path, seeds)
        wanted = [f"{name}-breastmnist" for name in ("gates", "frequencies", "attention")]
        figures = [one for one in plans.figures if one.name in wanted]
        assert len(figures) == 3
        check(replace(plans, figures=figures), written)


def test_what_is_kept_of_a_figure_belongs_to_its_looks_too(store: Store, tmp_path: Path) -> None:
    plans = planned(store, tmp_path)
    suite, record = plans.collected.suite, figure(plans, "gates-breastmnist").records[0]
    maps = some_maps(0)
    save(hand_made(record, maps, weights_sha256="others"), packed(maps), store.root)
    again = plan_figures(suite, store.all(), store)
    for name in ("gates", "frequencies", "attention"):
        before, now = (figure(some, f"{name}-breastmnist") for some in (plans, again))
        assert before.caption == now.caption
        assert plans.content_of(before) != again.content_of(now)
        assert again.content_of(now) == again.content_of(now)


def test_without_looks_a_line_says_what_makes_them(store: Store, tmp_path: Path) -> None:
    (lacking,) = [one for one in planned(store, tmp_path, ()).lacking if "Gates" in one.title]
    asked = "--only dataset=breastmnist,seed=0,seed=1,seed=2 && python -m bench insight"
    assert asked in lacking.remedy.replace(str(tmp_path / "made.toml") + " ", "")
    run = f"python -m bench run {tmp_path / 'made.toml'} && "
    assert lacking.remedy.startswith(run)
    suite = make_suite(tmp_path, ("medspectralnet",), ("breastmnist",), (0,))
    trained = [keep_run(store, suite, "medspectralnet", "breastmnist", 0, classes=CLASSES)]
    (lacking,) = [o for o in plan_figures(suite, trained, store).lacking if "Gates" in o.title]
    assert lacking.remedy.startswith("python -m bench weights ")
    other = make_suite(tmp_path, ("resnet18",), ("breastmnist",), (0,))
    titles = [one.title for one in plan_figures(other, [], store).lacking]
    assert not any("Gates" in title for title in titles)


def test_a_look_into_another_training_is_none_and_an_old_one_is_told(
    store: Store, tmp_path: Path
) -> None:
    plans = planned(store, tmp_path)
    suite, record = plans.collected.suite, figure(plans, "gates-breastmnist").records[0]
    maps = some_maps(0)
    save(hand_made(record, maps, predictions_sha256="other"), packed(maps), store.root)
    again = plan_figures(suite, store.all(), store)
    assert "Rests on 1 record," in figure(again, "gates-breastmnist").caption
    assert [finding.place for finding in check_insights(store)] == ["predictions_sha256"]
    older = record.provenance.model_copy(update={"source_digest": "old"})
    save(hand_made(record, maps, provenance=older), packed(maps), store.root)
    again = plan_figures(suite, store.all(), store)
    assert "1 look of 2 was made by older code" in figure(again, "gates-breastmnist").caption
    assert check_insights(store) == []


def test_maps_that_are_not_the_records_are_refused_and_found(store: Store, tmp_path: Path) -> None:
    plans = planned(store, tmp_path)
    suite, record = plans.collected.suite, figure(plans, "gates-breastmnist").records[0]
    path = store.root / "insight" / f"{record.id}.npz"
    path.write_bytes(packed(some_maps(9)))
    with pytest.raises(InputError, match="maps cannot be read"):
        plan_figures(suite, store.all(), store)
    path.rename(path.with_name("0123.npz"))
    assert [f.place for f in check_insights(store)] == ["its maps", "its record"]


def test_agreement_of_maps_is_spearmans_where_both_decide_alike() -> None:
    up = np.arange(16, dtype=np.float16).reshape(1, 4, 4)
    assert correlation(up[0].astype(float), (up[0] ** 2).astype(float)) == pytest.approx(1)
    assert correlation(up[0].astype(float), np.ones((4, 4))) is None
    one = some_maps(
        0,
        grad_cam=np.repeat(up, 5, axis=0),
        untrained=np.repeat(-up, 5, axis=0),
        followed=np.array([0, 0, 1, 1, 1]),
    )
    other = {**one, "grad_cam": one["grad_cam"].copy(), "followed": np.array([0, 0, 1, 0, 0])}
    other["grad_cam"][3:] = -up  # where they decide otherwise: left out
    found = {a.what: a for a in agreements([one, other])}
    assert found["Grad-CAM, two seeds"].value == pytest.approx(1)
    assert found["Grad-CAM, two seeds"].images == 3
    assert found["attention received, two seeds"].images == 5
    fresh = found["Grad-CAM, trained and fresh weights"]
    assert fresh.value == pytest.approx((-5 - 3 + 2) / 10)
