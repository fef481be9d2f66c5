"""The sentences of docs/results.md hold in what is drawn from the records.

Its tables are drawn; its sentences are written. Each that names a number or an order stands here
with what must be true for it, read from the committed tables, which other tests hold to the
records: a sentence that is reworded fails here, and so does one whose records moved.
"""

from __future__ import annotations

import csv
import re
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.records.schema import Record
from bench.records.store import Store
from bench.report.collect import training_of
from bench.search.record import load_all
from bench.specs import RunSpec
from bench.suite import load_suite

ROOT = Path(__file__).resolve().parents[2]
REPORTS = ROOT / "reports"
WORDS = " ".join((ROOT / "docs" / "results.md").read_text(encoding="utf-8").split())
SUBJECT = "medspectralnet"
SETS = ("breastmnist", "retinamnist", "pneumoniamnist")
Row = dict[str, str]


def rows(name: str, **wanted: str) -> list[Row]:
    """Of one CSV under ``reports``, those whose columns have these values (``_`` for a space)."""
    with (REPORTS / name).open(encoding="utf-8", newline="") as file:
        every = list(csv.DictReader(file))
    asked = {key.replace("_", " "): value for key, value in wanted.items()}
    found = [row for row in every if asked.items() <= row.items()]
    assert found, (name, wanted)
    return found


def number(cell: str) -> float | None:
    """``82.4 ± 2.9`` → 82.4; a blank → None."""
    told = re.match(r"[-+]?[\d.]+", cell)
    return float(told[0]) if told else None


def page(name: str) -> str:
    return (REPORTS / name).read_text(encoding="utf-8")


def trained(suite: str, dataset: str, model: str = "") -> list[Record]:
    cells = [c for c in load_suite(suite).cells if c.dataset.name == dataset]
    seeds = {(c.model.name, c.seed) for c in cells if model in ("", c.model.name)}
    found = []
    for record in Store(ROOT / "results").all():
        if record.training is not None and record.suite is not None and record.suite.name == suite:
            assert isinstance(record.spec, RunSpec)
            name, data, *_ = record.spec.label.split(" · ")
            if data == dataset and (name, record.spec.seed) in seeds:
                found.append(record)
    assert found
    return found


# --- What each sentence needs -----------------------------------------------------------------


def a_quarter_of_medmambas_macs() -> bool:
    ours, theirs = (
        float(rows("roster-224/cost.csv", model=name)[0]["MACs (G)"])
        for name in (SUBJECT, "medmamba_tiny")
    )
    return 0.2 < ours / theirs < 0.3


def three_and_a_half_times_medmamba() -> bool:
    told = re.search(r"\| medmamba_tiny \(triton scan\) .*? ([\d.]+) \[", page("races.md"))
    return told is not None and 3.25 <= float(told[1]) < 3.75


def detectable_above_fifteen() -> bool:
    cells = [
        number(row["detectable (points)"]) for row in rows("breast/verdicts.csv", metric="ACC")
    ]
    return all(cell is None or cell > 15 for cell in cells)


def undecided(suite: str) -> bool:
    tested = [row for row in rows(f"{suite}/verdicts.csv") if number(row["p (Holm)"]) is not None]
    return bool(tested) and {row["verdict"] for row in tested} == {"undecided"}


def seeds_that_parts_wait_for() -> bool:
    parts = page("claims.md").split('<a id="context-gate-matters"></a>')[1]
    parts = parts.split('<a id="ahead-of-its-peers"></a>')[0]
    seeds = [int(told) for told in re.findall(r"(\d+) seeds in all would", parts)]
    return len(seeds) == 5 and f"seeds, {min(seeds)} to {max(seeds)} of them" in WORDS


def commonest(dataset: str, low: float, high: float) -> Callable[[], bool]:
    def holds() -> bool:
        classes = [
            int(row["test images"])
            for row in rows("cpu/per-class.csv", model=SUBJECT)
            if row["data set"] == dataset
        ]
        return low < max(classes) / sum(classes) < high

    return holds


