"""The forms in which a model can be run; each gives the eager model's outputs, or there is none."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from torch import Tensor, nn

from baselines import deploy
from bench.details import Form
from bench.specs import Precision
from medspectralnet import MedSpectralNet

Call = Callable[[Tensor], object]
"""A batch (B, C, H, W) on the device, laid out as ``laid_out`` gives it, to logits."""

FLAGS: dict[Precision, frozenset[str]] = {
    "bfloat16": frozenset({"avx512_bf16", "amx_bf16", "bf16"}),
    "float16": frozenset({"avx512_fp16", "amx_fp16", "fphp"}),
}
"""What a CPU calls its arithmetic in these types, in /proc/cpuinfo on x86 and on Arm."""


def laid_out(images: Tensor, form: Form) -> Tensor:
    """The batch in the memory order that the form takes."""
    last = form.endswith("channels_last")
    return images.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)


def make_form(model: nn.Module, form: Form, images: Tensor, *, threads: int) -> Call:
    """The model in evaluation mode in one of its forms; ``model`` itself stays as it is.

    Args:
        images: a batch of the shape, the layout and on the device that will be fed.
        threads: of ONNX Runtime, which does not take torch's.

    Raises:
        ValueError: the model has no such form. Whether its outputs are the model's is for
            ``check_outputs`` to say.
    """
    if form == "compiled":
        return _compiled(model, images)
    if form == "onnxruntime":
        return _onnx(model, images, threads)
    made = fused(model, images[:2]) if form.startswith("fused") else copy.deepcopy(model)
    if form.endswith("channels_last"):
        made = made.to(memory_format=torch.channels_last)
    return made.eval()


def fused(model: nn.Module, images: Tensor) -> nn.Module:
    """MedSpectralNet's own deploy form, or the one made for rivals; equal outputs, or none.

    Raises:
        ValueError: the fused model gives other outputs.
    """
    if not isinstance(model, MedSpectralNet):
        return deploy.fuse(model, images)
    made = model.fuse()
    deploy.check_equal(model, made, images)
    return made


def _compiled(model: nn.Module, images: Tensor) -> Call:
    """Compiled for this shape alone, in the mode in which it is timed.

    torch gives up compiling a function after eight versions and runs it eager from then on, without
    a word; what earlier models left is forgotten first, and giving up is an error here.
    """
    torch._dynamo.reset()
    call = torch.compile(copy.deepcopy(model).eval(), dynamic=False)

    def strict(batch: Tensor) -> Tensor:
        with torch._dynamo.config.patch(fail_on_recompile_limit_hit=True):
            logits: Tensor = call(batch)
            return logits

    return strict


def _check(model: nn.Module, call: Call, images: Tensor) -> None:
    """Refuse a form that is another function.

    Raises:
        ValueError: its outputs differ from the eager model's by more than ``deploy.TOLERANCE``.
    """
    with torch.inference_mode():
        wanted, got = model(images), call(images)
    assert isinstance(got, Tensor)
    error = float((got - wanted).abs().max() / wanted.abs().max().clamp(min=1e-6))
    if not error <= deploy.TOLERANCE:
        raise ValueError(f"its outputs differ by {error:.1e} of the largest")


def check_outputs(
    model: nn.Module, call: Call, images: Tensor, form: Form, precision: Precision
) -> None:
    """Refuse a form of other outputs, or a precision of outputs that are no numbers.

    Raises:
        ValueError: saying so.
    """
    if precision == "float32":
        _check(model, call, images)
        return
    with torch.inference_mode(), autocast(images, precision):
        got = call(images)
    if not (isinstance(got, Tensor) and bool(got.isfinite().all())):
        raise ValueError(f"in {precision} its outputs are not all numbers")


def _onnx(model: nn.Module, images: Tensor, threads: int) -> Call:
    """A session of ONNX Runtime on the CPU, from NumPy arrays to NumPy arrays."""
    if images.device.type != "cpu":
        raise ValueError("ONNX Runtime is measured on the CPU only")
    import onnxruntime

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own
        program = torch.onnx.export(
            copy.deepcopy(model).eval(), (images,), dynamo=True, verbose=False
        )
    assert program is not None  # it is with dynamo=True
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        program.model_proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name

    def call(batch: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {name: batch.numpy()})[0])

    return call


def autocast(images: Tensor, precision: Precision) -> AbstractContextManager[object]:
    """Automatic mixed precision for the types below float32."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(images.device.type, dtype=getattr(torch, precision))


def lacks(precision: Precision, device: str) -> str | None:
    """Why a precision would say nothing about this device; None where it has it."""
    if precision == "float32":
        return None
    if device == "cuda":
        has = precision == "float16" or torch.cuda.is_bf16_supported(including_emulation=False)
        return None if has else f"this GPU has no {precision} arithmetic"
    return None if _cpu_flags() & FLAGS[precision] else f"this CPU has no {precision} arithmetic"


def _cpu_flags() -> frozenset[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return frozenset()
    found = [line.partition(":")[2] for line in lines if line.startswith(("flags", "Features"))]
    return frozenset(found[0].split()) if found else frozenset()
