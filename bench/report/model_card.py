"""The card beside a file of weights: what it is, how well it does, what it must not be used for.

After Mitchell et al. 2019, "Model Cards for Model Reporting" (https://arxiv.org/abs/1810.03993).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from pydantic import JsonValue
from tabulate import tabulate

from bench.data.medmnist import info_by_flag
from bench.evaluation.scores import is_multi_label, probabilities, score
from bench.records.schema import Record, Scores
from bench.records.store import Store
from bench.release.metadata import WeightsMetadata
from bench.report.collect import training_of
from bench.report.text import BLANK, millions, percent
from bench.statistics.delong import auc_over_images, macro_auc_parts
from bench.statistics.intervals import wilson_over_images

_LIMITS = """\
Research only. **Not a medical device**: it was not made, tested or approved for diagnosis, and no
decision about a person may rest on it. Its probabilities hold, if at all, for images of the same
source, prepared in the same way; of other scanners, hospitals or populations nothing is known. It
answers with one of its classes whatever it is shown."""


def model_card(
    metadata: WeightsMetadata,
    record: Record,
    seeds: Sequence[Record],
    store: Store,
    *,
    file: str,
    sha256: str,
    without_copies: Scores | None = None,
) -> str:
    """The card as Markdown.

    Args:
        record: whose training the weights are.
        seeds: every training of that model on that data in the suite, this one among them.
        store: holds the predictions.
        file, sha256: name and checksum of the file of weights.
        without_copies: test scores without images that an audit found in train or validation.

    Raises:
        InputError: predictions cannot be read.
    """
    model, chosen = metadata.model, metadata.chosen
    synthetic = " (**synthetic data**)" if metadata.synthetic else ""
    sections = [
        f"# {model.name} on {metadata.data}{synthetic}",
        _LIMITS,
        "## What it is",
        _what(metadata, record),
        "## How well it does",
        _scores(metadata, record, store, without_copies),
        f"Intervals cover the choice of test images alone (Wilson's for accuracy, DeLong's for "
        f"AUC): another seed gives another network. {_over_seeds(seeds)} Of this one: "
        f"{chosen.why}.",
        _calibration(metadata),
        "Of the test images of each class, cut at a half or at the likeliest class:",
        _classes(record, seeds),
        "## How to use it",
        _usage(metadata, file),
        "## Where it comes from",
        _origin(metadata, record, file, sha256),
    ]
    return "\n\n".join(sections) + "\n"


def _what(metadata: WeightsMetadata, record: Record) -> str:
    training = training_of(record)
    images, protocol = training.data.images, getattr(record.spec, "protocol", None)
    epochs = protocol.epochs if protocol is not None else len(training.epochs)
    classes = ", ".join(f"“{name}”" for name in metadata.class_names)
    side = f"{metadata.source_size} px images fed at {metadata.image_size} px"
    return (
        f"`{metadata.model.name}`, {millions(training.params_trainable)} M parameters, trained "
        f"from scratch on {metadata.data} ({images['train']} training images; {side}; task: "
        f"{metadata.task}; classes: {classes}). Of {epochs} epochs the weights of epoch "
        f"{metadata.chosen.epoch} were kept, by {metadata.chosen.criterion}; the test split was "
        f"predicted once with them. Protocol: suite `{metadata.suite}`, every setting in the "
        f"record `{metadata.run}`.{_described(metadata)}"
    )


def _described(metadata: WeightsMetadata) -> str:
    """What the data is, in the words of the medmnist package, which names no classes of some."""
    known = info_by_flag().get(metadata.data)
    if known is None or metadata.data_described:
        return ""
    return f" The data, in MedMNIST's words: “{known['description']}”"


def _scores(metadata: WeightsMetadata, record: Record, store: Store, without: Scores | None) -> str:
    kept = store.load_predictions(record.id)
    rows = []
    for split, name in (("val", "validation, which chose it"), ("test", "test")):
        logits = kept[f"{split}_logits"].astype(np.float64)
        labels = kept[f"{split}_labels"].astype(np.int64)
        task, names = metadata.task, tuple(metadata.class_names)
        plain = score(logits, labels, task, names)
        calibrated = score(logits / (metadata.calibration.temperature or 1.0), labels, task, names)
        auc = auc_over_images(macro_auc_parts(probabilities(logits, task), labels, task))
        rows.append(
            {
                "split": name,
                "images": plain.images,
                "ACC (%)": _accuracy(plain, metadata),
                "AUC (%)": _interval(auc.value, auc.low, auc.high),
                "ECE (%)": percent([plain.ece]),
                "ECE calibrated (%)": percent([calibrated.ece]),
                "cross-entropy": f"{plain.loss:.3f}",
                "calibrated": f"{calibrated.loss:.3f}",
            }
        )
    if without is not None:
        rows.append(
            {
                "split": "test without copies of train or validation images",
                "images": without.images,
                "ACC (%)": _accuracy(without, metadata),
                "AUC (%)": BLANK if without.auc is None else percent([without.auc]),
                "ECE (%)": percent([without.ece]),
                "ECE calibrated (%)": BLANK,
                "cross-entropy": f"{without.loss:.3f}",
                "calibrated": BLANK,
            }
        )
    return tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True)


def _calibration(metadata: WeightsMetadata) -> str:
    """Whether the probabilities that `predict` gives are better than the network's own."""
    calibration = metadata.calibration
    if calibration.temperature is None:
        return f"Not calibrated: {calibration.note}."
    told = f"*Calibrated*: with a temperature of {calibration.temperature:.4f}"
    effects = {effect.split: effect for effect in calibration.effects}
    told += f", fitted on the {effects['val'].images} validation images." if effects else "."
    if "test" in effects:
        told += (
            f" On test, which fitted nothing, it makes the probabilities "
            f"{'better' if effects['test'].better else '**worse**'} by cross-entropy."
        )
    return told


