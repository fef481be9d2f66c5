"""What is kept of a look into a trained network: gates, spectra, where it looks; no torch here.

One JSON a training below ``results/insight``, and beside it an ``.npz`` with the maps. Images are
of the validation split: no test split is opened for it. Letters of the maps: N images, h × w cells.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bench.errors import InputError
from bench.records.base import Stored
from bench.records.schema import Count, Provenance, Share
from bench.records.single import load_single, save_single
from bench.records.store import write_atomic
from bench.toml_file import shown

FOLDER = "insight"  # below the results folder
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
AGAIN = "make it anew: python -m bench insight SUITE"


class Place(Stored):
    """Where in the network; ``block`` counts from 1 within its stage."""

    stage: Annotated[int, Field(ge=1)]
    block: Annotated[int, Field(ge=1)]


class GateSource(Stored):
    """One of the maps that a gate fuses: ``local`` and ``global``, or ``stage 1`` to the last.

    Attributes:
        mean: of its weight, over images and channels (a gate has no positions).
        quantiles: of the same, at ``QUANTILES``.
        rms: root mean square of the map once weighted, over images, channels and positions.
    """

    name: str
    mean: Share
    quantiles: Annotated[list[Share], Field(min_length=5, max_length=5)]
    rms: Annotated[float, Field(ge=0)]


class GateSeen(Stored):
    """A ContextGate on real images.

    Attributes:
        place: of its block; None: the fusion of scales before the head.
        between_images: of the variance of its weights, the share that lies between images within a
            channel; the rest lies between channels and would be there with fixed weights too.
    """

    place: Place | None
    channels: Count
    sources: Annotated[list[GateSource], Field(min_length=2)]
    between_images: Share


class KernelSeen(Stored):
    """The depthwise kernels of a block's local stream.

    Attributes:
        frequency: radius in cycles per pixel of the stage's map.
        applied: mean power of the response at that radius over channels, as the kernel is applied.
        unconstrained: of the weights without the split's constraint; both in units of the
            unconstrained kernels' mean power over all frequencies.
    """

    place: Place
    split: bool
    frequency: list[float]
    applied: list[float]
    unconstrained: list[float]


class MapsSeen(Stored):
    """Spectra of a block's maps: of each band or stream, the share of its power by radius.

    ``bands`` are ``input``, ``low band``, ``high band``, ``local stream`` and ``global stream``, as
    far as they are there; each sums to one, the mean (radius 0) included. Coarser maps are repeated
    to the size of the input first, as the gate does.
    """

    place: Place
    side: Annotated[int, Field(ge=1)]
    pooled_by: Annotated[int, Field(ge=1)] | None
    frequency: list[float]
    bands: dict[str, list[float]]


class AttentionSeen(Stored):
    """How many of its tokens a query attends to: exp(entropy of its row) ÷ tokens, 1 for all alike.

    Over images, heads and queries.
    """

    place: Place
    tokens: Count
    heads: Count
    mean: Share
    quantiles: Annotated[list[Share], Field(min_length=5, max_length=5)]


class Looked(Stored):
    """One image that is shown; its maps stand at ``row`` of the arrays."""

    row: Count
    index: Count  # in the validation split
    shown_for: str  # the class of which it is the first or second
    label: list[str]
    decided: list[str]
    right: bool
    probability: Share  # of the class whose logit Grad-CAM follows, not calibrated
    followed: str


class InsightRecord(Stored):
    """One look into one trained network.

    Attributes:
        run: id of its training's record.
        images: how many validation images the gates and spectra are over.
        gates_untrained: of a network with fresh weights, on the same images: where training began.
        map_stage: whose output Grad-CAM and attention are shown of: the deepest of 7 px a side.
        maps_sha256: of the ``.npz``: ``pictures`` (K, S, S, C) uint8; of N images ``index``, the
            class ``followed``, and (N, h, w) float16 ``grad_cam``, ``untrained`` (the same of a
            network with fresh weights) and ``received``.
    """

    schema_version: Literal[1] = 1
    run: str
    model: str
    data: str
    seed: int
    predictions_sha256: str
    weights_sha256: str
    split: Literal["val"] = "val"
    images: Count
    gates: list[GateSeen]
    gates_untrained: list[GateSeen]
    kernels: list[KernelSeen]
    maps: list[MapsSeen]
    attention: list[AttentionSeen]
    map_stage: Annotated[int, Field(ge=1)]
    looked: list[Looked]
    maps_sha256: str
    provenance: Provenance


Maps = dict[str, NDArray[np.generic]]


def packed(maps: Maps) -> bytes:
    """The arrays as the bytes of an ``.npz``."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **maps)
    return buffer.getvalue()


def save(record: InsightRecord, maps: bytes, results: Path) -> Path:
    """Write maps, then record, each whole or not at all; returns the record's path."""
    path = results / FOLDER / f"{record.run}.json"
    write_atomic(path.with_suffix(".npz"), maps)
    save_single(record, path)
    return path


def load_all(results: Path) -> dict[str, InsightRecord]:
    """Every look there is, by the id of its training.

    Raises:
        InputError: one is damaged.
    """
    found = {}
    for path in sorted((results / FOLDER).glob("*.json")):
        record = load_single(
            path, InsightRecord, lambda one: {one.run}, called="look into a network", again=AGAIN
        )
        assert record is not None
        found[record.run] = record
    return found


def load_maps(record: InsightRecord, results: Path) -> Maps:
    """The arrays of one look.

    Raises:
        InputError: they are gone, or not the bytes that the record speaks of.
    """
    path = results / FOLDER / f"{record.run}.npz"
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != record.maps_sha256:
            raise ValueError("they are not those the record speaks of")
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"maps cannot be read ({error})", remedy=AGAIN, file=shown(path)
        ) from error
