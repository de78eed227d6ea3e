"""The grid of facets: which axes a facet has, where they stand, what they share."""

import polars as pl

from dashboards.drawing.facets import Grid, faceted
from dashboards.drawing.figure import OTHERS
from tests.dashboards.drawing.frames import field

X, Y = field("weight"), field("day", "DATE")


def test_it_works():
    grid = Grid(["a", "b", "c"], ["u", "v"])
    assert [grid.axes(col, row)["xaxis"] for col, row in grid] == ["x", "x2", "x3", "x4", "x5", "x6"]
    assert grid.axes("c", "u") == {"xaxis": "x3", "yaxis": "y3"} and len(grid) == 6
    layout = grid.layout(X, Y, {"range": [0, 1]})
    assert [note["text"] for note in layout["annotations"]] == ["u · a", "u · b", "u · c", "v · a", "v · b", "v · c"]
    assert layout["yaxis6"]["matches"] == "y" and "matches" not in layout["yaxis"]
    assert all(layout[f"xaxis{number}"]["range"] == [0, 1] for number in ("", 2, 3, 4, 5, 6))
    assert all(layout[f"yaxis{number}"]["type"] == "date" for number in ("", 2, 3, 4, 5, 6))
    titles = {name: axis["title"]["text"] for name, axis in layout.items() if "axis" in name and axis["title"]["text"]}
    assert titles == {"xaxis5": "weight", "yaxis": "day"}


def test_facets_do_not_overlap():
    grid = Grid([*"abcdef"], [*"uvwxyz"])
    layout = grid.layout(X, Y)
    boxes = []
    for col, row in grid:
        names = grid.axes(col, row)
        across, down = (layout[f"{name[0]}axis{name[1:]}"] for name in (names["xaxis"], names["yaxis"]))
        assert across["anchor"] == names["yaxis"] and down["anchor"] == names["xaxis"]
        boxes.append((*across["domain"], *down["domain"]))
    assert all(0 <= edge <= 1 for box in boxes for edge in box) and len(set(boxes)) == 36
    for a in boxes:
        assert sum(a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3] for b in boxes) == 1
    assert boxes[0][2] > boxes[6][2], "the first row of facets stands on top"
    assert layout["height"] == 6 * 220


def test_without_facets_it_is_one_picture():
    grid = Grid([], [])
    layout = grid.layout(X, Y)
    assert [*grid] == [(None, None)] and grid.axes("any", "label") == {"xaxis": "x", "yaxis": "y"}
    assert "annotations" not in layout and "height" not in layout and layout["xaxis"]["domain"] == [0, 1]


def test_titles_are_plain_and_short():
    notes = Grid(["<b>" + "long " * 100, *"bcdef"], []).layout(X, Y)["annotations"]
    assert (
        notes[0]["text"].startswith("&lt;b&gt;long") and len(notes[0]["text"]) < 25 and len(notes[0]["hovertext"]) < 210
    )


def test_rare_labels_are_folded_into_one_facet():
    col = [letter for number, letter in enumerate("abcdefghij") for _ in range(20 - number)]
    frame, grid, rules = faceted(pl.LazyFrame({"col": [*col, "others"], "row": "one"}), {
        "col": field("shop", "LABEL"), "row": field("year", "LABEL")})  # fmt: skip
    assert grid.cols == [*"abcde", OTHERS] and grid.rows == ["one"] and len(rules) == 1
    assert frame.collect()["col"].value_counts(sort=True)["count"].max() == 15 + 14 + 13 + 12 + 11 + 1


def test_a_label_that_is_called_others_stays_apart():
    col = [letter for letter in ["others", *"abcdefgh"] for _ in range(5 if letter == "others" else 1)]
    frame, grid, _ = faceted(pl.LazyFrame({"col": col}), {"col": field("shop", "LABEL")})
    assert grid.cols == ["others", *"abcd", OTHERS]
    assert frame.collect()["col"].to_list() == [*["others"] * 5, *"abcd", *[OTHERS] * 4]


def test_axes_reach_over_what_they_show():
    """Left to itself, Plotly shows -1 to 4 on an axis that stands beside one with a range."""
    for grid in (Grid([], []), Grid(["a", "b"], ["u", "v"])):
        layout = grid.layout(X, Y, {"range": [0, 1]}, {"type": "log"})
        assert all(("range" in axis) != ("autorange" in axis) for name, axis in layout.items() if "axis" in name)
        assert all(layout[name]["autorange"] is True for name in layout if name.startswith("yaxis"))
