"""Linear attention: two evaluations of one kernel, its rows, and its softmax ablation."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from medspectralnet.approximation import FEATURE_MAPS, main, softmax_distance
from medspectralnet.attention import (
    LinearAttention,
    feature_map,
    linear_attention,
    quadratic_attention,
    softmax_attention,
)


def normal(seed: int, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


shapes = st.tuples(
    st.integers(1, 3), st.integers(1, 4), st.integers(1, 70), st.integers(1, 20), st.integers(1, 20)
)


@settings(max_examples=60, deadline=None)
@given(shape=shapes, seed=st.integers(0, 2**20), scale=st.floats(0.1, 5))
def test_linear_form_equals_quadratic_form(
    shape: tuple[int, int, int, int, int], seed: int, scale: float
) -> None:
    b, m, n, d, e = shape
    q, k = scale * normal(seed, b, m, n, d), scale * normal(seed + 1, b, m, n, d)
    v = normal(seed + 2, b, m, n, e)
    phi_q, phi_k = feature_map(q), feature_map(k)
    linear = linear_attention(phi_q, phi_k, v)
    assert linear.shape == (b, m, n, e)
    torch.testing.assert_close(linear, quadratic_attention(phi_q, phi_k, v), rtol=1e-4, atol=1e-5)


def test_against_the_sums_written_out() -> None:
    q, k, v = (normal(i, 1, 1, 3, 2, dtype=torch.float64) for i in range(3))
    got = linear_attention(feature_map(q), feature_map(k), v)[0, 0]
    for i in range(3):
        similarity = [
            sum(max(float(a * b), 0.0) for a, b in zip(q[0, 0, i], k[0, 0, j], strict=True))
            for j in range(3)
        ]
        want = sum((s * v[0, 0, j] for j, s in enumerate(similarity)), torch.zeros(2)) / sum(
            similarity
        )
        torch.testing.assert_close(got[i], want.double(), rtol=1e-4, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**20), n=st.integers(2, 40))
def test_order_of_tokens_does_not_matter_and_outputs_stay_between_the_values(
    seed: int, n: int
) -> None:
    q, k, v = (normal(seed + i, 1, 2, n, 8) for i in range(3))
    phi_q, phi_k = feature_map(q), feature_map(k)
    out = linear_attention(phi_q, phi_k, v)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    shuffled = linear_attention(phi_q, phi_k[:, :, order], v[:, :, order])
    torch.testing.assert_close(out, shuffled, rtol=1e-4, atol=1e-5)
    assert (out <= v.amax(dim=2, keepdim=True) + 1e-4).all()
    assert (out >= v.amin(dim=2, keepdim=True) - 1e-4).all()


def test_no_agreement_is_zero_not_nan() -> None:
    q = torch.ones(1, 1, 1, 4)
    out = linear_attention(feature_map(q), feature_map(-q), torch.ones(1, 1, 1, 3))
    assert (out == 0).all()


def test_softmax_form_is_softmax() -> None:
    q, k, v = (normal(i, 2, 3, 11, 16) for i in range(3))
    want = (q @ k.transpose(-2, -1) / 4).softmax(dim=-1) @ v
    torch.testing.assert_close(softmax_attention(q, k, v), want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("kind", ["linear", "softmax"])
def test_module_attends_over_pixels_head_by_head(kind: str, layout: torch.memory_format) -> None:
    """Against the module's own projection, heads taken apart by hand."""
    module = LinearAttention(12, 2, kind=kind).eval()  # type: ignore[arg-type]
    x = normal(0, 2, 12, 3, 5).to(memory_format=layout)
    out = module(x)
    tokens = module.qkv(x).flatten(2)  # (B, 2C, N); a head's q, k and v lie together
    for head, rows in enumerate(tokens.chunk(2, dim=1)):
        q, k, v = (t.transpose(1, 2).unsqueeze(1) for t in rows.split([3, 3, 6], dim=1))
        if kind == "linear":
            want = quadratic_attention(feature_map(q), feature_map(k), v)
        else:
            want = softmax_attention(q, k, v)
        got = out[:, 6 * head : 6 * head + 6].flatten(2).transpose(1, 2).unsqueeze(1)
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


def test_softmax_ablation_loads_the_same_state() -> None:
    linear, softmax = (LinearAttention(16, 2, kind=kind) for kind in ("linear", "softmax"))
    softmax.load_state_dict(linear.state_dict())
    x = normal(0, 1, 16, 6, 6)
    assert not torch.allclose(linear.eval()(x), softmax.eval()(x), atol=1e-3)


def test_the_kernel_is_blind_to_a_common_change_of_sign_like_softmax() -> None:
    q, k = normal(0, 5, 8), normal(1, 5, 8)
    torch.testing.assert_close(
        feature_map(q) @ feature_map(k).T, feature_map(-q) @ feature_map(-k).T
    )


def test_feature_map_comes_closest_to_softmax_where_norms_leave_queries() -> None:
    """At unit variance; the documentation's table, its claim asserted."""
    distance = {n: softmax_distance(phi, scale=1.0) for n, phi in FEATURE_MAPS.items()}
    ours = distance.pop("[relu(x), relu(−x)] (ours)")
    assert ours < 0.85 * min(distance.values())
    assert ours == pytest.approx(0.242, abs=0.005)


def test_approximation_prints_every_feature_map(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(FEATURE_MAPS)
