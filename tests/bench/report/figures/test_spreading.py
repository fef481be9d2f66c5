"""Labels that stand beside many points, none on another."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.report.figures.spreading import Box, spread, stacked

WIDE, TALL = 209.0, 140.0
POINTS = st.lists(st.tuples(st.floats(0, WIDE), st.floats(0, TALL)), min_size=1, max_size=27)


@given(POINTS)
@settings(max_examples=25, deadline=None)
def test_no_number_lies_on_another_or_leaves_the_panel(points: list[tuple[float, float]]) -> None:
    sizes = [(9.0, 7.0)] * len(points)
    markers = [Box.around(*point, 5, 5) for point in points]
    frame = Box(0, 0, WIDE, TALL)
    boxes = spread(points, sizes, markers, [], frame)
    assert all(frame.holds(box) for box in boxes)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    assert boxes == spread(points, sizes, markers, [], frame)


def test_a_number_avoids_markers_and_bars_where_it_can() -> None:
    points = [(50.0, 50.0), (54.0, 54.0)]
    markers = [Box.around(*point, 5, 5) for point in points]
    bar = Box(49.4, 10, 50.6, 90)
    boxes = spread(points, [(6.0, 7.0)] * 2, markers, [bar], Box(0, 0, 100, 100))
    assert not any(box.overlaps(other) for box in boxes for other in [*markers, bar])


@given(st.lists(st.floats(-50, 250), min_size=1, max_size=27))
def test_labels_in_a_column_keep_their_order_and_their_distance(wanted: list[float]) -> None:
    centres = stacked(wanted, 7.0, 0.0, 200.0)
    step = min(7.0, 200.0 / len(wanted))
    ordered = sorted(centres)
    assert all(b - a >= step - 1e-6 for a, b in itertools.pairwise(ordered))
    assert ordered[0] >= step / 2 - 1e-6
    assert ordered[-1] <= 200 - step / 2 + 1e-6
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    assert [centres[i] for i in order] == ordered


def test_a_label_with_room_stands_where_it_is_wanted() -> None:
    assert stacked([20.0, 100.0], 7.0, 0.0, 200.0) == [20.0, 100.0]


def test_a_line_crosses_a_box_or_passes_it() -> None:
    box = Box(0, 0, 10, 10)
    assert box.crossed_by((-5, 5), (15, 5))
    assert not box.crossed_by((-5, 11), (15, 11))
    assert not box.crossed_by((-5, 5), (-1, 5))
    assert not box.crossed_by((-6, 8), (8, 22))
