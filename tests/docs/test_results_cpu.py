"""The sentences of docs/results.md on the suite cpu hold in what is drawn from the records.

As in test_results.py.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable

import pytest

from bench.report.collect import training_of
from bench.search.record import load_all
from bench.specs import RunSpec
from bench.suite import load_suite
from tests._helpers.reading import (
    ROOT,
    SETS,
    SUBJECT,
    WORDS,
    Row,
    intervals,
    number,
    page,
    rivals,
    rows,
    signs,
    trained,
    undecided,
)


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


def sensitivity(model: str, dataset: str, label: str) -> float:
    asked = {"data set": dataset, "class": label}
    return float(rows("cpu/per-class.csv", model=model, **asked)[0]["sensitivity (%) value"])


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


def lesions_by_seed() -> bool:
    share = []
    for record in trained("cpu", "breastmnist", SUBJECT):
        recall = training_of(record).test.per_class[0].recall
        assert recall is not None
        share.append(100 * recall)
    found = rows("cpu/verdicts-runs.csv", model=SUBJECT)
    at_cut = [row for row in found if row["data set"] == "breastmnist"]
    malignant = statistics.fmean(float(row["specificity (%)"]) for row in at_cut)
    others = statistics.fmean(float(row["sensitivity (%)"]) for row in at_cut)
    return (round(min(share)), round(max(share))) == (31, 64) and (
        72 < malignant < 75 and 18 < 100 - others < 20
    )


def fresh_seeds_lie_below() -> bool:
    fresh = [training_of(r).val.auc for r in trained("cpu", "breastmnist", SUBJECT)]
    chose = [
        trial.result.val.auc
        for trial in load_all(ROOT / "results").values()
        if trial.search == "architecture"
        and trial.result is not None
        and trial.spec.label.startswith("blocks_1_2_3_2 · breastmnist")
    ]
    low, high = [one for one in fresh if one is not None], [one for one in chose if one is not None]
    return (len(low), len(high)) == (5, 3) and max(low) < min(high)


def mean_over_sets(row: Row, score: str) -> float:
    return statistics.fmean(float(row[f"{dataset} {score} (%) value"]) for dataset in SETS)


def place(score: str) -> tuple[int, float]:
    """The subject's place among the rivals by a mean over data sets, and how far the best lies."""
    means = {row["model"]: mean_over_sets(row, score) for row in rows("cpu/accuracy.csv")}
    theirs = [means[name] for name in rivals()]
    assert len(theirs) == 13
    return 1 + sum(other > means[SUBJECT] for other in theirs), max(theirs) - means[SUBJECT]


def in_the_upper_group() -> bool:
    (by_acc, acc_behind), (by_auc, auc_behind) = place("ACC"), place("AUC")
    return by_acc <= 4 and by_auc <= 3 and acc_behind < 1 and auc_behind < 1


def medmamba_two_points_below() -> bool:
    means = {row["model"]: row for row in rows("cpu/accuracy.csv")}
    return all(
        mean_over_sets(means[SUBJECT], score) - mean_over_sets(means["medmamba_tiny"], score) > 2
        for score in ("ACC", "AUC")
    )


def validation_means() -> dict[str, float]:
    """AUC on validation over the three sets and the seeds that all have, in percent."""
    scores: dict[str, list[float]] = {}
    for dataset in SETS:
        for record in trained("cpu", dataset):
            assert isinstance(record.spec, RunSpec)
            auc = training_of(record).val.auc
            assert auc is not None
            if record.spec.seed in (10, 11, 12):
                scores.setdefault(record.spec.label.split(" · ")[0], []).append(100 * auc)
    assert {len(values) for values in scores.values()} == {9}
    return {name: statistics.fmean(values) for name, values in scores.items()}


def ahead_on_validation() -> bool:
    means = validation_means()
    ahead = [name for name in means if means[name] > means[SUBJECT]]
    best = means["efficientformerv2_s1"]
    return (
        {name for name in ahead if not name.startswith(SUBJECT)}
        == {"efficientformerv2_s1", "repvit_m1_1", "fastvit_t12"}
        and sum(name.startswith(SUBJECT) for name in ahead) == 5
        and max(ahead, key=means.__getitem__) == "medspectralnet_local_stream"
        and best == max(means[name] for name in rivals())
        and 0.5 < best - means[SUBJECT] < 1
    )


def rivals_before_correction(count: int, above: int, below: int) -> Callable[[], bool]:
    def holds() -> bool:
        found = intervals("cpu", ablations=False)
        return (len(found), *signs(found)) == (count, above, below)

    return holds


def detectable(metric: str, low: float, high: float, *, ablations: bool) -> Callable[[], bool]:
    def holds() -> bool:
        shares = []
        for row in rows("cpu/verdicts.csv", metric=metric):
            told = number(row["detectable (points)"].removeprefix("> "))
            if row["model"].startswith(SUBJECT) == ablations and told is not None:
                shares.append(told)
        return len(shares) > 20 and low <= statistics.median(shares) < high

    return holds


