"""The scan's kernels for GPUs: on one where there is one, else in Triton's interpreter."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from baselines.medmamba.scan import form_for, gpu, operator, reference, selective_scan, use_form
from tests._helpers.scans import assert_close, random_inputs, values_and_gradients

triton_only = pytest.mark.skipif(not gpu.available(), reason="Triton is not installed")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"  # there: interpreted, see conftest.py


def on_device(inputs: list[Tensor]) -> list[Tensor]:
    return [tensor.detach().to(DEVICE) for tensor in inputs]


def by_triton(inputs: list[Tensor]) -> list[Tensor]:
    found = values_and_gradients("triton", on_device(inputs), torch.float32)
    return [tensor.cpu() for tensor in found]


@triton_only
@pytest.mark.parametrize("groups", ["one program scans all directions", "one program a direction"])
@pytest.mark.parametrize(
    ("batch", "length", "directions", "channels", "state"),
    [(1, 1, 4, 16, 16), (2, 33, 2, 40, 4), (1, 67, 1, 5, 16), (2, 5, 3, 17, 3), (1, 6, 2, 3, 1)],
)
def test_triton_agrees_with_the_definition(
    groups: str,
    batch: int,
    length: int,
    directions: int,
    channels: int,
    state: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fewest = 0 if groups.startswith("one program scans") else 10**9
    monkeypatch.setattr(gpu, "_PROGRAMS_PER_PROCESSOR", fewest)
    inputs = random_inputs(batch, length, directions, channels, state)
    wanted = values_and_gradients("reference", inputs, torch.float64)
    assert_close(by_triton(inputs), wanted)


@triton_only
@pytest.mark.skipif(DEVICE == "cpu", reason="no GPU: the interpreter would take hours")
def test_triton_agrees_at_the_length_of_a_224_px_image() -> None:
    inputs = random_inputs(2, 3136, 4, 96, 16)
    assert_close(by_triton(inputs), values_and_gradients("pytorch", inputs, torch.float64))


@triton_only
@pytest.mark.parametrize("raw_scale", [30.0, 1e3, 1e6])
def test_extreme_steps_stay_finite_and_right(raw_scale: float) -> None:
    inputs = random_inputs(1, 10, 2, 16, 16, raw_scale=raw_scale)
    got = by_triton(inputs)
    assert all(tensor.isfinite().all() for tensor in got)
    assert_close(got, values_and_gradients("reference", inputs, torch.float64))


@triton_only
def test_a_nan_is_not_hidden() -> None:
    for position in range(7):
        inputs = on_device(random_inputs(1, 3, 1, 16, 16))
        inputs[position].flatten()[0].fill_(float("nan"))
        with use_form("triton"):
            assert selective_scan(*inputs).isnan().any()


@triton_only
def test_strided_projections_are_read_in_place() -> None:
    inputs = random_inputs(2, 7, 2, 6, 4)
    joined = torch.cat(inputs[3:5], dim=-1).detach()
    b, c = joined.split(4, dim=-1)
    turned = c.transpose(1, 2).contiguous().transpose(1, 2)  # C's strides are not B's
    split = [*inputs[:3], b, turned, *inputs[5:]]
    assert not split[3].is_contiguous()
    assert split[3].stride() != split[4].stride()
    assert_close(by_triton(split), values_and_gradients("reference", inputs, torch.float64))


COMPILE = """
import json, re, subprocess, sys, tempfile, triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from baselines.medmamba.scan import gpu, gpu_kernels

SIZES = dict(K=4, PER_GROUP=4, N=16, N_PADDED=16, BLOCK=gpu.BLOCK, CHUNK=gpu.CHUNK,
             UNROLL=gpu.UNROLL)
for kernel in (gpu_kernels.forward_kernel, gpu_kernels.backward_kernel):
    names = kernel.arg_names
    sizes = {name: SIZES[name] for name in names if name in SIZES}
    whole = {"images", "length", "channels", "chunks", *(n for n in names if n[1:] in
             ("_batch", "_pixel", "_direction"))}
    kinds = {n: "constexpr" if n in sizes else "i32" if n in whole else
             "*i64" if n == "orders" else "*fp32" for n in names}
    source = ASTSource(kernel, signature=kinds, constexprs=sizes)
    made = triton.compile(source, target=GPUTarget("cuda", int(sys.argv[1]), 32),
                          options={"num_warps": 1})
    print(json.dumps({"kernel": kernel.__name__, "shared": made.metadata.shared,
                      "cubin": len(made.asm["cubin"]), "local": ".local" in made.asm["ptx"],
                      "exps": made.asm["ptx"].count("ex2.approx")}))
