"""The forms of the selective scan agree with the definition and with closed forms."""

from __future__ import annotations

import logging
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.medmamba.scan import chunked, compiled, operator  # isort: skip
from baselines.medmamba.scan import form_for, scan_macs, selective_scan, use_form
from tests._helpers.scans import assert_close, random_inputs, values_and_gradients

ON_CPU = ["reference", "pytorch", "c"]  # the others: test_gpu_scan.py
FLOAT32_FORMS = ["pytorch", "c"]


@pytest.mark.parametrize("form", FLOAT32_FORMS)
@pytest.mark.parametrize(
    ("batch", "length", "directions", "channels", "state"),
    [(2, 1, 4, 16, 16), (2, 33, 4, 40, 16), (1, 77, 3, 5, 16), (3, 32, 1, 17, 4), (5, 65, 2, 3, 1)],
)
def test_forms_agree_with_the_definition(
    form: str, batch: int, length: int, directions: int, channels: int, state: int
) -> None:
    inputs = random_inputs(batch, length, directions, channels, state)
    wanted = values_and_gradients("reference", inputs, torch.float64)
    assert_close(values_and_gradients(form, inputs, torch.float32), wanted)


def test_forms_agree_at_the_length_of_a_224_px_image() -> None:
    inputs = random_inputs(1, 3136, 1, 20, 16)
    wanted = values_and_gradients("pytorch", inputs, torch.float64)
    for form in FLOAT32_FORMS:
        assert_close(values_and_gradients(form, inputs, torch.float32), wanted)


@pytest.mark.parametrize("elements", [1, 3 * 2 * 40 * 16, 10 * 2 * 40 * 16])
def test_chunks_of_any_length_agree(elements: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunked, "_CHUNK_ELEMENTS", elements)  # 1, 3 and 10 steps of 33
    inputs = random_inputs(1, 33, 2, 40, 16)
    wanted = values_and_gradients("reference", inputs, torch.float64)
    assert_close(values_and_gradients("pytorch", inputs, torch.float32), wanted)


def test_a_part_of_several_images_sums_their_gradients() -> None:
    inputs = random_inputs(20, 6, 2, 17, 16)  # more images than parts at two threads
    wanted = values_and_gradients("pytorch", inputs, torch.float64)
    assert_close(values_and_gradients("c", inputs, torch.float32), wanted)


@pytest.mark.parametrize("form", FLOAT32_FORMS)
def test_any_strides_are_read_rightly(form: str) -> None:
    inputs = [t.detach() for t in random_inputs(2, 9, 3, 20, 16)]
    plain = values_and_gradients("reference", inputs, torch.float64)
    wide = torch.cat((inputs[3], torch.zeros(2, 9, 3, 5)), dim=-1)
    strided = [
        inputs[0].transpose(0, 1).contiguous().transpose(0, 1),
        inputs[1].transpose(0, 3).contiguous().transpose(0, 3),
        inputs[2].transpose(1, 2).contiguous().transpose(1, 2),
        wide[..., :16],  # B's strides are not C's
        inputs[4].transpose(1, 2).contiguous().transpose(1, 2),
        inputs[5].t().contiguous().t(),
        inputs[6].t().contiguous().t(),
        inputs[7],
    ]
    assert not any(t.is_contiguous() for t in strided[:-1])
    with use_form(form):
        y = selective_scan(*strided)
        torch.testing.assert_close(y, plain[0].float(), rtol=1e-4, atol=1e-4)
        leaves = [t.requires_grad_() for t in strided[:-1]]
        got = torch.autograd.grad(selective_scan(*[*leaves, strided[-1]]).sum(), leaves)
        even = [t.clone().contiguous().requires_grad_() for t in inputs[:-1]]
        ones = torch.ones(2, 9, 20)
        wanted = torch.autograd.grad((selective_scan(*[*even, inputs[-1]]) * ones).sum(), even)
    for ours, theirs in zip(got, wanted, strict=True):  # an expanded gradient against a whole one
        torch.testing.assert_close(ours, theirs)


@settings(max_examples=15, deadline=None)
@given(
    batch=st.integers(1, 3),
    length=st.integers(1, 40),
    directions=st.integers(1, 4),
    channels=st.integers(1, 35),
)
def test_forms_agree_on_any_shape(batch: int, length: int, directions: int, channels: int) -> None:
    inputs = random_inputs(batch, length, directions, channels, 16)
    wanted = values_and_gradients("pytorch", inputs, torch.float64)
    assert_close(values_and_gradients("c", inputs, torch.float32), wanted)


@pytest.mark.parametrize("form", ["reference", "pytorch"])
def test_gradients_match_finite_differences(form: str) -> None:
    with use_form(form):
        assert torch.autograd.gradcheck(
            selective_scan, random_inputs(2, 5, 2, 3, 2, dtype=torch.float64)
        )


