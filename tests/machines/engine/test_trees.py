"""Forests and boosted trees answer the same from Python and from the file, and only rows they have not seen count."""

import subprocess
import sys
from itertools import count

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper
from threadpoolctl import threadpool_limits

from machines.engine import boosters, tree_nodes, trees
from machines.engine.boosters import LARGE, Settings
from machines.engine.folds import PROBE, once, whole
from machines.engine.graph import Graph
from machines.engine.prepare import Target
from machines.engine.schema import Column, DataType
from machines.engine.trees import Boosting, Forest

MAKERS = {
    "boosting": lambda: Boosting(Settings(0, leaves=8, rate=0.2)),
    "extra": lambda: Boosting(Settings(0, leaves=16, rate=0.3, extra=True, least=5, features=0.8)),
    "forest": lambda: Forest(0, most_trees=20),
    "random forest": lambda: Forest(0, most_trees=20, random=False),
}
ALL = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def always():
    return True


def times(number):
    """Say yes so many times, then no."""
    left = iter(range(number))
    return lambda: next(left, None) is not None


def rows(number=300, seed=0):
    return np.random.default_rng(seed).normal(size=(number, 6)).astype(np.float32)


def target_of(x, classes):
    score = x[:, 0] + x[:, 1] ** 2
    if classes == 1:
        return Target(Column("y", DataType.FLOAT), ((score - score.mean()) / score.std()).astype(np.float32))
    codes = np.searchsorted(np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1]), score)
    return Target(Column("y", DataType.LABEL), codes, tuple("abcdefg"[:classes]))


def folds_of(x, number=5):
    return np.arange(len(x)) % number


