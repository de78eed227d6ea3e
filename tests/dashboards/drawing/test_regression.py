"""Kind 7, beside scipy's line and the band computed row by row from the matrix of all rows."""

import numpy as np
import pytest
from scipy import stats

from dashboards.drawing.regression import STEPS, regression
from machines.engine.errors import DataError
from tests.dashboards.drawing.frames import field, straight

FIELDS = {"x": field("weight", unit="kg"), "y": field("price <b>")}


def test_it_works():
    drawing = regression(straight().lazy(), FIELDS).to_json()
    assert drawing["layout"]["xaxis"]["title"]["text"] == "weight (kg)"
    assert drawing["layout"]["yaxis"]["title"]["text"] == "price &lt;b&gt;"
    assert len(drawing["rows"]) == STEPS and len(drawing["heads"]) == 4


def test_the_line_and_its_band():
    cells = straight().drop_nulls()
    x, y = cells["x"].to_numpy(), cells["y"].to_numpy()
    line = stats.linregress(x, y)
    design = np.stack([np.ones_like(x), x], 1)
    noise = ((y - design @ [line.intercept, line.slope]) ** 2).sum() / (len(x) - 2)
    rows = np.array(regression(straight().lazy(), FIELDS).rows)
    at = np.stack([np.ones(STEPS), rows[:, 0]], 1)
    reach = stats.t.ppf(0.975, len(x) - 2) * np.sqrt(
        noise * np.einsum("ij,jk,ik->i", at, np.linalg.inv(design.T @ design), at)
    )
    assert rows[:, 1] == pytest.approx(at @ [line.intercept, line.slope], rel=1e-5)
    assert rows[:, 3] - rows[:, 1] == pytest.approx(reach, rel=1e-3)


def test_what_was_left_out_is_said():
    words = [str(rule) for rule in regression(straight(9000).lazy(), FIELDS).rules]
    assert "The line is of all 8997 rows" in words[0] and "4000 of 8997 rows" in words[1] and words[2].endswith(": 3.")


def test_no_line_through_one_value():
    with pytest.raises(DataError, match="three rows"):
        regression(straight().with_columns(x=5.0).lazy(), FIELDS)
