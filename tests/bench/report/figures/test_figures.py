"""Whole figures from hand-made records and from bad ones: a figure or a line, no traceback."""

from __future__ import annotations

import csv
import io
import itertools
from dataclasses import dataclass
from pathlib import Path

import matplotlib.text
import numpy as np
import pytest
from matplotlib.transforms import Bbox

from bench.details import MachineSpec, MemorySpec, ScalingSpec
from bench.records.details import (
    DetailResult,
    MachineResult,
    MemoryResult,
    ScaledPoint,
    ScalingResult,
)
from bench.records.schema import Record
from bench.records.store import Store
from bench.report.figures.draw import Plans, plan_figures, write_figures
from bench.report.figures.measuring import told_apart
from bench.report.figures.planned import Planned
from bench.report.figures.saving import FORMATS, picture
from bench.report.figures.style import PAGE, TALLEST, styled
from bench.specs import Task
from bench.statistics.intervals import wilson_over_images
from bench.suite import Suite, load_suite
from bench.suite_details import detail_specs
from tests._helpers.records import measure, provenance
from tests._helpers.runs_of import keep_run

ABLATED = "medspectralnet_no_context_gate"
LONG = "a_model_whose_name_is_as_long_as_a_suite_lets_it_be_$x_$_6789"[:60]
MODELS = ("medspectralnet", ABLATED, "resnet18", LONG)
SETS = ("breastmnist", "retinamnist")
SEEDS = (0, 1, 2)


def make_suite(
    folder: Path,
    models: tuple[str, ...] = MODELS,
    datasets: tuple[str, ...] = SETS,
    seeds: tuple[int, ...] = SEEDS,
) -> Suite:
    entries = f'[model."{LONG}"]\ntimm = "resnet10t"\n' if LONG in models else ""
    path = folder / "made.toml"
    path.write_text(
        'about = "hand-made"\nprotocol = "small"\nsource_size = 28\nimage_size = 64\nthreads = 2\n'
        f"[[grid]]\nmodels = {[*models]}\ndatasets = {[*datasets]}\nseeds = {[*seeds]}\n{entries}"
        "[cost]\nnum_classes = 8\nbatch_size = 4\nseconds_per_model = 1.0\n"
    )
    return load_suite(str(path))


def keep_all(
    store: Store, suite: Suite, classes: tuple[str, ...] = ("a", "b"), task: Task = "binary-class"
) -> list[Record]:
    for cell in suite.cells:
        run = (cell.model.name, cell.dataset.name, cell.seed)
        keep_run(store, suite, *run, classes=classes, task=task)
    return store.all()


def cost_all(store: Store, suite: Suite) -> None:
    for place, model in enumerate(suite.cost_models, start=1):
        measure(store, suite, model.name, speed=(100.0 * place, 90.0 * place, 110.0 * place))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results")


def rows_of(plans: Plans, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(plans.documents()[f"{name}.csv"])))


@dataclass
class Written:
    """Every text that is really drawn, with its box in pixels."""

    texts: list[tuple[str, Bbox]]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Written:
    found = Written([])
    draw = matplotlib.text.Text.draw

    def recording(self: matplotlib.text.Text, renderer: object) -> None:
        if self.get_visible() and self.get_text().strip():
            found.texts.append((self.get_text(), self.get_window_extent(renderer)))  # type: ignore[arg-type]
        draw(self, renderer)  # type: ignore[arg-type]

    monkeypatch.setattr(matplotlib.text.Text, "draw", recording)
    return found


def check(plans: Plans, written: Written) -> None:
    """Every figure can be drawn, twice the same; no text on another or off the page."""
    known = {record.id for record in plans.collected.records}
    known |= {record.id for record in plans.collected.costs.values()}
    known |= {record.id for record in plans.collected.details}
    for figure in plans.figures:
        with styled():
            written.texts.clear()
            drawn = figure.draw()
            first = picture(drawn, "png")
            texts = [*written.texts]
            wide, tall = drawn.get_size_inches() * drawn.dpi
        assert wide <= PAGE * drawn.dpi + 1
        assert tall <= TALLEST * drawn.dpi
        for text, box in texts:
            inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= wide + 1 and box.y1 <= tall + 1
            assert inside, f"{figure.name}: {text!r} leaves the figure"
        for (a, one), (b, other) in itertools.combinations(texts, 2):
            assert not touching(one, other), f"{figure.name}: {a!r} lies on {b!r}"
        with styled():
            assert picture(figure.draw(), "png") == first
        named = (
            {identity for row in figure.rows for identity in str(row["records"]).split()}
            if (figure.rows and "records" in figure.rows[0])
            else {str(row["record"]) for row in figure.rows}
        )
        assert named
        assert named <= known


