"""Who must be cited for the models and data sets that a suite shows, and under which licences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from pydantic import Field

from bench.errors import InputError
from bench.report.table.latex_text import latex
from bench.specs import ModelSpec, Strict
from bench.suite import Suite
from bench.toml_file import ROOT, read_toml, shown

BIBLIOGRAPHY, LICENCES = "references.bib", "licences.md"
FILE = ROOT / "results" / "references.toml"


class Work(Strict):
    """One entry of a bibliography."""

    kind: Literal["article", "inproceedings", "misc"]
    author: str
    title: str
    year: int
    venue: str | None = None
    volume: str | None = None
    number: str | None = None
    pages: str | None = None
    doi: str | None = None
    arxiv: str | None = None
    checked: str = Field(pattern=r"^[^@]+$")  # where these were read; BibTeX: no @


class DataSource(Strict):
    """Who made a data set, and what may be done with it."""

    works: list[str]
    licence: str


class References(Strict):
    """The whole file."""

    work: dict[str, Work]
    models: dict[str, list[str]]  # pattern of timm names → keys of works
    data: dict[str, DataSource]

    def of_model(self, model: ModelSpec) -> list[str]:
        """Keys of the first pattern that fits; none for one's own model, or where none fits."""
        if model.factory is not None:
            return []
        name = model.timm or model.name
        found = (keys for pattern, keys in self.models.items() if fnmatchcase(name, pattern))
        return next(found, [])


def load_references(path: Path = FILE) -> References:
    """The file, checked.

    Raises:
        InputError: it cannot be read, has an unknown key, or cites a work it does not hold.
    """
    found = read_toml(path, References)
    cited = [
        *((f"models.{pattern}", key) for pattern, keys in found.models.items() for key in keys),
        *((f"data.{name}", key) for name, source in found.data.items() for key in source.works),
    ]
    for place, key in cited:
        if key not in found.work:
            raise InputError(
                f"cites {key!r}, which is no work of this file",
                remedy=f"add [work.{key}], or correct the name",
                file=shown(path),
                key=place,
            )
    return found


def reference_documents(suite: Suite, references: References) -> dict[str, str]:
    """``references.bib`` and ``licences.md`` of exactly what the suite shows."""
    models = list(suite.models) or list(suite.cost_models)
    return {
        BIBLIOGRAPHY: bibliography(suite, models, references),
        LICENCES: licences(suite, models, references),
    }


def bibliography(suite: Suite, models: Sequence[ModelSpec], references: References) -> str:
    """BibTeX; who is cited for what stands above the entries, and what has no entry too."""
    cited = {model.name: references.of_model(model) for model in models}
    cited |= {
        dataset.name: references.data[dataset.name].works if dataset.name in references.data else []
        for dataset in suite.datasets
    }
    lines = [f"% What the tables of the suite {suite.name} show, and who is cited for it."]
    lines += [
        f"% {name}: {', '.join(keys) if keys else f'NO ENTRY; add one to {shown(FILE)}'}"
        for name, keys in cited.items()
    ]
    keys = dict.fromkeys(key for found in cited.values() for key in found)
    return "\n".join([*lines, "", *(_entry(key, references.work[key]) for key in sorted(keys))])


def licences(suite: Suite, models: Sequence[ModelSpec], references: References) -> str:
    """Of data sets and of pretrained weights; one that is not known is named."""
    lines = [
        f"# Licences: suite `{suite.name}`",
        "",
        "Of the data, as the `medmnist` package states them; each paper of "
        f"`{BIBLIOGRAPHY}` has its own terms.",
        "",
        *(_of_data(dataset.name, references.data) for dataset in suite.datasets),
    ]
    if not suite.datasets:
        lines.append("- no data: this suite only measures")
    started = [model.name for model in models if model.pretrained]
    lines += [
        "",
        *(
            f"- pretrained weights of {name}: not recorded here; see timm's card of them"
            for name in started
        ),
    ]
    if not started:
        lines.append("No pretrained weights are used: every network starts from random ones.")
    return "\n".join(lines) + "\n"


def _of_data(name: str, data: Mapping[str, DataSource]) -> str:
    known = data.get(name)
    if known is None:
        return f"- {name}: no entry in `{shown(FILE)}`; own data, or a phantom made here"
    return f"- {name}: {known.licence}; cite {', '.join(known.works)}"


def _entry(key: str, work: Work) -> str:
    place = {"article": "journal", "inproceedings": "booktitle", "misc": "howpublished"}[work.kind]
    fields: dict[str, str | None] = {
        "author": latex(work.author),
        "title": f"{{{latex(work.title)}}}",  # braces keep the capitals of names
        place: None if work.venue is None else latex(work.venue),
        "volume": work.volume,
        "number": work.number,
        "pages": work.pages,
        "year": str(work.year),
        "doi": work.doi,
        "eprint": work.arxiv,
        "archiveprefix": "arXiv" if work.arxiv else None,
    }
    if place == "howpublished" and work.venue is None and work.arxiv:
        fields[place] = f"arXiv:{work.arxiv}"
    head = f"% checked against: {work.checked}\n@{work.kind}{{{key},"
    return _joined(head, fields.items())


def _joined(head: str, fields: Iterable[tuple[str, str | None]]) -> str:
    lines = [f"  {name} = {{{value}}}," for name, value in fields if value is not None]
    return "\n".join([head, *lines, "}", ""])
