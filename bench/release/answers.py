"""What a network says of images, as a table for people or as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from tabulate import tabulate

from bench.evaluation.scores import THRESHOLD, is_multi_label
from bench.release.classifying import BATCH, Classifier, fed
from bench.release.images import Picture
from bench.release.metadata import Effect, WeightsMetadata

MOST_COLUMNS = 6  # classes of which each has a column
DISCLAIMER = "Research only: no medical device, no basis for a decision about a person."


@dataclass(frozen=True)
class Answer:
    """Calibrated probabilities of one image, by class."""

    picture: Picture
    probabilities: dict[str, float]


def answered(classifier: Classifier, pictures: Sequence[Picture]) -> list[Answer]:
    """One answer an image, in their order."""
    found = []
    names = classifier.metadata.class_names
    for start in range(0, len(pictures), BATCH):
        part = pictures[start : start + BATCH]
        probs = classifier.probabilities(classifier.logits(fed(part, classifier.metadata)))
        found += [
            Answer(picture, dict(zip(names, map(float, row), strict=True)))
            for picture, row in zip(part, probs, strict=True)
        ]
    return found


def decided(answer: Answer, metadata: WeightsMetadata) -> list[str]:
    """The classes decided for: one, or with several labels those above a half."""
    probs = answer.probabilities
    if is_multi_label(metadata.task):
        return [name for name, p in probs.items() if p > THRESHOLD]
    if metadata.task == "binary-class":
        return [metadata.class_names[int(probs[metadata.class_names[-1]] > THRESHOLD)]]
    return [max(probs, key=lambda name: probs[name])]


def as_table(answers: Sequence[Answer], metadata: WeightsMetadata) -> str:
    """A row an image; below, how images were prepared and what the numbers are."""
    rows = []
    for answer in answers:
        row = {"image": answer.picture.name}
        row["decision"] = ", ".join(decided(answer, metadata)) or "none"
        shown = sorted(answer.probabilities.items(), key=lambda pair: -pair[1])
        if len(shown) <= MOST_COLUMNS:
            row |= {f"{name} (%)": f"{100 * p:.1f}" for name, p in answer.probabilities.items()}
        else:
            row["likeliest (%)"] = ", ".join(f"{name} {100 * p:.1f}" for name, p in shown[:3])
        rows.append(row)
    lines = [tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True), ""]
    return "\n".join([*lines, *_notes(answers, metadata), DISCLAIMER])


def as_text(answers: Sequence[Answer], metadata: WeightsMetadata) -> str:
    """JSON: the network, what was done, and each image's probabilities in full."""
    return json.dumps(
        {
            "model": metadata.model.name,
            "data": metadata.data,
            "run": metadata.run,
            "temperature": metadata.calibration.temperature,
            "notes": [*_notes([], metadata), DISCLAIMER],
            "images": [
                {
                    "image": answer.picture.name,
                    "decision": decided(answer, metadata),
                    "probabilities": answer.probabilities,
                    "prepared": [*answer.picture.told],
                }
                for answer in answers
            ],
        },
        indent=1,
        ensure_ascii=False,
    )


def _notes(answers: Sequence[Answer], metadata: WeightsMetadata) -> list[str]:
    told = list(dict.fromkeys(note for answer in answers for note in answer.picture.told))
    source, size = metadata.source_size, metadata.image_size
    enlarged = f", then fed at {size} × {size}" if size != source else ""
    lines = [
        f"{metadata.model.name} of {metadata.data}, seed {metadata.chosen.seed}; prepared as the "
        f"training's images were: {source} × {source} px{enlarged} ({metadata.resizing})."
    ]
    if told:
        lines.append(f"Changed for that: {'; '.join(told)}.")
    calibration = metadata.calibration
    if calibration.temperature is None:
        lines.append(f"Not calibrated: {calibration.note}.")
    else:
        note = f" ({calibration.note})" if calibration.note else ""
        lines.append(f"Calibrated on validation, temperature {calibration.temperature:.3g}{note}.")
        lines += [_effect(one) for one in calibration.effects if one.split == "test"]
    return lines


def _effect(effect: Effect) -> str:
    """Whether the temperature made the probabilities better where nothing was fitted."""
    return (
        f"On the {effect.images} test images the temperature made probabilities "
        f"{'better' if effect.better else 'worse'}: cross-entropy {effect.loss:.3f} without it, "
        f"{effect.loss_calibrated:.3f} with it; ECE {100 * effect.ece:.1f} and "
        f"{100 * effect.ece_calibrated:.1f} %."
    )