def touching(one: Bbox, other: Bbox) -> bool:
    """By more than a pixel both ways: boxes of type hold a little air."""
    across = min(one.x1, other.x1) - max(one.x0, other.x0)
    up = min(one.y1, other.y1) - max(one.y0, other.y0)
    return bool(across > 1 and up > 1.5)


def test_a_whole_suite_gives_every_figure_but_scaling(
    tmp_path: Path, store: Store, written: Written
) -> None:
    suite = make_suite(tmp_path)
    records = keep_all(store, suite)
    cost_all(store, suite)
    plans = plan_figures(suite, store.all(), store)
    kinds = ("accuracy-and-cost", "learning-curves", "reliability", "confusion", "roc")
    wanted = {f"{kind}-{name}" for kind in kinds for name in SETS} | {"ablations", "ranks"}
    assert {figure.name for figure in plans.figures} == wanted
    missing, unseen = plans.lacking
    assert missing.remedy.endswith("made.toml --full")
    assert "python -m bench insight" in unseen.remedy
    check(plans, written)
    assert len(records) == len(MODELS) * len(SETS) * len(SEEDS)


def test_points_are_means_with_t_intervals_over_seeds(tmp_path: Path, store: Store) -> None:
    suite = make_suite(tmp_path, datasets=("breastmnist",))
    keep_all(store, suite)
    cost_all(store, suite)
    plans = plan_figures(suite, store.all(), store)
    runs = [r for r in store.all() if r.training and r.spec.label.startswith("resnet18 ")]
    values = [r.training.test.acc for r in runs if r.training]
    assert len(values) == 3
    half = 4.302653 * np.std(values, ddof=1) / np.sqrt(3)
    found = [
        row
        for row in rows_of(plans, "accuracy-and-cost-breastmnist")
        if row["model"] == "resnet18" and row["score"] == "ACC"
    ]
    assert len(found) == 2
    for row in found:
        assert float(row["value"]) == pytest.approx(np.mean(values), rel=1e-5)
        assert float(row["low"]) == pytest.approx(np.mean(values) - half, rel=1e-4)
        assert float(row["high"]) == pytest.approx(np.mean(values) + half, rel=1e-4)
        assert row["interval covers"] == "seeds"
        assert {r.id for r in runs} <= set(row["records"].split())
    speed = next(row for row in found if "throughput" in row["against"])
    assert (speed["x"], speed["x low"], speed["x high"]) == ("300", "270", "330")


def test_one_seed_has_wilsons_interval_over_images_and_says_so(
    tmp_path: Path, store: Store, written: Written
) -> None:
    suite = make_suite(tmp_path, datasets=("breastmnist",), seeds=(0,))
    keep_all(store, suite)
    plans = plan_figures(suite, store.all(), store)
    (run,) = (r for r in store.all() if r.spec.label.startswith("resnet18 "))
    assert run.training is not None
    test = run.training.test
    expected = wilson_over_images(round(test.acc * test.images), test.images)
    row = next(
        row
        for row in rows_of(plans, "accuracy-and-cost-breastmnist")
        if row["model"] == "resnet18" and row["score"] == "ACC"
    )
    assert float(row["low"]) == pytest.approx(expected.low, rel=1e-5)
    assert row["interval covers"] == "images"
    caption = plans.figures[0].caption
    assert "one seed: 95 % interval over test images" in caption
    assert "throughput is not measured" in caption
    ablations = next(figure for figure in plans.figures if figure.name == "ablations")
    assert "one pair of trainings shows no spread" in ablations.caption
    assert rows_of(plans, "ablations")[0]["low (points)"] == ""
    assert "Mean ranks over data sets" in {missing.title for missing in plans.lacking}
    assert "python -m bench measure" in plans.documents()["README.md"]
    check(plans, written)


def test_ablations_are_paired_differences(tmp_path: Path, store: Store) -> None:
    suite = make_suite(tmp_path, datasets=("breastmnist",))
    keep_all(store, suite)
    acc = {
        (record.spec.label.split(" ")[0], record.spec.seed): record.training.test.acc  # type: ignore[union-attr]
        for record in store.all()
    }
    gaps = [acc[ABLATED, seed] - acc["medspectralnet", seed] for seed in SEEDS]
    row = rows_of(plan_figures(suite, store.all(), store), "ablations")[0]
    assert float(row["difference (points)"]) == pytest.approx(100 * np.mean(gaps), abs=1e-3)
    each = [float(value) for value in row["each seed (points)"].split()]
    assert each == pytest.approx([100 * gap for gap in gaps], abs=1e-2)
    assert row["paired seeds"] == "0 1 2"


