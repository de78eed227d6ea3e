"""Kind 5, beside numpy's histogram and kernels summed over all rows one by one."""

import numpy as np
import polars as pl
import pytest
from scipy.interpolate import RegularGridInterpolator
from scipy.stats import norm

from dashboards.drawing.bivariate import BINS, bivariate, density, shares
from machines.engine.errors import DataError
from tests.dashboards.drawing.frames import field, straight

FIELDS = {"x": field("weight", unit="kg"), "y": field("price")}


def arrays(rows: int) -> tuple[np.ndarray, np.ndarray]:
    cells = straight(rows).drop_nulls()
    return cells["x"].to_numpy(), cells["y"].to_numpy()


def heights(rows: int):
    cells = straight(rows).drop_nulls()
    x, y = arrays(rows)
    found = {"x low": x.min(), "x high": x.max(), "x spread": x.std(ddof=1),
             "y low": y.min(), "y high": y.max(), "y spread": y.std(ddof=1)}  # fmt: skip
    return density(cells.lazy(), len(x), found)


def test_the_histogram():
    drawing = bivariate(straight(5_000).lazy(), FIELDS)
    expected, x_edges, y_edges = np.histogram2d(*arrays(5_000), bins=BINS)
    heat = drawing.traces[1]
    assert pytest.approx(np.where(expected, expected, np.nan), nan_ok=True) == np.array(heat["z"], float).T
    assert heat["x"] == pytest.approx(x_edges, rel=1e-5) and heat["y"] == pytest.approx(y_edges, rel=1e-5)
    assert [row[4] for row in drawing.rows] == sorted(expected[expected > 0].astype(int).tolist(), reverse=True)
    x, y = arrays(5_000)
    for x_from, x_to, y_from, y_to, rows, share in drawing.rows[:20]:
        inside = (x >= x_from - 1e-4) & (x < x_to + 1e-4) & (y >= y_from - 1e-3) & (y < y_to + 1e-3)
        assert abs(inside.sum() - rows) <= 1 and share == pytest.approx(rows / len(x) * 100, rel=5e-3)


def test_the_density():
    x, y = arrays(500)
    at_x, at_y, found, _ = heights(500)
    factor = len(x) ** (-1 / 6)
    expected = np.einsum(
        "ri,rj->ji",
        norm.pdf(at_x[None], x[:, None], x.std(ddof=1) * factor),
        norm.pdf(at_y[None], y[:, None], y.std(ddof=1) * factor),
    ) / len(x)  # fmt: skip
    assert np.abs(found - expected).max() < 0.01 * expected.max()
    assert found.sum() * (at_x[1] - at_x[0]) * (at_y[1] - at_y[0]) == pytest.approx(1, abs=0.01)


def test_within_a_line_lies_its_share_of_the_rows():
    x, y = arrays(20_000)
    at_x, at_y, found, rows = heights(20_000)
    within = RegularGridInterpolator((at_y, at_x), shares(found, rows))(np.stack([y, x], 1))
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        assert (within <= share).mean() == pytest.approx(share, abs=0.015)
    drawn = bivariate(straight(20_000).lazy(), FIELDS).traces[2]
    assert np.array(drawn["z"]) == pytest.approx(shares(found, rows), abs=1e-3)
    assert drawn["x"] == pytest.approx(at_x, rel=1e-4) and drawn["y"] == pytest.approx(at_y, rel=1e-4, abs=1e-3)


def test_rows_far_away_leave_a_density():
    cells = straight(5_000).drop_nulls().with_columns(
        x=pl.when(pl.int_range(pl.len()) == 7).then(1e6).otherwise(pl.col("x"))
    )  # fmt: skip
    lines = np.array(bivariate(cells.lazy(), FIELDS).traces[2]["z"], float)
    assert np.isfinite(lines).all() and lines.min() < 0.5


def test_what_was_left_out_is_said():
    words = [str(rule) for rule in bivariate(straight(9_000).lazy(), FIELDS).rules]
    assert "All 8997 rows" in words[0] and "4000 of 8997 rows" in words[1]
    assert "Scott's rule" in words[2] and "30 %," in words[2] and words[3].endswith(": 3.")


@pytest.mark.parametrize("value", [5.0, 1e17, -1e300])
def test_one_value_has_no_density(value):
    drawing = bivariate(pl.LazyFrame({"x": [value] * 9, "y": [1.0] * 8 + [None]}), FIELDS)
    assert "“weight” has only one value" in str(drawing.rules[1]) and len(drawing.traces) == 2
    assert [row[4:] for row in drawing.to_json()["rows"]] == [[8, 100.0]]


def test_no_row():
    for frame in (straight().clear(), straight().with_columns(y=pl.lit(None, pl.Float64))):
        with pytest.raises(DataError, match="No row has a value"):
            bivariate(frame.lazy(), FIELDS)
