"""Kind 10, beside scipy's intervals and least squares on all rows."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest
from scipy import stats

from dashboards.drawing.means import FACTORS, analysis, three_way
from tests.dashboards.drawing.labelled import awkward, labelled, only, refused, sound


def cells(frame, *factors):
    y = pl.col("y")
    found = frame.group_by(factors).agg(
        pl.len().alias("rows"), y.mean().alias("mean"), y.var().fill_null(0).alias("var")
    )
    return found.to_dicts()


def row_model(frame, terms):
    """Residual sum of squares and rank of a linear model on the rows themselves; one column for each combination."""
    columns = [np.ones(len(frame))]
    for term in terms:
        key = frame.select(pl.concat_str(term, separator="/")).to_series().to_numpy()
        columns += [(key == one).astype(float) for one in np.unique(key)]
    design, y = np.stack(columns, 1), frame["y"].to_numpy()
    solution, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    return ((y - design @ solution) ** 2).sum(), rank


def test_it_works():
    drawing = three_way(*only(labelled(), "x", "y", "hue", "col"))
    assert [trace["name"] for trace in drawing.traces] == ["f", "m", "f", "m"]
    assert [trace["xaxis"] for trace in drawing.traces] == ["x", "x", "x2", "x2"]
    assert drawing.layout["xaxis2"]["ticktext"] == ["a", "b", "c"]


@pytest.mark.parametrize("places", [("x",), ("x", "hue"), ("x", "hue", "col", "row")])
def test_means_and_their_intervals(places):
    frame = labelled()
    drawing = three_way(*only(frame, *places, "y"))
    groups = dict(frame.drop_nulls().group_by(places))
    assert len(drawing.rows) == len(groups)
    for row in drawing.rows:
        values = groups[tuple(row[: len(places)])]["y"].to_numpy()
        ends = stats.t.interval(0.95, len(values) - 1, loc=values.mean(), scale=stats.sem(values))
        assert row[len(places) :] == pytest.approx([len(values), values.mean(), *ends], rel=1e-4)


def test_bars_are_the_intervals():
    drawing = three_way(*only(labelled(), "x", "y"))
    trace = drawing.traces[0]
    for row, mean, reach in zip(drawing.rows, trace["y"], trace["error_y"]["array"], strict=True):
        assert [mean - reach, mean + reach] == pytest.approx(row[3:], rel=1e-4)


@pytest.mark.parametrize("is_empty", [False, True], ids=["unbalanced", "a cell is empty"])
def test_analysis_of_variance_on_the_rows(is_empty):
    frame = labelled().drop_nulls()
    if is_empty:
        frame = frame.filter(~((pl.col("x") == "b") & (pl.col("hue") == "m") & (pl.col("col") == "Q")))
    terms = [term for size in (1, 2, 3) for term in combinations(FACTORS, size)]
    error, rank = row_model(frame, terms)
    effects, rest = analysis(cells(frame, *FACTORS), FACTORS)
    assert rest == len(frame) - rank and [effect[0] for effect in effects] == terms
    for term, explained, df, f, p in effects:
        beside = [other for other in terms if not set(term) <= set(other)]
        (without, less), (with_it, more) = row_model(frame, beside), row_model(frame, [*beside, term])
        assert explained == pytest.approx(without - with_it, rel=1e-6, abs=1e-8) and df == more - less
        assert f == pytest.approx((without - with_it) / df / (error / rest), rel=1e-6, abs=1e-8)
        assert p == pytest.approx(stats.f.sf(f, df, rest), rel=1e-6)


def test_one_factor_is_the_usual_test():
    frame = labelled().drop_nulls()
    [(_, _, df, f, p)], rest = analysis(cells(frame, "x"), ("x",))
    expected = stats.f_oneway(*(group["y"].to_numpy() for _, group in frame.group_by("x")))
    assert (f, p) == pytest.approx((expected.statistic, expected.pvalue)) and (df, rest) == (2, len(frame) - 3)


def test_chance_is_found_as_often_as_it_should_be():
    rng, found = np.random.default_rng(5), []
    base = labelled(120).drop_nulls()
    for _ in range(300):
        frame = base.with_columns(y=pl.Series(rng.normal(size=len(base))))
        found += [p for *_, p in analysis(cells(frame, *FACTORS), FACTORS)[0]]
    assert stats.kstest(found, "uniform").pvalue > 0.001


def test_effects_in_words():
    words = [str(rule) for rule in three_way(*only(labelled(), "x", "y", "hue", "col")).rules]
    assert words[1].startswith("Analysis of variance with sums of squares of type II")
    assert words[2].startswith("“class” makes a difference: F(2, 886) =") and words[2].endswith("p < 0.0001.")
    assert any(word.startswith("“class” × “town” was not found") for word in words) and len(words) == 10


def test_row_is_taken_together():
    with_row, without = (
        three_way(*only(labelled().drop_nulls(), "x", "y", "hue", "col", *more)) for more in (["row"], [])
    )
    assert "Rows of all labels of “year” are taken together" in str(with_row.rules[2])
    assert [str(rule) for rule in with_row.rules[3:]] == [str(rule) for rule in without.rules[2:]]


def test_no_analysis_without_spread():
    one = labelled(200).drop_nulls().unique(["x", "hue", "col"])
    for frame in (one, labelled(50).with_columns(y=pl.lit(0.1))):
        assert "There is no analysis" in str(three_way(*only(frame, "x", "y", "hue", "col")).rules[1])


@awkward
@pytest.mark.parametrize("places", [("x", "y"), ("x", "y", "hue", "col", "row")])
def test_whatever_the_table(frame, places):
    assert sound(three_way(*only(frame, *places))) and refused(three_way, *places)