@pytest.mark.parametrize(
    ("classes", "task"),
    [
        (("ödem", "脾臓"), "binary-class"),
        (("cost $a$", "b\nc", "x" * 90, ""), "multi-class"),
        (tuple(f"organ number {n} of eleven" for n in range(11)), "multi-class"),
        (tuple(f"grade {n}" for n in range(5)), "ordinal-regression"),
        (tuple(f"finding {n}" for n in range(14)), "multi-label, binary-class"),
    ],
)
def test_any_classes_and_tasks_are_drawn_or_said_not_to_be(
    tmp_path: Path, store: Store, written: Written, classes: tuple[str, ...], task: Task
) -> None:
    suite = make_suite(tmp_path, datasets=("breastmnist",), seeds=(0, 1))
    keep_all(store, suite, classes, task)
    cost_all(store, suite)
    plans = plan_figures(suite, store.all(), store)
    check(plans, written)
    confused = {figure.name for figure in plans.figures if figure.name.startswith("confusion")}
    said = {missing.title for missing in plans.lacking}
    assert bool(confused) is (task != "multi-label, binary-class")
    assert ("Confusion: breastmnist" in said) is not bool(confused)


def test_a_class_without_test_images_is_a_blank(
    tmp_path: Path, store: Store, written: Written
) -> None:
    suite = make_suite(tmp_path, datasets=("breastmnist",), seeds=(0, 1))
    rng, labels = np.random.default_rng(0), (np.arange(60) % 2).astype(np.uint8)
    for cell in suite.cells:
        logits = rng.normal(size=(60, 3)).astype(np.float16)
        run = (cell.model.name, cell.dataset.name, cell.seed)
        keep_run(
            store,
            suite,
            *run,
            classes=("a", "b", "c"),
            task="multi-class",
            predicted=(logits, labels),
        )
    plans = plan_figures(suite, store.all(), store)
    scores = {row["score"] for row in rows_of(plans, "accuracy-and-cost-breastmnist")}
    assert scores == {"ACC"}
    assert "(AUC is undefined)" in plans.figures[0].caption
    assert {row["class"] for row in rows_of(plans, "roc-breastmnist")} == {"a", "b"}
    empty = [r for r in rows_of(plans, "confusion-breastmnist") if r["true class"] == "c"]
    assert {row["share of the row"] for row in empty} == {""}
    check(plans, written)


def test_a_wide_interval_does_not_run_into_its_numbers(tmp_path: Path, store: Store) -> None:
    suite = make_suite(tmp_path, models=MODELS[:2], datasets=("breastmnist",), seeds=(0, 1))
    for cell in suite.cells:
        name, seed = cell.model.name, cell.seed
        keep_run(
            store, suite, name, "breastmnist", seed, skill=9 if (name == ABLATED) == seed else 0
        )
    plans = plan_figures(suite, store.all(), store)
    planned = next(figure for figure in plans.figures if figure.name == "ablations")
    assert max(float(row["high (points)"] or 0) for row in planned.rows) > 200
    with styled():
        drawn = planned.draw()
        drawn.canvas.draw()
        numbers = [text for text in drawn.texts if "[−" in text.get_text()]
        assert len(numbers) == 2
        for axes, text in zip(drawn.axes, numbers, strict=True):
            assert axes.get_window_extent().x1 + 5 < text.get_window_extent().x0


def test_a_suites_own_subject_comes_first_and_its_region_is_shaded(
    tmp_path: Path, store: Store
) -> None:
    path = make_suite(tmp_path, datasets=("breastmnist",), seeds=(0, 1)).path
    path.write_text(f'{path.read_text()}[statistics]\nsubject = "resnet18"\nregion = 0.02\n')
    suite = load_suite(str(path))
    keep_all(store, suite)
    plans = plan_figures(suite, store.all(), store)
    assert rows_of(plans, "confusion-breastmnist")[0]["model"] == "resnet18"
    ablations = next(figure for figure in plans.figures if figure.name == "ablations")
    assert "± 2 points" in ablations.caption


