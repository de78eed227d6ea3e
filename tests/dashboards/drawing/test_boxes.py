"""Kinds 8 and 12, beside numpy's quartiles and whiskers found row by row."""

import numpy as np
import polars as pl
import pytest

from dashboards.drawing.boxes import MOST_BEYOND, OBSERVATIONS, boxed, grouped_boxplots, horizontal_boxplot
from dashboards.drawing.figure import OTHERS
from tests.dashboards.drawing.labelled import AWKWARD, FIELDS, awkward, labelled, only, refused, sound

LYING = {"x": FIELDS["y"], "y": FIELDS["x"]}


def lying(frame):
    return frame.select(pl.col("y").alias("x"), pl.col("x").alias("y")).lazy()


def by_hand(values):
    """A box as its definition says, one row after the other."""
    q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75], method="linear")
    inside = [value for value in values if q1 - 1.5 * (q3 - q1) <= value <= q3 + 1.5 * (q3 - q1)]
    return [min(*inside, q1), q1, median, q3, max(*inside, q3), np.mean(values)], len(values) - len(inside)


def test_it_works():
    drawing = grouped_boxplots(*only(labelled(), "x", "y", "hue")).to_json()
    assert [trace["name"] for trace in drawing["traces"][::2]] == ["f", "m"]
    assert drawing["traces"][0]["x"] == [-0.2, 0.8, 1.8] and drawing["layout"]["xaxis"]["ticktext"] == ["a", "b", "c"]
    assert drawing["layout"]["yaxis"]["title"]["text"] == "price &lt;b&gt; (EUR)"
    assert [str(rule) for rule in grouped_boxplots(*only(labelled(), "x", "y")).rules][-1].endswith("missing: 2.")


@pytest.mark.parametrize("places", [("x",), ("x", "hue"), ("x", "hue", "col", "row")])
def test_every_box_is_that_of_its_rows(places):
    frame = labelled()
    drawing = grouped_boxplots(*only(frame, *places, "y"))
    groups = dict(frame.drop_nulls().group_by(places))
    assert len(drawing.rows) == len(groups)
    for row in drawing.rows:
        values = groups[tuple(row[: len(places)])]["y"].to_numpy()
        ends, beyond = by_hand(values)
        assert row[len(places)] == len(values) and row[-1] == beyond
        assert row[len(places) + 1 : -1] == pytest.approx(ends, rel=1e-5)


def test_what_is_drawn_is_what_is_told():
    drawing = grouped_boxplots(*only(labelled(), "x", "y", "hue"))
    told = {(row[0], row[1]): row for row in drawing.rows}
    for trace, points in zip(drawing.traces[::2], drawing.traces[1::2], strict=True):
        for number, at in enumerate(trace["x"]):
            row = told["abc"[round(at)], trace["name"]]
            names = ("lowerfence", "q1", "median", "q3", "upperfence", "mean")
            assert [trace[name][number] for name in names] == row[3:-1]
            beyond = [y for x, y in zip(points["x"], points["y"], strict=True) if x == at]
            assert len(beyond) == row[-1] > 0 and all(value < row[3] or value > row[7] for value in beyond)


def test_the_furthest_rows_are_kept_and_the_others_said():
    values = np.concatenate([np.linspace(0, 1, 1000), np.arange(10, 80), -np.arange(10, 20)])
    frame = pl.DataFrame({"x": ["a"] * 1080, "y": values})
    points = boxed(frame.lazy(), ["x"], "y", MOST_BEYOND)["points"][0].to_list()
    assert sorted(points) == [*range(30, 80)]
    words = [str(rule) for rule in grouped_boxplots(*only(frame, "x", "y")).rules]
    assert words[1] == "Of the 80 rows beyond the whiskers the 50 furthest are drawn."


def test_a_whisker_without_rows_ends_at_the_box():
    frame = pl.DataFrame({"x": ["a"] * 4, "y": [0.0, 100, 100, 100]})
    assert grouped_boxplots(*only(frame, "x", "y")).rows == [["a", 4, 75, 75, 100, 100, 100, 75, 1]]


def test_facets_have_axes_of_their_own():
    drawing = grouped_boxplots(*only(labelled(), "x", "y", "hue", "col"))
    assert [trace["xaxis"] for trace in drawing.traces] == ["x"] * 4 + ["x2"] * 4
    assert all(drawing.layout[axis]["autorange"] for axis in ("yaxis", "yaxis2"))  # else Plotly shows -1 to 4
    assert [trace["showlegend"] for trace in drawing.traces] == [True, False, True, False, *[False] * 4]


@awkward
@pytest.mark.parametrize("places", [("x", "y"), ("x", "y", "hue", "col", "row")])
def test_whatever_the_table(frame, places):
    assert sound(grouped_boxplots(*only(frame, *places))) and sound(horizontal_boxplot(lying(frame), LYING))
    assert refused(grouped_boxplots, *places)


@pytest.mark.parametrize("rows", range(1, 40))
def test_equal_rows_have_none_beyond(rows):
    found = boxed(pl.LazyFrame({"x": ["a"] * rows, "y": [0.1] * rows}), ["x"], "y", 9).to_dicts()[0]
    assert found["low"] == found["q1"] == found["q3"] == found["high"] == 0.1 and found["beyond"] == 0


def test_lying_boxes_are_those_of_their_rows():
    frame = labelled()
    drawing = horizontal_boxplot(lying(frame), LYING)
    for row in drawing.rows:
        ends, beyond = by_hand(frame.drop_nulls(["x", "y"]).filter(pl.col("x") == row[0])["y"].to_numpy())
        assert row[2:] == pytest.approx([*ends, beyond], rel=1e-5)
    box, points = drawing.traces
    assert box["orientation"] == "h" and box["y"] == [0, 1, 2] and len(points["x"]) == 898
    assert drawing.layout["yaxis"]["range"] == [2.5, -0.5]  # the most frequent label on top


def test_observations_stand_at_their_label_always_the_same():
    frame = pl.DataFrame({"x": ["a", "b", "b"] * 3000, "y": [1.0, 2.0, 2.5] * 3000})
    one, again = (horizontal_boxplot(lying(frame), LYING) for _ in range(2))
    x, y = (np.array(one.traces[1][name]) for name in "xy")
    assert one.traces == again.traces and len(x) == OBSERVATIONS
    assert [*np.round(y)] == [*np.where(x == 1.0, 1, 0)] and 0.15 < np.ptp(y[x == 1.0]) <= 0.2
    assert "4000 of 9000 rows" in str(one.rules[1])


@pytest.mark.parametrize(
    "values, is_log", [([1.0, 100.5], True), ([1.0, 99.0], False), ([0.0, 500.0], False), ([-1.0, 500.0], False)]
)
def test_powers_of_ten_where_numbers_lie_far_apart(values, is_log):
    drawing = horizontal_boxplot(lying(pl.DataFrame({"x": ["a"] * 2, "y": values})), LYING)
    assert (drawing.layout["xaxis"].get("type") == "log") is is_log
    assert any("powers of ten" in str(rule) for rule in drawing.rules) is is_log


def test_many_labels_are_folded_and_it_is_said():
    drawing = grouped_boxplots(*only(AWKWARD["thousands of labels"], "x", "y"))
    assert len(drawing.rows) == 12 and drawing.rows[-1][0] == OTHERS
    assert "the 11 most frequent are shown" in str(drawing.rules[-1])
