"""What audits of the data say of a suite's test images, and its scores without the copies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from bench.evaluation.scores import is_multi_label, score
from bench.records.audit import AuditRecord
from bench.records.schema import Record, Scores
from bench.records.store import Store
from bench.report.collect import Collected, training_of
from bench.specs import RunSpec, Task


@dataclass(frozen=True)
class Audits:
    """Audits of exactly the data that a suite's trainings saw.

    Attributes:
        by_name: data set → its audit, where there is one.
        without: record id → test scores without the contaminated images, where there are any.
    """

    by_name: Mapping[str, AuditRecord] = field(default_factory=dict)
    without: Mapping[str, Scores] = field(default_factory=dict)


NO_AUDITS = Audits()


def audits_for(collected: Collected, audits: Iterable[AuditRecord], store: Store) -> Audits:
    """Those ``audits`` that fit, and the scores from the predictions kept in ``store``.

    Raises:
        InputError: a file of predictions cannot be read.
    """
    known = {(audit.checksum, audit.source_size): audit for audit in audits}
    by_name: dict[str, AuditRecord] = {}
    without: dict[str, Scores] = {}
    for record in collected.records:
        spec = record.spec
        assert isinstance(spec, RunSpec)
        audit = known.get((spec.data.checksum, spec.data.source_size))
        if audit is None:
            continue
        by_name[spec.data.name] = audit
        kept = scores_without(record, audit.contaminated_test.images, store)
        if kept is not None:
            without[record.id] = kept
    return Audits(by_name, without)


def scores_without(record: Record, left_out: list[int], store: Store) -> Scores | None:
    """Test scores over the other images; None where none is left out, or none would be left."""
    predictions, data = store.load_predictions(record.id), training_of(record).data
    labels = predictions["test_labels"].astype(np.int64)
    keep = np.ones(len(labels), dtype=bool)
    keep[left_out] = False
    if keep.all() or not keep.any():
        return None
    logits = predictions["test_logits"].astype(np.float64)
    return score(logits[keep], labels[keep], cast(Task, data.task), tuple(data.class_names))


def audit_lines(collected: Collected, audits: Audits) -> list[str]:
    """A line on each real data set shown: what its audit says, or how one is made."""
    lines = []
    for dataset in collected.suite.datasets:
        shown = [r for r in collected.records if r.spec.label.split(" · ")[1] == dataset.name]
        if shown and not training_of(shown[0]).data.synthetic:
            size = collected.suite.settings.source_size
            lines.append(_line(dataset.name, dataset.path, size, audits.by_name.get(dataset.name)))
            lines += _balance(dataset.name, shown, audits)
    return lines


def _line(name: str, path: str | None, source_size: int, audit: AuditRecord | None) -> str:
    if audit is None:
        return f"{name}: {how_to_audit(name, path, source_size)}."
    found = audit.contaminated_test
    if not found.images:
        return f"{name}: its audit finds no test image with a copy in train or val."
    return (
        f"{name}: its audit finds {len(found.images)} test images with a copy in train or val "
        f"({len(found.exact)} exact, {len(found.near)} near, {len(found.labels_differ)} of them "
        "with another label there); *without* gives the scores over the other test images."
    )


def how_to_audit(name: str, path: str | None, source_size: int) -> str:
    """What is missing of a data set, and the command that makes it."""
    where = f" --path {path}" if path is not None else ""
    size = f" --source-size {source_size}" if source_size != 28 else ""
    return (
        "not audited for copies across splits; "
        f"`python -m bench data {name} --audit{size}{where}` does it"
    )


def commonest_share(scores: Scores) -> str:
    """The percentage of images that are of their commonest class: what naming it alone scores."""
    return f"{100 * max(entry.support for entry in scores.per_class) / scores.images:.1f} %"


def _balance(name: str, shown: list[Record], audits: Audits) -> list[str]:
    """How the others' balance of classes differs, since ACC changes with it and AUC does not."""
    scored = next((record for record in shown if record.id in audits.without), None)
    if scored is None or is_multi_label(cast(Task, training_of(scored).data.task)):
        return []
    whole, others = map(commonest_share, (training_of(scored).test, audits.without[scored.id]))
    return [
        f"{name}: always saying the commonest class is right on {whole} of all test images and on "
        f"{others} of those without a copy: compare ACC with that, not with the whole split's."
    ]
