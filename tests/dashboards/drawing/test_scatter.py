"""Kinds 1 and 6, beside the same rows counted one by one in numpy."""

import numpy as np
import orjson
import polars as pl
import pytest

from dashboards.drawing.figure import MOST_BYTES, MOST_POINTS, words
from dashboards.drawing.marks import WIDEST
from dashboards.drawing.scatter import SHOWN, scatter, scatter_continuous
from machines.engine.errors import DataError
from tests.dashboards.drawing.frames import field, straight

FIELDS = {"x": field("weight", unit="kg"), "y": field("price")}
MAY = {
    **FIELDS, "hue": field("shop", "LABEL"), "size": field("age"), "style": field("kind", "LABEL"),
    "col": field("col", "LABEL"), "row": field("row", "LABEL"), "animation_frame": field("year", "LABEL"),
}  # fmt: skip


def many(rows: int, labels: int, letters: int = 5) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    cells = {"x": rng.normal(1.7e9, 1e7, rows), "y": rng.normal(size=rows), "size": rng.exponential(size=rows)}
    for place in ("hue", "style", "col", "row", "animation_frame"):
        numbers = np.where(rng.random(rows) < 0.8, rng.geometric(0.2, rows), rng.integers(0, labels, rows)) % labels
        cells[place] = [f"{number}{'é' * letters}" for number in numbers]
    return pl.DataFrame(cells)


def drawn(frame: pl.DataFrame, names: str = "", draw=scatter, **fields):
    chosen = {**FIELDS, **{name: MAY[name] for name in names.split()}, **fields}
    return draw(frame.select(*chosen).lazy(), chosen)


def test_it_works():
    drawing = drawn(straight())
    [trace] = drawing.traces
    there = straight().drop_nulls()
    assert trace["x"] == pytest.approx(there["x"].to_list(), rel=1e-5)
    assert trace["y"] == pytest.approx(there["y"].to_list(), rel=1e-5)
    assert drawing.layout["xaxis"]["title"]["text"] == "weight (kg)"
    assert [str(rule) for rule in drawing.rules] == ["Rows left out because a value is missing: 3."]


def test_the_table_is_of_all_rows():
    frame = many(30_000, 3)
    drawing = drawn(frame, "hue style size")
    assert sum(len(trace["x"]) for trace in drawing.traces[:-6]) == SHOWN
    heads = words(drawing.to_json(), str)["heads"]
    assert [head["title"] for head in heads[:4]] == ["shop", "kind", "rows", "lowest weight"]
    assert sum(row[2] for row in drawing.rows) == 30_000 and len(drawing.rows) == 9
    x, age = frame["x"].to_numpy(), frame["size"].to_numpy()
    for hue, style, rows, *numbers in drawing.rows:
        those = (frame["hue"].to_numpy() == hue) & (frame["style"].to_numpy() == style)
        assert rows == those.sum()
        assert numbers[:3] == pytest.approx([x[those].min(), x[those].mean(), x[those].max()], rel=1e-12)
        assert numbers[6:] == pytest.approx([age[those].min(), age[those].mean(), age[those].max()], rel=1e-12)


def test_every_point_stands_in_its_facet_with_its_colour_and_symbol():
    frame = many(2_000, 3).with_columns(y=pl.int_range(pl.len()).cast(pl.Float64))
    drawing = drawn(frame, "hue style col row")
    legend = {t["legendgroup"]: t for t in drawing.traces if t["showlegend"] and "legendgroup" in t}
    symbols = {t["marker"]["symbol"]: t["name"] for t in drawing.traces if t.get("legend") == "legend2"}
    titles = [note["text"].split(" · ") for note in drawing.layout["annotations"]]
    at = {y: cells for y, *cells in frame.select("y", "hue", "style", "row", "col").rows()}
    seen = 0
    for trace in drawing.traces[: -len(legend) - len(symbols)]:
        row, col = titles[int(trace["xaxis"][1:] or 1) - 1]
        group = legend[trace["legendgroup"]]
        assert (
            trace["marker"]["color"] == f"{group['marker']['color']}/0.65" and trace["yaxis"][1:] == trace["xaxis"][1:]
        )
        for y, symbol in zip(trace["y"], trace["marker"]["symbol"], strict=True):
            assert at[y] == [group["name"], symbols[symbol], row, col]
            seen += 1
    assert seen == 2_000 and len(legend) == len(symbols) == 3


def test_areas_are_in_proportion():
    frame = pl.DataFrame({"x": [1.0, 2, 3, 4, 5], "y": [1.0, 1, 1, 1, 1], "size": [4.0, 16, 0, -1, None]})
    drawing = drawn(frame, "size")
    marker = drawing.traces[0]["marker"]
    radii = np.sqrt(np.array(marker["size"]) / 2 / marker["sizeref"])  # as plotly.js/src/traces/scatter has it
    assert radii == pytest.approx([WIDEST / 4, WIDEST / 2])
    words = [str(rule) for rule in drawing.rules]
    assert "largest stands for 16" in words[0] and words[1].endswith("missing: 1.")
    assert words[2].startswith("Rows left out because “age” is not above zero") and words[2].endswith(": 2.")
    with pytest.raises(DataError, match="Choose another column for size"):
        drawn(frame.with_columns(size=-1.0), "size")


