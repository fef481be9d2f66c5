"""Results without times, and where two of them differ."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from bench.records.schema import Epoch
from bench.records.timeless import first_difference, timeless

JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=8,
)


def _epoch(**changes: float) -> Epoch:
    values = {"train_loss": 1.0, "val_loss": 1.0, "val_acc": 0.5, "val_auc": 0.5, "lr": 0.1}
    return Epoch(epoch=1, **(values | {"seconds": 2.0} | changes))


def test_times_are_no_difference() -> None:
    assert timeless(_epoch(seconds=9.0)) == timeless(_epoch())
    assert "seconds" not in str(timeless(_epoch()))


def test_the_first_difference_is_named() -> None:
    wanted, got = timeless(_epoch()), timeless(_epoch(train_loss=1.5))
    assert first_difference([wanted], [got]) == "0.train_loss: 1.5, not 1.0"
    assert first_difference([wanted], [wanted, got]) is not None  # another length


@given(JSON, JSON)
def test_there_is_a_difference_exactly_where_they_are_unequal(
    one: JsonValue, other: JsonValue
) -> None:
    found = first_difference(one, other)
    assert (found is None) == (one == other)
