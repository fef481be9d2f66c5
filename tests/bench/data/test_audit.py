"""Audits of planted faults: each is found, nothing else is, and the test split keeps its lock."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from bench.audit_file import DUPLICATES, AuditSpec
from bench.data.audit import audit, class_counts, flat_images, read_every_split
from bench.data.dataset import Split
from bench.errors import TestSplitLocked
from bench.toml_file import ROOT, read_toml
from tests._helpers.audits import SIZES, clean, dataset, planted

SPEC = read_toml(DUPLICATES, AuditSpec)


def named(group: list[int]) -> list[tuple[str, int]]:
    places = [(name, index) for name, count in SIZES.items() for index in range(count)]
    return [places[image] for image in group]


def test_nothing_is_found_where_nothing_is() -> None:
    found = audit(clean(), SPEC)
    assert found.exact == found.near == []
    assert found.exact_pairs.sum() == found.near_pairs.sum() == found.counted.sum() == 0
    assert found.contaminated_test.exact == found.contaminated_test.near == []


def test_every_planted_copy_is_found_and_nothing_else() -> None:
    found = audit(planted(), SPEC)
    assert [(named(g.images.tolist()), g.labels_differ) for g in found.exact] == [
        ([("train", 4), ("val", 3)], True),
        ([("train", 10), ("test", 6), ("test", 8)], False),
        ([("train", 20), ("train", 21)], True),
    ]
    assert [(named(g.images.tolist()), g.labels_differ) for g in found.near] == [
        ([("train", 13), ("test", 12)], True),
        ([("val", 7), ("test", 11)], False),
    ]
    assert all(0.985 <= group.likeness < 1 for group in found.near)
    assert found.exact_pairs.tolist() == [[1, 1, 2], [0, 0, 0], [0, 0, 1]]
    assert found.near_pairs.tolist() == [[0, 0, 1], [0, 0, 1], [0, 0, 0]]
    assert found.differing_pairs.tolist() == [[1, 1, 1], [0, 0, 0], [0, 0, 0]]
    assert found.counted[..., SPEC.counted.index(0.985)].tolist() == found.near_pairs.tolist()


def test_contaminated_test_images_are_named_apart() -> None:
    found = audit(planted(), SPEC).contaminated_test
    assert found.exact == [6, 8]
    assert found.near == [11, 12]
    assert found.labels_differ == [12]


def test_an_image_with_an_exact_and_a_near_copy_counts_as_exact() -> None:
    splits = planted()
    splits["val"].images[9] = splits["train"].images[10] // 2 + 40
    found = audit(splits, SPEC)
    assert found.contaminated_test.exact == [6, 8]
    assert found.contaminated_test.near == [11, 12]
    (joined,) = [group for group in found.near if len(group.images) == 4]
    assert named(joined.images.tolist()) == [("train", 10), ("val", 9), ("test", 6), ("test", 8)]


def test_copies_within_the_test_split_do_not_contaminate_it() -> None:
    splits = clean()
    splits["test"].images[5] = splits["test"].images[2]
    found = audit(splits, SPEC)
    assert len(found.exact) == 1
    assert found.contaminated_test.exact == found.contaminated_test.labels_differ == []


def test_sets_of_labels_differ_when_any_label_does() -> None:
    splits = clean()
    labels = {name: np.zeros((count, 4), dtype=np.int64) for name, count in SIZES.items()}
    labels["test"][2, 3] = 1
    several = {name: Split(name, splits[name].images, labels[name]) for name in SIZES}
    several["test"].images[1:3] = several["train"].images[5]
    found = audit(several, SPEC)
    assert found.exact[0].labels_differ
    assert found.contaminated_test.exact == [1, 2]
    assert found.contaminated_test.labels_differ == [2]
    assert class_counts(several["test"], 4) == [0, 0, 0, 1]


def test_a_large_group_is_counted_without_listing_its_pairs() -> None:
    images = np.full((3_000, 8, 8, 1), 7, dtype=np.uint8)
    labels = (np.arange(3_000) % 3 == 0).astype(np.int64)
    splits = {name: Split(name, images, labels) for name in SIZES}
    found = audit(splits, SPEC)
    assert found.exact_pairs[0, 0] == 3_000 * 2_999 // 2
    assert found.exact_pairs[0, 2] == 3_000**2
    assert found.differing_pairs[0, 0] == 1_000 * 2_000
    assert found.contaminated_test.exact == list(range(3_000))


def test_constant_and_flat_images_are_named() -> None:
    test = planted()["test"]
    test.images[1] = np.tile([[10], [11]], (7, 14))[..., None]
    assert flat_images(test, SPEC) == ([15, 16], [1, 15, 16])


def test_an_audit_leaves_the_test_split_locked() -> None:
    data = dataset(clean())
    assert len(read_every_split(data)["test"]) == 20
    assert data.test.opened_at is None
    with pytest.raises(TestSplitLocked):
        _ = data.test.images


def callers_of(method: str) -> set[str]:
    """The files of the harness that name a method of some object."""
    callers = set()
    for path in (ROOT / "bench").rglob("*.py"):
        names = {
            n.attr for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Attribute)
        }
        if method in names:
            callers.add(str(path.relative_to(ROOT)))
    return callers


def test_only_the_study_of_selection_goes_through_its_door() -> None:
    """It shows the test split during training: its records stand in no comparison."""
    assert callers_of("read_for_study") == {"bench/study/trial.py"}
    named = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "bench").rglob("*.py")
        if "read_for_study" in path.read_text()
    }
    assert named == {"bench/data/dataset.py", "bench/study/trial.py"}  # by getattr neither


def test_only_the_audit_goes_through_its_door() -> None:
    """Neither training nor any choice may read the test split this way."""
    assert callers_of("read_for_audit") == {"bench/data/audit.py"}
    users = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "bench").rglob("*.py")
        if "read_every_split(" in path.read_text()
    }
    assert users == {"bench/data/audit.py", "bench/cli/audit.py"}
