"""What bad tables get: a sentence that says what, where and what to do, or a warning; never a machine that hides it."""

import json
import re

import numpy as np
import pytest

from machines.engine.alarms import doubts, leaks
from machines.engine.errors import DataError, Weight
from machines.engine.fit import fit
from machines.engine.metrics import Metric
from machines.engine.parameters import Parameters
from machines.engine.prepare import prepare
from machines.engine.report import OutputReport
from machines.engine.schema import Column, DataType, Role, Schema

ROWS = 100
RNG = np.random.default_rng(0)
X, NOISE = RNG.normal(size=(2, ROWS))
COUNT = np.arange(1.0, ROWS + 1)
NOTHING = np.full(ROWS, np.nan)


def words(*labels, rows=ROWS):
    """So many cells, the labels in turn."""
    return np.array([labels[i % len(labels)] for i in range(rows)], dtype=object)


KIND, OWN = words("a", "b", "c"), words(*(f"K-{i}" for i in range(ROWS)))


def schema_of(table, outputs, **options):
    """Every array of numbers a number, every other one a label; `zero` names a column whose zeros are missing."""
    kinds = {name: DataType.FLOAT if cells.dtype.kind == "f" else DataType.LABEL for name, cells in table.items()}
    return Schema(
        tuple(
            Column(
                name, kind, Role.OUTPUT if name in outputs else Role.INPUT, zero_is_missing=name == options.get("zero")
            )
            for name, kind in kinds.items()
        )
    )


def prepared(table, *outputs, **options):
    return prepare(table, schema_of(table, outputs or ("y",), **options), 5.0, 0)


