"""Multiply-accumulates of one forward pass, counted twice and failing closed.

fvcore walks a trace with this package's handles; ``torch.utils.flop_counter`` sees the same pass
from below, after torch has taken composite operators apart, and knows nothing of our formulas.
An operator that neither has a formula nor stands among the allowed ones makes the count incomplete.

Limits: products written element by element (``mul``, then ``add`` in a loop) look like any other
elementwise arithmetic to both counters; a scan must be one registered operator to be counted.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from bench.measure import handles
from bench.measure.operators import REASONS
from bench.models import evaluating

with warnings.catch_warnings():
    # fvcore's losses, which nothing here uses, are scripted on import, and torch warns of that.
    warnings.simplefilter("ignore")
    from fvcore.nn.jit_analysis import JitModelAnalysis

AGREEMENT = 0.01  # the two totals may differ by this fraction of the larger
ROLE_DEPTH = 4  # names of a role: ``stages.blocks.mixer.gate``
_FLOPS_PER_MAC = 2  # torch's counter: a multiplication and an addition


@dataclass(frozen=True)
class MacCount:
    """MACs of one forward pass of one image in evaluation mode.

    Attributes:
        macs: the first counter's total, exact.
        complete: no operator was seen that has neither a formula nor leave to count nothing.
        uncounted: operators that make the count incomplete, with the number of calls.
        allowed: operators that count nothing by convention, with the number of calls.
        by_part: MACs of each top-level part, a stage at a time (``stages.0``); they sum to
            ``macs``; ``(own)`` is what the model does outside its parts.
        by_role: the same by the names of modules, their numbers left out: ``stages.blocks.gate``
            is what the gates of all blocks do; they sum to ``macs`` too.
        by_family: MACs by kind of operation.
        second_counter_macs: the total of ``torch.utils.flop_counter``, halved.
        agrees: the two totals differ by at most 1 %.
        differs: families that the two counted differently: (first, second).
    """

    macs: int
    complete: bool
    uncounted: dict[str, int]
    allowed: dict[str, int]
    by_part: dict[str, int]
    by_role: dict[str, int]
    by_family: dict[str, int]
    second_counter_macs: int
    agrees: bool
    differs: dict[str, tuple[int, int]]

    @property
    def difference(self) -> str | None:
        """Which operations the counters disagree on, where the totals differ by more than 1 %."""
        if self.agrees:
            return None
        named = (f"{k} {first:,} against {second:,}" for k, (first, second) in self.differs.items())
        return "MACs by this count against torch's: " + ", ".join(named)


def count_macs(model: nn.Module, image_shape: tuple[int, int, int]) -> MacCount:
    """Count the MACs of ``model`` on one image of ``(channels, height, width)``.

    The model is run in evaluation mode without gradients, on the device and in the type of its
    first parameter, and left as it was.
    """
    like = next(model.parameters(), torch.empty(0))
    image = torch.zeros(1, *image_shape, device=like.device, dtype=like.dtype)
    with evaluating(model), torch.no_grad(), _no_fast_path():
        traced = _trace(model, image)
        second = _second_count(model, image)
    total_of = _totals(traced)
    counts = {name: int(count) for name, count in traced.by_operator().items() if count}
    by_family = {name: count for name, count in counts.items() if not _is_operator(name)}
    unknown = dict(traced.unsupported_ops())
    unknown |= {name: count for name, count in counts.items() if _is_operator(name)}
    allowed = {op: calls for op, calls in unknown.items() if op in REASONS}
    uncounted = {op: calls for op, calls in unknown.items() if op not in REASONS}
    total, other = sum(by_family.values()), sum(second.values())
    families = dict.fromkeys([*by_family, *second])
    return MacCount(
        macs=total,
        complete=not uncounted,
        uncounted=dict(sorted(uncounted.items())),
        allowed=dict(sorted(allowed.items())),
        by_part=_by_part(total_of, model),
        by_role=_by_role(total_of, model),
        by_family=by_family,
        second_counter_macs=other,
        agrees=abs(total - other) <= AGREEMENT * max(total, other),
        differs={
            family: (by_family.get(family, 0), second.get(family, 0))
            for family in families
            if by_family.get(family, 0) != second.get(family, 0)
        },
    )


@contextlib.contextmanager
def _no_fast_path() -> Iterator[None]:
    """Off with the fused evaluation path of ``nn.MultiheadAttention``: both counters miss it."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _trace(model: nn.Module, image: torch.Tensor) -> JitModelAnalysis:
    traced = JitModelAnalysis(model, image)
    traced.set_op_handle(
        **{kind: _closed(kind, handle) for kind, handle in handles.HANDLES.items()}
    )
    traced.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    traced.tracer_warnings("none")
    traced.total()
    return traced


def _closed(kind: str, handle: handles.Handle) -> handles.Handle:
    """The handle; a call that it cannot count is counted as a call of ``kind`` instead."""

    @functools.wraps(handle)
    def count(inputs: handles.Values, outputs: handles.Values) -> Counter[str]:
        try:
            return handle(inputs, outputs)
        except ValueError:
            return Counter({kind: 1})

    return count


def _is_operator(name: str) -> bool:
    """``aten::cumsum`` is an operator that could not be counted; families are plain words."""
    return "::" in name


def _second_count(model: nn.Module, image: torch.Tensor) -> dict[str, int]:
    """The other counter's MACs by family."""
    # Attention taken apart into its two products, for torch has no formula for all fused kernels.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        model(image)
    macs: Counter[str] = Counter()
    operators: dict[Any, int] = counter.get_flop_counts().get("Global", {})
    for operator, flops in operators.items():
        is_convolution = "conv" in str(operator)
        macs[handles.CONVOLUTION if is_convolution else handles.PRODUCT] += flops // _FLOPS_PER_MAC
    return {family: count for family, count in macs.items() if count}


def _totals(traced: JitModelAnalysis) -> dict[str, int]:
    """MACs of each module by its dotted name, its children's included."""
    return {
        name: sum(int(count) for family, count in found.items() if not _is_operator(family))
        for name, found in traced.by_module_and_operator().items()
    }


def _by_part(total: dict[str, int], model: nn.Module) -> dict[str, int]:
    """MACs of the model's children; a container of stages is shown stage by stage."""
    parts: dict[str, int] = {}
    for name, child in model.named_children():
        stages = [f"{name}.{i}" for i, _ in child.named_children()]
        is_container = isinstance(child, (nn.ModuleList, nn.Sequential)) and len(stages) > 1
        for part in stages if is_container else [name]:
            parts[part] = total.get(part, 0)
        if is_container:
            parts[name] = total.get(name, 0) - sum(parts[stage] for stage in stages)
    parts["(own)"] = total[""] - sum(parts.values())
    return {name: macs for name, macs in parts.items() if macs}


def _by_role(total: dict[str, int], model: nn.Module) -> dict[str, int]:
    """What each module does itself, added up under its name without numbers, four names deep."""
    roles: Counter[str] = Counter()
    for name, module in model.named_modules():
        children = (f"{name}.{child}".lstrip(".") for child, _ in module.named_children())
        own = total.get(name, 0) - sum(total.get(child, 0) for child in children)
        names = [part for part in name.split(".") if part and not part.isdigit()]
        roles[".".join(names[:ROLE_DEPTH]) or "(own)"] += own
    return {role: macs for role, macs in roles.items() if macs}
