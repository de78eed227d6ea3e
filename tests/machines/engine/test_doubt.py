"""A machine is less sure where it knows less: of empty fields, and beyond what it has seen."""

from dataclasses import replace

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from machines.engine import finish, forget
from machines.engine import fit as steps
from machines.engine.blend import conformal_scales, dealt
from machines.engine.encode_numbers import NumberEncoder
from machines.engine.fit import fit
from machines.engine.forget import incomplete, rows_to_copy, rows_to_keep
from machines.engine.gaps import Gaps
from machines.engine.graph import Graph
from machines.engine.outside import FARTHEST, Outside
from machines.engine.prepare import Target
from machines.engine.schema import Column, DataType, Role, Schema

SCHEMA = Schema(
    (
        Column("x", DataType.FLOAT),
        Column("color", DataType.LABEL),
        Column("y", DataType.FLOAT, Role.OUTPUT),
        Column("sort", DataType.LABEL, Role.OUTPUT),
    )
)


@pytest.fixture(scope="module")
def machine():
    rng = np.random.default_rng(3)
    x, color = rng.uniform(0, 10, 600), rng.choice(["red", "blue"], 600).astype(object)
    y = 10 * x + 30 * (color == "red") + rng.normal(0, 1, 600)
    sort = np.where(x > 3, "many", "few").astype(object)
    table = {"x": x, "color": color, "y": y, "sort": sort}
    return fit(table, SCHEMA, level=1, deadline=2, seed=1).predictor(), y


def answer(predictor, x, color):
    number, label = predictor.predict({"x": np.array([x]), "color": np.array([color], dtype=object)})
    return number.high[0] - number.low[0], label.probabilities["many"][0]


def test_who_knows_nothing_gets_the_width_of_all_answers(machine):
    predictor, y = machine
    known, sure = answer(predictor, 5.0, "red")
    unknown, unsure = answer(predictor, np.nan, "")
    spread = np.quantile(y, 0.95) - np.quantile(y, 0.05)
    assert known < 0.25 * spread
    assert 0.6 * spread < unknown < 3 * spread
    assert sure > 0.9 and 0.5 < unsure < 0.9  # 70 % of all are many


def test_knowing_one_of_two_lies_between(machine):
    predictor, _y = machine
    widths = [answer(predictor, *known)[0] for known in ((5.0, "red"), (5.0, ""), (np.nan, ""))]
    assert widths == sorted(widths)


def test_beyond_what_was_seen_it_is_less_sure(machine):
    predictor, y = machine
    widths = [answer(predictor, x, "red")[0] for x in (9.0, 15.0, 20.0, 100.0)]
    assert widths == sorted(widths)
    assert widths[-1] > 4 * y.std()
    assert answer(predictor, 100.0, "red")[1] < 0.85 < answer(predictor, 9.0, "red")[1]


def test_a_little_beyond_is_nothing_strange():
    seen = np.array([[10.0], [20.0]])
    far = Outside().fit(seen, np.isnan(seen))
    asked = np.array([[15.0], [20.9], [9.1], [26.0], [-1.0]])
    np.testing.assert_allclose(far.distance(asked, np.isnan(asked))[:, 0], [0, 0, 0, 0.5, 1], atol=1e-9)


def test_the_graph_tells_the_same_distance():
    rng = np.random.default_rng(4)
    seen = rng.normal(size=(50, 3))
    seen[:, 2] = 7.0
    encoder = NumberEncoder([False, True, False]).fit(seen)
    outside = Outside().fit(seen, encoder.missing(seen))
    asked = np.concatenate([seen[:5], rng.normal(0, 4, (20, 3)), [[np.nan, 0.0, 9.0], [1e9, np.nan, 7.0]]])
    told = outside.distance(asked, encoder.missing(asked))
    assert told[:5].max() == 0 and told[-2] == 0 and told[-1] == FARTHEST
    np.testing.assert_allclose(run(encoder, outside, asked), told, atol=1e-9)


def run(encoder, outside, rows):
    return run_graph(lambda g: outside.write(g, "x", encoder.write_missing(g, "x")), rows)


def run_graph(write, rows):
    """What the tensor that is written answers to these rows."""
    g = Graph(["x"])
    name = write(g)
    inputs = [helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["N", rows.shape[1]])]
    model = g.model(inputs, [helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["N", 1])], {})
    return ort.InferenceSession(model.SerializeToString()).run(None, {"x": rows})[0]


def seen_rows():
    """A thousand rows of four cells: 960 are full, of 20 the first two are empty, others lack this and that."""
    empty = np.zeros((1000, 4), bool)
    empty[:20, :2] = True
    empty[20:26] = np.eye(4, dtype=bool)[[0, 1, 2, 3, 2, 3]]
    return empty


def test_rows_that_lack_what_others_lacked_are_usual():
    gaps = Gaps().fit(seen_rows())
    asked = np.array([[0, 0, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 0], [0, 0, 1, 0], [1, 1, 1, 1]], bool)
    told = gaps.emptiness(asked)
    assert told.tolist() == [0, 0, 0.25, 0.75, 0.25, 1]
    np.testing.assert_array_equal(run_graph(lambda g: gaps.write(g, "x"), asked.astype(float))[:, 0], told)
    rare = Gaps().fit(seen_rows()[11:])
    assert rare.emptiness(asked)[1] == 0.5, "nine rows are no habit"
    np.testing.assert_array_equal(
        run_graph(lambda g: rare.write(g, "x"), asked.astype(float))[:, 0], rare.emptiness(asked)
    )


