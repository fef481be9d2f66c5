"""Buffers: memory is used again as soon as nothing refers to it, and never before."""

from __future__ import annotations

import gc
import subprocess
import sys
import textwrap

import torch
from torch import nn

from bench.data.buffers import Buffers

CPU = torch.device("cpu")
SHAPE = (4, 5, 6, 3)


def place(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def test_memory_that_is_let_go_is_used_again_for_what_fits() -> None:
    buffers = Buffers()
    first = buffers.take(SHAPE, CPU)
    where = place(first)
    del first
    smaller = buffers.take((2, 5, 6, 3), CPU)
    assert place(smaller) == where
    assert smaller.shape == (2, 5, 6, 3)
    assert smaller.is_contiguous()
    del smaller
    larger = buffers.take((8, 5, 6, 3), CPU)
    assert larger.shape == (8, 5, 6, 3)
    larger.fill_(1)


def test_a_view_holds_on_to_its_memory() -> None:
    buffers = Buffers()
    view = buffers.take(SHAPE, CPU).permute(0, 3, 1, 2)[1:, :1]
    gc.collect()
    assert place(buffers.take(SHAPE, CPU)) != place(view)
    where = place(view)
    del view
    assert place(buffers.take(SHAPE, CPU)) == where


def test_so_do_an_array_a_detached_tensor_and_a_graph() -> None:
    buffers = Buffers()
    array = buffers.take(SHAPE, CPU).numpy()
    detached = buffers.take(SHAPE, CPU).detach()
    layer = nn.Linear(3, 1)
    out = layer(buffers.take(SHAPE, CPU).fill_(2.0))  # saved for the gradient of the weight
    taken = [buffers.take(SHAPE, CPU).fill_(-1.0) for _ in range(3)]
    held = {array.ctypes.data, place(detached)}
    assert not held & {place(tensor) for tensor in taken}
    out.sum().backward()
    assert layer.weight.grad is not None
    assert torch.equal(layer.weight.grad, torch.full((1, 3), 2.0 * 4 * 5 * 6))


def test_a_block_is_aligned_as_torchs_own() -> None:
    buffers = Buffers()
    assert all(buffers.take((n, 7), CPU).data_ptr() % 64 == 0 for n in (1, 33, 5000))


def test_no_python_runs_where_memory_comes_to_its_end() -> None:
    """A Ctrl-C that met it there would be swallowed, for an exception in a finaliser is."""
    buffers = Buffers()
    tensor = buffers.take(SHAPE, CPU)
    called: list[object] = []
    sys.setprofile(lambda frame, event, _: called.append(frame.f_code) if event == "call" else None)
    try:
        del tensor
    finally:
        sys.setprofile(None)
    assert called == []


def test_a_process_ends_in_peace_with_tensors_that_outlive_the_buffers() -> None:
    program = """
        import torch
        from bench.data.buffers import Buffers
        kept = Buffers().take((4, 5), torch.device("cpu"))
        kept.fill_(1)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
