"""Kind 3, beside the nearest of all hexagons' centres found row by row."""

import numpy as np
import polars as pl
import pytest
from scipy.spatial import KDTree

from dashboards.drawing.hexbin import ACROSS, DOWN, LEVELS, hexbin, levels
from machines.engine.errors import DataError
from tests.dashboards.drawing.frames import field, straight

FIELDS = {"x": field("weight", unit="kg"), "y": field("price")}


def hexagons_of(trace: dict) -> list[np.ndarray]:
    """The polygons of a trace, [corners, 2] each."""
    path = np.array([trace["x"], trace["y"]], float).T
    parts = np.split(path, np.flatnonzero(np.isnan(path[:, 0])) + 1)
    return [part[:-1] for part in parts if len(part)]


def fills(drawing) -> list[dict]:
    return [trace for trace in drawing.traces if trace.get("fill") == "toself"]


def test_every_row_is_counted_in_the_nearest_hexagon():
    cells = straight(3_000).drop_nulls()
    x, y = cells["x"].to_numpy(), cells["y"].to_numpy()
    width, height = np.ptp(x) / ACROSS, np.ptp(y) / DOWN
    steps = [(i, j) for i in range(-1, ACROSS + 2) for j in range(-1, DOWN + 2)]
    centres = np.array([*steps, *((i + 0.5, j + 0.5) for i, j in steps)], float)
    # The lowest x lies just between two hexagons of a line; it is counted in the right one.
    real = np.stack([(x - x.min()) / width, (y - y.min()) / height], 1) + 1e-9
    _, nearest = KDTree(centres * [1, np.sqrt(3)]).query(real * [1, np.sqrt(3)])
    found, counts = np.unique(nearest, return_counts=True)
    rows = hexbin(straight(3_000).lazy(), FIELDS).rows
    assert [row[2] for row in rows] == sorted(counts.tolist(), reverse=True)
    away, which = KDTree(centres[found]).query([[(a - x.min()) / width, (b - y.min()) / height] for a, b, *_ in rows])
    assert away.max() < 1e-3 and len({*which}) == len(found) and counts[which].tolist() == [row[2] for row in rows]
    assert [row[3] for row in rows] == pytest.approx([row[2] / len(x) * 100 for row in rows], rel=5e-3)


def test_the_hexagons_tile_the_picture():
    drawing = hexbin(straight(3_000).lazy(), FIELDS)
    cells = straight(3_000).drop_nulls()
    width, height = np.ptp(cells["x"].to_numpy()) / ACROSS, np.ptp(cells["y"].to_numpy()) / DOWN
    polygons = [polygon for trace in fills(drawing) for polygon in hexagons_of(trace)]
    assert f"{len(polygons)} hexagons" in str(drawing.rules[0])
    x, y = polygons[0].T
    area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    assert area == pytest.approx(width * height / 2, rel=1e-3), "two hexagons for each rectangle of the grids"
    sides = np.linalg.norm((polygons[0] - np.roll(polygons[0], 1, axis=0)) / [width, height / np.sqrt(3)], axis=1)
    assert sides == pytest.approx([1 / np.sqrt(3)] * 6, rel=1e-2), "regular"


def test_each_colour_holds_the_counts_it_names():
    drawing = hexbin(straight(3_000).lazy(), FIELDS)
    count = {(round(a, 2), round(b, 1)): n for a, b, n, _ in drawing.rows}
    seen = 0
    for trace in fills(drawing):
        low, _, high = trace["name"].partition("–")
        for polygon in hexagons_of(trace):
            a, b = polygon.mean(0)
            found = [n for (x, y), n in count.items() if abs(x - a) < 0.05 and abs(y - b) < 0.5]
            assert len(found) == 1 and int(low) <= found[0] <= int(high or low)
            seen += len(found)
    assert seen == len(drawing.rows)
    [bar] = [trace for trace in drawing.traces if trace.get("marker", {}).get("showscale")]
    assert {trace["name"] for trace in fills(drawing)} <= {*bar["marker"]["colorbar"]["ticktext"]}
    assert {trace["fillcolor"] for trace in fills(drawing)} <= {colour for _, colour in bar["marker"]["colorscale"]}


@pytest.mark.parametrize("most", [1, 2, 3, 10, 999, 10_000_000])
def test_levels_hold_every_count_once(most):
    edges = levels(most)
    assert edges[0] == 1 and edges[-1] == most + 1 and edges == sorted({*edges}) and len(edges) <= LEVELS + 1


def test_distributions_stand_beside():
    drawing = hexbin(straight().lazy(), FIELDS).to_json()
    bars = [trace for trace in drawing["traces"] if trace["type"] == "bar"]
    assert sum(bars[0]["y"]) == sum(bars[1]["x"]) == 497
    assert drawing["layout"]["xaxis"]["title"]["text"] == "weight (kg)" and drawing["rules"][1]["values"] == {"rows": 3}


@pytest.mark.parametrize("value", [5.0, 0.0, 1e17, -1e300])
def test_one_value(value):
    drawing = hexbin(pl.LazyFrame({"x": [value] * 9, "y": [1.0] * 8 + [None]}), FIELDS).to_json()
    assert [row[1:] for row in drawing["rows"]] == [[1.0, 8, 100.0]] or drawing["rows"][0][2] == 8


def test_no_row():
    for frame in (straight().clear(), straight().with_columns(y=pl.lit(None, pl.Float64))):
        with pytest.raises(DataError, match="No row has a value"):
            hexbin(frame.lazy(), FIELDS)