def test_a_number_as_hue_has_a_colour_bar_over_all_rows():
    frame = straight(9_000).with_columns(
        x=pl.int_range(pl.len()).cast(pl.Float64), hue=pl.int_range(pl.len()) * 2.0 + 10
    )
    drawing = drawn(frame, hue=field("age"))
    shown = drawing.layout["coloraxis"]
    assert (shown["cmin"], shown["cmax"]) == (10, 2 * 8_999 + 10) and shown["colorscale"] == "@scale"
    [trace] = drawing.traces
    assert trace["marker"]["color"] == [2 * x + 10 for x in trace["x"]] and len(trace["x"]) == SHOWN


def test_moments_are_milliseconds():
    seconds = [0.0, 86_400.0, 1_714_566_600.5]
    frame = pl.DataFrame({"x": seconds, "y": [1.0, 2, 3], "hue": seconds})
    drawing = drawn(frame, x=field("day", "DATETIME"), hue=field("day", "DATETIME"))
    assert drawing.traces[0]["x"] == drawing.traces[0]["marker"]["color"] == [0, 86_400_000, 1_714_566_600_500]
    bar = drawing.layout["coloraxis"]["colorbar"]
    assert bar["ticktext"][0] == "1970-01-01" and bar["ticktext"][-1] == "2024-05-01"
    assert drawing.layout["xaxis"]["type"] == "date" and drawing.layout["xaxis"]["range"][1] > 1_714_566_600_500


def test_numbers_far_from_zero_stay_apart():
    frame = pl.DataFrame({"x": [1e9, 1e9 + 0.5, 1e9 + 1], "y": [1.0, 2, 3]})
    assert drawn(frame).traces[0]["x"] == frame["x"].to_list()


def test_the_film_shows_one_moment_at_a_time():
    frame = pl.DataFrame(
        {"x": [1.0, 2, 3, 4], "y": [1.0] * 4, "animation_frame": ["10", "9", "10", "x"], "hue": [*"abab"]}
    )
    drawing = drawn(frame, "animation_frame hue")
    [slider] = drawing.layout["sliders"]
    assert [step["label"] for step in slider["steps"]] == ["9", "10", "x"]
    points = {0: {2.0}, 1: {1.0, 3.0}, 2: {4.0}}
    for number, step in enumerate(slider["steps"]):
        shown = step["args"][0]["visible"]
        assert len(shown) == len(drawing.traces) and shown[-2:] == [True, True], "the legend stays"
        assert {x for t, on in zip(drawing.traces[:-2], shown, strict=False) if on for x in t["x"]} == points[number]
    assert [t.get("visible", True) for t in drawing.traces] == slider["steps"][0]["args"][0]["visible"]


def test_logarithmic_axes_leave_out_what_cannot_stand_there():
    frame = pl.DataFrame({"x": [10.0, 1000, 0, -5, 10, None], "y": [1.0, 100, 1, 1, -1, 1]})
    drawing = drawn(frame, draw=scatter_continuous)
    assert drawing.traces[0]["x"] == [10, 1000] and drawing.layout["xaxis"]["type"] == "log"
    assert drawing.layout["xaxis"]["range"] == pytest.approx([1 - 0.08, 3 + 0.08])
    words = [str(rule) for rule in drawing.rules]
    assert words[0].endswith("missing: 1.") and words[1].endswith("logarithmic: 3.")
    with pytest.raises(DataError, match="above zero on both"):
        drawn(frame.with_columns(x=-1.0), draw=scatter_continuous)


def test_it_stays_small_whatever_the_labels():
    frame = many(20_000, 3_000, 2_000).with_columns(y=pl.col("y") * 1e-9)
    drawing = drawn(frame, "hue style size col row animation_frame", x=field("day", "DATETIME"))
    told = orjson.dumps(drawing.to_json(), option=orjson.OPT_SERIALIZE_NUMPY)
    assert len(told) < 0.8 * MOST_BYTES
    points = [t for t in drawing.traces if t["type"] == "scattergl"]
    assert 100 < len(points) <= 600 and sum(len(t["x"]) for t in points) <= MOST_POINTS
    assert len(drawing.rules) == 7 and len(drawing.to_json()["rows"]) == 200


def test_no_rows_one_row_and_nothing_but_missing():
    for frame in (straight().clear(), straight().with_columns(y=pl.lit(None, pl.Float64))):
        with pytest.raises(DataError, match="No row has a value"):
            drawn(frame)
    drawing = drawn(pl.DataFrame({"x": [1.0], "y": [float("inf")]}).with_columns(y=2.0)).to_json()
    assert drawing["rows"] == [[1, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0]] and "range" not in drawing["layout"]["xaxis"]