def images_shown() -> bool:
    shown = []
    for dataset in SETS:
        record = trained("cpu", dataset)[0]
        assert isinstance(record.spec, RunSpec)
        shown.append(training_of(record).data.images["train"] * record.spec.protocol.epochs)
    return shown == [10_920, 21_600, 94_160]


def nine_million_images() -> bool:
    total = 0
    for dataset in SETS:
        record = trained("cpu", dataset)[0]
        assert isinstance(record.spec, RunSpec)
        each = training_of(record).data.images["train"] * record.spec.protocol.epochs
        total += each * sum(c.dataset.name == dataset for c in load_suite("cpu").cells)
    return 8.5e6 < total < 9.5e6


def images_per_second() -> bool:
    speeds: dict[str, list[float]] = {}
    for dataset in SETS:
        for record in trained("cpu", dataset):
            name = record.spec.label.split(" · ")[0]
            speeds.setdefault(name, []).append(training_of(record).train_images_per_s)
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    slowest = min(medians, key=medians.__getitem__)
    between = sum(180 <= speed <= 400 for speed in medians.values())
    return (
        slowest == "medmamba_tiny"
        and 80 <= medians[slowest] < 100
        and 400 < max(medians.values()) < 500
        and between > len(medians) / 2
    )


def protocols_elsewhere(models: int, of: int) -> Callable[[], bool]:
    return lambda: f"gives another choice in {models} of {of} cases" in page("search.md")


def sensitivity(model: str, dataset: str, label: str) -> float:
    asked = {"data set": dataset, "class": label}
    return float(rows("cpu/per-class.csv", model=model, **asked)[0]["sensitivity (%) value"])


def rivals() -> list[str]:
    names = [row["model"] for row in rows("cpu/accuracy.csv")]
    return [name for name in names if not name.startswith(SUBJECT)]


def half_of_the_lesions() -> bool:
    return 45 < sensitivity(SUBJECT, "breastmnist", "malignant") < 55


def lesions_others_find() -> bool:
    ours = sensitivity(SUBJECT, "breastmnist", "malignant")
    theirs = [sensitivity(name, "breastmnist", "malignant") for name in rivals()]
    return sum(share < 35 for share in theirs) == 7 and sum(share > ours for share in theirs) == 3


def severest_grade_hardly_found() -> bool:
    found = [sensitivity(name, "retinamnist", "4") for name in (SUBJECT, *rivals())]
    return found[0] < 2 and max(found) < 10


def normal_called_pneumonia() -> bool:
    missed = [100 - sensitivity(n, "pneumoniamnist", "normal") for n in (SUBJECT, *rivals())]
    return missed[0] > 100 / 3 and min(missed) > 29


def fresh_seeds_lie_below() -> bool:
    fresh = [training_of(r).val.auc or 0.0 for r in trained("cpu", "breastmnist", SUBJECT)]
    chose = [
        trial.result.val.auc or 0.0
        for trial in load_all(ROOT / "results").values()
        if trial.search == "architecture"
        and trial.result is not None
        and trial.spec.label.startswith("blocks_1_2_3_2 · breastmnist")
    ]
    return len(fresh) == 5 and len(chose) == 3 and max(fresh) < min(chose)


def place(score: str) -> tuple[int, float]:
    """The subject's place among the rivals by a mean over data sets, and how far the best lies."""
    means = {r["model"]: float(r[f"mean {score} (%)"]) for r in rows("cpu/accuracy.csv")}
    ours, theirs = means[SUBJECT], [means[name] for name in rivals()]
    assert len(theirs) == 13
    return 1 + sum(other > ours for other in theirs), max(theirs) - ours


def in_the_upper_group() -> bool:
    (by_acc, acc_behind), (by_auc, auc_behind) = place("ACC"), place("AUC")
    return by_acc <= 4 and by_auc <= 3 and acc_behind < 1 and auc_behind < 1


def medmamba_two_points_below() -> bool:
    means = {row["model"]: row for row in rows("cpu/accuracy.csv")}
    keys = ("mean ACC (%)", "mean AUC (%)")
    return all(float(means[SUBJECT][k]) - float(means["medmamba_tiny"][k]) > 2 for k in keys)