"""


@triton_only
@pytest.mark.slow
@pytest.mark.parametrize("capability", ["80", "90"])
def test_the_kernels_compile_for_gpus_that_are_not_here(capability: str) -> None:
    paths = os.pathsep.join([os.getcwd(), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "TRITON_INTERPRET": "0", "PYTHONPATH": paths}
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, capability],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    forward, backward = (json.loads(line) for line in done.stdout.splitlines())
    for kernel in (forward, backward):
        assert kernel["cubin"] > 0
        assert not kernel["local"], "states left the registers"
    # One exponential a state and step, and one for softplus: none computed twice.
    assert forward["exps"] == gpu.UNROLL * (16 + 1)
    assert backward["exps"] == 3 * (16 + 1)


def test_a_gpu_without_triton_takes_pytorch_with_one_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(gpu, "available", lambda: False)
    operator._say_once_no_kernel.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert [form_for("cuda"), form_for("cuda")] == ["pytorch", "pytorch"]
    assert len(caplog.records) == 1
    assert "Triton is not installed" in caplog.text
    monkeypatch.setattr(gpu, "available", lambda: True)
    assert form_for("cuda") == "triton"
    assert form_for("cuda", torch.float64) == "pytorch"


@pytest.mark.skipif(gpu.interpreted(), reason="the interpreter runs on the CPU")
def test_triton_refuses_a_cpu() -> None:
    inputs = [tensor.detach() for tensor in random_inputs(1, 2, 1, 2, 2)]
    with use_form("triton"), pytest.raises(ValueError, match="float32 on cuda, got"):
        selective_scan(*inputs)


@pytest.fixture
def sequence_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """mamba_ssm's kernel, its calls as its interface makes them, computed by the definition."""

    def as_pixels(arguments: tuple[Tensor, ...]) -> list[Tensor]:
        u, delta, a, b, c, d, bias = arguments
        batch, rows, length = u.shape
        k, e = b.shape[1], rows // b.shape[1]
        # Each direction on images of its own, for x differs between them here.
        by_visit = [t.view(batch, k, e, length).permute(1, 0, 3, 2) for t in (u, delta)]
        return [*by_visit, a.view(k, e, -1), b, c, d.view(k, e), bias.view(k, e)]

    def each(arguments: tuple[Tensor, ...]) -> Iterator[list[Tensor]]:
        x, delta, a, b, c, d, bias = as_pixels(arguments)
        for k in range(len(a)):
            one = slice(k, k + 1)
            order = torch.arange(x.shape[2])[None]
            pairs = [t[:, one].permute(0, 3, 1, 2) for t in (b, c)]
            yield [x[k], delta[one], a[one], *pairs, d[one], bias[one], order]

    def fwd(*args: object) -> tuple[Tensor, Tensor]:
        tensors, z, bias, softplus = args[:6], args[6], args[7], args[8]
        assert z is None
        assert softplus is True
        outputs = [reference.forward(*one) for one in each((*tensors, bias))]  # type: ignore
        y = torch.stack(outputs, 1).permute(0, 1, 3, 2).flatten(1, 2)
        return y, torch.zeros(1)

    def bwd(*args: object) -> tuple[Tensor, ...]:
        tensors, z, bias, dout = args[:6], args[6], args[7], args[8]
        assert z is None
        assert list(args[10:]) == [None, None, True, False]
        assert isinstance(dout, Tensor)
        found = []
        for k, one in enumerate(each((*tensors, bias))):  # type: ignore[arg-type]
            e = one[0].shape[-1]
            dy = dout[:, k * e : (k + 1) * e].mT
            found.append(reference.backward(dy, *one))
        du, ddelta, da, db, dc, dd, dbias = zip(*found, strict=True)
        return (
            torch.cat([t.mT for t in du], 1),
            torch.cat([t[0].mT for t in ddelta], 1),
            torch.cat([t[0] for t in da]),
            torch.cat([t.permute(0, 2, 3, 1) for t in db], 1),
            torch.cat([t.permute(0, 2, 3, 1) for t in dc], 1),
            torch.cat([t[0] for t in dd]),
            torch.cat([t[0] for t in dbias]),
        )

    fake = SimpleNamespace(fwd=fwd, bwd=bwd)
    monkeypatch.setitem(sys.modules, "selective_scan_cuda", fake)
    monkeypatch.setitem(operator._RUNS_ON, "mamba_ssm", "cpu")


@pytest.mark.usefixtures("sequence_kernel")
def test_the_kernel_of_mamba_ssm_is_called_rightly() -> None:
    inputs = random_inputs(2, 7, 3, 4, 5)
    wanted = values_and_gradients("reference", inputs, torch.float64)
    assert_close(values_and_gradients("mamba_ssm", inputs, torch.float32), wanted)


def test_without_mamba_ssm_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "selective_scan_cuda", None)  # as if it were not installed
    monkeypatch.setitem(operator._RUNS_ON, "mamba_ssm", "cpu")
    inputs = [tensor.detach() for tensor in random_inputs(1, 2, 1, 2, 2)]
    with use_form("mamba_ssm"), pytest.raises(RuntimeError, match="mamba_ssm is not installed"):
        selective_scan(*inputs)
