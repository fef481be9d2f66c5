"""The selective scan in C for CPUs: built once by the machine's compiler, float32 only.

The library lies in ``${XDG_CACHE_HOME:-~/.cache}/medspectral-bench/`` under a name that hashes the
source, the flags, the compiler and the CPU, so another machine or compiler builds its own.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import logging
import math
import os
import platform
import subprocess
import tempfile
from pathlib import Path

import torch
from torch import Tensor

_SOURCE = Path(__file__).with_name("selective_scan.c")
_HEADER = Path(__file__).with_name("vector.h")
# No -ffast-math: linked into a library it would change how the whole process treats denormals.
_FLAGS = ("-O3", "-march=native", "-fopenmp", "-ffp-contract=fast", "-fno-math-errno")
_log = logging.getLogger(__name__)


class _Scan(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("batch", "length", "directions", "channels")),
        *((f"b_{axis}", ctypes.c_int64) for axis in ("batch", "pixel", "direction")),
        *((f"c_{axis}", ctypes.c_int64) for axis in ("batch", "pixel", "direction")),
        *((name, ctypes.c_void_p) for name in ("x", "delta", "a2", "b", "c", "d", "bias")),
        ("orders", ctypes.c_void_p),
    ]


class _Gradients(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("dx", "ddelta", "da", "db", "dc", "dd", "dbias")),
        *((name, ctypes.c_int64) for name in ("parts", "groups")),
        ("dy", ctypes.c_void_p),
    ]


def cache_folder() -> Path:
    """Where built libraries lie."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "medspectral-bench"


@functools.cache
def library(state: int) -> ctypes.CDLL | None:
    """The compiled scan for ``state`` states per channel; None and one logged line without it."""
    try:
        return ctypes.CDLL(str(_build(state)))
    except (OSError, subprocess.SubprocessError) as error:
        detail = getattr(error, "stderr", None) or str(error)
        _log.warning(
            "the C selective scan cannot be built (%s); the slower PyTorch form runs",
            detail.strip().splitlines()[0] if detail.strip() else type(error).__name__,
        )
        return None


def _build(state: int) -> Path:
    compiler = os.environ.get("CC", "cc")
    version = _run(compiler, "--version")
    flags = (*_FLAGS, f"-DSTATE={state}", "-shared", "-fPIC")
    sources = (_SOURCE.read_text(), _HEADER.read_text())
    identity = "\0".join((*sources, *flags, version, torch.__version__, _cpu()))
    name = f"selective_scan-{hashlib.sha256(identity.encode()).hexdigest()[:16]}.so"
    built = cache_folder() / name
    if built.exists():
        return built
    built.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=built.parent) as folder:
        fresh = Path(folder) / name
        _run(compiler, *flags, str(_SOURCE), "-o", str(fresh), *_openmp_library())
        fresh.replace(built)  # whole or not at all, whoever else builds it now
    return built


def _openmp_library() -> tuple[str, ...]:
    """Link the OpenMP runtime that torch has loaded: two of them would fight over the cores."""
    folder = Path(torch.__file__).parent / "lib"
    found = sorted(folder.glob("libgomp*.so*"))
    return (str(found[0]), f"-Wl,-rpath,{folder}") if found else ()


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() + platform.machine()
    kinds = ("model name", "flags", "Features", "CPU part")
    return platform.machine() + "\n".join(
        sorted({line for line in lines if line.startswith(kinds)})
    )


def forward(
    x: Tensor,
    delta: Tensor,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    d: Tensor,
    delta_bias: Tensor,
    orders: Tensor,
) -> Tensor:
    """The scan of :func:`.reference.forward`, float32 on the CPU."""
    scan, keep = _describe(x, delta, a, b, c, d, delta_bias, orders)
    y = torch.empty(x.shape)
    _library(a).scan_forward(
        ctypes.byref(scan), ctypes.c_void_p(y.data_ptr()), torch.get_num_threads()
    )
    del keep
    return y


def backward(
    dy: Tensor,
    x: Tensor,
    delta: Tensor,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    d: Tensor,
    delta_bias: Tensor,
    orders: Tensor,
) -> tuple[Tensor, ...]:
    """Gradients of x, Δ, A, B, C, D and Δ's bias; the same bits for the same number of threads."""
    scan, keep = _describe(x, delta, a, b, c, d, delta_bias, orders)
    batch, length, channels = x.shape
    directions, _, state = a.shape
    threads = torch.get_num_threads()
    # Enough tasks for all threads to end together, but few: each adds a partial sum.
    parts = min(batch, 4 * threads)
    groups = (
        min(math.ceil(2 * threads / max(1, batch)), math.ceil(channels / 16))
        if batch < threads
        else 1
    )
    dy = dy.contiguous()
    dx, ddelta = torch.empty(x.shape), torch.empty(delta.shape)
    da = torch.empty(parts, directions, state, channels)
    db = torch.empty(groups, batch, length, directions, state)
    dc = torch.empty_like(db)
    dd, dbias = torch.empty(2, parts, directions, channels)
    into = _Gradients(
        *(t.data_ptr() for t in (dx, ddelta, da, db, dc, dd, dbias)), parts, groups, dy.data_ptr()
    )
    if _library(a).scan_backward(ctypes.byref(scan), ctypes.byref(into), threads):
        raise MemoryError("the selective scan's backward pass found no memory; reduce the batch")
    del keep
    return (
        dx,
        ddelta,
        da.sum(0).transpose(1, 2).contiguous(),
        db.sum(0) if groups > 1 else db[0],
        dc.sum(0) if groups > 1 else dc[0],
        dd.sum(0),
        dbias.sum(0),
    )


def _library(a: Tensor) -> ctypes.CDLL:
    found = library(a.shape[-1])
    if found is None:
        raise RuntimeError("the C selective scan cannot be built here; choose the form 'pytorch'")
    return found


def _describe(
    x: Tensor,
    delta: Tensor,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    d: Tensor,
    delta_bias: Tensor,
    orders: Tensor,
) -> tuple[_Scan, tuple[Tensor, ...]]:
    """The C structure, and the tensors that must outlive it."""
    x, delta, d, delta_bias = (t.contiguous() for t in (x, delta, d, delta_bias))
    a2 = (a * math.log2(math.e)).transpose(1, 2).contiguous()  # (K, N, E), for exp2
    b, c = (t if t.stride(-1) == 1 else t.contiguous() for t in (b, c))
    orders = orders.contiguous()
    keep = (x, delta, a2, b, c, d, delta_bias, orders)
    sizes = (x.shape[0], x.shape[1], a.shape[0], x.shape[2])
    strides = (*b.stride()[:3], *c.stride()[:3])
    return _Scan(*sizes, *strides, *(t.data_ptr() for t in keep)), keep
