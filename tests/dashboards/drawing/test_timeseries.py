"""Kind 2, beside means and Student's intervals by scipy, group by group, and months by the calendar."""

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from scipy import stats

from dashboards.drawing.timeseries import DASHES, LENGTHS, MOST_LINES, MOST_MEANS, ROWS_A_STEP, STEPS, timeseries
from machines.engine.errors import DataError
from tests.dashboards.drawing.frames import field

XY = {"x": field("day"), "y": field("sales", unit="€")}
MOMENTS = {"x": field("when", "DATETIME"), "y": field("sales")}
START = datetime(2019, 1, 1, tzinfo=UTC).timestamp()


def shop(rows: int = 900, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 12, rows).astype(float)
    town = np.array(["Rome", "Oslo", "Bern"])[rng.choice(3, rows, p=[0.6, 0.3, 0.1])]
    return pl.DataFrame({"x": x, "y": rng.normal(10 + x, 3), "hue": town, "style": rng.choice(["a", "b"], rows)})


def clock(rows: int, days: float, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return pl.DataFrame({"x": START + rng.uniform(0, days * 86_400, rows), "y": rng.normal(5, 1, rows)})


def lines(drawing):
    return [trace for trace in drawing.traces if "fill" not in trace]


def interval(y):
    return stats.t.interval(0.95, len(y) - 1, loc=y.mean(), scale=stats.sem(y))


def test_it_works():
    drawing = timeseries(shop().lazy(), XY)
    told = drawing.to_json()
    assert told["layout"]["xaxis"]["title"]["text"] == "day" and told["layout"]["yaxis"]["title"]["text"] == "sales (€)"
    assert [head["title"] for head in told["heads"]] == ["day", "sales", "from", "to", "rows"]
    assert [trace["mode"] for trace in told["traces"]] == ["lines", "lines"]
    assert drawing.traces[1]["x"] == list(range(12)) and len(drawing.traces[0]["x"]) == 24


def test_the_mean_and_its_band():
    cells = shop()
    for x, mean, low, high, rows in timeseries(cells.lazy(), XY).rows:
        y = cells.filter(pl.col("x") == x)["y"].to_numpy()
        assert rows == len(y) and (mean, low, high) == pytest.approx((y.mean(), *interval(y)), rel=1e-9)


def test_every_line_is_of_its_own_rows():
    cells = shop()
    fields = XY | {"hue": field("town", "LABEL"), "style": field("till", "LABEL")}
    drawing = timeseries(cells.lazy(), fields)
    for hue, style, x, mean, low, high, rows in drawing.rows:
        y = cells.filter(hue=hue, style=style, x=x)["y"].to_numpy()
        assert rows == len(y) and mean == pytest.approx(y.mean())
        assert (low, high) == pytest.approx(interval(y)) if rows > 1 else low is high is None
    assert len(drawing.rows) == cells.group_by("hue", "style", "x").len().height
    looks = {trace["name"]: (trace["line"]["color"], trace["line"]["dash"]) for trace in lines(drawing)}
    assert len(looks) == 6 and len(set(looks.values())) == 6
    assert looks["Rome, a"][0] == looks["Rome, b"][0] == "@0" and looks["Bern, a"][1] == looks["Rome, a"][1]
    assert {dash for _, dash in looks.values()} == set(DASHES[:2])


def test_one_row_has_no_band():
    cells = pl.DataFrame({"x": [1.0, 1, 2, 3, 3, 4, 4], "y": [1.0, 3, 5, 2, 4, 7, 7]})
    drawing = timeseries(cells.lazy(), XY)
    band, line = drawing.traces
    assert band["x"] == [1, 1, None, 3, 4, 4, 3]  # it is interrupted at 2
    assert line["y"] == [2, 5, 3, 7]
    assert drawing.rows[1] == [2, 5, None, None, 1]
    assert drawing.rows[3] == [4, 7, 7, 7, 2]
    assert "fill" not in timeseries(cells[2:3].lazy(), XY).traces[0]


def test_many_numbers_are_cut_into_equal_steps():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-30, 90, 5000), rng.normal(0, 1, 5000)
    drawing = timeseries(pl.DataFrame({"x": x, "y": y}).lazy(), XY)
    expected, edges, _ = stats.binned_statistic(x, y, "mean", STEPS)
    assert [row[0] for row in drawing.rows] == pytest.approx((edges[1:] + edges[:-1]) / 2)
    assert [row[1] for row in drawing.rows] == pytest.approx(expected)
    assert f"“day” is cut into {STEPS} steps" in str(drawing.rules[0])


def test_two_hundred_values_are_not_cut():
    x = np.arange(200).repeat(3)
    assert len(lines(timeseries(pl.DataFrame({"x": x / 7, "y": x % 5.0}).lazy(), XY))[0]["x"]) == 200
    x = np.arange(201).repeat(20)
    assert len(lines(timeseries(pl.DataFrame({"x": x / 7, "y": x % 5.0}).lazy(), XY))[0]["x"]) == STEPS
    few = pl.DataFrame({"x": x[::10] / 7, "y": x[::10] % 5.0})  # else each step would hold one or two rows
    assert len(lines(timeseries(few.lazy(), XY))[0]["x"]) == 402 // ROWS_A_STEP