def from_file(model, x, width):
    g = Graph()
    output = model.write(g, "x")
    infos = (
        helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", w]) for n, w in (("x", x.shape[1]), (output, width))
    )
    file = g.model(*([info] for info in infos), {}).SerializeToString()
    return ort.InferenceSession(file, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


def error(answers, target):
    there = ~np.isnan(answers[:, 0])
    truth = target.values[there]
    if not target.classes:
        return np.mean((answers[there, 0] - truth) ** 2)
    return -np.log(np.maximum(answers[there][np.arange(len(truth)), truth], 1e-3)).mean()


@ALL
@pytest.mark.parametrize("classes", [1, 2, 7])
def test_it_works(make, classes):
    x = rows()
    model, target = make(), target_of(x, classes)
    answers = model.fit(once(x), target, folds_of(x), always)
    assert answers.shape == (300, classes) and np.isfinite(answers).all()
    assert classes == 1 or np.allclose(answers.sum(1), 1, atol=1e-5)
    guess = {1: 1.0, 2: np.log(2), 7: np.log(7)}[classes]
    assert error(answers, target) < 0.8 * guess
    unseen = rows(200, 1)
    assert np.abs(model.predict(unseen) - from_file(model, unseen, classes)).max() < 1e-5
    assert error(model.predict(unseen), target_of(unseen, classes)) < 0.8 * guess


@ALL
@pytest.mark.parametrize("classes", [1, 3])
def test_the_same_seed_gives_the_same(make, classes):
    x = rows()
    first, again = (make().fit(once(x), target_of(x, classes), folds_of(x), always) for _ in range(2))
    assert np.array_equal(first, again)


@ALL
def test_rows_are_answered_by_models_that_have_not_seen_them(make):
    x = rows(400)
    noise = Target(Column("y", DataType.FLOAT), np.random.default_rng(5).normal(size=400).astype(np.float32))
    model = make()
    answers = model.fit(once(x), noise, folds_of(x), always)
    assert error(answers, noise) > 0.9  # whoever had seen them would know their noise
    assert "forest" not in str(type(model)).lower() or error(model.predict(x), noise) < 0.5


@ALL
@pytest.mark.parametrize("classes", [1, 3])
def test_probes_are_answered_and_nobody_learns_from_them(make, classes):
    """Sixty copies of rows, of every fold some, first with the answers of those rows, then with wrong ones."""
    x, folds = np.vstack([rows(), rows()[:60]]), folds_of(rows())
    folds = np.append(folds, PROBE - folds[:60])
    honest, wrong = target_of(x, classes), target_of(x, classes)
    wrong.values[300:] = (wrong.values[300:] + 1) % classes if classes > 1 else 1000
    told, lied_to = make(), make()
    answers = told.fit(once(x), honest, folds, always)
    assert np.array_equal(answers, lied_to.fit(once(x), wrong, folds, always))
    assert np.array_equal(told.predict(x), lied_to.predict(x))
    assert np.array_equal(answers[300:], answers[:60])  # by the fold that answers the row it is a copy of


@ALL
def test_every_fold_learns_and_answers_by_its_own_view_of_the_rows(make):
    """Folds see the columns in another order each, and fold 2 sees nothing of them."""
    x, folds, target = rows(), folds_of(rows()), target_of(rows(), 2)
    answers = make().fit(lambda fold: rows(seed=9) if fold == 2 else np.roll(x, fold, 1), target, folds, always)
    losses = [error(answers[folds == fold], target.take(np.flatnonzero(folds == fold))) for fold in range(5)]
    assert losses[2] > 0.9 * np.log(2) > max(losses[:2] + losses[3:])


@ALL
def test_one_split(make):
    x = rows()
    folds = np.where(np.arange(300) < 60, 0, -1)
    model, target = make(), target_of(x, 3)
    answers = model.fit(once(x), target, folds, always)
    assert np.isfinite(answers[:60]).all() and np.isnan(answers[60:]).all()
    assert np.abs(model.predict(x[:60]) - answers[:60]).max() < 1e-5  # one model is the whole bag
    assert np.abs(model.predict(x) - from_file(model, x, 3)).max() < 1e-5


@ALL
@pytest.mark.parametrize("classes", [2, 3])
def test_a_class_that_a_fold_lacks_keeps_a_chance(make, classes):
    x = rows()
    values = np.zeros(300, np.int64) if classes == 2 else target_of(x, 2).values.copy()
    folds = np.arange(300) // 60
    values[:20] = classes - 1  # all in fold 0, whose model has no row of it
    target = Target(Column("y", DataType.LABEL), values, tuple("abc"[:classes]))
    model = make()
    answers = model.fit(once(x), target, folds, always)
    assert np.isfinite(answers).all() and np.allclose(answers.sum(1), 1, atol=1e-5)
    assert answers[:60, -1].max() < 0.1
    unseen = rows(200, 1)
    assert np.abs(model.predict(unseen) - from_file(model, unseen, classes)).max() < 1e-5
    assert model.predict(x)[:20, -1].mean() > 0.02


@ALL
def test_no_time_at_all(make):
    x = rows()
    assert make().fit(once(x), target_of(x, 2), folds_of(x), lambda: False) is None


@ALL
def test_what_there_was_time_for_is_kept(make):
    x = rows()
    short, long, target = make(), make(), target_of(x, 2)
    answers = short.fit(once(x), target, folds_of(x), times(53))
    assert np.isfinite(answers).all()
    assert error(long.fit(once(x), target, folds_of(x), always), target) < error(answers, target) < np.log(2)
    assert np.abs(short.predict(x) - from_file(short, x, 2)).max() < 1e-5


def test_folds_have_the_same_number_of_rounds():
    model, x = MAKERS["boosting"](), rows()
    model.fit(once(x), target_of(x, 3), folds_of(x), times(64))
    assert model.rounds == [10] * 5  # two looks at five folds are 50 rounds, the third did not get round


def test_boosting_stops_where_the_loss_is_lowest():
    x = rows()
    target = target_of(x, 2)
    model, short, long = (Boosting(Settings(0, leaves=8, rate=0.3), rounds=n) for n in (500, 500, 1500))
    asked = count()
    answers = model.fit(once(x), target, folds_of(x), lambda: next(asked) >= 0)
    assert error(answers, target) < error(short.fit(once(x), target, folds_of(x), times(27)), target)
    assert np.array_equal(answers, long.fit(once(x), target, folds_of(x), always))
    assert next(asked) <= 5 * (max(model.rounds) + 50)  # five folds, some rounds beyond the lowest


@pytest.mark.parametrize("classes", [1, 3])
def test_a_file_of_sane_size(classes):
    x = rows(2000)
    target, model = target_of(x, classes), Forest(0, most_nodes=20_000)
    target.values[::5] = target.values[1::5]  # noise, so that trees are large
    answers = model.fit(once(x), target, folds_of(x), always)
    assert sum(tree.size for wood in model.woods for tree in wood.trees) <= 20_000
    assert min(wood.kept for wood in model.woods) >= 7  # about eight
    assert np.isfinite(answers).all()
    assert np.abs(model.predict(x) - from_file(model, x, classes)).max() < 1e-5


def test_every_fold_has_its_share_of_a_forests_trees():
    x = rows()
    for folds, each in ((folds_of(x), 10), (folds_of(x) // 2, 16)):
        model = Forest(0, most_trees=50)
        model.fit(once(x), target_of(x, 2), folds, always)
        assert {wood.kept for wood in model.woods} <= {each, each + 1}  # 16 times 3 folds is not yet 50
        assert sum(wood.kept for wood in model.woods) >= 50
        assert {wood.count for wood in model.woods} <= {50, 51, 55}  # what a fold is measured by: as many as answer


def test_a_forest_is_measured_by_about_as_many_trees_as_answer(monkeypatch):
    """By the few trees of one fold it would seem worse than the mean of all folds is; the file stays as it is."""
    x = rows(400)
    target, folds, losses, answers = target_of(x, 3), folds_of(x), [], []
    for most in (0, 160):
        monkeypatch.setattr(trees, "MEASURED", most)
        model = Forest(0, most_trees=20)
        losses.append(trees._loss(model.fit(once(x), target, folds, always), target, folds))
        answers.append(model.predict(x))
        assert {(wood.kept, wood.count) for wood in model.woods} == {(4, 20 if most else 4)}
    assert losses[1] < losses[0] and np.array_equal(*answers)


def test_a_row_takes_longer_in_a_tree_of_a_larger_forest():
    """Few of its nodes fit into the processor's cache."""
    each = []
    for number in (50, 2000):
        x, model = rows(number), Forest(0, 50)
        model.fit(once(x), target_of(x, 1), folds_of(x), always)
        each.append(model.micros / sum(len(wood.trees) for wood in model.woods))
    assert trees.DEEP_TREE_MICROS < each[0] < each[1] < 1


@pytest.mark.parametrize("has_lightgbm", [True, False], ids=["LightGBM", "scikit-learn"])
@pytest.mark.parametrize("classes", [1, 3])
def test_leaves_are_counted(classes, has_lightgbm, monkeypatch):
    monkeypatch.setattr(boosters, "HAS_LIGHTGBM", has_lightgbm)
    x, model = rows(), Boosting(Settings(0, leaves=16, rate=0.2), 40)
    model.fit(once(x), target_of(x, classes), folds_of(x), always)
    for booster in model.grown:
        whole = [len(tree.values) for tree in booster.trees(20)]
        assert 2 * 20 < booster.leaves(20) <= 20 * 16 * (1 if classes == 1 else 3)
        assert booster.leaves(20) >= sum(whole) and booster.leaves(20) - booster.leaves(10) == booster.leaves(20, 10)


def test_a_row_takes_longer_in_larger_trees_but_only_by_the_leaves_that_they_have():
    """Of a class that most rows are soon told to be in or not, trees have few, however many they may have."""
    x = rows()
    small, large, wide = (
        Boosting(Settings(0, leaves=n, rate=0.2, least=least), 20) for n, least in ((4, 5), (32, 5), (128, 60))
    )
    for model in (small, large, wide):
        model.fit(once(x), target_of(x, 1), folds_of(x), always, stop=20)
    assert large.micros > 1.5 * small.micros and wide.micros < 1.5 * small.micros


def test_boosting_stops_where_the_file_has_room_for_no_more_leaves(monkeypatch):
    x, target = rows(600), target_of(rows(600), 1)
    model = Boosting(Settings(0, leaves=16, rate=0.02))
    model.fit(once(x), target, folds_of(x), always)
    assert model.stop > 50
    monkeypatch.setattr(trees, "MOST_LEAVES", 5 * 16 * 30)
    model.fit(once(x), target, folds_of(x), always)
    assert 20 <= model.stop <= 35
    model.fit(once(x), target, folds_of(x), always, stop=60)  # as many as were told
    assert model.grown[0].rounds() == 60


def test_large_trees_remember_rows_that_nearly_repeat():
    """Each person has two rows, and answers twice alike for no reason that anything else tells."""
    rng = np.random.default_rng(0)
    x = np.repeat(rng.normal(size=(300, 6)).astype(np.float32), 2, axis=0)
    target = Target(Column("y", DataType.LABEL), np.repeat(rng.integers(0, 2, 300), 2), ("no", "yes"))
    folds = rng.integers(0, 5, 600)
    usual, large = (
        trees._loss(Boosting(settings).fit(once(x), target, folds, always), target, folds)
        for settings in (Settings(0, 8), LARGE)
    )
    assert large < 0.8 * usual


@ALL
def test_large_trees_are_turned_and_answer_exactly_the_same(make, monkeypatch):
    """Also on a threshold, at 0, close to it, and far out."""
    x, model, files = rows(), make(), []
    model.fit(once(x), target_of(x, 3), folds_of(x), always)
    bag = model._bag() if isinstance(model, Forest) else [tree for b in model.grown for tree in b.trees(50)]
    asked = np.repeat(x[:200], 2, axis=0)
    for row, tree in zip(asked, bag, strict=False):
        if abs(tree.threshold[0]) > 1e-30:  # LightGBM takes what is less for 0
            row[tree.feature[0]] = tree.threshold[0]
    asked[-12:-8], asked[-8:-4], asked[-4:-2], asked[-2:] = 0.0, -0.0, np.inf, np.finfo(np.float32).smallest_subnormal
    for cached in (0, 10**9):
        monkeypatch.setattr(tree_nodes, "CACHED", cached)
        model.write(g := Graph(), "x")
        assert any(node.op_type == "Unsqueeze" for node in g.nodes) is not bool(cached)
        files.append(from_file(model, asked, 3))
    assert np.array_equal(*files) and np.abs(files[0] - model.predict(asked)).max() < 1e-5


def test_turned_trees_have_most_leaves_on_the_right():
    """There ONNX Runtime keeps the next split beside the one before. 0 stays: a processor may lose what is nearly 0."""
    x, model = np.abs(rows()) - 0.3, Forest(0, most_trees=20)
    model.fit(once(x), target_of(x, 2), folds_of(x), always)
    grown = model._bag()
    grown[0].threshold[0] = 0.0
    splits = tree_nodes._Splits(grown)
    before, feature = splits.threshold.copy(), splits.feature.copy()
    splits.turn()
    turned, leaves = splits.feature % 2 == 1, splits._leaves()
    left, right = (leaves[np.maximum(child, -1)] for child in (splits.left, splits.right))
    assert turned.any() and not turned.all() and not turned[0] and (left <= right)[1:].all()
    assert leaves[splits.roots].sum() == len(splits.values) and (splits.feature // 2 == feature).all()
    assert (splits.threshold[turned] < -before[turned]).all() and (splits.threshold[~turned] == before[~turned]).all()


def skewed(x):
    """Numbers that are never negative, with a few large ones, and the number 0 in their unit."""
    y = np.exp(x[:, 0] + 0.5 * x[:, 1])
    return Target(
        Column("y", DataType.FLOAT), ((y - y.mean()) / y.std()).astype(np.float32), mean=y.mean(), std=y.std()
    )


def test_roots_of_numbers_are_learned_and_numbers_answered():
    x = rows(600)
    target, zero = skewed(x), skewed(x).mean / skewed(x).std
    model = Boosting(Settings(0, leaves=8, rate=0.1, root=True))
    answers = model.fit(once(x), target, folds_of(x), always)
    assert np.abs(from_file(model, x, 1) - model.predict(x)).max() < 1e-5
    assert np.mean((answers[:, 0] - target.values) ** 2) < 0.2
    assert answers.min() >= -zero - 1e-6 and model.predict(-9 * x).min() >= -zero - 1e-6  # no number is below 0


def test_a_last_fit_learns_from_all_rows_as_long_as_was_best():
    x = rows(400)
    target, folds = target_of(x, 1), np.where(np.arange(400) < 100, 0, -1)
    target.values[:100] += 3.0  # what only the measured rows know
    measured, last = (Boosting(Settings(0, leaves=8, rate=0.1)) for _ in range(2))
    measured.fit(once(x), target, folds, always)
    probed = np.append(whole(folds), PROBE)
    last.fit(once(np.vstack([x, x[:1]])), target.take(np.append(np.arange(400), 0)), probed, always, measured.stop)
    assert last.stop == measured.stop and last.grown[0].rounds() == measured.stop
    assert last.predict(x[:100]).mean() > measured.predict(x[:100]).mean() + 0.3


def test_so_many_trees_and_no_more():
    x = rows()
    model = Boosting(Settings(0, leaves=8, rate=0.01), most_trees=7 * 5 * 20)
    model.fit(once(x), target_of(x, 7), folds_of(x), always)
    assert model.rounds == [20] * 5


def test_rows_that_are_alike_and_answer_differently():
    x = np.repeat(rows(30), 10, 0)
    values = np.random.default_rng(0).integers(0, 4, 300)
    model = Forest(0, 50)
    model.fit(once(x), Target(Column("y", DataType.LABEL), values, tuple("abcd")), folds_of(x), always)
    assert np.abs(model.predict(x) - from_file(model, x, 4)).max() < 1e-5
    assert np.abs(model.predict(x[:10]) - np.bincount(values[:10], minlength=4) / 10).max() < 0.1


@ALL
def test_ten_rows(make):
    x = rows(10)
    model = make()
    assert np.isfinite(model.fit(once(x), target_of(x, 2), folds_of(x), always)).all()
    assert np.abs(model.predict(x) - from_file(model, x, 2)).max() < 1e-5


def test_thresholds_between_two_neighbours_of_float32():
    x = np.tile(np.float32(0.1) + np.spacing(np.float32(0.1)) * np.arange(64, dtype=np.float32), 2)[:, None]
    target = Target(Column("y", DataType.LABEL), np.arange(128) % 2, ("a", "b"))
    model = Forest(0, 50)
    answers = model.fit(once(x), target, np.repeat([0, -1], 64), always)  # scikit-learn's, with thresholds of 64 bits
    assert np.abs(from_file(model, x, 2)[:64] - answers[:64]).max() < 1e-5


@pytest.fixture
def slim(monkeypatch):
    monkeypatch.setattr(boosters, "HAS_LIGHTGBM", False)
    with threadpool_limits(1):  # more threads than cores wait for each other
        yield


@pytest.mark.parametrize("classes", [1, 2, 3])
def test_without_lightgbm(slim, classes):
    x = rows()
    target, model = target_of(x, classes), Boosting(Settings(0, leaves=8, rate=0.1), rounds=100)
    if classes == 3:
        target.values[(target.values == 2) & (folds_of(x) > 0)] = 0  # fold 0's model has no row of class 2
    answers = model.fit(once(x), target, folds_of(x), always)
    assert np.allclose(answers.sum(1), 1, atol=1e-5) or classes == 1
    assert error(answers, target) < (0.6 if classes < 3 else 1.0)
    unseen = rows(200, 1)
    assert np.abs(model.predict(unseen) - from_file(model, unseen, classes)).max() < 1e-5


def test_a_computer_where_lightgbm_cannot_be_loaded():
    code = "import sys; sys.modules['lightgbm'] = None\nfrom machines.engine.boosters import HAS_LIGHTGBM\nprint(HAS_LIGHTGBM)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_a_forest_that_is_sure_says_0_and_1_in_the_file_too():
    """Were a chance of 0 some 1e-7 in the file, its logarithm, and with it the answer, would be another one there."""
    x = rows(60)
    target, model = target_of(x, 2), Forest(0, most_trees=120)
    twice = Target(target.column, np.tile(target.values, 2), target.classes)
    model.fit(once(np.vstack([x, x])), twice, np.repeat([0, 1], 60), always)
    for answers in (model.predict(x), from_file(model, x, 2)):
        assert (answers == np.eye(2)[target.values]).all()
