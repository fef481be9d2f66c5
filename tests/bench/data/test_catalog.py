"""Names, keys and sizes are checked before anything is read."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from bench.data import catalog
from bench.data.invariances import AUGMENTATIONS, check_strengths, declared
from bench.errors import InputError
from bench.specs import DatasetSpec


def test_every_known_name_has_an_outline() -> None:
    assert len(catalog.names()) == 15
    for name in catalog.names():
        outline = catalog.check(DatasetSpec(name=name), 28)
        assert outline.name == name
        assert outline.channels in (1, 3)
        assert outline.num_classes >= 2
        assert min(outline.counts.values()) > 0
        assert outline.synthetic == name.startswith("phantom")


def test_loading_a_phantom_and_a_check_import_neither_torch_nor_medmnist() -> None:
    program = (
        "import sys; from bench.data import catalog; from bench.specs import DatasetSpec; "
        "catalog.check(DatasetSpec(name='bloodmnist'), 64); "
        "catalog.load(DatasetSpec(name='phantom-local'), 28); "
        "sys.exit(bool({'torch', 'medmnist'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(
    ("fields", "size", "message"),
    [
        ({"name": "bloodminst"}, 28, "unknown data set 'bloodminst'; did you mean 'bloodmnist'?"),
        ({"name": "nodulemnist3d"}, 28, "unknown data set 'nodulemnist3d'"),
        ({"name": "bloodmnist"}, 32, "source_size: bloodmnist has no 32-pixel version; use one"),
        ({"name": "bloodmnist", "options": {"seed": 1}}, 28, "bloodmnist.options: only the phan"),
        ({"name": "bloodmnist", "task": "multi-class"}, 28, "dataset.bloodmnist.task: "),
        ({"name": "phantom-local", "classes": ["a", "b"]}, 28, "dataset.phantom-local.classes: "),
        ({"name": "bloodmnist", "path": "/x"}, 28, "'bloodmnist' is a published data set's name"),
        ({"name": "mine", "path": "/x", "options": {"seed": 1}}, 28, "dataset.mine.options: only"),
    ],
)
def test_what_a_data_set_does_not_take_is_refused(
    fields: dict[str, Any], size: int, message: str
) -> None:
    spec = DatasetSpec(**fields)
    with pytest.raises(InputError) as caught:
        catalog.check(spec, size)
    assert message in str(caught.value)
    with pytest.raises(InputError):
        catalog.load(spec, size)


def test_declared_augmentations_cover_every_data_set_and_exist() -> None:
    assert set(declared()) == set(catalog.names())
    assert frozenset().union(*declared().values()) == set(AUGMENTATIONS)


def test_sides_of_the_body_are_not_mirrored() -> None:
    for name in catalog.names():
        outline = catalog.check(DatasetSpec(name=name), 28)
        sided = any(label.endswith("-left") for label in outline.class_names)
        if sided and name != "organsmnist":  # sagittal: its axes are not left and right
            assert not {"horizontal_flip", "vertical_flip"} & outline.label_preserving, name
    assert "horizontal_flip" in declared()["organsmnist"]
    assert "horizontal_flip" not in declared()["organcmnist"]


@pytest.mark.parametrize("name", ["phantom-global", "phantom-local", "phantom-joint"])
def test_phantoms_forbid_what_destroys_a_cue(name: str) -> None:
    assert not {"rotation", "crop", "erase"} & declared()[name]


@pytest.mark.parametrize(
    ("strengths", "message"),
    [
        ({"shfit": 2.0}, "augment: unknown augmentation 'shfit'; did you mean 'shift'?"),
        ({"horizontal_flip": 1.5}, "augment.horizontal_flip: 1.5 is not in 0–1; it is the prob"),
        ({"shift": 2.5}, "augment.shift: 2.5 is not a whole number"),
        ({"shift": 28.0}, "augment.shift: 28 is not in 0–27"),
        ({"rotation": 200.0}, "augment.rotation: 200 is not in 0–180"),
    ],
)
def test_strength_out_of_range_is_refused(strengths: dict[str, float], message: str) -> None:
    with pytest.raises(InputError) as caught:
        check_strengths(strengths, 28)
    assert message in str(caught.value)
    check_strengths({"shift": 27.0, "horizontal_flip": 1.0}, 28)
