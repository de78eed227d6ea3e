"""Kind 13, beside sums row by row."""

from collections import Counter, defaultdict

import numpy as np
import polars as pl
import pytest

from dashboards.drawing.bars import MOST_BARS, bars
from dashboards.drawing.figure import OTHERS
from machines.engine.errors import DataError
from tests.dashboards.drawing.frames import field

Y = {"y": field("state", "LABEL")}
X, Z, HUE = {"x": field("crashes")}, {"z": field("alcohol")}, {"hue": field("sex", "LABEL")}


def crashes(rows: int = 2000, labels: int = 12, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    state = [f"state {int(n)}" for n in rng.gamma(2, labels / 6, rows).clip(0, labels - 1)]
    x = rng.integers(0, 50, rows).astype(float)
    return pl.DataFrame({"y": state, "x": x, "z": np.floor(x / 3), "hue": rng.choice(["f", "m", "d"], rows)})


def summed(cells: pl.DataFrame, place: str, *keys: str) -> dict:
    found = defaultdict(float)
    for row in cells.iter_rows(named=True):
        found[tuple(row[key] for key in keys)] += row[place]
    return found


def test_it_works():
    drawing = bars(crashes().lazy(), Y | X | Z)
    told = drawing.to_json()
    assert [head["title"] for head in told["heads"]] == ["state", "crashes", "alcohol"]
    whole, part = told["traces"]
    assert whole["orientation"] == "h" and part["base"] == 0 and part["width"] < 0.8
    assert told["layout"]["yaxis"]["ticktext"][0] == told["rows"][0][0]
    assert told["layout"]["yaxis"]["autorange"] == "reversed"


def test_sums():
    cells = crashes()
    drawing = bars(cells.lazy(), Y | X | Z)
    whole, part = summed(cells, "x", "y"), summed(cells, "z", "y")
    assert {row[0]: row[1:] for row in drawing.rows} == {label: [whole[label,], part[label,]] for (label,) in whole}
    assert drawing.traces[0]["x"] == [row[1] for row in drawing.rows] == sorted(whole.values(), reverse=True)
    assert drawing.traces[1]["x"] == [row[2] for row in drawing.rows]


def test_rows_are_counted_without_x():
    cells = crashes()
    drawing = bars(cells.lazy(), Y)
    assert dict(drawing.rows) == Counter(cells["y"])
    assert "counts the rows" in str(drawing.rules[0])


def test_parts_by_hue_add_up():
    cells = crashes()
    drawing = bars(cells.lazy(), Y | X | Z | HUE)
    names, by_hue = [head.title for head in drawing.heads[1:4]], summed(cells, "x", "y", "hue")
    for label, *parts, whole, _ in drawing.rows:
        assert parts == [by_hue.get((label, hue)) for hue in names]
        assert sum(part or 0 for part in parts) == whole
    assert [trace["name"] for trace in drawing.traces] == [*names, "alcohol"]
    assert drawing.layout["barmode"] == "relative"


def test_the_rest_is_taken_together():
    cells = crashes(9000, labels=90)
    whole = summed(cells, "x", "y")
    drawing = bars(cells.lazy(), Y | X)
    assert len(whole) > MOST_BARS + 5 and len(drawing.rows) == MOST_BARS + 1
    longest = sorted(whole.values(), reverse=True)
    assert [row[1] for row in drawing.rows] == [*longest[:MOST_BARS], sum(longest[MOST_BARS:])]
    assert drawing.rows[-1][0] == OTHERS and f"The {MOST_BARS} longest" in str(drawing.rules[1])


def test_a_label_called_others_is_not_the_rest():
    cells = pl.DataFrame({"y": ["others", *(f"label {n}" for n in range(40))], "x": [1000.0, *range(40)]})
    rows = bars(cells.lazy(), Y | X).rows
    assert rows[0] == ["others", 1000] and rows[-1] == [OTHERS, sum(range(11))]


def test_exactly_as_many_as_shown():
    cells = pl.DataFrame({"y": [f"{n}" for n in range(MOST_BARS)], "x": [float(n) for n in range(MOST_BARS)]})
    drawing = bars(cells.lazy(), Y | X)
    assert len(drawing.rows) == MOST_BARS and len(drawing.rules) == 1


def test_negative_sums_are_long_too():
    cells = pl.DataFrame({"y": ["a", "b", "c", "b"], "x": [1.0, -5.0, 3.0, -1.0]})
    assert bars(cells.lazy(), Y | X).rows == [["b", -6], ["c", 3], ["a", 1]]


def test_missing_cells():
    cells = pl.DataFrame({"y": ["a", None, "b", "b", "b"], "x": [1.0, 2, None, 3, 4], "z": [None, 1.0, 1, 2, None]})
    drawing = bars(cells.lazy(), Y | X | Z)
    assert drawing.rows == [["b", 7, 2], ["a", 1, 0]]
    assert str(drawing.rules[-1]).endswith(": 2.")
    with pytest.raises(DataError, match="No row"):
        bars(cells.with_columns(y=pl.lit(None, pl.String)).lazy(), Y | X)


def test_labels_that_are_the_same_when_shortened_stay_apart():
    cells = pl.DataFrame({"y": [f"{'<i>long ' * 2000}{n}" for n in range(2000)], "x": [float(n) for n in range(2000)]})
    drawing = bars(cells.lazy(), Y | X)
    told = drawing.to_json()
    assert len(set(told["traces"][0]["y"])) == MOST_BARS + 1 and "<" not in told["layout"]["yaxis"]["ticktext"][0]