def test_the_band_of_two_rows_leaves_the_means_to_be_seen():
    x, y = np.arange(10.0).repeat(40), np.random.default_rng(0).normal(0, 1, 400) + np.arange(10.0).repeat(40)
    calm = timeseries(pl.DataFrame({"x": x, "y": y}).lazy(), XY)
    assert "range" not in calm.layout["yaxis"]
    wild = timeseries(pl.DataFrame({"x": [*x, 10, 10], "y": [*y, 0, 9]}).lazy(), XY)
    low, high = wild.layout["yaxis"]["range"]
    means = [row[1] for row in wild.rows]
    assert low < min(means) and max(means) < high < 2 * max(means) < wild.rows[-1][3]
    assert any("beyond the picture" in str(rule) for rule in wild.rules)


def test_its_words_are_told_as_they_are():
    assert "95 % confidence" in str(timeseries(shop().lazy(), XY).rules[0])


def test_the_legend_says_which_column_it_is_of():
    drawing = timeseries(shop().lazy(), XY | {"hue": field("town", "LABEL"), "style": field("kind", "LABEL")})
    assert drawing.layout["legend"]["title"]["text"] == "town · kind"


def test_moments_are_cut_by_the_calendar():
    cells = clock(4000, 5 * 365)
    drawing = timeseries(cells.lazy(), MOMENTS)
    assert "one month" in str(drawing.rules[0])
    months: dict[float, list[float]] = {}
    for x, y in cells.iter_rows():
        first = datetime.fromtimestamp(x, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        months.setdefault(first.timestamp(), []).append(y)
    assert [row[0] for row in drawing.rows] == sorted(months)
    assert [row[1] for row in drawing.rows] == pytest.approx([np.mean(months[at]) for at in sorted(months)])
    assert drawing.traces[1]["x"] == [at * 1000 for at in sorted(months)]
    assert drawing.layout["xaxis"]["type"] == "date"


@pytest.mark.parametrize(
    ("days", "word"),
    [(0.001, "one second"), (0.5, "a quarter of an hour"), (4, "one hour"), (20, "six hours"), (100, "one day"),
     (300, "one week"), (3_000, "one month"), (9_000, "one quarter"), (30_000, "one year"), (150_000, "five years")],
)  # fmt: skip
def test_the_length_of_a_step_suits_the_span(days, word):
    drawing = timeseries(clock(3000, days).lazy(), MOMENTS)
    assert word in str(drawing.rules[0])
    assert 17 <= len(drawing.rows) <= STEPS


def test_lengths_lie_close_together():
    seconds = [length[1] for length in LENGTHS]
    assert max(b / a for a, b in pairwise(seconds)) <= 7


def test_a_column_with_one_row_per_label_stays_small():
    rng = np.random.default_rng(2)
    rows = 60_000
    words = {place: [f"{place} {'long ' * 50}{n}" for n in range(40)] for place in ("hue", "style", "col", "row")}
    cells = pl.DataFrame(
        {place: rng.choice(labels, rows) for place, labels in words.items()}
        | {"x": START + rng.uniform(0, 1e8, rows), "y": rng.normal(size=rows)}
    )
    fields = MOMENTS | {place: field(f"the {place}", "LABEL") for place in words}
    drawing = timeseries(cells.lazy(), fields)
    drawing.to_json()  # raises if it is too large
    assert len(lines(drawing)) <= MOST_LINES
    assert sum(len(line["x"]) for line in lines(drawing)) <= MOST_MEANS
    said = " ".join(map(str, drawing.rules))
    assert "lines with the most rows are shown" in said and said.count("most frequent are shown") == 4
    assert sum(line["showlegend"] for line in lines(drawing)) == len({line["legendgroup"] for line in lines(drawing)})


def test_facets_have_axes_of_their_own():
    cells = shop().rename({"hue": "col"})
    drawing = timeseries(cells.lazy(), XY | {"col": field("town", "LABEL")})
    assert [line["xaxis"] for line in lines(drawing)] == ["x", "x2", "x3"]
    assert len(drawing.layout["annotations"]) == 3


def test_what_was_left_out_is_said():
    cells = shop().with_columns(y=pl.when(pl.int_range(pl.len()) < 4).then(None).otherwise(pl.col("y")))
    drawing = timeseries(cells.lazy(), XY)
    assert str(drawing.rules[-1]).endswith(": 4.") and sum(row[-1] for row in drawing.rows) == 896


def test_nothing_to_draw():
    with pytest.raises(DataError, match="No row"):
        timeseries(shop().with_columns(y=pl.lit(None, pl.Float64)).lazy(), XY)
