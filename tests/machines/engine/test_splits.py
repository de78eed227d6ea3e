"""Rows that belong together are never on both sides, and the future never teaches."""

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier

from machines.engine.columns.parse import parse_table
from machines.engine.errors import DataError
from machines.engine.prepare import Target, make_target
from machines.engine.schema import Column, DataType, Role, Schema
from machines.engine.splits import MOST_VALIDATED, Split, SplitKind, columns_to_read, deal
from tests.machines.engine.tables import simple_table

BY_PERSON, BY_DAY = Split(SplitKind.GROUP, "person"), Split(SplitKind.TIME, "day")


def table_of(rows=400, people=60, classes=2, seed=0):
    """A table with the person to whom a row belongs, a few more often than others, and a day for each."""
    rng = np.random.default_rng(seed)
    table, schema = simple_table(rows, classes=classes, seed=seed)
    person = np.array([f"p{int(n)}" for n in people * rng.random(rows) ** 1.5], object)
    day = np.floor(rng.uniform(0, 100, rows)) * 86_400.0
    columns = Column("person", DataType.LABEL, Role.IGNORED), Column("day", DataType.DATE, Role.IGNORED)
    return table | {"person": person, "day": day}, Schema((*columns, *schema.columns))


def dealt(split, table, schema, folds, seed=0):
    rows = np.arange(len(table["y"]))
    target = make_target(schema.outputs[0], table["y"], rows)
    return deal(split, table, rows, target, folds, np.random.default_rng(seed))


# Groups


@pytest.mark.parametrize("classes", [0, 2, 5])
def test_no_person_is_in_two_folds(classes):
    table, schema = table_of(classes=classes)
    folds = dealt(BY_PERSON, table, schema, 5)
    assert len({*zip(table["person"], folds, strict=True)}) == len(set(table["person"]))
    sizes = np.bincount(folds)
    assert len(sizes) == 5 and sizes.min() > 0.9 * 80 and sizes.max() < 1.1 * 80, "about as many rows in each"


def test_rare_answers_are_in_every_fold():
    rng = np.random.default_rng(0)
    table, schema = table_of(400, people=100)
    ill = rng.choice(np.unique(table["person"].astype(str)), 10, replace=False)
    table["y"] = np.where(np.isin(table["person"].astype(str), ill), "ill", "well").astype(object)
    folds = dealt(BY_PERSON, table, schema, 5)
    assert all((table["y"][folds == fold] == "ill").any() for fold in range(5))


def test_fewer_groups_than_folds():
    table, schema = table_of()
    table["person"] = np.array(["a", "b", "c"], object)[np.arange(400) % 3]
    assert set(dealt(BY_PERSON, table, schema, 5)) == {0, 1, 2}


def test_one_fold_is_about_an_eighth_of_the_rows_in_whole_groups():
    table, schema = table_of()
    folds = dealt(BY_PERSON, table, schema, 1)
    assert set(folds) == {-1, 0} and 40 <= (folds == 0).sum() <= 60
    assert not set(table["person"][folds == 0]) & set(table["person"][folds == -1])


def test_a_group_of_half_of_the_rows_is_learned_from():
    table, schema = table_of()
    table["person"][:200] = "the clinic itself"
    folds = dealt(BY_PERSON, table, schema, 1)
    assert set(folds[:200]) == {-1} and (folds == 0).sum() >= 20


@pytest.mark.parametrize("folds", [1, 5])
def test_an_empty_cell_belongs_to_nobody(folds):
    table, schema = table_of()
    table["person"][:300] = ""
    found = dealt(BY_PERSON, table, schema, folds)
    assert len(set(found[:300])) == (2 if folds == 1 else 5)


def test_numbers_and_days_may_be_groups_too():
    table, schema = table_of()
    folds = dealt(Split(SplitKind.GROUP, "day"), table, schema, 5)
    assert len({*zip(table["day"], folds, strict=True)}) == len(set(table["day"])) <= 100


def test_very_many_groups_are_dealt_at_once(monkeypatch):
    monkeypatch.setattr("machines.engine.splits.MOST_WEIGHED", 10)
    table, schema = table_of(2000, people=900)
    folds = dealt(BY_PERSON, table, schema, 5)
    assert len({*zip(table["person"], folds, strict=True)}) == len(set(table["person"]))
    assert np.bincount(folds).min() > 300


def test_the_same_seed_deals_alike():
    table, schema = table_of()
    first, again, other = (dealt(BY_PERSON, table, schema, 5, seed) for seed in (1, 1, 2))
    assert (first == again).all() and (first != other).any()


# Time


@pytest.mark.parametrize("folds", [1, 5])
def test_nothing_later_than_what_validates_is_learned(folds):
    table, schema = table_of()
    found = dealt(BY_DAY, table, schema, folds)
    assert set(found) == {-1, 0} and 70 <= (found == 0).sum() <= 90
    assert table["day"][found == -1].max() < table["day"][found == 0].min()


def test_of_few_rows_at_least_twenty_validate():
    table, schema = table_of(60)
    table["day"] = np.arange(60.0)
    found = dealt(BY_DAY, table, schema, 1)
    assert (found[:40] == -1).all() and (found[40:] == 0).all()


def test_rows_of_one_moment_stay_together():
    table, schema = table_of()
    table["day"] = np.repeat([1.0, 2.0, 3.0, 4.0], 100)
    found = dealt(BY_DAY, table, schema, 1)
    assert (found[:300] == -1).all() and (found[300:] == 0).all()


def test_rows_without_a_moment_only_teach():
    table, schema = table_of()
    table["day"][:50] = np.nan
    assert (dealt(BY_DAY, table, schema, 1)[:50] == -1).all()


