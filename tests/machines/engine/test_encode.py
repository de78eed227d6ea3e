"""What training sees and what the file computes must be the same, for any cell."""

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from machines.engine import encode_text
from machines.engine.encode import TableEncoder
from machines.engine.graph import Graph
from machines.engine.schema import Column, DataType
from tests.machines.engine.tables import COLUMNS, make_table, strange_rows


def onnx_session(encoder, columns):
    g = Graph([column.name for column in columns])
    flat = encoder.write(g).flat
    infos = [
        helper.make_tensor_value_info(c.name, TensorProto.DOUBLE if c.type.is_numeric else TensorProto.STRING, ["N", 1])
        for c in columns
    ]
    model = g.model(infos, [helper.make_tensor_value_info(flat, TensorProto.FLOAT, ["N", None])], {})
    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def both_ways(encoder, columns, table):
    feed = {c.name: table[c.name].reshape(-1, 1) for c in columns}
    return encoder.transform(table).flat(), onnx_session(encoder, columns).run(None, feed)[0]


@pytest.mark.parametrize("seed", range(5))
def test_it_works(seed):
    table, _ = make_table(200, seed)
    encoder = TableEncoder(COLUMNS).fit(table)
    here, there = both_ways(encoder, COLUMNS, make_table(100, seed + 100)[0])
    assert here.shape == there.shape and here.shape[1] > 20
    assert np.abs(here - there).max() <= 1e-4


def test_cells_training_never_had():
    encoder = TableEncoder(COLUMNS).fit(make_table()[0])
    here, there = both_ways(encoder, COLUMNS, strange_rows())
    assert np.isfinite(here).all()
    assert np.abs(here - there).max() <= 1e-4


@pytest.mark.parametrize("column", COLUMNS, ids=lambda c: c.type)
def test_each_type_alone(column):
    table, _ = make_table()
    encoder = TableEncoder((column,)).fit(table)
    here, there = both_ways(encoder, (column,), strange_rows())
    assert np.abs(here - there).max() <= 1e-4


def test_zero_can_mean_missing():
    encoder = TableEncoder((Column("rooms", DataType.FLOAT, zero_is_missing=True),)).fit({"rooms": np.arange(9.0)})
    encoded = encoder.transform({"rooms": np.array([0.0, np.nan, 4.0])}).flat()
    assert (encoded[0] == encoded[1]).all() and (encoded[1] != encoded[2]).any()


def test_missing_is_told_apart_from_the_median():
    encoder = TableEncoder((Column("x", DataType.FLOAT),)).fit({"x": np.array([1.0, 2, 3, np.nan])})
    encoded = encoder.transform({"x": np.array([2.0, np.nan])}).flat()
    assert (encoded[0] != encoded[1]).any()


def test_seconds_since_1970_keep_their_precision():
    times = 1.7e9 + np.arange(100.0)  # a second apart, half a century from zero
    column = Column("t", DataType.DATETIME)
    encoder = TableEncoder((column,)).fit({"t": times})
    _, there = both_ways(encoder, (column,), {"t": times})
    assert len(np.unique(there[:, 0])) == 100


def test_how_far_two_dates_are_apart_is_a_number_of_its_own():
    columns = (Column("from", DataType.DATE), Column("to", DataType.DATE))
    rng = np.random.default_rng(0)
    start = rng.uniform(0, 1e9, 200)
    days = rng.uniform(1, 10, 200) * 86_400
    encoded = (
        TableEncoder(columns).fit({"from": start, "to": start + days}).transform({"from": start, "to": start + days})
    )
    correlations = [abs(np.corrcoef(days, encoded.numbers[:, j])[0, 1]) for j in range(encoded.numbers.shape[1])]
    assert max(correlations) > 0.99


def test_words_count_however_they_are_written():
    column = (Column("note", DataType.LANGUAGE),)
    encoder = TableEncoder(column).fit({"note": np.array(["good house", "bad house", "old shed"] * 9, dtype=object)})
    marks = encoder.transform({"note": np.array(["good", "GOOD!", "Good,", "bad"], dtype=object)}).marks
    assert (marks[0] == marks[1]).all() and (marks[0] == marks[2]).all() and (marks[0] != marks[3]).any()


def test_many_labels_share_a_mark():
    labels = np.array([f"v{i % 500}" for i in range(2000)], dtype=object)
    encoder = TableEncoder((Column("c", DataType.LABEL),)).fit({"c": labels})
    assert encoder.transform({"c": labels}).marks.shape[1] == 61
    assert encoder.transform({"c": np.array(["never seen"], dtype=object)}).marks.sum() == 1


def towns(labels, each):
    """So many labels, so many rows of each, in a column beside a number."""
    columns = (Column("x", DataType.FLOAT), Column("town", DataType.LABEL))
    town = np.array([f"t{i % labels}" for i in range(labels * each)], dtype=object)
    return columns, {"x": np.arange(len(town), dtype=float), "town": town}


def test_labels_beyond_the_most_frequent_have_further_marks_if_they_are_seen_often():
    columns, table = towns(100, 6)
    encoder = TableEncoder(columns).fit(table)
    encoded = encoder.transform(table)
    assert encoded.further == 40 and (encoded.marks[:, -100:].sum(1) == 1).all()
    assert len(np.unique(encoded.marks[:, -40:], axis=0)) == 41
    table["town"][:3] = ["never seen", "", "t0"]
    here, there = both_ways(encoder, columns, table)
    assert np.array_equal(here[:, -100:], there[:, -100:]) and (here[:2, -100:] == 0).all()
    assert TableEncoder(columns).fit(towns(100, 4)[1]).transform(table).further == 0


def test_there_are_no_more_further_marks_than_the_memory_was_planned_for(monkeypatch):
    """Of all columns together the most frequent labels have them."""
    columns, table = towns(100, 6)
    table["town"] = np.append(table["town"], ["t99", "t98"]).astype(object)
    table["x"], table["also"] = np.arange(602.0), np.array([f"u{i // 6}" for i in range(602)], dtype=object)
    columns = (*columns, Column("also", DataType.LABEL))
    monkeypatch.setattr(encode_text, "FURTHER_CELLS", 602 * 30)
    encoder = TableEncoder(columns).fit(table)
    assert encoder.transform(table).further == 30
    assert {"0:t99", "0:t98"} <= set(encoder.label.codes_)
    monkeypatch.setattr(encode_text, "FURTHER_CELLS", 601)
    assert TableEncoder(columns).fit(table).transform(table).further == 0


def test_rows_keep_their_further_marks_when_they_are_taken_and_put_together():
    columns, table = towns(100, 6)
    encoded = TableEncoder(columns).fit(table).transform(table)
    assert encoded.take(np.arange(5)).further == encoded.below(encoded).further == 40


def test_constant_columns_say_nothing():
    columns = (Column("a", DataType.FLOAT), Column("b", DataType.LABEL), Column("c", DataType.LANGUAGE))
    table = {"a": np.ones(30), "b": np.array(["x"] * 30, dtype=object), "c": np.array(["one word"] * 30, dtype=object)}
    encoder = TableEncoder(columns).fit(table)
    assert encoder.write(Graph(["a", "b", "c"])) is None
