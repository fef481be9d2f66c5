"""Every figure of a suite: planned from its records, drawn, written."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.records.schema import Record
from bench.records.store import Store, write_atomic
from bench.report.collect import Collected, collect
from bench.report.figures.attention import attention
from bench.report.figures.confusion import confusions
from bench.report.figures.curves import learning_curves
from bench.report.figures.forest import ablation_forest
from bench.report.figures.frequencies import frequencies
from bench.report.figures.gates import gates
from bench.report.figures.looks import unseen
from bench.report.figures.page import PAGE, page, table
from bench.report.figures.planned import Lacking, Planned
from bench.report.figures.ranks import rank_diagram
from bench.report.figures.reliability import reliability
from bench.report.figures.roc import rocs
from bench.report.figures.saving import FORMATS, picture
from bench.report.figures.scaling import scalings
from bench.report.figures.source import Source
from bench.report.figures.style import styled
from bench.report.figures.trade_off import trade_offs
from bench.staleness import ALL_STALE, Staleness
from bench.suite import Suite

FOLDER = "figures"  # below the suite's folder of tables

_KINDS: tuple[Callable[[Source], Sequence[Planned | Lacking]], ...] = (
    trade_offs,
    ablation_forest,
    learning_curves,
    reliability,
    confusions,
    rocs,
    rank_diagram,
    scalings,
    gates,
    frequencies,
    attention,
    unseen,
)


@dataclass(frozen=True)
class Plans:
    """The figures of a suite, and those that cannot be drawn."""

    collected: Collected
    figures: Sequence[Planned]
    lacking: Sequence[Lacking]

    def documents(self) -> dict[str, str]:
        """The page and the CSVs, by file name: all that the records alone decide."""
        written = {f"{figure.name}.csv": table(figure.rows) for figure in self.figures}
        return {PAGE: page(self.collected, self.figures, self.lacking), **written}


def plan_figures(
    suite: Suite,
    records: Sequence[Record],
    store: Store,
    checksums: Mapping[str, str] | None = None,
    staleness: Staleness = ALL_STALE,
) -> Plans:
    """What can be drawn of a suite; the same records give the same plans.

    Args:
        store: holds the predictions.
        checksums: today's of the data sets, where known.

    Raises:
        InputError: a file of predictions cannot be read.
    """
    source = Source(collect(suite, records, checksums, staleness), store)
    found = [one for kind in _KINDS for one in kind(source)]
    figures = _named(one for one in found if isinstance(one, Planned))
    return Plans(source.collected, figures, [one for one in found if isinstance(one, Lacking)])


def _named(figures: Iterable[Planned]) -> list[Planned]:
    """Names that any file system takes, each used once."""
    used: Counter[str] = Counter()
    named = []
    for figure in figures:
        name = re.sub(r"[^a-z0-9]+", "-", figure.name.lower()).strip("-")[:80]
        used[name] += 1
        named.append(replace(figure, name=f"{name}-{used[name]}" if used[name] > 1 else name))
    return named


def write_figures(plans: Plans, folder: Path) -> list[Path]:
    """Write every picture, its numbers and the page; returns their paths, the page first.

    What an earlier page of the folder lists and this one does not is removed.
    """
    earlier = _listed(folder / PAGE)
    paths = []
    for figure in plans.figures:
        with styled():
            drawn = figure.draw()
            pictures = {ending: picture(drawn, ending) for ending in FORMATS}
        for ending, content in pictures.items():
            write_atomic(folder / f"{figure.name}.{ending}", content)
            paths.append(folder / f"{figure.name}.{ending}")
    for name, text in plans.documents().items():
        write_atomic(folder / name, text.encode())
        paths.append(folder / name)
    for name in earlier - {figure.name for figure in plans.figures}:
        for ending in (*FORMATS, "csv"):
            (folder / f"{name}.{ending}").unlink(missing_ok=True)
    return sorted(paths, key=lambda path: path.name != PAGE)


def _listed(path: Path) -> set[str]:
    """The figures that a page shows."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return set(re.findall(r"\]\(([a-z0-9-]+)\.png\)", path.read_text(encoding="utf-8")))
    return set()
