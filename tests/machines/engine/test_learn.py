"""Which candidates are fitted: whatever is tried and in whatever order, in the end there is a whole machine."""

from dataclasses import replace

import numpy as np
import pytest

from machines.engine import fit as fit_module
from machines.engine import learn as learn_module
from machines.engine import recipes as recipes_module
from machines.engine.candidates import Candidate, Recipe
from machines.engine.encode import Encoded
from machines.engine.fit import fit
from machines.engine.folds import PROBE
from machines.engine.learn import Found, Study, learn, refit
from machines.engine.lesson import Lesson
from machines.engine.parameters import Parameters
from machines.engine.prepare import Target
from machines.engine.progress import Clock
from machines.engine.recipes import recipes
from machines.engine.schema import Column, DataType, Role, Schema
from machines.engine.splits import Split, SplitKind
from machines.engine.trials import Trials
from tests.machines.engine.tables import few_candidates

QUICK = Parameters(epochs=1, shape=(8,))


def three_outputs():
    """More than there are candidates without news in a row before the fitting ends: two simple models for each."""
    rng = np.random.default_rng(0)
    table = {f"x{i}": rng.normal(size=60) for i in range(3)}
    columns = [Column(name, DataType.FLOAT) for name in table]
    for i in range(3):
        score = table[f"x{i % 3}"] + rng.normal(size=60)
        table[f"y{i}"] = np.where(score > 0, "up", "down").astype(object) if i % 2 else score
        columns.append(Column(f"y{i}", DataType.LABEL if i % 2 else DataType.FLOAT, Role.OUTPUT))
    return table, Schema(tuple(columns))


@pytest.mark.parametrize("stop_at", [99999, 3, 0], ids=["unhurried", "finished soon", "finished at once"])
def test_every_output_is_answered_however_many_there_are(stop_at):
    told, (table, schema) = [], three_outputs()
    with few_candidates():
        fitted = fit(
            table, schema, level=1, deadline=60, seed=0, parameters=QUICK,
            on_progress=lambda progress: told.append(progress) or len(told) <= stop_at,
        )  # fmt: skip
    answers = fitted.predictor().predict({name: values[:4] for name, values in table.items()})
    assert [len(answer.values) for answer in answers] == [4] * 3
    assert all(sum(output.weights.values()) == pytest.approx(1, abs=0.001) for output in fitted.report.outputs)


def test_in_time_the_latest_rows_are_measured_and_then_learned_from():
    """What the kinds that came late cost is only known at the end: figures do not know it, the machine does."""
    rng = np.random.default_rng(0)
    day, size = np.arange(400.0), rng.normal(size=400)
    late = np.where(day > 330, day % 6, 9).astype(int)
    kind = np.array(["up1", "down1", "up2", "down2", "up3", "down3"] + ["old"] * 4, object)[late]
    cost = 10 * size + np.array([20, -20] * 3 + [0] * 4)[late]
    columns = (
        Column("size", DataType.FLOAT), Column("kind", DataType.LABEL), Column("cost", DataType.FLOAT, Role.OUTPUT),
    )  # fmt: skip
    table, split = {"day": day, "size": size, "kind": kind, "cost": cost}, Split(SplitKind.TIME, "day")
    fitted = fit(table, Schema(columns), level=1, deadline=20, seed=0, split=split, parameters=Parameters(epochs=10))
    (answer,) = fitted.predictor().predict({"size": np.zeros(2), "kind": np.array(["down1", "up1"], object)})
    assert fitted.report.outputs[0].holdout["rmse"].value > 10
    assert answer.values[1] - answer.values[0] > 8


def rows_of(count):
    """So many rows of ten numbers and one to learn, measured on every eighth."""
    numbers = np.zeros((count, 10), np.float32)
    encoded = Encoded(numbers, np.zeros((count, 0), np.uint8), np.zeros((1, count, 0), np.float32))
    target = Target(Column("y", DataType.FLOAT), np.arange(count, dtype=np.float32))
    folds = np.where(np.arange(count) % 8, -1, 0)
    folds[-1] = PROBE
    return Lesson(encoded, (target,), folds)


