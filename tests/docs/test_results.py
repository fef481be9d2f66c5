"""The sentences of docs/results.md hold in what is drawn from the records.

Its tables are drawn; its sentences are written. Those that name a number or an order which no
table shows at a glance stand here with what must be true for them, read from the committed tables,
which other tests hold to the records: a sentence that is reworded fails, and so does one whose
records moved.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests._helpers.reading import (
    SUBJECT,
    WORDS,
    intervals,
    number,
    page,
    rows,
    signs,
    undecided,
)


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
    cells = [number(r["detectable (points)"]) for r in rows("breast/verdicts.csv", metric="ACC")]
    known = [cell for cell in cells if cell is not None]
    return len(known) > 5 and min(known) > 15


def seeds_that_parts_wait_for() -> bool:
    parts = page("claims.md").split('<a id="context-gate-matters"></a>')[1]
    parts = parts.split('<a id="ahead-of-its-peers"></a>')[0]
    told = re.findall(r"(\d+) seeds in all would (\w+) it in about half", parts)
    seeds = [int(count) for count, _ in told]
    return (len(seeds), min(seeds), max(seeds)) == (5, 18, 109) and len({w for _, w in told}) == 2


def protocols_elsewhere(models: int, of: int) -> Callable[[], bool]:
    return lambda: f"gives another choice in {models} of {of} cases" in page("search.md")


def next_pair() -> bool:
    """Of the grid of protocols: each model's mean under the second best pair minus the best."""
    table = page("search.md").split("## protocol")[1].split("mean of 14 models")[0]
    gaps = {}
    for line in table.splitlines():
        cells = [cell.strip(" *") for cell in line.strip("|").split("|")]
        if len(cells) == 7 and cells[1].replace(".", "").isdigit():
            gaps[cells[0]] = float(cells[6]) - float(cells[3])
    assert len(gaps) == 14
    others = {name: gap for name, gap in gaps.items() if name != SUBJECT}
    above = {name for name, gap in others.items() if gap > 2}
    below = {name for name, gap in others.items() if gap < -2}
    return (
        sum(gap > 0 for gap in others.values()) == 7
        and sum(gap < 0 for gap in others.values()) == 6
        and above == {"mobilenetv4_conv_medium", "efficientvit_b1", "mobilevitv2_100"}
        and below == {"convnextv2_pico", "starnet_s4", "vit_tiny_patch16_224"}
    )


def parts_before_correction() -> bool:
    found = {suite: intervals(suite, ablations=True) for suite in ("breast", "gpu-64", "cpu")}
    return sum(map(len, found.values())) == 78 and [signs(one) for one in found.values()] == [
        (0, 0),
        (0, 1),
        (5, 0),
    ]


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


def four_rivals_on_retina() -> bool:
    found = rows("gpu-64/verdicts.csv", metric="ACC", **{"data set": "retinamnist"})
    gaps = {
        row["model"]: number(row["difference (points)"])
        for row in found
        if not row["model"].startswith(SUBJECT)
    }
    known = [gap for gap in gaps.values() if gap is not None]
    return len(known) == 4 and max(known) < 0


def one_verdict_on_the_gpu() -> bool:
    tested = [r for r in rows("gpu-64/verdicts.csv") if number(r["p (Holm)"]) is not None]
    keys = ("model", "data set", "metric", "verdict")
    told = [tuple(row[key] for key in keys) for row in tested if row["verdict"] != "undecided"]
    return told == [("convnextv2_pico", "breastmnist", "AUC", "better")]


SENTENCES: list[tuple[str, Callable[[], bool]]] = [
    ("It does a quarter of MedMamba-T's multiply-adds at 224 px", a_quarter_of_medmambas_macs),
    ("they are 41 % fewer", lambda: "is 41.4 % fewer" in page("claims.md")),
    ("three and a half times as many images a second", three_and_a_half_times_medmamba),
    ("`cpu`, with five fresh seeds) no difference survives", no_part_decided),
    ("six of 78 intervals exclude zero, where four would", parts_before_correction),
    ("in `cpu` for the whole network, the one in `gpu-64` against it", parts_before_correction),
    ("more than fifteen points of accuracy", detectable_above_fifteen),
    ("to any rival or ablation survives correction. One", lambda: undecided("breast")),
    ("leaving out any of eight of the fourteen models", protocols_elsewhere(8, 14)),
    ("seven of its rivals did better on the one seed tried", next_pair),
    ("MobileNetV4, EfficientViT-B1 and MobileViTV2 by points, and six worse", next_pair),
    ("six worse, ConvNeXtV2-Pico, StarNet and ViT-Ti by points", next_pair),
    ("on RetinaMNIST all four rivals that were trained there", four_rivals_on_retina),
    ("All verdicts but one (over ConvNeXtV2-Pico, in AUC) are", one_verdict_on_the_gpu),
    ("seeds, 18 to 109 of them for an even chance", seeds_that_parts_wait_for),
]


@pytest.mark.parametrize(("words", "holds"), SENTENCES, ids=[words for words, _ in SENTENCES])
def test_a_sentence_stands_there_and_holds(words: str, holds: Callable[[], bool]) -> None:
    assert words in WORDS, "reworded: say here what must hold for it"
    assert holds()
