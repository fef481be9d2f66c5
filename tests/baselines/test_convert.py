"""Published MedMamba checkpoints: unpacked, checked to the last name, refused with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
from torch import Tensor, nn

import baselines  # noqa: F401  (registers the models)
from baselines.convert import Published, read_published, write_converted

State = dict[str, Tensor]


def published_state(name: str = "test_medmamba", num_classes: int = 9) -> State:
    torch.manual_seed(0)
    state: State = timm.create_model(name, num_classes=num_classes).state_dict()
    return state


def test_every_size_is_known_by_its_shapes(tmp_path: Path) -> None:
    for name in ("medmamba_tiny", "medmamba_small", "medmamba_base"):
        with torch.device("meta"):
            shapes = timm.create_model(name, num_classes=9).state_dict()
        path = tmp_path / f"{name}.pth"
        torch.save(
            {key: torch.zeros(()).expand(value.shape) for key, value in shapes.items()}, path
        )
        found = read_published(path)
        assert (found.name, found.num_classes) == (name, 9)
        assert found.state.keys() == shapes.keys()


@pytest.mark.parametrize("wrapper", [None, "model", "state_dict"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_checkpoint_becomes_the_network_it_was(
    tmp_path: Path, wrapper: str | None, prefix: str
) -> None:
    model = timm.create_model("test_medmamba", num_classes=9).eval()
    assert isinstance(model, nn.Module)
    state = {prefix + name: value for name, value in model.state_dict().items()}
    state[f"{prefix}layers.0.total_ops"] = torch.zeros(1)  # a profiler's
    torch.save(state if wrapper is None else {wrapper: state, "epoch": 3}, tmp_path / "a.pth")
    found = read_published(tmp_path / "a.pth")
    write_converted(found, tmp_path / "a.safetensors")
    loaded = timm.create_model(
        found.name,
        num_classes=found.num_classes,
        checkpoint_path=str(tmp_path / "a.safetensors"),
    ).eval()
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(model(images), loaded(images))
    assert read_published(tmp_path / "a.safetensors").state.keys() == model.state_dict().keys()


def drop(state: State) -> None:
    del state["layers.1.blocks.0.self_attention.Ds"]


def add(state: State) -> None:
    state["finalconv11.weight"] = torch.zeros(1)


def reshape(state: State) -> None:
    state["layers.0.blocks.0.self_attention.A_logs"] = torch.zeros(4, 16)


def behead(state: State) -> None:
    del state["head.weight"]


def widen(state: State) -> None:
    state["patch_embed.proj.weight"] = torch.zeros(7, 3, 4, 4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop, r"layers\.1\.blocks\.0\.self_attention\.Ds is missing"),
        (add, r"finalconv11\.weight is unknown"),
        (reshape, r"A_logs is \(4, 16\), not \(32, 16\)"),
        (behead, r"no head\.weight"),
        (widen, "none of medmamba_tiny, medmamba_small"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, change: object, message: str) -> None:
    state = published_state()
    change(state)  # type: ignore[operator]
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(ValueError, match=message):
        read_published(tmp_path / "a.pth")


class Code:
    """What a malicious checkpoint would run on unpickling."""

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return exec, ("raise SystemExit('ran')",)


def test_files_that_are_no_checkpoints_are_refused(tmp_path: Path) -> None:
    whole = tmp_path / "whole.pth"
    torch.save(published_state(), whole)
    for name, content in (
        ("cut.pth", whole.read_bytes()[:2000]),
        ("text.pth", b"not a checkpoint"),
        ("empty.pth", b""),
        ("text.safetensors", b"not safetensors"),
        ("hello.pth", b"hello"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match="it is no checkpoint of tensors alone"):
            read_published(tmp_path / name)
    torch.save({"model": Code()}, tmp_path / "code.pth")
    with pytest.raises(ValueError, match="it is no checkpoint of tensors alone"):
        read_published(tmp_path / "code.pth")
    torch.save([torch.zeros(1)], tmp_path / "list.pth")
    with pytest.raises(ValueError, match="it holds list, not names and tensors"):
        read_published(tmp_path / "list.pth")
    torch.save({"a": 3}, tmp_path / "number.pth")
    with pytest.raises(ValueError, match="its entry 'a' is int, not a tensor"):
        read_published(tmp_path / "number.pth")
    with pytest.raises(ValueError, match="it cannot be read"):
        read_published(tmp_path / "missing.pth")


NORM = "patch_embed.norm.weight"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.ones(8, dtype=torch.int64), "torch.int64 that are not finite real weights"),
        (torch.ones(8, dtype=torch.complex64), "not finite real weights"),
        (torch.full((8,), float("nan")), "not finite real weights"),
        (torch.ones(8).to_sparse(), "holds no dense values"),
        (torch.ones(8, device="meta"), "holds no dense values"),
    ],
)
def test_values_that_are_no_weights_are_refused(
    tmp_path: Path, value: Tensor, message: str
) -> None:
    torch.save({**published_state(), NORM: value}, tmp_path / "a.pth")
    with pytest.raises(ValueError, match=f"its {NORM} .*{message}"):
        read_published(tmp_path / "a.pth")


@pytest.mark.parametrize("shape", [(), (8,), (8, 3)])
def test_a_stem_of_another_rank_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    state = {**published_state(), "patch_embed.proj.weight": torch.zeros(shape)}
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(ValueError, match="none of medmamba_tiny"):
        read_published(tmp_path / "a.pth")


def test_a_name_given_twice_is_refused(tmp_path: Path) -> None:
    state = published_state()
    torch.save({**state, f"module.{NORM}": state[NORM]}, tmp_path / "a.pth")
    with pytest.raises(ValueError, match=f"holds {NORM} twice"):
        read_published(tmp_path / "a.pth")


def test_shared_tensors_and_places_that_cannot_be_written(tmp_path: Path) -> None:
    state = published_state()
    state["patch_embed.norm.bias"] = state[NORM]  # two names, one memory
    write_converted(Published("test_medmamba", 9, state), tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match="cannot be written"):
        write_converted(
            Published("test_medmamba", 9, state), tmp_path / "no" / "such" / "a.safetensors"
        )
