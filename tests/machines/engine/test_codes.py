"""Labels as numbers: the same from Python and from the file, and never an answer that is yet to be given."""

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper
from sklearn.metrics import roc_auc_score

from machines.engine.boosters import Settings
from machines.engine.encode import TableEncoder
from machines.engine.encode_codes import CodeEncoder
from machines.engine.folds import PROBE, answered, count, learned_from
from machines.engine.graph import Graph
from machines.engine.prepare import Target
from machines.engine.schema import Column, DataType
from machines.engine.splits import Split, deal
from machines.engine.trees import Boosting


def number(values):
    return Target(Column("y", DataType.FLOAT), np.asarray(values, np.float32))


def label(values, classes):
    return Target(Column("y", DataType.LABEL), np.asarray(values, np.int64), tuple(map(str, range(classes))))


def stack(*columns):
    x = np.empty((len(columns[0]), len(columns)), dtype=object)
    for j, column in enumerate(columns):
        x[:, j] = [str(cell) for cell in column]
    return x


def folds_of(rows, count=5):
    return np.arange(rows) % count


def from_file(encoder, x):
    g = Graph()
    output = encoder.write(g, "x")
    inputs = [helper.make_tensor_value_info("x", TensorProto.STRING, ["N", x.shape[1]])]
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", None])]
    file = g.model(inputs, outputs, {}).SerializeToString()
    return ort.InferenceSession(file, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_it_works(rng):
    town = rng.integers(0, 20, 400)
    yes_no = rng.choice(["yes", "no"], 400)
    size = rng.choice(["small", "", "large", "naïve “x”"], 400)
    targets = [number(town / 10 - 1), label(town % 2, 2), label(town % 9, 9)]
    x = stack(town, yes_no, size)
    encoder = CodeEncoder()
    codes = encoder.fit_transform(x, targets, folds_of(400))
    assert codes.shape == (
        5,
        400,
        2 * (1 + 1 + 6) + 1,
    )  # "yes" and "no" are marks already; four sizes need no frequency
    assert all(np.corrcoef(view[:, 0], town)[0, 1] > 0.95 for view in codes)
    assert encoder.transform(x).shape == codes[0].shape
    assert np.array_equal(encoder.transform(x), from_file(encoder, x))


def test_labels_it_never_saw_are_average(rng):
    encoder = CodeEncoder()
    answers = rng.normal(2, 1, 100)
    encoder.fit_transform(stack(rng.integers(0, 10, 100)), [number(answers)], folds_of(100))
    strange = stack(["never", "", "😀", "0:1"])
    assert np.allclose(encoder.transform(strange), [answers.mean(), 0])
    assert np.array_equal(encoder.transform(strange), from_file(encoder, strange))


def test_a_code_is_the_smoothed_average_of_its_label():
    x = stack(["a"] * 30 + ["b"] * 20 + ["c"] * 10)
    encoder = CodeEncoder()
    encoder.fit_transform(x, [number([1.0] * 30 + [0.0] * 30)], folds_of(60))
    assert np.allclose(encoder.transform(stack("abc"))[:, 0], [(30 + 5) / 40, 5 / 30, 5 / 20])


FOLDS = {
    "five": folds_of(400),
    "two": folds_of(400, 2),
    "one": np.r_[np.zeros(80, int), np.full(320, -1)],
    "five and probes": np.r_[folds_of(300), PROBE - folds_of(100)],
}
EVERY_DEAL = pytest.mark.parametrize("folds", FOLDS.values(), ids=FOLDS)


@EVERY_DEAL
def test_a_fold_learns_from_codes_that_do_not_know_what_it_will_be_asked(rng, folds):
    """Other answers of the rows it answers, probes included, leave the codes of all rows as they were, to the last bit."""
    x, answers = stack(rng.integers(0, 12, 400), rng.integers(0, 90, 400)), rng.integers(0, 2, 400)
    before = CodeEncoder(1).fit_transform(x, [label(answers, 2), number(answers)], folds)
    assert len(before) == count(folds)
    for fold, view in enumerate(before):
        other = np.where(np.isin(np.arange(400), answered(folds, fold)), 1, answers)
        after = CodeEncoder(1).fit_transform(x, [label(other, 2), number(other)], folds)
        assert (other != answers).any() and np.array_equal(after[fold], view)


def test_rows_of_a_frequent_label_have_one_code_and_nothing_is_told_apart_by_it(rng):
    towns, answers = rng.integers(0, 8, 4000), rng.integers(0, 2, 4000)
    (view, *_) = CodeEncoder(1).fit_transform(stack(towns), [label(answers, 2)], folds_of(4000))
    learned = learned_from(folds_of(4000), 0)
    assert len(np.unique(view[learned, 0])) == 8
    rare = rng.integers(0, 80, 4000)
    (view, *_) = CodeEncoder(1).fit_transform(stack(rare), [label(answers, 2)], folds_of(4000))
    assert len(np.unique(view[learned, 0])) > 80, "what few rows share is told by others alone"


@pytest.mark.parametrize("rows", [400, 4000], ids=["rare labels", "frequent labels"])
def test_where_one_part_is_measured_rows_to_come_are_seen_as_it_is(rng, rows):
    """Codes of all rows would differ a little, and a label whose code is near another's would pass for that one."""
    x, folds = stack(rng.integers(0, 20, rows)), np.where(np.arange(rows) % 8, -1, 0)
    folds[-40:] = PROBE
    encoder = CodeEncoder()
    answers = rng.normal(size=rows)
    codes = encoder.fit_transform(x, [number(answers)], folds)
    assert np.array_equal(encoder.transform(x)[folds != -1], codes[0][folds != -1])
    assert encoder.transform(stack(["never"]))[0, 0] == pytest.approx(answers[folds == -1].mean(), rel=1e-4)
    if rows == 4000:
        assert np.array_equal(encoder.transform(x), codes[0])


def test_a_label_is_as_frequent_for_a_fold_as_for_rows_to_come(rng):
    """Though a fold learns from fewer rows; else any other label could pass for one that is a little more frequent."""
    labels = np.tile(np.repeat(np.arange(10), np.arange(1, 11)), 16)
    x, folds = stack(labels), np.repeat(np.arange(4), len(labels) // 4)
    encoder = CodeEncoder()
    codes = encoder.fit_transform(x, [number(rng.normal(size=len(labels)))], folds)
    assert np.allclose(codes[:, :, -1], encoder.transform(x)[:, -1])


@EVERY_DEAL
def test_no_row_that_is_learned_from_sees_its_own_answer(rng, folds):
    """Two rows of different labels change answers: what either sees of itself stays, to the last bit."""
    towns, answers = rng.integers(0, 30, 400), rng.normal(size=400)
    before = CodeEncoder(1).fit_transform(stack(towns), [number(answers)], folds)
    for fold, view in enumerate(before):
        learned = learned_from(folds, fold)
        row = int(learned[0])
        other_row = int(learned[towns[learned] != towns[row]][0])
        other = answers.copy()
        other[[row, other_row]] = answers[[other_row, row]]  # so that the average of all rows stays
        after = CodeEncoder(1).fit_transform(stack(towns), [number(other)], folds)[fold]
        assert np.array_equal(after[[row, other_row]], view[[row, other_row]])
        assert (after[towns == towns[row]] != view[towns == towns[row]]).any()  # others of its label see it


def test_nobody_learns_from_a_probe(rng):
    folds, x = FOLDS["five and probes"], stack(rng.integers(0, 12, 400))
    answers, other = rng.normal(size=400), np.full(400, 1e6)
    other[:300] = answers[:300]
    plain, strange = CodeEncoder(), CodeEncoder()
    assert np.array_equal(*(e.fit_transform(x, [number(a)], folds) for e, a in ((plain, answers), (strange, other))))
    assert np.array_equal(plain.transform(x), strange.transform(x))


@pytest.mark.parametrize("levels", [12, 60])
def test_labels_without_meaning_teach_trees_nothing(levels):
    """Chances of a coin, out of fold, however hard trees look at the labels and their codes: on average 0.5 AUC."""
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        table = {"town": rng.integers(0, levels, 300).astype(str).astype(object)}
        coin = label(rng.integers(0, 2, 300), 2)
        folds = deal(Split(), table, np.arange(300), coin, 5, rng)
        encoder = TableEncoder((Column("town", DataType.LABEL),)).fit(table)
        encoded = encoder.fit_codes(table, encoder.transform(table), (coin,), folds)
        assert encoded.codes.shape == (5, 300, 2)
        answers = Boosting(Settings(seed, 8)).fit(encoded.table, coin, folds, lambda: True)
        found.append(roc_auc_score(coin.values, answers[:, 1]))
    assert abs(np.mean(found) - 0.5) < 0.02 and max(found) < 0.62


@pytest.mark.parametrize("labels", [400, 150])
def test_labels_without_meaning_tell_nothing(rng, labels):
    x, answers = stack(rng.permutation(400) % labels), rng.normal(size=400)
    codes = CodeEncoder().fit_transform(x, [number(answers)], folds_of(400))
    columns = [code for view in codes for code in view.T if code.std() > 0]
    assert all(abs(np.corrcoef(code, answers)[0, 1]) < 0.15 for code in columns)


@pytest.mark.parametrize("x", [np.empty((30, 0), object), stack(range(30)), stack(["", "a"] * 15), stack([""] * 30)])
def test_columns_without_codes(x):
    encoder = CodeEncoder()
    assert encoder.fit_transform(x, [number(np.arange(30.0))], folds_of(30)).shape == (5, 30, 0)
    assert encoder.transform(x[:3]).shape == (3, 0)
    assert encoder.write(Graph(), "x") is None


def test_the_same_seed_gives_the_same(rng):
    x, targets = stack(rng.integers(0, 30, 300)), [label(rng.integers(0, 2, 300), 2)]
    once, again, other = (CodeEncoder(seed).fit_transform(x, targets, folds_of(300)) for seed in (3, 3, 4))
    assert np.array_equal(once, again) and not np.array_equal(once, other)


def test_a_hundred_thousand_labels(rng):
    x = stack(rng.permutation(np.r_[np.repeat(np.arange(60_000), 2), np.arange(60_000, 100_000)]))
    encoder = CodeEncoder()
    codes = encoder.fit_transform(x, [number(rng.normal(size=len(x)))], folds_of(len(x)))
    assert codes.shape == (5, 160_000, 2) and len(encoder.table_) == 50_001
    assert np.array_equal(encoder.transform(x[:1000]), from_file(encoder, x[:1000]))