def pneumonia() -> bool:
    key = "pneumoniamnist ACC (%) value"
    means = {row["model"]: float(row[key]) for row in rows("cpu/accuracy.csv")}
    gaps = {name: means[name] - means[SUBJECT] for name in rivals()}
    ahead = {"medmamba_tiny", "edgenext_small", "resnet18"}
    further = {name for name, gap in gaps.items() if gap < -3}
    near = sum(abs(gap) <= 2 for gap in gaps.values())
    return (
        all(gaps[name] > 0.5 for name in ahead)
        and further == {"starnet_s4", "mobilenetv4_conv_medium"}
        and near > len(gaps) / 2
    )


def no_part_decided() -> bool:
    ablated = [
        row
        for suite in ("breast", "gpu-64", "cpu")
        for row in rows(f"{suite}/verdicts.csv")
        if row["model"].startswith(SUBJECT)
    ]
    return {row["verdict"] for row in ablated if number(row["p (Holm)"]) is not None} == {
        "undecided"
    }


def one_verdict_on_the_gpu() -> bool:
    told = [row for row in rows("gpu-64/verdicts.csv") if row["verdict"] in ("better", "worse")]
    return [(row["model"], row["metric"]) for row in told] == [("convnextv2_pico", "AUC")]


SENTENCES: list[tuple[str, Callable[[], bool]]] = [
    ("It does a quarter of MedMamba-T's multiply-adds at 224 px", a_quarter_of_medmambas_macs),
    ("they are 41 % fewer", lambda: "is 41.4 % fewer" in page("claims.md")),
    (
        "about three and a half times as many images a second as MedMamba-T",
        three_and_a_half_times_medmamba,
    ),
    ("among the first four of fourteen networks", in_the_upper_group),
    ("the first three in AUC, within a point of the best in both", in_the_upper_group),
    ("MedMamba-T is more than two points below", medmamba_two_points_below),
    ("StarNet and MobileNetV4 lie further below", pneumonia),
    ("about half of the malignant lesions of BreastMNIST", half_of_the_lesions),
    ("of RetinaMNIST's severest grade next to none", severest_grade_hardly_found),
    (
        "a few find more lesions and seven about a third of them or fewer",
        lesions_others_find,
    ),
    (
        "takes more than a third of PneumoniaMNIST's normal images for pneumonia",
        normal_called_pneumonia,
    ),
    ("three in ten normal images or more", normal_called_pneumonia),
    (
        "in three suites (`breast`; `gpu-64`; `cpu`, with five fresh seeds) no difference survives",
        no_part_decided,
    ),
    ("more than fifteen points of accuracy", detectable_above_fifteen),
    ("No verdict is other than *undecided*", lambda: undecided("cpu")),
    (
        "No difference to any rival or ablation survives correction. One",
        lambda: undecided("breast"),
    ),
    ("nearly three quarters of BreastMNIST's test images", commonest("breastmnist", 0.70, 0.75)),
    ("more than four tenths of RetinaMNIST's", commonest("retinamnist", 0.40, 0.45)),
    ("more than six tenths of PneumoniaMNIST's", commonest("pneumoniamnist", 0.60, 0.65)),
    ("leaving out any of eight of the fourteen models", protocols_elsewhere(8, 14)),
    ("all five of this suite's seeds lie below all three that chose", fresh_seeds_lie_below),
    ("10,920 images of BreastMNIST, 21,600 of RetinaMNIST and 94,160 of", images_shown),
    ("are nine million images", nine_million_images),
    ("from ninety (MedMamba-T) to more than four hundred of them a second", images_per_second),
    ("All verdicts but one (over ConvNeXtV2-Pico, in AUC) are *undecided*", one_verdict_on_the_gpu),
    ("seeds, ", seeds_that_parts_wait_for),
]


@pytest.mark.parametrize(("words", "holds"), SENTENCES, ids=[words for words, _ in SENTENCES])
def test_a_sentence_stands_there_and_holds(words: str, holds: Callable[[], bool]) -> None:
    assert words in WORDS, "reworded: say here what must hold for it"
    assert holds()
