"""Commands on what there is: models, data, the record's schema."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.errors import InputError


def models(
    convert: Annotated[
        Path | None, typer.Option(help="A published MedMamba checkpoint to check and convert.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Where to write it; default beside it, as .safetensors.")
    ] = None,
) -> None:
    """List the suite's own roster; any other name that timm knows works in a suite too."""
    from bench.models import families

    if convert is not None:
        if not convert.is_file():
            raise InputError("no such file", remedy="give a checkpoint's path", key="--convert")
        _convert(convert, output or convert.with_suffix(".safetensors"))
        return
    for name, family in families().items():
        typer.echo(f"{name:42} {family}")


def data(
    name: Annotated[str, typer.Argument(help="A data set; without one, list them all.")] = "",
    source_size: Annotated[int, typer.Option(help="Native size: 28, 64, 128 or 224.")] = 28,
    audit: Annotated[
        bool,
        typer.Option(
            "--audit",
            help="Look for duplicates, contradicting labels and flat images; draw reports/data.md. "
            "Without a name: in every MedMNIST file at hand.",
        ),
    ] = False,
    path: Annotated[
        Path | None, typer.Option(help="With --audit: your own data, to be called NAME.")
    ] = None,
    draw: Annotated[
        bool, typer.Option("--draw", help="Only draw reports/data.md from the records there are.")
    ] = False,
) -> None:
    """List the data sets, or load one (it is downloaded if need be) and say what is in it."""
    from bench.data import catalog
    from bench.specs import DatasetSpec

    if audit or draw:
        from bench.cli.audit import audit_data

        audit_data(name if audit else None, source_size, path)
        return
    if path is not None:
        raise InputError("it is for an audit", remedy="add --audit", key="--path")
    for known in [] if name else catalog.names():
        info = catalog.check(DatasetSpec(name=known), source_size)
        counts = " + ".join(str(info.counts[split]) for split in ("train", "val", "test"))
        typer.echo(f"{known:16} {info.num_classes:3} classes  {counts:>24}  {info.task}")
    if name:
        loaded = catalog.load(DatasetSpec(name=name), source_size)
        source = loaded.source
        typer.echo(f"{name}: {loaded.task}; classes: {', '.join(loaded.class_names)}")
        sizes = f"{len(loaded.train)} train, {len(loaded.val)} val, {len(loaded.test)} test"
        side = f"{loaded.source_size} × {loaded.source_size} × {loaded.channels}"
        typer.echo(f"{sizes} images of {side}")
        typer.echo(f"from {source.path}, {source.checksum}, official: {source.official}")
        typer.echo(f"labels stay under: {', '.join(sorted(loaded.label_preserving)) or 'nothing'}")


def schema() -> None:
    """Print the JSON Schema of a record (results/schema.json holds it)."""
    import json

    from bench.records.schema import Record

    typer.echo(json.dumps(Record.model_json_schema(), indent=1))


def _convert(path: Path, output: Path) -> None:
    from baselines.convert import read_published, write_converted

    if output.suffix != ".safetensors":
        raise InputError(
            f"{output.name!r} does not end in .safetensors",
            remedy="timm tells the form of weights by the ending",
            key="--output",
        )
    if output.exists():
        raise InputError(
            "exists already", remedy="name another with --output", file=str(output), key="--output"
        )
    try:
        published = read_published(path)
        write_converted(published, output)
    except (ValueError, OSError) as error:
        raise InputError(
            str(error), remedy="give a checkpoint of MedMamba T, S or B", file=str(path)
        ) from None
    typer.echo(f"{path}: a {published.name} of {published.num_classes} classes, every name fits.")
    typer.echo(f"{output}: load it with timm.create_model({published.name!r}, checkpoint_path=…).")
