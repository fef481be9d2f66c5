"""From a data set to the record of its audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations_with_replacement
from typing import Literal, cast

import numpy as np
import torch

from bench.audit_file import AuditSpec
from bench.data.audit import Audit, CopyGroup, audit, class_counts, flat_images
from bench.data.dataset import Dataset, Split
from bench.data.info import SPLITS
from bench.provenance import audit_digest, processor
from bench.records.audit import (
    AuditRecord,
    ContaminatedTest,
    Group,
    Member,
    SplitAudit,
    SplitName,
    SplitPair,
)
from bench.run.recording import Clock, made_now

NAMES: tuple[SplitName, ...] = ("train", "val", "test")


def audited(
    dataset: Dataset,
    splits: Mapping[str, Split],
    spec: AuditSpec,
    on_progress: Callable[[float], None] = lambda _: None,
) -> AuditRecord:
    """Audit ``splits``, all three of ``dataset`` (``bench.data.audit.read_every_split``)."""
    clock, source = Clock(), dataset.source
    found = audit(splits, spec, on_progress)
    return AuditRecord(
        spec=spec,
        dataset=dataset.name,
        task=dataset.task,
        class_names=list(dataset.class_names),
        checksum=source.checksum,
        source_size=dataset.source_size,
        channels=cast(Literal[1, 3], dataset.channels),
        official=source.official,
        synthetic=source.synthetic,
        licence=source.licence,
        note=source.note,
        splits=[_split(name, splits[name], dataset.num_classes, spec) for name in NAMES],
        pairs=_pairs(found),
        exact=[_group(group, splits) for group in found.exact],
        near=[_group(group, splits) for group in found.near],
        contaminated_test=ContaminatedTest(
            exact=found.contaminated_test.exact,
            near=found.contaminated_test.near,
            labels_differ=found.contaminated_test.labels_differ,
        ),
        provenance=made_now(audit_digest(), processor(), torch.get_num_threads(), clock),
    )


def _split(name: SplitName, split: Split, num_classes: int, spec: AuditSpec) -> SplitAudit:
    constant, flat = flat_images(split, spec)
    return SplitAudit(
        name=name,
        images=len(split),
        per_class=class_counts(split, num_classes),
        constant=constant,
        flat=flat,
    )


def _pairs(found: Audit) -> list[SplitPair]:
    return [
        SplitPair(
            splits=(NAMES[a], NAMES[b]),
            exact=int(found.exact_pairs[a, b]),
            near=int(found.near_pairs[a, b]),
            labels_differ=int(found.differing_pairs[a, b]),
            counted=found.counted[a, b].tolist(),
        )
        for a, b in combinations_with_replacement(range(len(NAMES)), 2)
    ]


def _group(group: CopyGroup, splits: Mapping[str, Split]) -> Group:
    ends = np.cumsum([len(splits[name]) for name in SPLITS])
    members = []
    for image in group.images:
        part = int(np.searchsorted(ends, image, side="right"))
        index = int(image - (ends[part - 1] if part else 0))
        label = splits[SPLITS[part]].labels[index].tolist()
        members.append(Member(split=NAMES[part], index=index, label=label))
    return Group(members=members, labels_differ=group.labels_differ, likeness=group.likeness)