@pytest.mark.parametrize(
    ("rows", "seconds", "folds"),
    [
        (500, 15, 8),
        (6_000, 60, 8),
        (6_000, 5, 3),
        (6_000, 2, 1),
        (15_000, 60, 1),
        (15_000, 300, 1),
        (300_000, 1200, 1),
    ],
)
def test_how_many_folds_are_worth_their_time(rows, seconds, folds):
    lesson = rows_of(rows)
    assert fit_module._fold_count(lesson.encoded, lesson.targets, Clock(seconds)) == folds


@pytest.mark.parametrize(
    ("first", "fitted"),
    [(4.0, "first other"), (2.5, "first"), (1.0, "first same same-again"), (0.1, "first same other")],
    ids=["long", "so long that no other fits", "as estimated", "soon over"],
)
def test_what_a_candidate_took_is_counted_and_tells_of_others_of_its_kind(monkeypatch, first, fitted):
    """Of 4.2 s: by its estimate of 1 s, and where fitting was best, not by a clock."""
    lesson = replace(rows_of(40), folds=np.arange(40) % 2)
    clock, stage = Clock(5.25), Trials().stage("first")
    stage.begin(lesson, clock)

    def recipe(name, seconds, kind, took):
        answers = {0: np.zeros((40, 1), np.float32)}
        candidate = Candidate(name, answers, lambda g, names: {}, spreads=np.ones((40, 2), np.float32), stop=7)
        told = {7: took}
        return Recipe(name, seconds, lambda *args: candidate, name, kind, took=told.__getitem__)

    tried = [
        recipe("first", 1.0, "boosting", first), recipe("same", 1.5, "boosting", 1.5),
        recipe("other", 0.1 if first == 4.0 else 2.0, "network", 2.0), recipe("same-again", 1.0, "boosting", 1.0),
    ]  # fmt: skip
    monkeypatch.setattr(learn_module, "recipes", lambda *args: tried)
    found = learn(Study(lesson, stage, QUICK, clock, 1, 0, 0.84))
    assert [candidate.name for candidate in found.candidates] == fitted.split()
    assert found.spent == pytest.approx(sum(tried[i].took(7) for i in range(4) if tried[i].name in fitted.split()))


def test_what_takes_too_long_to_fit_again_does_not_keep_others_from_it():
    lesson, trials = rows_of(40), Trials()
    clock, stage = Clock(10), trials.stage("first")
    stage.begin(lesson, clock)

    def recipe(name, seconds):
        return Recipe(name, seconds, lambda *args: Candidate(name, {0: lesson.encoded.numbers}, lambda g, n: {}), name)

    recipes = {"slow": recipe("slow", 100.0), "quick": recipe("quick", 0.1)}
    wanted = [Candidate(name, {}, lambda g, names: {}) for name in recipes]
    again = refit(Study(lesson, stage, QUICK, clock, 1, 0, 0.9), Found(wanted, recipes, 1.0), wanted)
    assert list(again) == [id(wanted[1])]


def fitted(name, estimated, took, *, is_network=False, by_rounds=True):
    """A candidate that took so many seconds, and what it is made from."""
    candidate = Candidate(name, {0: np.zeros((40, 1), np.float32)}, lambda g, names: {}, seconds=took)
    told = (lambda stop: estimated) if by_rounds else None
    return candidate, Recipe(name, estimated, lambda *args: candidate, name, took=told, is_network=is_network)


def found_of(*pairs):
    spent = sum(recipe.seconds for _, recipe in pairs)
    return Found([candidate for candidate, _ in pairs], {recipe.name: recipe for _, recipe in pairs}, spent)