def test_missing_and_failed_runs_are_left_out(
    tmp_path: Path, store: Store, written: Written
) -> None:
    suite = make_suite(tmp_path)
    keep_run(store, suite, "resnet18", "breastmnist", 0)
    keep_run(store, suite, "medspectralnet", "breastmnist", 1)
    failed = keep_run(store, suite, ABLATED, "breastmnist", 1)
    store.save(failed.model_copy(update={"status": "failed", "reason": "died", "training": None}))
    plans = plan_figures(suite, store.all(), store)
    assert all(failed.id not in text for text in plans.documents().values())
    said = {missing.title: missing for missing in plans.lacking}
    assert "Ablations against the full network" in said
    assert "ROC curves: retinamnist" in said
    assert said["Mean ranks over data sets"].why == (
        "0 models of the 3 it needs, trained on all 2 data sets"
    )
    check(plans, written)


def falling(record: Record) -> Record:
    """The same training with losses from about 1 to some hundred thousandths."""
    assert record.training is not None
    epochs = record.training.epochs
    step = 1e-4 ** (1 / len(epochs))
    lower = [
        epoch.model_copy(update={"train_loss": 0.9 * step**place, "val_loss": 0.8 * step**place})
        for place, epoch in enumerate(epochs)
    ]
    training = record.training.model_copy(update={"epochs": lower})
    return record.model_copy(update={"training": training})


def test_losses_of_any_size_leave_the_axis_its_name(
    tmp_path: Path, store: Store, written: Written
) -> None:
    suite = make_suite(tmp_path, MODELS[:1], SETS[:1])
    plans = plan_figures(suite, [falling(record) for record in keep_all(store, suite)], store)
    check(plans, written)
    (curves,) = [one for one in plans.figures if one.name.startswith("learning-curves")]
    with styled():
        written.texts.clear()
        picture(curves.draw(), "png")
    told = {text for text, _ in written.texts}
    assert any("e-" in text for text in told), told
    panels = [box for text, box in written.texts if text.startswith("medspectralnet")]
    (name,) = [box for text, box in written.texts if text == "epoch"]
    assert panels[0].x0 < name.x0 < name.x1 < panels[0].x0 + PAGE * 200 / 3  # below its panel


def test_two_long_names_that_are_cut_alike_are_told_apart() -> None:
    one, other = ("vit_hybrid_experiment_" + middle + "_032_depth_12_lr_low" for middle in "ab")
    names = told_apart([one, other, "resnet18", one], [3, 7, 1, 3], 1.2, 7.0, "bold")
    assert names[2] == "resnet18"
    assert names[0] == names[3] != names[1]
    assert (names[0][:3], names[1][:3]) == ("3: ", "7: ")
    assert told_apart([one, "resnet18"], [3, 1], 1.2, 7.0, "bold")[0].startswith("vit_")


def test_ranks_of_a_suite_that_is_too_small_name_no_command(tmp_path: Path, store: Store) -> None:
    suite = make_suite(tmp_path, MODELS[:2])
    lacking = plan_figures(suite, keep_all(store, suite), store).lacking
    (ranks,) = [one for one in lacking if "ranks" in one.title]
    assert (ranks.why, ranks.remedy) == (
        "ranks need three models or more, this suite has 2",
        "",
    )


def test_no_results_give_a_page_of_lines(tmp_path: Path, store: Store) -> None:
    suite = make_suite(tmp_path)
    plans = plan_figures(suite, [], store)
    assert not plans.figures
    assert len(plans.lacking) > 5
    (page,) = write_figures(plans, tmp_path / "out")
    assert "no finished training; `python -m bench run" in page.read_text()


def test_many_models_are_spread_over_figures_that_fit_a_page(
    tmp_path: Path, store: Store, written: Written
) -> None:
    models = tuple(f"model_{n}" for n in range(27))
    suite = make_suite(tmp_path, models, ("breastmnist",), (0, 1))
    keep_all(store, suite)
    cost_all(store, suite)
    plans = plan_figures(suite, store.all(), store)
    names = [figure.name for figure in plans.figures]
    assert [name for name in names if name.startswith("roc")] == [
        "roc-breastmnist-1-of-2",
        "roc-breastmnist-2-of-2",
    ]
    check(plans, written)


def test_the_same_records_give_the_same_bytes(tmp_path: Path, store: Store) -> None:
    suite = make_suite(tmp_path, datasets=("breastmnist",), seeds=(0, 1))
    keep_all(store, suite)
    for folder in ("one", "other"):
        write_figures(plan_figures(suite, store.all(), store), tmp_path / folder)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert {Path(name).suffix for name in files} == {".md", ".csv", *(f".{e}" for e in FORMATS)}
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
    pdf = (tmp_path / "one" / "ablations.pdf").read_bytes()
    assert b"/FontFile2" in pdf  # TrueType, embedded
    assert b"/Type3" not in pdf
    assert b"CreationDate" not in pdf


