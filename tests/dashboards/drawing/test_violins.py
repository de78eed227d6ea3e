"""Kind 9, beside the density that scipy finds of every row."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import gaussian_kde

from dashboards.drawing.violins import WIDTH, binned, kernel_density, split_violins
from tests.dashboards.drawing.labelled import awkward, labelled, only, refused, sound


def outline(trace, number):
    """The corners [corners, 2] of one shape of a trace."""
    gaps = [-1, *(at for at, x in enumerate(trace["x"]) if x is None)]
    part = slice(gaps[number] + 1, gaps[number + 1])
    return np.array([trace["x"][part], trace["y"][part]]).T


def test_it_works():
    drawing = split_violins(*only(labelled(), "x", "y", "hue"))
    assert [trace["name"] for trace in drawing.traces[::2]] == ["f", "m"]
    assert drawing.layout["legend"]["title"]["text"] == "sex" and drawing.layout["showlegend"]
    assert [row[:2] for row in drawing.rows[:2]] == [["a", "f"], ["a", "m"]]


def test_the_numbers_beside():
    frame = labelled()
    groups = dict(frame.drop_nulls(["x", "y"]).group_by("x", "hue"))
    for row in split_violins(*only(frame, "x", "y", "hue")).rows:
        values = groups[row[0], row[1]]["y"].to_numpy()
        width = gaussian_kde(values).covariance[0, 0] ** 0.5
        expected = [len(values), *np.quantile(values, [0, 0.25, 0.5, 0.75, 1]), width]
        assert row[2:] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("draw", ["normal", "lognormal", "uniform", "exponential"])
def test_the_density_is_that_of_every_row(draw):
    values = getattr(np.random.default_rng(3), draw)(size=3000) + 100
    spread = values.std(ddof=1) * 3000**-0.2
    found = pl.DataFrame({"x": ["a"], "low": [values.min()], "kernel": [spread]})
    bins = binned(pl.LazyFrame({"x": ["a"] * 3000, "y": values}), ["x"], found)
    at, many = (bins[name][0].to_numpy() for name in ("at", "many"))
    where = np.linspace(values.min(), values.max(), 200)
    expected = gaussian_kde(values)(where)
    assert many.sum() == 3000 and len(many) < 1000
    assert kernel_density(at, many, spread, where) == pytest.approx(expected, abs=0.005 * expected.max())


def test_the_outline_is_the_density():
    frame = labelled().drop_nulls().filter(pl.col("x") == "a")
    drawing = split_violins(*only(frame, "x", "y", "hue"))
    densities = [gaussian_kde(frame.filter(pl.col("hue") == hue)["y"].to_numpy()) for hue in "fm"]
    shapes = [outline(trace, 0) for trace in drawing.traces[::2]]
    peak = max(density(shape[:, 1]).max() for density, shape in zip(densities, shapes, strict=True))
    for side, density, shape in zip((-1, 1), densities, shapes, strict=True):
        edge = shape[np.abs(shape[:, 0]) > 0]
        assert np.all(np.sign(edge[:, 0]) == side)  # each half on its own side
        assert np.abs(edge[:, 0]) == pytest.approx(WIDTH * density(edge[:, 1]) / peak, abs=0.01 * WIDTH)


def test_the_lines_end_at_the_outline():
    shape, lines = split_violins(*only(labelled(), "x", "y")).traces
    rows = split_violins(*only(labelled(), "x", "y")).rows
    for number in range(9):
        left, right = outline(lines, number)
        edge = outline(shape, number // 3)
        half = edge[: len(edge) // 2]  # upwards on the right
        assert left[1] == right[1] == rows[number // 3][3 + number % 3]
        at = number // 3
        assert right[0] - at == pytest.approx(np.interp(right[1], half[:, 1], half[:, 0]) - at, rel=1e-3)
        assert left[0] + right[0] == pytest.approx(2 * at, abs=1e-4)  # whole violins are symmetric


def test_more_labels_than_halves():
    frame = labelled().with_columns(
        pl.when(pl.int_range(pl.len()) % 9 == 0).then(pl.lit("w")).otherwise("hue").alias("hue")
    )
    others = frame.filter(pl.col("hue") == "w").drop_nulls(["x", "y"]).height
    drawing = split_violins(*only(frame, "x", "y", "hue"))
    assert {row[1] for row in drawing.rows} == {"f", "m"}
    assert str(drawing.rules[1]).endswith(f"are shown. Rows with others are left out: {others}.")
    assert sum(row[2] for row in drawing.rows) + others == frame.drop_nulls(["x", "y"]).height


def test_a_narrow_peak_far_from_one_row_is_not_lost():
    values = np.append(np.random.default_rng(0).normal(size=5000), 1e6)
    drawing = split_violins(*only(pl.DataFrame({"x": ["a"] * 5001, "y": values}), "x", "y"))
    assert max(x for x in drawing.traces[0]["x"] if x is not None) == pytest.approx(WIDTH, rel=0.01)


@awkward
@pytest.mark.parametrize("places", [("x", "y"), ("x", "y", "hue")])
def test_whatever_the_table(frame, places):
    assert sound(split_violins(*only(frame, *places))) and refused(split_violins, *places)