def test_a_wide_table_has_few_habits_so_that_a_row_takes_no_longer():
    empty = np.zeros((1_300, 8_000), bool)
    for at in range(5):
        empty[12 * at : 12 * at + 12, : 10 + at] = True
    told = Gaps().fit(empty).emptiness(empty[: 5 * 12 : 12])
    assert (told > 0).sum() == 3, "two of five are compared with"


def test_where_rows_lack_half_of_their_cells_only_what_lacks_more_is_emptier():
    gaps = Gaps().fit(seen_rows()[:20])
    asked = np.array([[0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 1, 1]], bool)
    assert gaps.emptiness(asked).tolist() == [0, 0, 0.5]


@pytest.fixture(scope="module")
def closed():
    """Hours of a shop whose thermometer was off whenever it was closed, and one in thirty when it was not."""
    rng = np.random.default_rng(6)
    hour, warmth, wind = (rng.uniform(0, 10, 900) for _ in range(3))
    visitors = 20 + 10 * hour + 3 * warmth + rng.normal(0, 2, 900)
    visitors[:36] = 0
    warmth[:36] = wind[:36] = np.nan
    wind[36:66:5] = hour[36:66:5] = np.nan
    columns = [Column(name, DataType.FLOAT) for name in ("hour", "warmth", "wind")]
    table = {"hour": hour, "warmth": warmth, "wind": wind, "visitors": visitors}
    kept, real = [], steps.measured

    def keep(work, answers):
        kept.extend((work, answers))
        return real(work, answers)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "measured", keep)
        schema = Schema((*columns, Column("visitors", DataType.FLOAT, Role.OUTPUT)))
        fitted = fit(table, schema, level=1, deadline=3, seed=0)
    return fitted, *kept


def test_what_empty_cells_mean_is_not_doubted(closed):
    fitted, *_ = closed
    asked = {"hour": [5.0, 5.0, 5.0], "warmth": [5.0, np.nan, np.nan], "wind": [5.0, np.nan, 5.0]}
    (told,) = fitted.predictor().predict({name: np.array(cells) for name, cells in asked.items()})
    width = told.high - told.low
    assert abs(told.values[0] - 85) < 10 and abs(told.values[1]) < 10, "closed"
    assert width[1] < 2 * width[0] and told.values[2] > 40 and width[2] > width[0]


def test_rows_are_measured_by_who_answers_them(closed):
    """Those that lack what few lacked are answered by the network for incomplete rows: figures tell of that."""
    fitted, work, (answer,) = closed
    rows = work.lesson.measured
    is_empty = work.emptiness[np.searchsorted(work.kept, rows)] > 0
    assert is_empty.sum() == 6
    told = finish._measure(work, 0, answer, np.random.default_rng(0)).answers
    (others,) = fitted.predictor().predict(work.rows(rows))
    usual = np.median(others.high - others.low)
    assert (told[is_empty, 2] - told[is_empty, 1]).min() > 1.5 * np.median(told[:, 2] - told[:, 1])
    assert np.abs((others.high - others.low)[is_empty] / usual).min() > 1.5


def test_what_is_true_of_incomplete_rows_changes_nothing_in_the_answers_of_their_part(closed):
    """Nor does it through their copies, which the network for incomplete rows is calibrated by, too."""
    _, work, (answer,) = closed
    rows = work.lesson.measured
    asked = np.flatnonzero(work.emptiness[np.searchsorted(work.kept, rows)] > 0)
    target, origin = work.doubt.targets[0], np.append(work.kept, work.copied)

    def answers(values):
        doubt = replace(work.doubt, targets=(replace(target, values=values),))
        return finish._measure(replace(work, doubt=doubt), 0, answer, np.random.default_rng(0)).answers[asked]

    before, parts = answers(target.values), dealt(len(rows), np.random.default_rng(0))
    for part in range(5):
        own = np.isin(origin, rows[parts == part])
        same = (answers(np.where(own, 3 * target.values, target.values)) == before)[:, 1:].all(1)
        assert (same == (parts[asked] == part)).all(), "intervals learn from rows of other parts alone"


def test_intervals_where_every_row_is_emptier_than_usual():
    """As may be in a part of few rows: nine in ten of these lie inside."""
    values = np.random.default_rng(7).normal(size=60)
    rows = Target(Column("y", DataType.FLOAT), values)
    usual, empty = conformal_scales(np.zeros((60, 1)), np.ones((60, 2)), rows, np.full(60, 0.5))
    inside = np.abs(values) <= usual + 0.5 * (empty - usual)
    assert 0.9 <= inside.mean() < 0.95


def test_copies_forget_from_nothing_to_everything():
    rng = np.random.default_rng(5)
    table = {"x": np.arange(1000.0), "color": np.full(1000, "red", dtype=object)}
    rows = rows_to_copy(1000, rng)
    copies = incomplete(table, SCHEMA.inputs, rows, rng)
    gone = np.stack([np.isnan(copies["x"]), copies["color"] == ""], 1).sum(1)
    assert len(rows) == 250 == len(np.unique(rows))
    assert set(gone) == {0, 1, 2}
    kept = ~np.isnan(copies["x"])
    assert (copies["x"][kept] == table["x"][rows][kept]).all()


def test_beside_copies_all_measured_rows_are_learned_and_some_of_the_others(monkeypatch):
    monkeypatch.setattr(forget, "MOST_BESIDE", 100)
    one_part = np.where(np.arange(1000) % 8, -1, 0)
    rows = rows_to_keep(one_part, np.random.default_rng(5))
    assert len(np.unique(rows)) == len(rows) == 225 and (np.diff(rows) > 0).all()
    assert np.isin(np.flatnonzero(one_part == 0), rows).all()
    assert len(rows_to_keep(np.arange(1000) % 5, np.random.default_rng(5))) == 1000, "in folds every row is measured"