REFUSED = {
    "no row": ({"x": X[:0], "y": X[:0]}, "Rows with an answer in “y”: 0. At least 20 are needed."),
    "one row": ({"x": X[:1], "y": X[:1]}, "Rows with an answer in “y”: 1. At least 20 are needed."),
    "19 of 20 answers are missing": ({"x": X[:20], "y": np.append(NOTHING[:19], 1.0)}, "Rows with an answer in “y”: 1."),
    "one class": ({"x": X, "y": words("a")}, "“y” is “a” in every row, so there is nothing to learn."),
    "one class and one lonely label": ({"x": X, "y": np.append(words("a", rows=99), "b")}, "“y” is “a” in every row"),
    "one number": ({"x": X, "y": np.full(ROWS, 3.5)}, "“y” is “3.5” in every row"),
    "0 and -0": ({"x": X, "y": np.where(X > 0, -0.0, 0.0)}, "“y” is “0.0” in every row"),
    "infinite": ({"x": X, "y": np.where(COUNT == 8, -np.inf, X)}, "“y” holds an infinite number, in row 8."),
    "huge": ({"x": X, "y": X * 1e300}, "too large or too close together to reckon with. Give them in another unit."),
    "largest": ({"x": X, "y": np.where(X > 0, 1.7e308, -1.7e308)}, "holds numbers from -1.7e.308 to 1.7e.308"),
    "tiny": ({"x": X, "y": X * 1e-200}, "too large or too close together"),
    "an ID": ({"x": X, "y": OWN}, "Nearly every row of “y” has a label of its own"),
    "100,000 classes": (
        {"x": np.zeros(200_000), "y": words(*(f"c{i}" for i in range(100_000)), rows=200_000)},
        "“y” has 100000 different labels; at most 1000 can be told apart.",
    ),
    "half a character": ({"x": words("a", "b\ud800"), "y": X}, "“x” holds half a character, which is no text, in row 2."),
    "half a character as an answer": ({"x": X, "y": words("a", "b", "\udfff")}, "“y” holds half a character, .* in row 3."),
    "half a character in a name": ({"x\udc00": X, "y": X}, "The name of the column “x.” holds half a character"),
    "long text": ({"x": X, "y": words("short", "x" * 1_000_000)}, "a text of 1000000 characters. Only labels .* of 1000 "),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    table, sentence = REFUSED[case]
    with pytest.raises(DataError, match=sentence):
        prepared(table)


def test_answers_that_never_come_together_are_refused():
    first = COUNT <= 50
    table = {"x": X, "y": np.where(first, X, np.nan), "z": np.where(first, "", KIND).astype(object)}
    with pytest.raises(DataError, match="Rows with an answer in “y, z”: 0"):
        prepared(table, "y", "z")


WARNED = {
    "nothing odd": ({"x": X, "kind": KIND, "y": X + NOISE}, []),
    "empty, constant, all different": (
        {"x": X, "empty": NOTHING, "none": words(""), "one": np.ones(ROWS), "infinite": np.full(ROWS, np.inf), "id": OWN,
         "y": X + NOISE},
        ["These inputs tell nothing.*: empty, none, one, infinite, id. You can leave them out."],
    ),
    "many of them": (
        {"x": X, **{f"e{i}": NOTHING for i in range(12)}, "y": X + NOISE}, ["e0, e1, e2, e3, e4, e5, e6, e7 …"],
    ),
    "twice the same": (
        {"x": X, "again": X.copy(), "kind": KIND, "z": NOISE, "sort": KIND.copy(), "y": X + NOISE},
        ["the same in every row: x, again. One of them", "the same in every row: kind, sort. One"],
    ),
    "a running number": ({"x": X, "y": COUNT}, ["“y” looks like a running number from 1 to 100."]),
    "a running number, in any order, with gaps": (
        {"x": X[:95], "y": RNG.permutation(COUNT)[:95] + 7000}, ["“y” looks like a running number from"],
    ),
    "counts are no running number": ({"x": X, "y": np.floor(COUNT / 2)}, []),
    "one number far off": ({"x": X, "y": np.where(COUNT == 4, 1e30, X)}, ["“y” is 1e.30 in row 4, a million times"]),
    "some labels only once": ({"x": X, "y": np.append(words("a", "b", rows=98), ["c", "d"])}, ["only once .* left out: c, d."]),
}  # fmt: skip


@pytest.mark.parametrize("case", WARNED)
def test_warned(case):
    table, sentences = WARNED[case]
    found = prepared(table).warnings
    assert len(found) == len(sentences) and all(notice.weight is Weight.WARNING for notice in found)
    for notice, sentence in zip(found, sentences, strict=True):
        assert re.search(sentence, str(notice))


def test_zeros_that_are_missing_tell_nothing():
    (found,) = prepared({"x": X, "pressure": np.zeros(ROWS), "y": X + NOISE}, zero="pressure").warnings
    assert "pressure" in str(found)


# Figures that say little


def figures(low, high, *, shown="class_rates", auc=(0.4, 0.6), rows=2000, own=0.7, confusion=((5, 5), (5, 5))):
    """A report whose log loss minus that of the baseline shown lies between low and high; always the usual shares: 0.69."""
    rates = {"log_loss": Metric(0.69, 0.6, 0.8)}
    baselines = {"class_rates": rates, "linear": {"log_loss": Metric(0.5, 0.4, 0.6)}}
    holdout = {"log_loss": Metric(own, own, own), "roc_auc": Metric(sum(auc) / 2, *auc)}
    gap = Metric((low + high) / 2, low, high)
    return OutputReport(
        "y",
        "binary",
        holdout,
        shown,
        baselines,
        {},
        ("no", "yes"),
        list(map(list, confusion)),
        rows=rows,
        difference=gap,
    )


BY_CHANCE, SMALL, NEVER = "“y” is answered no better than", "cannot be told", "“y” were never the answer: yes."
FIGURES = {
    "better": (figures(-0.3, -0.1, own=0.5), ()),
    "no better than always the usual shares": (figures(-0.01, 0.01), (BY_CHANCE,)),
    "surely worse": (figures(0.05, 0.1), (BY_CHANCE,)),
    "few rows and no better": (figures(-0.1, 0.1, rows=100), (BY_CHANCE,)),
    "no better, but it ranks": (figures(-0.01, 0.01, auc=(0.7, 0.9)), ()),
    "worse than a linear model, and useful": (figures(0.01, 0.05, shown="linear", own=0.53, auc=(0.7, 0.8)), ()),
    "worse than a linear model and than nothing": (figures(0.2, 0.3, shown="linear", own=0.75), (BY_CHANCE,)),
    "few rows, perhaps as good as a linear model": (
        figures(-0.1, 0.1, shown="linear", own=0.5, auc=(0.7, 0.8), rows=100), (SMALL,),
    ),
    "a rare label": (figures(-0.02, -0.01, own=0.01, auc=(0.9, 0.99), confusion=((1998, 0), (2, 0))), (NEVER,)),
}  # fmt: skip


@pytest.mark.parametrize("case", FIGURES)
def test_figures_that_say_little(case):
    output, sentences = FIGURES[case]
    found = doubts(output)
    assert len(found) == len(sentences)
    assert all(sentence in str(notice) for sentence, notice in zip(sentences, found, strict=True))


@pytest.mark.parametrize("copy", [X, 1.8 * X + 32, -X], ids=["same", "another unit", "its negative"])
def test_a_copy_of_the_answer_gives_it_away_even_with_few_rows(copy):
    table = {"copy": copy, "noisy": X + 0.01 * NOISE, "y": X}
    found = prepared(table)
    columns = schema_of(table, ("y",)).inputs
    assert [notice.values["input"] for notice in leaks(table, columns, found.targets[0], found.rows, 9, 0)] == ["copy"]


# What looks bad and is learned from


def odd_cells():
    """A table whose cells and names are as odd as they come, and answers that follow from one of them."""
    table = {
        "huge": np.where(X > 0, 1.7e308, -1.7e308),
        "large": X * 1e300,
        "denormal": np.where(X > 0, 5e-324, 0.0),
        "-0": np.where(X > 0, -0.0, 1.0),
        "infinite": np.where(X > 1, np.inf, np.where(X < -1, -np.inf, X)),
        "Name": words("a\0b", "line\nbreak", "\u202eright to left", "👩‍👩‍👧", "שלום"),
        "name": words("a", "A", "ａ", "", " a"),
        "NAME": words("z" * 60_000, "'; DROP TABLE x; --", "=1+1"),
        "__class__": np.where(np.arange(ROWS) < 98, np.nan, X),
        "\n\0💩": NOISE,
        "x" * 10_000: NOISE.copy(),
    }
    columns = [
        Column(name, DataType.FLOAT if cells.dtype.kind == "f" else DataType.LABEL) for name, cells in table.items()
    ]
    moments = {"day": np.where(X > 0, 1e18, -1e15), "moment": X * 1e11, "clock": np.abs(X) * 1e9}
    kinds = (DataType.DATE, DataType.DATETIME, DataType.TIME)
    columns += [Column(name, kind) for name, kind in zip(moments, kinds, strict=True)]
    answers = {"y": X + 0.3 * NOISE, "rare": np.append(words("no", rows=98), ["yes", "yes"])}
    outputs = [Column("y", DataType.FLOAT, Role.OUTPUT), Column("rare", DataType.LABEL, Role.OUTPUT)]
    return table | moments | answers, Schema((*columns, *outputs))


@pytest.mark.filterwarnings("error")  # nor does a library say anything on the terminal
def test_odd_cells_are_learned_from():
    table, schema = odd_cells()
    fitted = fit(table, schema, level=1, deadline=2, seed=0, parameters=Parameters(epochs=4))
    json.dumps(fitted.report.to_json(), allow_nan=False)
    y, rare = fitted.predictor().predict({name: table[name] for name in table if name not in ("y", "rare")})
    assert np.isfinite([y.values, y.low, y.high]).all() and (y.low <= y.values).all() and (y.values <= y.high).all()
    assert np.corrcoef(y.values, table["y"])[0, 1] > 0.7
    assert np.allclose(sum(rare.probabilities.values()), 1, atol=1e-5) and rare.probabilities["yes"].mean() < 0.2