def speed_at_32_px() -> bool:
    speed = {row["model"]: float(row["images/s"]) for row in rows("cpu/cost.csv")}
    latency = {row["model"]: float(row["latency p50 (ms)"]) for row in rows("cpu/cost.csv")}
    floor = re.search(r"could differ by ([\d.]+) % in throughput", page("cpu/cost.md"))
    assert floor is not None
    beyond = speed[SUBJECT] * (1 + float(floor[1]) / 100)
    faster = sum(speed[name] > speed[SUBJECT] for name in rivals())
    clearly = sum(speed[name] > beyond for name in rivals())
    return (faster, clearly) == (8, 6) and 0.4 < latency["resnet18"] / latency[SUBJECT] < 0.6


def copies() -> bool:
    cells = rows("cpu/accuracy.csv")
    acc, auc = (
        [
            float(row[f"breastmnist {score} (%) value"])
            - float(row[f"breastmnist {score} without 34 test copies (%) value"])
            for row in cells
        ]
        for score in ("ACC", "AUC")
    )
    return min(acc) >= 1.5 and max(acc) < 6 and max(map(abs, auc)) < 3


def hours(low: float, high: float) -> Callable[[], bool]:
    def holds() -> bool:
        found = rows("cpu/provenance.csv", what="training")
        return low < sum(float(row["hours"]) for row in found) < high

    return holds


def pneumonia() -> bool:
    key = "pneumoniamnist ACC (%) value"
    means = {row["model"]: float(row[key]) for row in rows("cpu/accuracy.csv")}
    gaps = {name: means[name] - means[SUBJECT] for name in rivals()}
    ahead = {name for name, gap in gaps.items() if gap > 0.5}
    return (
        ahead == {"medmamba_tiny", "edgenext_small", "resnet18"}
        and sum(abs(gap) <= 2 for gap in gaps.values()) == 9
        and {name for name, gap in gaps.items() if gap < -4} == {"mobilenetv4_conv_medium"}
    )


SENTENCES: list[tuple[str, Callable[[], bool]]] = [
    ("among the first four of fourteen networks", in_the_upper_group),
    ("the first three in AUC, within a point of the best in both", in_the_upper_group),
    ("MedMamba-T is more than two points below", medmamba_two_points_below),
    ("three rivals have the higher mean, EfficientFormerV2-S1 by most", ahead_on_validation),
    ("and so have five of its own eight ablations", ahead_on_validation),
    ("nine of the thirteen rivals lie within two points of accuracy", pneumonia),
    ("MobileNetV4 lies more than four points below", pneumonia),
    ("fourteen of 78 intervals to rivals exclude zero", rivals_before_correction(78, 11, 3)),
    ("below about sixty points of accuracy", detectable("ACC", 55, 65, ablations=False)),
    ("and thirty of AUC", detectable("AUC", 25, 35, ablations=False)),
    ("none below twenty", detectable("ACC", 19, 22, ablations=True)),
    ("none below twenty and seven", detectable("AUC", 6.5, 8, ablations=True)),
    ("It took fifteen hours of one core, seven and a half of two", hours(14.5, 15.5)),
    ("eight of its thirteen rivals show more images a second, six of them", speed_at_32_px),
    ("ResNet-18 takes half its time for one image", speed_at_32_px),
    ("finds about half of the malignant lesions of BreastMNIST", half_of_the_lesions),
    ("(31 to 64 % by seed; at the cut that validation chooses nearly three", lesions_by_seed),
    ("and then calls nearly one in five others malignant)", lesions_by_seed),
    ("of RetinaMNIST's severest grade next to none", severest_grade_hardly_found),
    ("more than a third of PneumoniaMNIST's normal images", normal_called_pneumonia),
    ("three in ten normal images or more", normal_called_pneumonia),
    ("a few find more lesions at a half and seven about a third", lesions_others_find),
    ("No verdict is other than *undecided*", lambda: undecided("cpu")),
    ("nearly three quarters of BreastMNIST's test images", commonest("breastmnist", 0.70, 0.75)),
    ("more than four tenths of RetinaMNIST's", commonest("retinamnist", 0.40, 0.45)),
    ("more than six tenths of PneumoniaMNIST's", commonest("pneumoniamnist", 0.60, 0.65)),
    ("by between one and a half and six points, and AUC moves by less than three", copies),
    ("all five of this suite's seeds lie below all three that chose", fresh_seeds_lie_below),
    ("10,920 images of BreastMNIST, 21,600 of RetinaMNIST and 94,160 of", images_shown),
    ("are nine million images", nine_million_images),
    ("from ninety (MedMamba-T) to more than four hundred of them a second", images_per_second),
]


@pytest.mark.parametrize(("words", "holds"), SENTENCES, ids=[words for words, _ in SENTENCES])
def test_a_sentence_stands_there_and_holds(words: str, holds: Callable[[], bool]) -> None:
    assert words in WORDS, "reworded: say here what must hold for it"
    assert holds()
