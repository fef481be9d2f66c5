"""Commands on what a MedSpectralNet is and does: architecture, insight."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from bench.cli.options import Only, Refresh, SuiteName, open_store, shown
from bench.errors import InputError


def architecture(
    model: Annotated[str, typer.Argument(help="medspectralnet or one of its ablations.")],
    image_size: Annotated[int, typer.Option(min=1, help="Side of the images, in px.")] = 224,
    channels: Annotated[int, typer.Option(min=1, max=3, help="Of the images.")] = 3,
    classes: Annotated[int, typer.Option(min=2, help="Of the classifier.")] = 8,
    width: Annotated[
        Literal["page", "column"], typer.Option(help="180 mm, or the 85 mm of one column.")
    ] = "page",
    output: Annotated[
        Path | None, typer.Option(help="Folder to write to; default reports/architecture.")
    ] = None,
) -> None:
    """Draw the network as it is built: parts, shapes, parameters, MACs; PNG, PDF, SVG, numbers."""
    from bench.insight.outlining import outlined
    from bench.report.figures.architecture import write_architecture
    from bench.report.folder import reports_folder
    from bench.specs import ModelSpec

    spec = ModelSpec(name=model)
    outline = outlined(spec, image_size=image_size, channels=channels, classes=classes)
    folder = output or reports_folder(open_store(repair=False).root) / "architecture"
    for path in write_architecture(outline, folder, column=width == "column"):
        typer.echo(shown(path))


def insight(
    suite: SuiteName,
    only: Only = "",
    refresh: Refresh = False,
    weights: Annotated[
        Path | None, typer.Option(help="Folder with the weights; default reports/weights/SUITE.")
    ] = None,
) -> None:
    """Look into a suite's trained networks: gates, frequencies, where they look; results/insight.

    Needs their weights (`python -m bench weights SUITE --only seed=…`), uses validation images
    alone, and feeds the figures of the suite.
    """
    from bench.cli.options import parse_only
    from bench.data import catalog
    from bench.insight.digest import insight_digest
    from bench.insight.looking import looked_into
    from bench.insight.record import load_all, save
    from bench.plan import present_checksums
    from bench.release.finding import weights_of
    from bench.report.collect import collect
    from bench.report.released import subjects
    from bench.report.tables import own_folder, with_predictions
    from bench.specs import RunSpec
    from bench.suite import load_suite

    loaded = load_suite(suite)
    store, checksums = open_store(repair=True), present_checksums(loaded)
    collected = collect(loaded, with_predictions(loaded, store, checksums), checksums)
    folder = weights or own_folder(loaded, store.root).parent / "weights" / loaded.name
    known, lacking = load_all(store.root), list[str]()
    for record in subjects(collected, parse_only(only)):
        spec, training = record.spec, record.training
        assert isinstance(spec, RunSpec)
        assert training is not None
        earlier = known.get(record.id)
        if earlier is not None and earlier.predictions_sha256 == training.predictions_sha256:
            stale = earlier.provenance.source_digest != insight_digest(spec.model)
            if not (stale and refresh):
                typer.echo(f"{spec.label}: kept{' (stale: --refresh)' if stale else ''}")
                continue
        found = weights_of(record, folder)
        if found is None:
            lacking.append(f"seed={spec.seed}")
            continue
        described = next(data for data in loaded.datasets if data.name == spec.data.name)
        dataset = catalog.load(described, spec.data.source_size)
        path = save(*looked_into(*found, dataset), store.root)
        typer.echo(f"{spec.label}: {shown(path)}")
    if lacking:
        raise InputError(
            f"no weights of {len(lacking)} of the trainings",
            remedy=f"python -m bench weights {loaded.reference} --only {','.join(lacking)}",
            file=shown(folder),
        )
