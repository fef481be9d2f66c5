"""Identity: what changes a run's id, and what must not."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bench.specs import Control, DataIdentity, ModelSpec, Optimizer, RunSpec
from tests._helpers.specs import cost_spec, protocol, run_spec

DECIDING: list[dict[str, Any]] = [
    {"model": ModelSpec(name="resnet18", args={"stem_width": 32})},
    {"model": ModelSpec(name="resnet18", pretrained=True)},
    {"data": DataIdentity(name="breastmnist", checksum="md5:2", source_size=28)},
    {"data": DataIdentity(name="breastmnist", checksum="md5:1", source_size=64)},
    {"image_size": 32},
    {"channels": 1},
    {"control": Control(kind="blur", sigma=2.0)},
    {"control": Control(kind="blur", sigma=3.0)},
    {"protocol": protocol(epochs=4)},
    {"protocol": protocol(label_smoothing=0.1)},
    {"protocol": protocol(least_updates=100)},
    {"protocol": protocol(accumulate=2)},
    {"protocol": protocol(sampling="balanced")},
    {"protocol": protocol(augment={"shift": 2.0, "rotation": 5.0})},
    {"protocol": protocol(augment={"shift": 2.0, "rotation": 5.0}, augment_count=1)},
    {"seed": 1},
    {"device": "cuda"},
    {"precision": "bfloat16"},
    {"threads": 1},
]


def test_each_deciding_field_changes_the_id() -> None:
    ids = [run_spec().id, *(run_spec(**change).id for change in DECIDING)]
    assert len(set(ids)) == len(ids)


def test_prose_and_key_order_do_not_change_the_id() -> None:
    assert run_spec(protocol=protocol(about="other", source="else")).id == run_spec().id
    one = ModelSpec(name="x", args={"a": 1, "b": 2})
    other = ModelSpec(name="x", args={"b": 2, "a": 1})
    assert run_spec(model=one).id == run_spec(model=other).id


def test_the_id_is_the_same_in_every_release() -> None:
    # A change of this value orphans every committed record: add fields with a default instead.
    assert run_spec().id == "1dabc819a625f263"


def test_a_spec_survives_json() -> None:
    spec = run_spec(control=Control(kind="shuffle", grid=4))
    assert RunSpec.model_validate_json(spec.model_dump_json()) == spec


def test_cost_id_depends_on_the_machine() -> None:
    ids = [cost_spec(device_name=name).id for name in ("a", "a", "b")]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "blur"}, "needs sigma"),
        ({"kind": "shuffle", "sigma": 1.0, "grid": 2}, "takes no sigma"),
        ({"kind": "blur", "sigma": 0.0}, "greater than 0"),
        ({"kind": "erase"}, "'blur' or 'shuffle'"),
    ],
)
def test_controls_that_make_no_sense_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Control(**values)


def test_a_protocol_whose_warm_up_fills_it_is_refused() -> None:
    with pytest.raises(ValidationError, match="warmup_epochs must be less than epochs"):
        protocol(schedule={"name": "cosine", "warmup_epochs": 3.0})


def test_more_augmentations_an_image_than_are_listed_are_refused() -> None:
    both = {"shift": 2.0, "rotation": 5.0}
    assert protocol(augment=both, augment_count=2).augment_count == 2
    with pytest.raises(ValidationError, match="augment_count is 3, augment lists 2"):
        protocol(augment=both, augment_count=3)


def test_a_model_has_one_origin() -> None:
    with pytest.raises(ValidationError, match="either timm or factory"):
        ModelSpec(name="x", timm="resnet18", factory="a:b")


def test_no_default_of_a_deciding_field_has_changed() -> None:
    # Ids leave defaults out: a default changed here would give old records a new meaning.
    defaults = protocol().model_dump(exclude={"about", "source"}) | {
        "optimizer": Optimizer(name="adam", lr=1e-3).model_dump()
    }
    assert defaults == {
        "epochs": 3,
        "least_updates": None,
        "batch_size": 8,
        "sampling": "shuffled",
        "eval_batch_size": 256,
        "optimizer": {"name": "adam", "lr": 1e-3, "weight_decay": 0.0, "momentum": 0.9},
        "schedule": {
            "name": "constant",
            "warmup_epochs": 0.0,
            "final_lr_fraction": 0.0,
            "milestones": [],
            "gamma": 0.1,
        },
        "augment": {},
        "augment_count": None,
        "accumulate": 1,
        "select": "auc",
        "label_smoothing": 0.0,
        "class_weights": "none",
        "ema_decay": None,
        "clip_grad_norm": None,
        "drop_path_rate": None,
        "shuffle_labels": False,
    }


def test_rare_classes_are_made_up_for_once() -> None:
    protocol(sampling="balanced")
    protocol(class_weights="balanced")
    with pytest.raises(ValidationError, match="both 'balanced'"):
        protocol(sampling="balanced", class_weights="balanced")


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_what_json_cannot_hold_is_refused(value: float) -> None:
    with pytest.raises(ValidationError, match="finite number"):
        protocol(clip_grad_norm=value)
