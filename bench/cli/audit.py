"""``data --audit``: audit data sets, keep the records, draw the page and the contact sheets."""

from __future__ import annotations

from pathlib import Path

import typer

from bench.cli.options import open_store, shown
from bench.errors import InputError
from bench.specs import DatasetSpec


def audit_data(name: str | None, source_size: int, path: Path | None) -> None:
    """Audit one data set, for ``""`` every MedMNIST file at hand, for None none; draw the page.

    Raises:
        InputError: there is nothing to audit, or a data set, a record or an option is unusable.
    """
    from bench.report.data_page import write_data_page

    root = open_store(repair=name is not None).root
    for spec in [] if name is None else _chosen(name, source_size, path):
        _audit_one(spec, source_size, root)
    typer.echo(shown(write_data_page(root)))


def _chosen(name: str, source_size: int, path: Path | None) -> list[DatasetSpec]:
    from bench.data import medmnist

    if path is not None and not name:
        raise InputError("own data needs a name", remedy="give one before --audit", key="--path")
    if name:
        return [DatasetSpec(name=name, path=None if path is None else str(path))]
    here = [f for f in medmnist.info_by_flag() if medmnist.locate(f, source_size) is not None]
    if not here:
        raise InputError(
            f"no MedMNIST file of {source_size} px is at hand",
            remedy="set MEDMNIST_ROOT, or name a data set to have it downloaded",
        )
    return [DatasetSpec(name=flag) for flag in here]


def _audit_one(spec: DatasetSpec, source_size: int, root: Path) -> None:
    from bench.audit_file import DUPLICATES, AuditSpec
    from bench.console import CostScreen
    from bench.data import catalog
    from bench.data.audit import read_every_split
    from bench.records.audit import save
    from bench.records.store import write_atomic
    from bench.report.contact_sheet import contact_sheet
    from bench.report.data_page import SHEETS, sheet_name
    from bench.report.folder import reports_folder
    from bench.run.auditing import audited
    from bench.toml_file import read_toml

    how = read_toml(DUPLICATES, AuditSpec)
    dataset = catalog.load(spec, source_size)
    splits = read_every_split(dataset)
    with CostScreen() as screen:
        doing = f"{spec.name}: pairs of images"
        record = audited(dataset, splits, how, lambda done: screen.show(doing, done))
    save(record, root)
    sheet = reports_folder(root) / SHEETS / sheet_name(record)
    write_atomic(sheet, contact_sheet(record, splits))
    exact, near, test = record.exact, record.near, record.contaminated_test
    typer.echo(
        f"{spec.name}, {source_size} px: {len(exact)} groups of identical and {len(near)} of "
        f"near-duplicate images; {sum(g.labels_differ for g in [*exact, *near])} with two labels; "
        f"{len(test.images)} test images have a copy in train or val. {shown(sheet)}"
    )
