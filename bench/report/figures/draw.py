"""Every figure of a suite: planned from its records, drawn, written."""

from __future__ import annotations

import contextlib
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.records.schema import Record
from bench.records.store import Store, write_atomic
from bench.report.cache import DerivedCache, key
from bench.report.code import pictures_digest
from bench.report.collect import Collected, collect
from bench.report.figures.attention import attention
from bench.report.figures.confusion import confusions
from bench.report.figures.curves import learning_curves
from bench.report.figures.fonts import families
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
from bench.report.processes import mapped
from bench.staleness import ALL_STALE, Staleness
from bench.suite import Suite

FOLDER = "figures"  # below the suite's folder of tables
ENDINGS = (*FORMATS, "csv")

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

    source: Source
    figures: Sequence[Planned]
    lacking: Sequence[Lacking]

    @property
    def collected(self) -> Collected:
        return self.source.collected

    def documents(self) -> dict[str, str]:
        """The page and the CSVs, by file name: all that the records alone decide."""
        written = {f"{figure.name}.csv": table(figure.rows) for figure in self.figures}
        return {PAGE: self.page, **written}

    @property
    def page(self) -> str:
        """What is shown, each with its caption, and what is not."""
        return page(self.collected, self.figures, self.lacking)

    def content_of(self, figure: Planned) -> list[str]:
        """All that decides a figure's files, but for the code."""
        suite = self.collected.suite
        told = [suite.name, suite.settings.model_dump_json(), suite.protocol.model_dump_json()]
        shown = [f"{entry.number} {entry.label}" for entry in self.source.entries]
        records = [*figure.records, *figure.beside]
        contents = [self.source.content_of(record) for record in records]
        told += families()  # of the machine
        told += [look.model_dump_json() for look in figure.looks]
        return [*told, *shown, figure.name, figure.title, figure.caption, *contents]


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
    return Plans(source, figures, [one for one in found if isinstance(one, Lacking)])


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

    What an earlier page of the folder lists and this one does not is removed. Files that were
    drawn before from the same content by the same code come from the cache.

    Raises:
        InputError: a file of predictions cannot be read.
    """
    earlier = _listed(folder / PAGE)
    cache, code = DerivedCache.from_environment(), pictures_digest()
    files = [
        {ending: key(f"figure {ending}", code, *content) for ending in ENDINGS}
        for content in map(plans.content_of, plans.figures)
    ]
    known = cache.get(name for one in files for name in one.values())
    lacking = [place for place, one in enumerate(files) if not known.keys() >= {*one.values()}]

    def made(place: int) -> dict[str, bytes] | None:
        """None where it cannot be drawn."""
        try:
            return _drawn(plans.figures[place])
        except Exception:  # met again below, in the process that can tell of it
            return None

    for place, found in zip(lacking, mapped(made, lacking), strict=True):
        drawn = found or _drawn(plans.figures[place])
        new = {files[place][ending]: zlib.compress(content, 1) for ending, content in drawn.items()}
        cache.put(new)
        known |= new
    paths = [folder / PAGE]
    for figure, one in zip(plans.figures, files, strict=True):
        for ending, name in one.items():
            paths.append(folder / f"{figure.name}.{ending}")
            write_atomic(paths[-1], zlib.decompress(known[name]))
    write_atomic(folder / PAGE, plans.page.encode())
    for gone in earlier - {figure.name for figure in plans.figures}:
        for ending in ENDINGS:
            (folder / f"{gone}.{ending}").unlink(missing_ok=True)
    return paths


def _drawn(figure: Planned) -> dict[str, bytes]:
    """A figure's files by their endings."""
    with styled():
        drawn = figure.draw()
        pictures = {ending: picture(drawn, ending) for ending in FORMATS}
    return {**pictures, "csv": table(figure.rows).encode()}


def _listed(path: Path) -> set[str]:
    """The figures that a page shows."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return set(re.findall(r"\]\(([a-z0-9-]+)\.png\)", path.read_text(encoding="utf-8")))
    return set()