def study_of_40_rows(seconds, **options):
    stage, lesson, clock = Trials().stage("first"), rows_of(40), Clock(seconds)
    stage.begin(lesson, clock)
    return Study(lesson, stage, QUICK, clock, 1, 0, 0.84, **options)


def test_by_the_clock_what_a_computer_is_ahead_of_estimates_is_used():
    """8 of 10 s are for candidates, and 7 were spent by estimate. By the clock next to nothing was."""
    found, (_, more) = found_of(fitted("trees", 7.0, 7.0)), fitted("more", 6.0, 0.0)
    assert not study_of_40_rows(10).has_time(found, more)
    study = study_of_40_rows(10, by_clock=True)
    assert study.has_time(found, more)
    assert not study.has_time(found, more, more)
    assert not study.has_time(found, more, found.recipes["trees"])
    _, at_once = fitted("process", 6.0, 0.0, by_rounds=False)
    assert not study.has_time(found, at_once), "it could not be stopped if it took longer"


def test_by_the_clock_trees_and_networks_are_as_fast_as_they_were():
    pairs = fitted("trees", 4.0, 1.0), fitted("network", 4.0, 4.0, is_network=True)
    forest = fitted("forest", 4.0, 1.0, by_rounds=False)
    found = found_of(*pairs, forest)
    paces = [found.pace(recipe) for _, recipe in (*pairs, forest)]
    assert paces == pytest.approx([0.3, 1.0, 1.0], abs=0.01)
    study, (_, more), (_, wider) = (
        study_of_40_rows(10, by_clock=True), fitted("a", 12.0, 0.0), fitted("b", 12.0, 0.0, is_network=True),
    )  # fmt: skip
    assert study.has_time(found, more) and not study.has_time(found, wider)
    assert not study.has_time(found, more, more, more)
    slow = fitted("slow", 1.0, 9.0)
    assert found_of(slow).pace(slow[1]) == 1.0, "who is behind is not given less"
    assert Found().pace(more) == 1.0


def test_by_the_clock_trees_are_fitted_again_though_estimates_say_that_it_is_late():
    for pair, are_again in [(fitted("quick", 7.0, 1.0), 1), (fitted("slow", 9.0, 9.0), 0)]:
        found = found_of(pair)
        assert not refit(study_of_40_rows(10), found, found.candidates)
        found = found_of(pair)
        assert len(refit(study_of_40_rows(10, by_clock=True), found, found.candidates)) == are_again


@pytest.mark.parametrize("wished", [True, False])
def test_it_goes_by_the_clock_where_that_was_wished(wished, monkeypatch):
    asked, (table, schema) = [], three_outputs()
    monkeypatch.setattr(fit_module, "learn", lambda study: asked.append(study.by_clock) or learn(study))
    with few_candidates():
        fit(table, schema, level=1, deadline=2, seed=0, parameters=QUICK, by_clock=wished)
    assert asked == [wished]


def before_networks(lesson, seconds):
    tried = [*recipes(lesson, Parameters(), 1, 0, seconds)]
    return {recipe.name for recipe in tried[: next(n for n, recipe in enumerate(tried) if recipe.is_network)]}


@pytest.mark.parametrize(("rows", "seconds", "is_first"), [(4000, 1.8, True), (4000, 0.3, False), (500, 0.5, False)])
def test_of_many_rows_trees_come_before_networks_if_there_is_time(rows, seconds, is_first):
    """Those of every output."""
    lesson = rows_of(rows)
    before = before_networks(replace(lesson, targets=lesson.targets * 2), seconds)
    kinds = (f"boosting {63 if rows > 3000 else 8}", "boosting large", "forest")
    trees = {f"{kind} {output}" for kind in kinds for output in (0, 1)}
    assert (trees <= before) is is_first and "linear 1" in before