@pytest.mark.parametrize("form", ON_CPU)
def test_constant_input_gives_the_geometric_series(form: str) -> None:
    """With Δ, A, B, C, x constant, h_t = Δ B x (1 - ā^t) / (1 - ā), visited in the order given."""
    length, step, decay_rate = 50, 0.3, -0.7
    raw = torch.full((1, 1, length, 1), step).expm1().log()
    order = torch.randperm(length, generator=torch.Generator().manual_seed(0))
    with use_form(form):
        y = selective_scan(
            torch.full((1, length, 1), 2.0),
            raw,
            torch.full((1, 1, 16), decay_rate),
            torch.full((1, length, 1, 16), 0.5),
            torch.full((1, length, 1, 16), 1.5),
            torch.full((1, 1), 0.25),
            torch.zeros(1, 1),
            order[None],
        )
    decay = torch.tensor(step * decay_rate, dtype=torch.float64).exp()
    visits = torch.arange(1, length + 1)
    state = step * 0.5 * 2 * (1 - decay**visits) / (1 - decay)
    wanted = (16 * 1.5 * state + 0.25 * 2).float()
    torch.testing.assert_close(y[0, order, 0], wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("form", ON_CPU)
def test_a_step_sees_only_what_was_visited_before(form: str) -> None:
    inputs = random_inputs(1, 12, 1, 3, 16)
    order = inputs[-1][0]
    changed = inputs[0].detach().clone()
    changed[:, order[7]] += 1
    with use_form(form), torch.no_grad():
        moved = selective_scan(*inputs) != selective_scan(*[changed, *inputs[1:]])
    assert not moved[:, order[:7]].any()
    assert moved[:, order[7:]].any(-1).all()


@pytest.mark.parametrize("form", FLOAT32_FORMS)
@pytest.mark.parametrize("raw_scale", [30.0, 1e3, 1e6])
def test_extreme_steps_stay_finite_and_right(form: str, raw_scale: float) -> None:
    inputs = random_inputs(2, 40, 2, 16, 16, raw_scale=raw_scale)
    got = values_and_gradients(form, inputs, torch.float32)
    assert all(tensor.isfinite().all() for tensor in got)
    assert_close(got, values_and_gradients("reference", inputs, torch.float64))


@pytest.mark.parametrize("form", ON_CPU)
def test_a_nan_is_not_hidden(form: str) -> None:
    for position in range(7):
        inputs = [leaf.detach() for leaf in random_inputs(1, 9, 1, 16, 16)]
        inputs[position].flatten()[0].fill_(float("nan"))
        with use_form(form):
            assert selective_scan(*inputs).isnan().any()


@pytest.mark.parametrize("batch", [1, 6])
def test_the_c_form_repeats_to_the_bit(batch: int) -> None:
    inputs = random_inputs(batch, 100, 4, 70, 16)
    first, *others = (values_and_gradients("c", inputs, torch.float32) for _ in range(4))
    for other in others:
        assert all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_the_c_form_leaves_denormals_as_they_were() -> None:
    tiny = torch.tensor(1e-40)
    values_and_gradients("c", random_inputs(2, 3, 1, 16, 16), torch.float32)
    assert (tiny / 2).item() > 0


@pytest.mark.filterwarnings("ignore")  # opcheck reads .grad of tensors that are no leaves
def test_the_operator_keeps_its_contract() -> None:
    torch.library.opcheck(
        operator._selective_scan, tuple(random_inputs(2, 6, 2, 3, 4, dtype=torch.float64))
    )


def test_half_precision_is_computed_in_float32() -> None:
    inputs = [leaf.detach() for leaf in random_inputs(2, 9, 2, 16, 16)]
    halved = [leaf.bfloat16() if leaf.is_floating_point() else leaf for leaf in inputs]
    y = selective_scan(*halved)
    assert y.dtype == torch.float32
    widened = [leaf.float() if leaf.is_floating_point() else leaf for leaf in halved]
    assert torch.equal(y, selective_scan(*widened))


def test_macs_follow_the_stated_rule() -> None:
    assert scan_macs(batch=1, channels=2, length=3, state=4) == 4 * 24 + 2 * 6
    # All scans of MedMamba-T at 224 px: 0.34 G.
    stages = ((2, 96, 56), (2, 192, 28), (4, 384, 14), (2, 768, 7))
    total = sum(n * scan_macs(1, 4 * width, side * side, 16) for n, width, side in stages)
    assert round(total / 1e9, 2) == 0.34


def test_float64_takes_the_pytorch_form() -> None:
    assert form_for("cpu", torch.float64) == "pytorch"
    with use_form("c"), pytest.raises(ValueError, match=r"float32 on cpu, got torch\.float64"):
        selective_scan(*random_inputs(1, 2, 1, 2, 2, dtype=torch.float64))


def test_bad_arguments_are_named() -> None:
    inputs = random_inputs(2, 5, 2, 3, 4)
    with pytest.raises(ValueError, match=r"b must be \(2, 5, 2, 4\), got \(2, 5, 2, 3\)"):
        selective_scan(*[*inputs[:3], inputs[3][..., :3], *inputs[4:]])
    with pytest.raises(ValueError, match="no form 'fast' of the selective scan"), use_form("fast"):
        pass


def test_without_a_compiler_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setenv("CC", str(tmp_path / "no-such-cc"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    compiled.library.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            assert [form_for("cpu"), form_for("cpu")] == ["pytorch", "pytorch"]
        assert len(caplog.records) == 1
        assert "no-such-cc" in caplog.text
        assert "PyTorch form runs" in caplog.text
    finally:
        compiled.library.cache_clear()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="flags of x86 compilers")
@pytest.mark.parametrize("narrower", ["-mno-avx512f", "-mno-avx"])
def test_narrower_vectors_give_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, narrower: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(compiled, "_FLAGS", (*compiled._FLAGS, narrower))
    compiled.library.cache_clear()
    try:
        for raw_scale in (1.0, 1e3):
            inputs = random_inputs(2, 70, 2, 21, 16, raw_scale=raw_scale)
            wanted = values_and_gradients("pytorch", inputs, torch.float64)
            assert_close(values_and_gradients("c", inputs, torch.float32), wanted)
        test_a_nan_is_not_hidden("c")
    finally:
        compiled.library.cache_clear()


def test_two_processes_may_build_at_once(tmp_path: Path) -> None:
    code = "from baselines.medmamba.scan import form_for; print(form_for('cpu'))"
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": os.getcwd()}
    running = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    assert [process.communicate()[0].strip() for process in running] == [b"c", b"c"]
    left = list((tmp_path / "medspectral-bench").iterdir())
    assert [path.suffix for path in left] == [".so"]
