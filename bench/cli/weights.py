"""Commands on trained networks: weights, predict, export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import DryRun, Only, SuiteName, open_store, shown
from bench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from bench.data.dataset import Dataset
    from bench.release.classifying import Classifier
    from bench.release.file import Weights
    from bench.release.metadata import WeightsMetadata
    from bench.specs import DatasetSpec, RunSpec

WeightsFile = Annotated[
    Path, typer.Option("--weights", help="A file that `python -m bench weights` wrote.")
]


def weights(
    suite: SuiteName,
    only: Only = "",
    dry_run: DryRun = False,
    output: Annotated[
        Path | None, typer.Option(help="Folder to write to; default reports/weights/SUITE.")
    ] = None,
) -> None:
    """Make the weights of a suite's best network on each data set (or of --only), with a card.

    Records keep no weights: the training is made again, minutes or more, and its weights are
    taken only if it gives the record's predictions to the last bit. Best is by validation.
    """
    from bench.cli.options import parse_only
    from bench.console import CostScreen, out
    from bench.execution.estimate import Estimator
    from bench.plan import present_checksums
    from bench.records.audit import load_all
    from bench.release.finding import weights_of
    from bench.release.making import kept, make_weights
    from bench.release.remaking import check_remakable
    from bench.report.audits import audits_for
    from bench.report.collect import collect, training_of
    from bench.report.released import picks, write_card, write_sums
    from bench.report.tables import own_folder, with_predictions
    from bench.report.text import duration
    from bench.specs import RunSpec
    from bench.suite import load_suite

    loaded = load_suite(suite)
    store, checksums = open_store(repair=False), present_checksums(loaded)
    collected = collect(loaded, with_predictions(loaded, store, checksums), checksums)
    chosen, lacking = picks(collected, parse_only(only))
    folder = output or own_folder(loaded, store.root).parent / "weights" / loaded.name
    audits = audits_for(collected, load_all(store.root), store)
    estimator = Estimator(collected.records)
    for error in lacking:  # before trainings, which take minutes or more
        typer.echo(f"left out: {error}", err=True)
    for number, pick in enumerate(chosen, start=1):
        spec, path = pick.record.spec, folder / f"{pick.stem}.safetensors"
        assert isinstance(spec, RunSpec)
        told = f"[{number}/{len(chosen)}] {spec.label}: {pick.chosen.why}"
        metadata = kept(pick, path)
        if metadata is not None:
            out.print(f"{told}; kept: {shown(path)}", markup=False)
        else:
            check_remakable(pick.record)
            took = estimator.seconds(spec, training_of(pick.record).data.images["train"])
            how = f"trained again, about {duration(took)}"
            if weights_of(pick.record, folder) is not None:
                how = "copied from another file of the same training"
            out.print(f"{told}; {how}", markup=False)
            if dry_run:
                continue
            dataset = _dataset(spec, loaded.datasets)
            with CostScreen() as screen:
                metadata = make_weights(
                    pick, dataset, store, path, lambda p: screen.show("training", p.fraction)
                )
        if not dry_run:
            card = write_card(metadata, pick, path, collected, store, audits)
            out.print(f"{shown(path)}: every prediction is the record's; {shown(card)}")
    if not dry_run:
        typer.echo(shown(write_sums(folder)))
    if lacking:
        raise typer.Exit(1)


def predict(
    images: Annotated[
        list[Path], typer.Argument(help="PNG, JPEG, …, npy, npz (one of several: FILE.npz:KEY).")
    ],
    file: WeightsFile,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, every class, exact.")] = False,
) -> None:
    """Class probabilities of images, calibrated on validation. Research only: no medical device."""
    from bench.release.answers import answered, as_table, as_text
    from bench.release.file import read_weights
    from bench.release.images import read_pictures

    read = read_weights(file)
    metadata = read.metadata
    side, depth = metadata.source_size, metadata.data_channels
    pictures = [p for path in images for p in read_pictures(path, size=side, channels=depth)]
    answers = answered(_restored(file, read), pictures)
    typer.echo(as_text(answers, metadata) if as_json else as_table(answers, metadata))


def export(
    output: Annotated[Path, typer.Argument(help="The .onnx file to write.")],
    file: WeightsFile,
    images: Annotated[
        list[Path] | None,
        typer.Argument(help="Real images to compare on; default the data's validation images."),
    ] = None,
) -> None:
    """Write a network as ONNX if ONNX Runtime gives PyTorch's answers on real images."""
    from bench.release.classifying import fed
    from bench.release.exporting import export_onnx, in_and_out
    from bench.release.file import read_weights
    from bench.release.images import read_pictures

    read = read_weights(file)
    metadata = read.metadata
    classifier = _restored(file, read)
    if images:
        side, depth = metadata.source_size, metadata.data_channels
        pictures = [p for path in images for p in read_pictures(path, size=side, channels=depth)]
        batch, whose = fed(pictures, metadata), "the given"
    else:
        batch, whose = _validation(metadata), f"{metadata.data}'s validation"
    parity = export_onnx(classifier, batch, output)
    typer.echo(
        f"{shown(output)}: on {parity.images} of {whose} images the logits differ from PyTorch's "
        f"by at most {parity.largest_difference:.2g} (allowed: {parity.allowed:.2g})"
    )
    typer.echo(in_and_out(metadata))


def _restored(file: Path, read: Weights) -> Classifier:
    from bench.release.classifying import restored

    try:
        return restored(read)
    except InputError as error:
        raise error.in_file(shown(file)) from None


def _dataset(spec: RunSpec, known: Sequence[DatasetSpec]) -> Dataset:
    from bench.data import catalog

    described = next(data for data in known if data.name == spec.data.name)
    return catalog.load(described, spec.data.source_size)


def _validation(metadata: WeightsMetadata) -> Tensor:
    """The first validation images of the data that the network was trained on, as it is fed."""
    import torch

    from bench.data import catalog
    from bench.release.classifying import BATCH, fed_pixels
    from bench.specs import DatasetSpec

    described = {"name": metadata.data, **metadata.data_described}
    try:
        dataset = catalog.load(DatasetSpec.model_validate(described), metadata.source_size)
    except InputError as error:
        error.remedy += "; or name images to compare on after the .onnx file"
        raise
    return fed_pixels(torch.from_numpy(dataset.val.images[:BATCH]), metadata)