# Honest figures


def test_figures_are_honest_where_a_person_gives_the_answer_away():
    """Each person has one answer and nearly the same measurements: neighbours know the person, not the illness."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(50), 10)
    traits = rng.normal(size=(50, 5))[person] + rng.normal(scale=0.01, size=(500, 5))
    ill = (rng.random(50) < 0.5)[person]
    answers = np.where(ill, "ill", "well").astype(object)
    table = {"person": person.astype(float), "y": answers} | {f"x{i}": traits[:, i] for i in range(5)}
    output = Column("y", DataType.LABEL, Role.OUTPUT)

    def figure(split):
        target = make_target(output, answers, np.arange(500))
        folds = deal(split, table, np.arange(500), target, 5, np.random.default_rng(1))
        chances = np.empty(500)
        for fold in range(5):
            learned = KNeighborsClassifier(3).fit(traits[folds != fold], ill[folds != fold])
            chances[folds == fold] = learned.predict_proba(traits[folds == fold])[:, 1]
        return roc_auc_score(ill, chances)

    assert figure(Split()) > 0.99
    assert figure(BY_PERSON) < 0.7, "a new person cannot be told at all"


# Refusals


def column_of(values, kind=object):
    return np.array(values, kind)


@pytest.mark.parametrize(
    ("split", "cells", "said"),
    [
        (Split(SplitKind.GROUP, "absent"), None, "There is no column “absent”"),
        (BY_PERSON, column_of([""] * 400), "“person” is empty in every row"),
        (BY_PERSON, column_of(["a"] * 400), "All rows have the same value in “person”"),
        (BY_PERSON, column_of(["a"] * 399 + ["b"]), "Nearly all rows have the same value in “person”"),
        (BY_DAY, column_of(["noon"] * 400), "“day” holds text, which has no order in time"),
        (BY_DAY, column_of([np.nan] * 400, float), "“day” is empty in every row"),
        (BY_DAY, column_of([5.0] * 400, float), "All rows have the same value in “day”"),
        (BY_DAY, column_of([5.0] * 399 + [6.0], float), "Nearly all rows have the same value in “day”"),
    ],
)
def test_a_column_that_cannot_tell_is_refused_in_a_sentence(split, cells, said):
    table, schema = table_of()
    if cells is not None:
        table[split.column] = cells
    with pytest.raises(DataError, match=said):
        dealt(split, table, schema, 1)


def test_the_answer_itself_keeps_no_rows_together():
    table, schema = table_of()
    table["person"] = np.where(table["y"] == "class 0", "a", "b").astype(object)
    with pytest.raises(DataError, match="all have the same answer in “y”"):
        dealt(BY_PERSON, table, schema, 5)
    table["day"] = np.where(table["y"] == "class 0", 1.0, 2.0)
    with pytest.raises(DataError, match="all have the same answer in “y”"):
        dealt(BY_DAY, table, schema, 1)


def test_the_column_is_checked_before_anything_is_read():
    _table, schema = table_of()
    for split, said in [
        (Split(SplitKind.GROUP, "absent"), "There is no column “absent”"),
        (Split(SplitKind.GROUP, "y"), "“y” is to be predicted"),
        (Split(SplitKind.TIME, "person"), "“person” holds text"),
    ]:
        with pytest.raises(DataError, match=said):
            columns_to_read(schema, split)


# The column


def test_the_column_is_read_whatever_its_role():
    _table, schema = table_of()
    names = [column.name for column in columns_to_read(schema, BY_PERSON)]
    assert "person" in names and "day" not in names
    assert "person" not in [column.name for column in schema.inputs]
    assert "person" not in [column.name for column in columns_to_read(schema, Split())]


@pytest.mark.parametrize("type", [DataType.IGNORE, DataType.JSON])
def test_a_column_of_no_use_can_still_tell_who_belongs_together(type):
    schema = Schema((Column("person", type, Role.IGNORED), Column("y", DataType.FLOAT, Role.OUTPUT)))
    cells = pl.DataFrame({"person": ["007", "7"], "y": ["1", "2"]})
    table, _unreadable = parse_table(cells, columns_to_read(schema, BY_PERSON))
    assert list(table["person"]) == ["007", "7"]


@pytest.mark.parametrize("split", [Split(), BY_PERSON, BY_DAY])
def test_a_split_survives_json(split):
    assert Split.from_json(split.to_json()) == split


def test_nothing_said_means_that_each_row_stands_alone():
    assert Split.from_json({}) == Split.from_json(None) == Split()


@pytest.mark.parametrize(("rare", "share"), [(20, 1 / 3), (199, 1 / 3), (200, 1 / 8)])
def test_one_part_is_larger_where_labels_are_rare(rare, share):
    """An eighth of twenty rows would be two or three to measure."""
    values = np.zeros(4000, np.int64)
    values[:rare] = 1
    target = Target(Column("y", DataType.LABEL), values, ("no", "yes"))
    dealt = deal(Split(), {}, np.arange(4000), target, 1, np.random.default_rng(0))
    assert (dealt == 0).mean() == pytest.approx(share, abs=0.01)
    assert (dealt[:rare] == 0).mean() == pytest.approx(share, abs=0.05)


def test_of_very_many_rows_no_more_are_measured_for_rare_labels():
    """They would take the time that learning has."""
    values = np.zeros(90_000, np.int64)
    values[:50] = 1
    target = Target(Column("y", DataType.LABEL), values, ("no", "yes"))
    dealt = deal(Split(), {}, np.arange(90_000), target, 1, np.random.default_rng(0))
    assert (dealt == 0).sum() <= MOST_VALIDATED