def test_figures_that_are_drawn_no_more_are_removed_and_nothing_else(
    tmp_path: Path, store: Store
) -> None:
    suite, out = make_suite(tmp_path, datasets=("breastmnist",), seeds=(0,)), tmp_path / "out"
    keep_all(store, suite)
    write_figures(plan_figures(suite, store.all(), store), out)
    (out / "mine.png").write_bytes(b"kept")
    assert (out / "ablations.pdf").exists()
    write_figures(plan_figures(suite, [], store), out)
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "mine.png"]


def test_one_look_in_a_figure_is_not_left_behind(tmp_path: Path, store: Store) -> None:
    before = dict(matplotlib.rcParams)
    suite = make_suite(tmp_path, datasets=("breastmnist",), seeds=(0,))
    keep_all(store, suite)
    figure: Planned = plan_figures(suite, store.all(), store).figures[0]
    with styled():
        picture(figure.draw(), "svg")
    assert dict(matplotlib.rcParams) == before


def keep_details(
    store: Store, suite: Suite, machine: str, slower: float = 1.0, power: float = 1.0
) -> None:
    """A full measurement: time grows as a power of the pixels, memory as their root."""
    for place, spec in enumerate(detail_specs(suite, "cpu", machine)):
        result: DetailResult | None = None
        if isinstance(spec, ScalingSpec):
            sizes = [28, 56, 112, 224]
            result = ScalingResult(
                over_sizes=[
                    ScaledPoint(
                        image_size=size,
                        batch_size=1,
                        rounds_s=[[slower * (1 + place % 4) * 1e-6 * size ** (2 * power)] * 3],
                        peak_bytes=2**20 * (100 + size),
                    )
                    for size in sizes
                ]
                + [ScaledPoint(image_size=448, batch_size=1, failure="too slow")],
                over_batches=[],
                seconds_per_point=1.0,
                noisy=False,
            )
        elif isinstance(spec, MemorySpec):
            result = MemoryResult(
                libraries_bytes=2**20 * 100,
                inference_peak_bytes=2**20 * 200,
                repeat_difference_bytes=0,
                training_peak_bytes=None,
                training_failure=None,
                import_s=1.0,
                build_s=1.0,
                first_forward_s=1.0,
                second_forward_s=1.0,
            )
        elif not isinstance(spec, MachineSpec):
            continue
        else:
            result = MachineResult(
                product_macs_per_s={}, copy_bytes_per_s=1.0, operator_call_s=1.0, noisy=False
            )
        record = Record(
            kind="detail",
            id=spec.id,
            status="done",
            reason=None,
            spec=spec,
            suite=None,
            provenance=provenance(spec),
            attempts=[],
            detail=result,
        )
        store.save(record)


def test_scaling_shows_slopes_and_where_a_series_ends(
    tmp_path: Path, store: Store, written: Written
) -> None:
    models = (*MODELS, *(f"model_{n}" for n in range(23)))
    suite = make_suite(tmp_path, models, ("breastmnist",), (0,))
    keep_details(store, suite, "one machine")
    keep_details(store, suite, "another", slower=7.0)
    plans = plan_figures(suite, store.all(), store)
    assert {figure.name for figure in plans.figures} == {"scaling", "scaling-2"}
    rows = rows_of(plans, "scaling")
    assert {row["slope of time, upper half"] for row in rows} == {"1"}
    assert {row["slope of memory, upper half"] for row in rows} == {"0.5"}
    assert {float(row["memory added (MiB)"]) for row in rows} == {28, 56, 112, 224}
    assert "medspectralnet (too slow)" in plans.figures[0].caption
    check(plans, written)


def test_time_that_hardly_grows_looks_flat(tmp_path: Path, store: Store) -> None:
    suite = make_suite(tmp_path, MODELS[:1], ("breastmnist",), (0,))
    keep_details(store, suite, "one machine", power=0.01)
    drawn = plan_figures(suite, store.all(), store).figures[0].draw()
    bottom, top = drawn.axes[0].get_ylim()
    (line, *_) = (line for line in drawn.axes[0].lines if line.get_marker() == ".")
    heights = np.log(np.asarray(line.get_ydata(), dtype=float))
    assert np.ptp(heights) < 0.05 * np.log(top / bottom)
