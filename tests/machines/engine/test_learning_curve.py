"""Would more rows help: figures of one model that learned from fewer rows, beside scikit-learn's and a plain loop."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from machines.engine import fit as steps
from machines.engine.fit import fit
from machines.engine.folds import answered, count, learned_from
from machines.engine.learning_curve import PARTS, SIZES, _fewer, learning_curve, simple_model, strata
from machines.engine.parameters import Parameters
from machines.engine.progress import READING_COLUMNS
from machines.engine.splits import Split, SplitKind, part_of_each
from tests.machines.engine.tables import few_candidates, simple_table

SMALL = Parameters(epochs=1, shape=(4,))


def trained(table, schema, level=1, deadline=60, **options):
    """A machine, and what its training worked with."""
    kept, real = [], steps.measured

    def keep(work, answers):
        kept.append(work)
        return real(work, answers)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "measured", keep)
        fitted = fit(table, schema, level=level, deadline=deadline, seed=0, parameters=SMALL, **options)
    return fitted, kept[0]


@pytest.fixture(scope="module", autouse=True)
def soon_done():
    with few_candidates():
        yield


@pytest.fixture(scope="module")
def two():
    return trained(*simple_table(320, 3, seed=4, classes=2))


def dealt(work, seed=0):
    rows = work.prepared.rows
    alike = strata(work.lesson, 0, len(rows))
    return part_of_each(work.split, work.table, rows, alike, PARTS, np.random.default_rng(seed))


def simple_of(work, seconds=1e9):
    return simple_model(work.lesson, 0, work.candidates, 0, seconds)


def test_it_works(two):
    """A sum of numbers is what a linear model learns best; all rows give what the leaderboard says of it."""
    fitted, _ = two
    told = fitted.report.outputs[0]
    assert told.learning_curve_of == "linear"
    rows = [point["rows"] for point in told.learning_curve]
    assert rows == sorted(rows) and 20 <= rows[0] <= 45 and rows[-1] == 214 and len(rows) >= 4
    assert all(point["low"] < point["value"] < point["high"] for point in told.learning_curve)
    (own,) = [line for line in told.leaderboard if line["name"] == "linear 0"]
    assert told.learning_curve[-1]["value"] == pytest.approx(own["value"], rel=1e-4)
    assert told.learning_curve[0]["value"] > told.learning_curve[-1]["value"]


def test_the_same_seed_gives_the_same_curve(two):
    _, work = two
    again = learning_curve(work.lesson, 0, simple_of(work), dealt(work), 0, lambda: True)
    assert again == learning_curve(work.lesson, 0, simple_of(work), dealt(work), 0, lambda: True)
    other = learning_curve(work.lesson, 0, simple_of(work), dealt(work, 1), 0, lambda: True)
    assert other[-1] == again[-1] and other[0] != again[0]


def test_each_size_is_what_a_plain_loop_finds(two):
    """The same rows for each fold, another library's loop."""
    _, work = two
    part, lesson = dealt(work), work.lesson
    rows, x, y = len(part), lesson.encoded.flat(), lesson.targets[0].values
    folds, simple = lesson.folds[:rows], simple_of(work)
    (penalty,) = simple.make().penalties
    curve, expected = learning_curve(lesson, 0, simple, part, 0, lambda: True), {}
    for size in SIZES:
        losses, most = [], 0
        for fold in range(count(folds)):
            learn = [row for row in range(rows) if part[row] < size and folds[row] != fold]
            most = max(most, len(learn))
            model = LogisticRegression(max_iter=100, C=1 / penalty).fit(x[learn], y[learn])
            ask = np.flatnonzero(folds == fold)
            losses += (-np.log(model.predict_proba(x[ask])[np.arange(len(ask)), y[ask]])).tolist()
        expected[most] = np.mean(losses)
    for point in curve:
        assert point["value"] == pytest.approx(expected[point["rows"]], rel=1e-3)
    assert {point["rows"] for point in curve} == {rows for rows in expected if rows >= 20}


@pytest.mark.parametrize("folds", [np.arange(90) % 3, np.where(np.arange(90) < 30, 0, -1)], ids=["folds", "one part"])
def test_all_measured_rows_are_answered_and_nobody_learns_from_the_row_it_answers(folds):
    kept = np.arange(90) % 4 == 0
    rows, fewer = _fewer(folds, kept)
    assert set(np.flatnonzero(folds >= 0)) <= set(rows)
    for fold in range(3 if folds.max() else 1):
        assert set(rows[answered(fewer, fold)]) == set(np.flatnonzero(folds == fold))
        assert set(rows[learned_from(fewer, fold)]) == set(np.flatnonzero(kept & (folds != fold)))


def test_trees_where_lines_do_not_do():
    """Far from 0 on either side is much: no line tells that, and what trees learn from it grows with the rows."""
    table, schema = simple_table(400, 2)
    table["y"] = 5 * np.abs(table["x0"]) + table["y"] * 0.1
    fitted, work = trained(table, schema)
    told = fitted.report.outputs[0]
    assert told.learning_curve_of == "boosting"
    values = [point["value"] for point in told.learning_curve]
    assert values[0] > 2 * values[-1] and values[-1] < 1
    trees = simple_of(work)
    assert simple_of(work, 0.99 * trees.seconds) is None, "a line is no stand-in for what it cannot do"
    asked = []
    learning_curve(work.lesson, 0, trees, dealt(work), 0, lambda: asked.append(0) is None)
    few = iter(asked[20:])  # time runs out in the last rounds of all
    assert learning_curve(work.lesson, 0, trees, dealt(work), 0, lambda: next(few, None) is not None) == []


def test_no_curve_that_takes_too_long_or_is_told_to_stop(two):
    _, work = two
    simple = simple_of(work)
    assert simple_of(work, simple.seconds * 0.9) is None and simple_of(work, simple.seconds) is not None
    calls = iter([True] * 12)
    assert learning_curve(work.lesson, 0, simple, dealt(work), 0, lambda: next(calls, False)) == []


def test_who_says_finish_now_gets_no_curve():
    table, schema = simple_table(300, 3, classes=2)

    def stop(progress):
        return progress.message.template == READING_COLUMNS

    assert fit(table, schema, level=1, deadline=60, seed=0, on_progress=stop).report.outputs[0].learning_curve == []


def test_too_few_rows_are_no_curve():
    fitted, _ = trained(*simple_table(24, 2, classes=2))
    told = fitted.report.outputs[0]
    assert (told.learning_curve, told.learning_curve_of) == ([], "")


def test_not_of_rows_in_time_and_groups_stay_whole():
    table, schema = simple_table(240, 2)
    in_time, _ = trained(table, schema, split=Split(SplitKind.TIME, "x0"))
    assert in_time.report.outputs[0].learning_curve == []
    table["x1"] = np.arange(240) % 40.0
    in_groups, work = trained(table, schema, split=Split(SplitKind.GROUP, "x1"))
    part, groups = dealt(work), table["x1"][work.prepared.rows]
    assert all(len(set(part[groups == group])) == 1 for group in range(40))
    assert in_groups.report.outputs[0].learning_curve


def test_a_size_without_two_labels_is_left_out(two):
    _, work = two
    part, target = dealt(work), work.lesson.targets[0]
    first = np.flatnonzero(part < 2)
    values = target.values.copy()
    values[first] = 0
    lesson = replace(work.lesson, targets=(replace(target, values=values),))
    curve = learning_curve(lesson, 0, simple_of(work), part, 0, lambda: True)
    assert curve[0]["rows"] > len(first)
