"""A page made by hand: every state of a cell, and names that try to break it."""

from __future__ import annotations

from bench.report.page.blocks import Block
from bench.report.page.cards import Card, Shared
from bench.report.page.content import ClaimLine, Content, Missing, Section, Tally
from bench.report.page.pictures import Picture
from bench.report.table.model import Cell, Column, Table

EVIL = "<script>alert(1)</script>"
LONG = "a_model_whose_name_has_sixty_characters_and_not_one_blank_in"
CLASS = "Läsion · 病变 & \"x\" 'y'"


def card(identity: str, **changes: object) -> Card:
    told = {
        "id": identity,
        "label": f"{EVIL} · breastmnist · seed 0",
        "kind": "training",
        "status": "done",
        "stale": False,
        "noisy": False,
        "facts": [("note", f"{EVIL} said {CLASS}"), ("commit", "c0ffee")],
        "shared": [("protocol-1", "training protocol 1")],
        "spec": f'{{"name": "{EVIL}"}}',
        "command": f"python -m bench run x --only '{EVIL}'",
        "file": f"records/{identity}.json",
    }
    return Card(**(told | changes))  # type: ignore[arg-type]


def table() -> Table:
    columns = [
        Column("model", "model", words=True),
        Column("ACC", "ACC (%)", CLASS),
        Column("AUC", "AUC (%)", CLASS),
        Column("params", "params (M)"),
        Column("theirs", "ACC (%)", "published", published=True),
    ]
    rows = [
        {
            "model": Cell("beta", records=("r1",), marks=(1,)),
            "ACC": Cell("9.5 ± 0.1", 9.5, ("r1", "r2"), state="stale"),
            "AUC": Cell("80.0", 80.0, ("r2",), best=True),
            "params": Cell("3.10", 3.1, ("r3",), marks=(1, 2), state="noisy"),
            "theirs": Cell("–", state="missing"),
        },
        {
            "model": Cell(LONG),
            "ACC": Cell("–", None, state="missing"),
            "AUC": Cell("–", None, ("r1",), state="missing"),
            "params": Cell("-12.0", -12.0, ("r3",)),
            "theirs": Cell("77.1", 77.1),
        },
        {"model": Cell(EVIL), "ACC": Cell("100.0", 100.0, ("r2",)), "params": Cell("2", 2.0)},
        {"model": Cell(CLASS), "ACC": Cell("10.0", 10.0, ("audit/x-28",)), "AUC": Cell("5", 5.0)},
    ]
    notes = [f"First, of {EVIL}.", "Second, with `code` and *stress*."]
    return Table("accuracy", "Accuracy", columns, rows, read="How to *read* it.", notes=notes)


PIXEL = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='4' height='2'/>"


def content(**changes: object) -> Content:
    empty = Table("none", "Nothing here", [Column("model", "model", words=True)], [], empty="No.")
    told = {
        "suite": "made-by-hand",
        "about": f"A suite about {EVIL}.",
        "facts": [("data", "**synthetic**")],
        "tallies": [Tally("ACC", [("better", 1), ("equivalent", 0)])],
        "lines": ["Said of `beta`."],
        "verdicts": Section("verdicts", "Verdicts", [Block(text=f"Text {EVIL}.")]),
        "sections": [
            Section(
                "accuracy",
                "Accuracy",
                [
                    Block(table=table()),
                    Block(3, heading="More `of` it"),
                    Block(4, table=empty),
                ],
            )
        ],
        "pictures": [
            Picture("one", f"Picture {EVIL}", CLASS, PIXEL, (400, 200), ("r1", "r3"), "f/one.csv")
        ],
        "not_drawn": [Missing("Ranks", "two data sets are needed")],
        "claims": [ClaimLine("It is fast.", "undecided", "open", "why", "../claims.html#fast")],
        "claims_page": "../claims.html",
        "missing": [Missing("gamma on breastmnist, seed 1", "failed", "python -m x", ["r4"])],
        "makes_all": ["python -m bench run made-by-hand"],
        "left_out": [],
        "provenance": Section("provenance", "Provenance"),
        "cards": [
            card("r1"),
            card("r2", stale=True),
            card("r3", noisy=True, kind="cost"),
            card("r4", status="failed"),
            card("audit/x-28", kind="audit"),
        ],
        "shared": [Shared("protocol-1", "training protocol 1", '{"lr": 0.1}')],
        "command": "python -m bench page made-by-hand",
    }
    return Content(**(told | changes))  # type: ignore[arg-type]