def _classes(record: Record, seeds: Sequence[Record]) -> str:
    """Each class, with what the suite's seeds find of it: one network may be a lucky one."""
    others = [[c.recall for c in training_of(one).test.per_class] for one in seeds]
    rows = [
        {
            "class": one.name,
            "test images": one.support,
            "sensitivity (%)": BLANK if one.recall is None else percent([one.recall]),
            f"the same over {len(seeds)} seeds (%)": percent(
                [found for found in (other[place] for other in others) if found is not None]
            ),
            "AUC against the rest (%)": BLANK if one.auc is None else percent([one.auc]),
        }
        for place, one in enumerate(training_of(record).test.per_class)
    ]
    return tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True)


def _accuracy(scores: Scores, metadata: WeightsMetadata) -> str:
    if is_multi_label(metadata.task):  # a mean over labels is no proportion of images
        return percent([scores.acc])
    found = wilson_over_images(round(scores.acc * scores.images), scores.images)
    return _interval(scores.acc, found.low, found.high)


def _interval(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return BLANK
    if low is None or high is None:
        return percent([value])
    return f"{percent([value])} [{percent([low])}, {percent([high])}]"


def _over_seeds(seeds: Sequence[Record]) -> str:
    if len(seeds) < 2:
        return "There is one seed only."
    tests = [training_of(record).test for record in seeds]
    aucs = [test.auc for test in tests if test.auc is not None]
    auc = f", AUC {percent(aucs)} %" if len(aucs) == len(tests) else ""
    return (
        f"The {len(seeds)} seeds of the suite give ACC {percent([t.acc for t in tests])} %{auc} on "
        f"test (mean ± standard deviation): expect that of the method, not this network's own."
    )


def _usage(metadata: WeightsMetadata, file: str) -> str:
    registered = metadata.model.timm or metadata.model.name
    arguments: dict[str, JsonValue] = {
        "num_classes": len(metadata.class_names),
        "in_chans": metadata.channels,
        **metadata.model.args,
    }
    given = "".join(f"    {name}={_literal(value)},\n" for name, value in arguments.items())
    grey = metadata.data_channels < metadata.channels
    repeated = ", grey repeated over the channels" if grey else ""
    calibration = metadata.calibration
    temperature = (
        f"divide the logits by {calibration.temperature:.4f} (fitted on validation) before the "
        f"{metadata.last_step}"
        if calibration.temperature is not None
        else f"there is no temperature ({calibration.note})"
    )
    noted = f"; {calibration.note}" if calibration.temperature and calibration.note else ""
    return (
        f"```sh\npython -m bench predict --weights {file} IMAGE …\n"
        f"python -m bench export --weights {file} network.onnx\n```\n\n"
        "```python\n"
        "import medspectralnet, ablations, baselines, timm  # from the checkout\n\n"
        f"model = timm.create_model(\n    {_literal(registered)},\n{given}"
        f"    checkpoint_path={_literal(file)},\n"
        ").eval()\n"
        "```\n\n"
        f"Feed images resized to {metadata.source_size} × {metadata.source_size}, then to "
        f"{metadata.image_size} × {metadata.image_size} ({metadata.resizing}), uint8 0–255 mapped "
        f"to {metadata.fed[0]:g}…{metadata.fed[1]:g}"
        f"{repeated}"
        f"; {temperature}{noted}. All of this stands in the file's own header too."
    )


def _literal(value: JsonValue) -> str:
    """As Python writes it, strings in double quotes."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _origin(metadata: WeightsMetadata, record: Record, file: str, sha256: str) -> str:
    packages = ", ".join(f"{name} {metadata.packages[name]}" for name in sorted(metadata.packages))
    made = record.provenance
    lines = [
        f"`{file}`: SHA-256 `{sha256}`.",
        f"Record `{metadata.run}` of suite `{metadata.suite}`, seed {metadata.chosen.seed}, commit "
        f"`{made.commit}`, Python {made.python}, {packages}.",
        "Records keep no weights: the training was made again, and its predictions on validation "
        f"and test were the record's to the last bit (SHA-256 `{metadata.predictions_sha256}`).",
        f"Data: {metadata.data}, {metadata.data_checksum}; licence: "
        f"{metadata.licence or 'not stated'}. Code and weights: MIT, as far as the data's licence "
        "allows.",
        f"The model's arguments: `{json.dumps(metadata.arguments, ensure_ascii=False)}`.",
    ]
    return "\n".join(f"- {line}" for line in lines)
