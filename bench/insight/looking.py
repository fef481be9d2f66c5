"""From a file of weights to the record of a look into the network."""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from torch import Tensor

from bench.data.dataset import Dataset
from bench.errors import InputError
from bench.evaluation.scores import is_multi_label
from bench.insight.attention import attention_seen, grad_cam, map_stage, received
from bench.insight.digest import insight_digest
from bench.insight.frequency import kernels_seen, maps_seen
from bench.insight.gates import gates_seen
from bench.insight.record import InsightRecord, Looked, Maps, packed
from bench.models import build
from bench.provenance import processor
from bench.release.answers import Answer, decided
from bench.release.classifying import BATCH, Classifier, fed_pixels, restored
from bench.release.file import Weights
from bench.release.images import Picture
from bench.run.recording import Clock, made_now
from medspectralnet.network import MedSpectralNet

MOST = 512  # validation images that gates and spectra are over
MAPPED = 100  # first of these whose maps are kept, to compare seeds
FEW_CLASSES = 4  # up to which two images of each class are shown, else one
FRESH_SEED = 0  # of the network that was never trained


def looked_into(
    weights: Weights, weights_sha256: str, dataset: Dataset
) -> tuple[InsightRecord, bytes]:
    """Pass validation images through the network; no test split is opened.

    Returns:
        The record, and the bytes of the maps beside it.

    Raises:
        InputError: it is no MedSpectralNet, or the data is not what it was trained on.
    """
    clock, metadata, classifier = Clock(), weights.metadata, restored(weights)
    model = classifier.model
    if not isinstance(model, MedSpectralNet):
        raise InputError(
            f"{metadata.model.name!r} is no MedSpectralNet, and has no streams or gates",
            remedy="name one with --only model=NAME",
        )
    if dataset.source.checksum != metadata.data_checksum:
        raise InputError(
            f"{dataset.name} is not the data that the network was trained on",
            remedy="get the same file, or train anew",
        )
    images = fed_pixels(torch.from_numpy(dataset.val.images[:MOST]), metadata)
    batches = images.split(BATCH)
    stage = map_stage(model, images[:1])
    looked, pictures, maps = _looked(classifier, model, dataset, stage)
    content = packed({"pictures": pictures, **maps})
    record = InsightRecord(
        run=metadata.run,
        model=metadata.model.name,
        data=metadata.data,
        seed=metadata.chosen.seed,
        predictions_sha256=metadata.predictions_sha256,
        weights_sha256=weights_sha256,
        images=len(images),
        gates=gates_seen(model, batches),
        gates_untrained=gates_seen(_fresh(classifier), batches),
        kernels=kernels_seen(model),
        maps=maps_seen(model, batches),
        attention=attention_seen(model, batches),
        map_stage=stage,
        looked=looked,
        maps_sha256=hashlib.sha256(content).hexdigest(),
        provenance=made_now(
            insight_digest(metadata.model), processor(), torch.get_num_threads(), clock
        ),
    )
    return record, content


def _looked(
    classifier: Classifier, model: MedSpectralNet, dataset: Dataset, stage: int
) -> tuple[list[Looked], np.ndarray, Maps]:
    """The images that are shown, and the maps of these and of the first ``MAPPED``."""
    metadata = classifier.metadata
    shown = _chosen(dataset)
    index = sorted({*range(min(MAPPED, len(dataset.val))), *(i for i, _ in shown)})
    images = fed_pixels(torch.from_numpy(dataset.val.images[index]), metadata)
    probs = classifier.probabilities(classifier.logits(images))
    followed = torch.from_numpy(probs.argmax(axis=1))
    maps: Maps = {
        "index": np.asarray(index, np.int32),
        "followed": followed.numpy().astype(np.uint8),
    }
    for name, network in (("grad_cam", model), ("untrained", _fresh(classifier))):
        cams = [
            grad_cam(network, stage, batch.clone(), part)
            for batch, part in zip(images.split(BATCH), followed.split(BATCH), strict=True)
        ]
        maps[name] = _half(torch.cat(cams))
    got = [received(model, stage, batch) for batch in images.split(BATCH)]
    if all(one is not None for one in got):
        maps["received"] = _half(torch.cat([one for one in got if one is not None]))
    looked = []
    for position, class_name in shown:
        row = index.index(position)
        names = metadata.class_names
        answer = Answer(
            Picture(str(position), dataset.val.images[position], ()),
            dict(zip(names, map(float, probs[row]), strict=True)),
        )
        label, said = _labels(dataset, position), decided(answer, metadata)
        looked.append(
            Looked(
                row=row,
                index=position,
                shown_for=class_name,
                label=label,
                decided=said,
                right=label == said,
                probability=float(probs[row].max()),
                followed=names[int(followed[row])],
            )
        )
    return looked, dataset.val.images[[one.index for one in looked]], maps


def _chosen(dataset: Dataset) -> list[tuple[int, str]]:
    """The first validation images of each class, by index, with the class they are shown for."""
    each = 2 if dataset.num_classes <= FEW_CLASSES else 1
    labels, found = dataset.val.labels, []
    for number, name in enumerate(dataset.class_names):
        member = labels[:, number] == 1 if is_multi_label(dataset.task) else labels == number
        found += [(int(i), name) for i in np.flatnonzero(member)[:each]]
    return found


def _labels(dataset: Dataset, position: int) -> list[str]:
    label, names = dataset.val.labels[position], dataset.class_names
    if is_multi_label(dataset.task):
        return [name for name, carried in zip(names, label, strict=True) if carried]
    return [names[int(label)]]


def _fresh(classifier: Classifier) -> MedSpectralNet:
    """The same network as it was never trained."""
    metadata = classifier.metadata
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(FRESH_SEED)
        model = build(
            metadata.model,
            num_classes=len(metadata.class_names),
            in_chans=metadata.channels,
            image_size=metadata.image_size,
        ).model.eval()
    assert isinstance(model, MedSpectralNet)
    return model


def _half(maps: Tensor) -> np.ndarray:
    return maps.cpu().numpy().astype(np.float16)
