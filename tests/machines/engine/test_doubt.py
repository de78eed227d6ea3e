"""A machine is less sure where it knows less: of empty fields, and beyond what it has seen."""

import numpy as np
import pytest

from machines.engine import forget
from machines.engine.encode_numbers import NumberEncoder
from machines.engine.fit import fit
from machines.engine.forget import incomplete, rows_to_copy, rows_to_keep
from machines.engine.graph import Graph
from machines.engine.outside import FARTHEST, Outside
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
    import onnxruntime as ort
    from onnx import TensorProto, helper

    g = Graph(["x"])
    name = outside.write(g, "x", encoder.write_missing(g, "x"))
    inputs = [helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["N", 3])]
    model = g.model(inputs, [helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["N", 1])], {})
    return ort.InferenceSession(model.SerializeToString()).run(None, {"x": rows})[0]


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
