"""Commands on what a MedSpectralNet is and does: architecture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from bench.cli.options import open_store, shown


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
