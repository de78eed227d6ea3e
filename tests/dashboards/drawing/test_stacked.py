"""Kind 4, beside numpy's histogram of the logarithms."""

import numpy as np
import polars as pl
import pytest

from dashboards.drawing.figure import MOST_POINTS
from dashboards.drawing.stacked import BINS, stacked_histogram
from machines.engine.errors import DataError
from tests.dashboards.drawing.frames import field

FIELDS = {"x": field("price", unit="€")}
HUE = FIELDS | {"hue": field("cut", "LABEL")}


def prices(rows: int = 4000, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    cells = pl.DataFrame({"x": rng.lognormal(7, 1.5, rows), "hue": rng.choice(["Ideal", "Fair", "Good"], rows)})
    return cells.with_columns(col=rng.choice(["a", "b"], rows), row=rng.choice(["c", "d"], rows))


def test_it_works():
    told = stacked_histogram(prices().lazy(), HUE).to_json()
    assert told["layout"]["xaxis"]["type"] == "log" and told["layout"]["barmode"] == "stack"
    assert told["layout"]["xaxis"]["title"]["text"] == "price (€)"
    assert told["layout"]["legend"]["title"]["text"] == HUE["hue"].title
    assert len(told["traces"]) == 3 and len(told["rows"]) == BINS
    assert [head["title"] for head in told["heads"]][:2] == ["from", "to"]


def test_counts_are_numpys():
    cells = prices()
    drawing = stacked_histogram(cells.lazy(), HUE)
    log = np.log10(cells["x"].to_numpy())
    edges = np.linspace(log.min(), log.max(), BINS + 1)
    for at, head in enumerate(drawing.heads[2:], 2):
        expected, _ = np.histogram(log[(cells["hue"] == head.title).to_numpy()], edges)
        assert [row[at] for row in drawing.rows] == expected.tolist()
    assert [row[0] for row in drawing.rows] == pytest.approx(10 ** edges[:-1], rel=1e-5)
    assert [row[1] for row in drawing.rows] == pytest.approx(10 ** edges[1:], rel=1e-5)


def test_bars_stand_between_their_edges():
    drawing = stacked_histogram(prices().lazy(), FIELDS)
    bars, rows = drawing.traces[0], [row for row in drawing.rows if row[2]]
    low = np.array(bars["x"]) - np.array(bars["width"]) / 2
    assert low == pytest.approx([row[0] for row in rows], rel=1e-4)
    assert low + bars["width"] == pytest.approx([row[1] for row in rows], rel=1e-4)
    assert bars["y"] == [row[2] for row in rows] and sum(bars["y"]) == 4000


def test_zero_and_less_are_counted_and_said():
    cells = pl.DataFrame({"x": [-5.0, 0.0, 0.0, None, 1.0, 10.0, 100.0, float("nan")]})
    drawing = stacked_histogram(cells.lazy(), FIELDS)
    words = [str(rule) for rule in drawing.rules]
    assert sum(drawing.traces[0]["y"]) == 3
    assert words[1].endswith("axis: 3.") and words[2].endswith("missing: 2.")


@pytest.mark.parametrize("x", [[7.0], [1e-300] * 5, [1e300, 1e300]])
def test_one_value(x):
    drawing = stacked_histogram(pl.DataFrame({"x": x}).lazy(), FIELDS)
    assert drawing.traces[0]["y"] == [len(x)]
    assert drawing.traces[0]["x"] == pytest.approx(x[:1], rel=0.1)


def test_a_narrow_range_far_from_zero_keeps_its_bars_apart():
    x = np.linspace(1_000_000, 1_000_001, 500)
    assert len(set(stacked_histogram(pl.DataFrame({"x": x}).lazy(), FIELDS).traces[0]["x"])) == BINS


def test_nothing_to_draw():
    with pytest.raises(DataError, match="“price” are zero or less"):
        stacked_histogram(pl.DataFrame({"x": [-1.0, 0.0]}).lazy(), FIELDS)
    with pytest.raises(DataError, match="No row"):
        stacked_histogram(pl.DataFrame({"x": [None]}, schema={"x": pl.Float64}).lazy(), FIELDS)


def test_facets_count_their_own_rows():
    cells = prices()
    drawing = stacked_histogram(cells.lazy(), HUE | {"col": field("shop", "LABEL"), "row": field("year", "LABEL")})
    assert len(drawing.traces) == 12 and {trace["xaxis"] for trace in drawing.traces} == {"x", "x2", "x3", "x4"}
    assert sum(trace["showlegend"] for trace in drawing.traces) == 3
    assert all(drawing.layout[f"xaxis{n}"]["type"] == "log" for n in ("", 2, 3, 4))
    at = [head.title for head in drawing.heads].index("Fair")
    counted = sum(row[at] for row in drawing.rows if row[:2] == ["a", "d"])
    assert counted == cells.filter(col="a", row="d", hue="Fair").height


def test_it_stays_small_whatever_the_labels():
    rng = np.random.default_rng(3)
    rows, places = 50_000, ("hue", "col", "row")
    words = [f"{'<b>long</b> ' * 500}{n}" for n in range(10)]
    cells = pl.DataFrame({place: rng.choice(words, rows) for place in places} | {"x": rng.lognormal(0, 3, rows)})
    drawing = stacked_histogram(cells.lazy(), FIELDS | {place: field(place, "LABEL") for place in places})
    drawing.to_json()  # raises if it is too large
    assert sum(len(trace["x"]) for trace in drawing.traces) <= MOST_POINTS
    assert len(drawing.traces) == 8 * 6 * 6 and "<" not in drawing.traces[0]["name"]
