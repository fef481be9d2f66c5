"""How many multiply-accumulates one traced operator does: exact integers from shapes.

Each handle takes a node's inputs and outputs and answers ``{family: MACs}``; the families are
those in which two counters can be compared, whatever operators they see. A call that a handle
cannot count raises ValueError, which makes the whole count incomplete.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

from baselines.medmamba.scan import OPERATOR, scan_macs

Values = list[Any]  # torch._C.Value, for which torch publishes no types
Handle = Callable[[Values, Values], "Counter[str]"]

CONVOLUTION, PRODUCT, SCAN, FFT = "convolution", "matrix product", "scan", "FFT"
INTERPOLATION, WEIGHTED_SUM = "interpolation", "weighted sum"


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of a traced tensor.

    Raises:
        ValueError: the trace does not know it.
    """
    sizes = value.type().sizes() if value.isCompleteTensor() else None
    if sizes is None:
        raise ValueError(f"the trace holds no shape for {value.debugName()}")
    return tuple(int(size) for size in sizes)


def convolution(inputs: Values, outputs: Values) -> Counter[str]:
    """Every weight meets every output position (every input position when transposed)."""
    image, weight = shape_of(inputs[0]), shape_of(inputs[1])
    transposed = bool(inputs[6].toIValue())
    positions = image[2:] if transposed else shape_of(outputs[0])[2:]
    return Counter({CONVOLUTION: image[0] * math.prod(weight) * math.prod(positions)})


def product(first: int) -> Handle:
    """A matrix product whose left operand is input number ``first``: output × inner dimension."""

    def count(inputs: Values, outputs: Values) -> Counter[str]:
        inner = shape_of(inputs[first])[-1]
        return Counter({PRODUCT: math.prod(shape_of(outputs[0])) * inner})

    return count


def attention(inputs: Values, outputs: Values) -> Counter[str]:
    """softmax(QKᵀ)V: ``B·H·L·S·(E + E_v)``; a causal mask saves nothing in this count."""
    query, key, value = (shape_of(v) for v in inputs[:3])
    pairs = math.prod(query[:-1]) * key[-2]
    return Counter({PRODUCT: pairs * (query[-1] + value[-1])})


def einsum(inputs: Values, outputs: Values) -> Counter[str]:
    """Operands contracted in pairs in the order in which torch does it; sums alone are free."""
    equation: str = inputs[0].toIValue().replace(" ", "")
    shapes = [shape_of(v) for v in inputs[1].node().inputs()]
    path = inputs[2].toIValue() if len(inputs) > 2 else None
    return Counter({PRODUCT: einsum_macs(equation, shapes, path)})


def einsum_macs(equation: str, shapes: list[tuple[int, ...]], path: list[int] | None = None) -> int:
    """Exact MACs of ``torch.einsum``: per pair, the product of all dimensions that take part.

    An index of one operand alone that is not in the result is summed first, without a
    multiplication. A pair that shares no summed index is an elementwise product: no MACs.

    Raises:
        ValueError: an equation with an ellipsis, which is not counted.
    """
    if "." in equation:
        raise ValueError(f"einsum with an ellipsis is not counted: {equation}")
    left, _, result = equation.partition("->")
    operands = left.split(",")
    if "->" not in equation:  # implicit form: indices that occur once, in alphabetical order
        letters = left.replace(",", "")
        result = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    size: dict[str, int] = {}
    for indices, shape in zip(operands, shapes, strict=True):
        for index, length in zip(indices, shape, strict=True):
            size[index] = max(length, size.get(index, 1))
    terms, macs = [set(indices) for indices in operands], 0
    pairs = iter(path or [])
    while len(terms) > 1:
        first, second = sorted((next(pairs), next(pairs))) if path else (0, 1)
        b, a = terms.pop(second), terms.pop(first)
        needed = set(result).union(*terms)
        kept = {i for i in a | b if i in needed}
        shared = (a & b) - kept
        if shared:
            macs += math.prod(size[i] for i in kept | shared)
        terms.insert(len(terms) if path else 0, kept)
    return macs


def fft(*, real: bool, axes: Callable[[Values], int]) -> Handle:
    """Radix-2: ½·n·log₂n butterflies of one complex product (4 MACs); real input takes half."""

    def count(inputs: Values, outputs: Values) -> Counter[str]:
        shape = max(shape_of(inputs[0]), shape_of(outputs[0]), key=math.prod)
        points = math.prod(shape[-axes(inputs) :])
        transforms = math.prod(shape) // points
        return Counter({FFT: transforms * round((1 if real else 2) * points * math.log2(points))})

    return count


def interpolation(taps: int) -> Handle:
    """Each output value is a weighted sum of ``taps`` input values."""

    def count(inputs: Values, outputs: Values) -> Counter[str]:
        return Counter({INTERPOLATION: taps * math.prod(shape_of(outputs[0]))})

    return count


def scan(inputs: Values, outputs: Values) -> Counter[str]:
    """The registered selective scan; the rule is the baselines' own."""
    batch, length, _ = shape_of(inputs[0])
    directions, channels, state = shape_of(inputs[2])
    return Counter({SCAN: scan_macs(batch, directions * channels, length, state)})


def weighted_sum(inputs: Values, outputs: Values) -> Counter[str]:
    """A sum over a product just made is a contraction written by hand: one MAC per product."""
    if inputs[0].node().kind() not in {"aten::mul", "aten::mul_"}:
        return Counter()
    return Counter({WEIGHTED_SUM: math.prod(shape_of(inputs[0]))})


def prefix_sum(inputs: Values, outputs: Values) -> Counter[str]:
    """Counting positions (of a mask, of integers) costs no MACs.

    Raises:
        ValueError: of any other values, for that is how a scan is written.
    """
    if inputs[0].type().dtype().is_floating_point:
        raise ValueError("a prefix sum of floating-point values is part of a scan")
    return Counter()


def control_flow(inputs: Values, outputs: Values) -> Counter[str]:
    """fvcore passes over what stands inside a scripted loop or branch.

    Raises:
        ValueError: always.
    """
    raise ValueError("a loop or branch is not looked into")


HANDLES: dict[str, Handle] = {
    "aten::_convolution": convolution,
    "aten::linear": product(0),
    "aten::matmul": product(0),
    "aten::mm": product(0),
    "aten::mv": product(0),
    "aten::dot": product(0),
    "aten::bmm": product(0),
    "aten::addmm": product(1),
    "aten::baddbmm": product(1),
    "aten::einsum": einsum,
    "aten::scaled_dot_product_attention": attention,
    "aten::upsample_linear1d": interpolation(2),
    "aten::upsample_bilinear2d": interpolation(4),
    "aten::upsample_bicubic2d": interpolation(16),
    "aten::grid_sampler": interpolation(4),
    "aten::sum": weighted_sum,
    "aten::cumsum": prefix_sum,
    "prim::If": control_flow,
    "prim::Loop": control_flow,
    "aten::fft_rfft2": fft(real=True, axes=lambda _: 2),
    "aten::fft_irfft2": fft(real=True, axes=lambda _: 2),
    "aten::fft_fft2": fft(real=False, axes=lambda _: 2),
    "aten::fft_ifft2": fft(real=False, axes=lambda _: 2),
    "aten::fft_rfft": fft(real=True, axes=lambda _: 1),
    "aten::fft_irfft": fft(real=True, axes=lambda _: 1),
    OPERATOR: scan,
}