@pytest.mark.parametrize(
    ("rows", "classes", "first"),
    [(4000, "", {"boosting 63 0", "boosting large 0", "forest 0"}), (2000, "", {"boosting 8 0", "boosting large 0"}),
     (2000, "ab", {"boosting 8 0", "boosting large 0"}), (2000, "abc", {"forest 0"}), (500, "", set())],
)  # fmt: skip
def test_which_trees_come_before_networks_though_they_are_not_cheap(rows, classes, first, monkeypatch):
    """The first of each kind, of many rows; of fewer rows those that are boosted, of several labels a forest."""
    monkeypatch.setattr(recipes_module, "CHEAP", 0.0)
    lesson = rows_of(rows)
    if classes:
        labels = Target(Column("y", DataType.LABEL), np.arange(rows) % len(classes), tuple(classes))
        lesson = replace(lesson, targets=(labels,))
    before = {name for name in before_networks(lesson, 20.0) if not name.startswith("process")}
    assert before - {"usual 0", "linear 0"} == first


@pytest.mark.parametrize(("times", "is_first"), [(3.0, True), (2.1, False)])
def test_a_forest_that_takes_long_comes_after_a_network(times, is_first):
    """It answers much as boosted trees do; they come before, though they may take longer."""
    lesson = rows_of(4000)
    forest = next(recipe for recipe in recipes(lesson, Parameters(), 1, 0, 60.0) if recipe.name == "forest 0")
    before = before_networks(lesson, forest.seconds * times)
    assert ("forest 0" in before) is is_first and "boosting 63 0" in before


@pytest.mark.parametrize(("classes", "is_first"), [("ab", False), ("abc", True)])
def test_of_several_labels_a_forest_comes_first(classes, is_first):
    lesson = rows_of(400)
    target = Target(Column("y", DataType.LABEL), np.arange(400) % len(classes), tuple(classes))
    names = [recipe.name for recipe in recipes(replace(lesson, targets=(target,)), Parameters(), 1, 0, 60.0)]
    assert (names.index("forest 0") < names.index("boosting 8 0")) is is_first


@pytest.mark.parametrize(("classes", "is_next"), [("ab", False), ("abc", True)])
def test_of_several_labels_a_second_network_follows_the_first(classes, is_next):
    """Before trees that cost something: boosting grows some for each label, and a network answers all at once."""
    target = Target(Column("y", DataType.LABEL), np.arange(400) % len(classes), tuple(classes))
    names = [recipe.name for recipe in recipes(replace(rows_of(400), targets=(target,)), Parameters(), 1, 0, 0.2)]
    assert names.index("boosting 8 0") > (at := names.index("network"))
    assert (names[at + 1] == "network in pieces") is is_next


@pytest.mark.parametrize(
    ("labels", "folds"), [(3, 5), (14, 3), (40, 5)], ids=["few", "some", "too many for a second level"]
)
def test_labels_cost_folds_only_where_a_second_level_gains_its_time_so(labels, folds):
    """What is usual is a network then, which answers them at once."""
    numbers = np.zeros((1437, 64), np.float32)
    encoded = Encoded(numbers, np.zeros((1437, 0), np.uint8), np.zeros((1, 1437, 0), np.float32))
    target = Target(Column("y", DataType.LABEL), np.arange(1437) % labels, tuple(f"l{n}" for n in range(labels)))
    assert fit_module._fold_count(encoded, (target,), Clock(9.4)) == folds


def test_networks_take_turns_to_see_labels_that_few_rows_have():
    lesson = rows_of(400)
    encoded = replace(lesson.encoded, marks=np.zeros((400, 90), np.uint8), further=30)
    lesson = Lesson(encoded, lesson.targets, lesson.folds)
    tried = [recipe for recipe in recipes(lesson, Parameters(), 1, 0, 60.0) if recipe.is_network]
    assert [("marks=90" in recipe.made, "marks=60" in recipe.made) for recipe in tried[:3]] == [
        (True, False), (False, True), (True, False),
    ]  # fmt: skip
