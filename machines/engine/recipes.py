"""What is tried, and in which order."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice

import numpy as np

from machines.engine.boosters import EXTRA, HAS_LIGHTGBM, LARGE, Settings
from machines.engine.candidates import Model, Recipe, fit_network, fit_simple
from machines.engine.costs import FOREST, MOST_CLASSES_IN_TREES, USUAL_RATE, Cost
from machines.engine.folds import PROBE
from machines.engine.gaussian_process import GOALS, GaussianProcess
from machines.engine.lesson import Lesson
from machines.engine.linear import ENDLESS, Linear
from machines.engine.oblique import LOOK, LOOK_ROUNDS, SLANTS, ObliqueBoosting, looked_at, slants_of
from machines.engine.parameters import Parameters
from machines.engine.plan import KINDS, Kind, make_plan
from machines.engine.prepare import Target
from machines.engine.search import BOOSTING, NETWORKS, Search
from machines.engine.training import share_until
from machines.engine.trees import PATIENCE, Boosting, Forest

# Shares of the time for learning: what costs less comes first; so do an output's first trees; no network takes more
CHEAP, MOST_FOR_TREES, MOST_FOR_ONE = 0.25, 0.8, 0.4
MOST_FOR_FOREST = 0.4  # the same of a forest, which answers much as boosted trees do
MOST_FOR_PROCESS = 0.35  # and of an output's first Gaussian process, of few rows often the best single model
SEARCHES, SEARCHED_FOR_ONE = (3, 8, 20, 50, 150), 0.15  # rounds of each level; share of the time that a network takes
ROUNDS = 1000  # most of boosting at the usual rate
FEW_ROWS, SOME_ROWS, MANY_ROWS = 1_000, 3_000, 8_000
SKEWED = 0.5
MOST_FOR_LOOKS = 0.2  # of the time, for those of all folds at pairs of numbers
ASLANT = 0.2  # of what two features gain together: where two numbers do more, trees that see slants come first
PROCESS, FOREST_KIND = "process", "forest"
MOST_IN_PROCESS, MOST_FEATURES = 4_000, 500  # rows and features of one: it keeps its rows, and compares all pairs
MOST_CELLS = 60_000_000  # beyond which models that need all rows as one matrix are left out


def recipes(lesson: Lesson, parameters: Parameters, level: int, seed: int, seconds: float) -> Iterator[Recipe]:
    """What is worth trying, in order: what is cheap, for it adds most per second; networks in turn with what is not; searches.

    Of many rows trees gain most: of each output the first of every kind come before any network, unless they take too long.
    `seconds` is the time for learning.
    """
    most = MOST_FOR_ONE * seconds
    aslant = {} if parameters.only_network else _aslant(lesson, seconds)
    simple = [] if parameters.only_network else list(_simple(lesson, level, seed, aslant))
    # Of many rows, pieces pay, what is smooth does not, and time is short for ensembles.
    kinds = KINDS[1:2] if _has_many_rows(lesson) else KINDS
    # What few rows have in a column of labels may say much or nothing: every other network does without it
    varied = [replace(kind, sees_all=place % 2 == 0) for place, kind in enumerate(kinds)]
    networks = [_network(lesson, parameters, kind, seed, most) for kind in varied]
    first_of = {recipe.kind: recipe.name for recipe in reversed(simple)}

    def comes_first(recipe: Recipe) -> bool:
        if first_of[recipe.kind] != recipe.name:
            return not recipe.kind.startswith(PROCESS) and recipe.seconds < seconds * CHEAP
        return recipe.seconds < seconds * max(CHEAP, _most_for_first(recipe, lesson) / len(lesson.targets))

    first = [*filter(comes_first, simple)] or simple[:2]
    rest = [recipe for recipe in simple if recipe not in first]
    # Networks answer several labels at once, and boosted trees a label each
    ahead = 2 if all(target.width > 2 for target in lesson.targets) else 1
    yield from [*first, *networks[:ahead], *rest[:1], *networks[ahead:2], *rest[1:], *networks[2:]]
    yield from _searched(lesson, parameters, SEARCHES[level - 1], seed, SEARCHED_FOR_ONE * seconds, aslant)


def _simple(lesson: Lesson, level: int, seed: int, aslant: Mapping[int, float]) -> Iterator[Recipe]:
    """The models of single outputs, in an order of their own."""
    if lesson.encoded.numbers.size + lesson.encoded.marks.size > MOST_CELLS:
        return
    nodes, chosen_by = (600_000, 300) if level < 3 else (1_200_000, 500)
    for i, target in enumerate(lesson.targets):
        cost = Cost(lesson, target)
        yield _recipe(f"usual {i}", i, False, 0.0, partial(Linear, penalties=ENDLESS))
        yield _recipe(f"linear {i}", i, False, cost.linear(), Linear)
        if target.width > MOST_CLASSES_IN_TREES:
            continue
        forest = _forest(i, f"forest {i}", cost.forest(nodes), partial(Forest, seed, FOREST, nodes))
        processes = _processes(i, target, cost, seed, chosen_by)
        yield from islice(processes, 1)
        if target.width > 2:  # its trees answer all classes at once, and boosted ones a class each
            yield forest
        usual, other = _leaves(lesson, target)
        yield from _first_trees(lesson, i, seed, usual, aslant.get(i))
        if HAS_LIGHTGBM and not _has_many_rows(lesson):
            yield _boosting(lesson, i, f"boosting extra {i}", replace(EXTRA, seed=seed))
        yield from processes
        if target.width <= 2:
            yield forest
        yield _boosting(lesson, i, f"boosting {other} {i}", Settings(seed, other, codes=not lesson.encoded.has_codes))
        if _is_skewed(target):
            yield _boosting(lesson, i, f"boosting root {i}", Settings(seed, 24, root=True))
        if level > 2:
            plain = partial(Forest, seed, FOREST, nodes, random=False)
            yield _forest(i, f"plain forest {i}", 2 * cost.forest(nodes), plain)


def _first_trees(lesson: Lesson, output: int, seed: int, leaves: int, aslant: float | None) -> list[Recipe]:
    """Boosted trees of each kind: each is first where they are, and large ones stop sooner than others."""
    usual = _boosting(lesson, output, f"boosting {leaves} {output}", Settings(seed, leaves))
    large = _boosting(lesson, output, f"boosting large {output}", replace(LARGE, seed=seed))
    large = replace(large, kind=f"large {output}")
    if aslant is None:
        return [usual, large]
    oblique = _boosting(lesson, output, f"boosting oblique {output}", Settings(seed, leaves, oblique=True))
    oblique = replace(oblique, kind=f"oblique {output}")
    is_ahead = aslant > ASLANT and _has_many_rows(lesson)
    return [oblique, large, usual] if is_ahead else [usual, large, oblique]


def _searched(
    lesson: Lesson, parameters: Parameters, most: int, seed: int, seconds: float, aslant: Mapping[int, float]
) -> Iterator[Recipe]:
    """Boosting and networks with settings that a search proposes, `most` times; of many rows trees learn faster."""
    has_many = _has_many_rows(lesson)
    networks = Search(seed, NETWORKS[::-1] if has_many else NETWORKS, has_many)
    outputs = [] if parameters.only_network else _in_trees(lesson)
    known = {i: BOOSTING[::-1] if has_many and not lesson.targets[i].classes else BOOSTING for i in outputs}
    boosters = {i: Search(seed + i, known[i], has_many, aslant.get(i, 0.0) > ASLANT) for i in outputs}
    has_codes = lesson.encoded.has_codes
    for n in range(1, most + 1):
        for i, search in boosters.items():
            for number in (2 * n - 1, 2 * n) if has_many else (n,):
                settings, tell = search.boosting(seed + number, _is_skewed(lesson.targets[i]), has_codes, i in aslant)
                recipe = _boosting(lesson, i, f"searched boosting {number} {i}", settings)
                yield replace(recipe, tell=tell)
        kind, tell = networks.network(f"searched network {n}")
        yield replace(_network(lesson, parameters, kind, seed + n, seconds), tell=tell)


def _most_for_first(recipe: Recipe, lesson: Lesson) -> float:
    """The share of the time that the first of its kind may take before any network.

    Of some rows all trees may; of fewer a forest of several labels, and else those that are boosted.
    """
    kind, _, output = recipe.kind.partition(" ")
    if not kind:
        return 0.0
    if kind == PROCESS:
        return MOST_FOR_PROCESS
    rows, has_several = int(lesson.train.shape[1]), lesson.targets[int(output)].width > 2
    if kind == FOREST_KIND:
        return MOST_FOR_FOREST if has_several or rows > SOME_ROWS else 0.0
    may = rows > SOME_ROWS or (kind in ("boosting", "large") and not has_several and rows > FEW_ROWS)
    return MOST_FOR_TREES if may else 0.0


def _has_some_rows(lesson: Lesson) -> bool:
    return int(lesson.train.shape[1]) > SOME_ROWS


def _has_many_rows(lesson: Lesson) -> bool:
    return int(lesson.train.shape[1]) > MANY_ROWS


def _in_trees(lesson: Lesson) -> list[int]:
    """The outputs that trees are grown for."""
    cells = lesson.encoded.numbers.size + lesson.encoded.marks.size
    few = [i for i, target in enumerate(lesson.targets) if target.width <= MOST_CLASSES_IN_TREES]
    return few if cells <= MOST_CELLS else []


def _aslant(lesson: Lesson, seconds: float) -> dict[int, float]:
    """Of each output for which two numbers gain something together, what the first two do: see Slants.share.

    Not of outputs for which each fold's look for such numbers would take much of the time.
    """
    numbers, most = lesson.encoded.numbers.shape[1], MOST_FOR_LOOKS * seconds
    outputs = [i for i in _in_trees(lesson) if HAS_LIGHTGBM and _look(Cost(lesson, lesson.targets[i])) < most]
    if numbers < 2 or not outputs:
        return {}
    rows = looked_at(np.flatnonzero(lesson.folds > PROBE), lesson.encoded.width)
    x = lesson.encoded.take(rows).flat()
    found = {i: slants_of(x, lesson.targets[i].take(rows), numbers) for i in outputs}
    return {i: slants.share for i, slants in found.items() if len(slants)}


def _look(cost: Cost) -> float:
    """Seconds until every fold has found its slants."""
    return cost.rounds(LOOK, LOOK_ROUNDS / cost.sums)


def _leaves(lesson: Lesson, target: Target) -> tuple[int, int]:
    """Of the first trees and of others: what is often good, by table, is larger for numbers and for many rows."""
    if not target.classes and _has_some_rows(lesson):
        return 63, 31
    return (31, 8) if _has_many_rows(lesson) else (8, 31)


def _is_skewed(target: Target) -> bool:
    """Whether it is a number that is never negative, with more small values than large ones: its root is easier to learn."""
    values = target.values
    if target.classes or values.min() + target.mean / target.std < 0:
        return False
    return float(np.mean((values - values.mean()) ** 3)) > SKEWED * float(values.std()) ** 3


def _boosting(lesson: Lesson, output: int, name: str, settings: Settings) -> Recipe:
    cost = Cost(lesson, lesson.targets[output], slants=SLANTS if settings.oblique else 0)
    look = _look(cost) if settings.oblique else 0.0
    model = partial(ObliqueBoosting, lesson.encoded.numbers.shape[1]) if settings.oblique else Boosting
    most = int(ROUNDS * USUAL_RATE / settings.rate)

    def took(stop: int) -> float:
        """It looks a while for a lower loss after the round that turns out to be the best one."""
        return look + cost.rounds(settings, min(stop + PATIENCE, most))

    recipe = _recipe(name, output, settings.codes, look + cost.boosting(settings), partial(model, settings, most))
    return replace(recipe, kind=f"boosting {output}", took=took)


def _processes(output: int, target: Target, cost: Cost, seed: int, chosen_by: int) -> Iterator[Recipe]:
    """The one that is tried early, and the one after others."""
    if cost.rows > MOST_IN_PROCESS or cost.features > MOST_FEATURES:
        return
    for goal in sorted(GOALS, reverse=target.width > 2):
        make = partial(GaussianProcess, seed, goal, chosen_by)
        recipe = _recipe(f"process by {goal} {output}", output, False, cost.process(chosen_by), make)
        yield replace(recipe, kind=f"{PROCESS} {output}")


def _forest(output: int, name: str, seconds: float, make: Callable[[], Model]) -> Recipe:
    return replace(_recipe(name, output, True, seconds, make), kind=f"{FOREST_KIND} {output}")


def _recipe(name: str, output: int, with_codes: bool, seconds: float, make: Callable[[], Model]) -> Recipe:
    return Recipe(name, seconds, partial(fit_simple, make, output, with_codes, name), repr(make))


def _network(lesson: Lesson, parameters: Parameters, kind: Kind, seed: int, seconds: float) -> Recipe:
    plan = make_plan(lesson, parameters, kind, seconds)
    fit = partial(fit_network, parameters, kind, seed, seconds, kind.name)
    rows = int(lesson.train.shape[1])
    return Recipe(
        kind.name, plan.seconds, fit, f"{plan.made} {seed}",
        kind="network", took=lambda stop: plan.seconds * share_until(plan, rows, stop), is_network=True,
    )  # fmt: skip
