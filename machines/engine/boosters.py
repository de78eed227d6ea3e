"""Gradient boosted trees of one fold (Friedman 2001), grown round by round: LightGBM's, or scikit-learn's without it.

Both minimise log loss or squared error, start from the fold's own shares of classes, so that a class the fold has no
row of keeps a small chance, and give scores: one number, one log-odds of two classes, or one per class.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from machines.engine.folds import Sheet, answered, count, learned_from
from machines.engine.prepare import Target
from machines.engine.tree_nodes import Floats, Ints, Tree, boosting_nodes, constant, rounded_down

try:
    import lightgbm
except (ImportError, OSError):  # it needs the system's libgomp.so.1, which slim images lack
    HAS_LIGHTGBM = False
else:
    HAS_LIGHTGBM = True

POOL_MB = (
    64  # of histograms that a booster keeps: all of them for up to 500 features; without a limit 2,000 take 0.5 GB
)
MANY_ROWS = 20_000  # from which features get finer bins
GoOn: TypeAlias = Callable[[], bool]
Doubles: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """How trees are grown."""

    seed: int
    leaves: int = 16
    rate: float = 0.06
    extra: bool = False  # thresholds at random (Geurts et al. 2006), only with LightGBM
    least: int = 10  # rows a leaf has at least
    features: float = 0.6  # share of them that a tree looks at
    rows: float = 0.8  # share of them that a tree looks at, only with LightGBM
    penalty: float = 1.0  # on the squares of what leaves add
    root: bool = False  # learn the square root of a number, for skewed ones that are never negative
    codes: bool = True  # see what labels meant for the output: good where there are many, bad where marks suffice
    oblique: bool = False  # see slants, too, where there are any: see machines.engine.oblique
    bins: int = 127


EXTRA = Settings(0, 64, extra=True, least=5, features=0.8)
# It remembers rows: good where others nearly repeat them, as those of one person
LARGE = Settings(0, 128, rate=0.05, least=3, features=0.9, rows=0.9, penalty=0.1)


class Booster(Protocol):
    """One fold's trees."""

    step: int  # rounds between two looks at the loss
    base: Doubles  # [scores] where all rows start

    def grow(self, go_on: GoOn) -> bool:
        """Grow `step` rounds, or stop in between and return False."""
        ...

    def answers(self) -> Doubles:
        """Chances [validating rows, classes] or numbers [validating rows, 1], as they stand."""
        ...

    def rounds(self) -> int:
        """How many rounds there are; fewer than were asked for once no split is left."""
        ...

    def scores(self, x: Floats, rounds: int) -> Doubles:
        """Scores of other rows after the first `rounds` rounds: [rows, scores]."""
        ...

    def trees(self, rounds: int) -> list[Tree]:
        """The first `rounds` rounds; with `base` they add up to the scores."""
        ...

    def leaves(self, rounds: int, first: int = 0) -> int:
        """How many leaves those have together, from round `first` on."""
        ...

    def forget_rows(self) -> None:
        """Keep the trees alone, which take a hundredth of the memory; it grows no more."""
        ...


def boosters(x: Sheet, target: Target, folds: Ints, settings: Settings) -> Sequence[Booster]:
    """One for every fold, learning from the rows of all others."""
    parts = [(learned_from(folds, f), answered(folds, f)) for f in range(count(folds))]
    if not HAS_LIGHTGBM:
        return [HistBooster(x(f), target, *part, settings) for f, part in enumerate(parts)]
    return [LightBooster(LightData(x(f), target, settings), *part, f) for f, part in enumerate(parts)]


def _base(target: Target, rows: Ints) -> Doubles:
    values = target.values[rows]
    if not target.classes:
        return np.array([values.mean(dtype=np.float64)])
    log = np.log(np.bincount(values, minlength=target.width) + 1.0)
    base: Doubles = log[1:] - log[0] if target.width == 2 else log - np.log(len(rows) + target.width)
    return base


class LightData:
    """The rows as one fold sees them, sorted into bins."""

    def __init__(self, x: Floats, target: Target, settings: Settings) -> None:
        self.target = target
        kind = ("regression", "binary", "multiclass")[min(target.width, 3) - 1]
        classes = {"num_class": target.width} if target.width > 2 else {}
        bins = settings.bins if len(x) <= MANY_ROWS else 2 * settings.bins + 1
        self.parameters: dict[str, Any] = {
            "objective": kind, **classes, "metric": "none", "seed": settings.seed, "verbosity": -1,
            "num_threads": 1, "histogram_pool_size": POOL_MB, "deterministic": True, "force_col_wise": True,
            "max_bin": bins, "feature_pre_filter": False, "use_missing": False,
            "num_leaves": settings.leaves, "learning_rate": settings.rate, "min_data_in_leaf": settings.least,
            "extra_trees": settings.extra, "feature_fraction": settings.features,
            "bagging_fraction": settings.rows, "bagging_freq": 1, "lambda_l2": settings.penalty,
        }  # fmt: skip
        self.rows = lightgbm.Dataset(x, target.values, params=self.parameters).construct()

    def part(self, rows: Ints, base: Doubles) -> "lightgbm.Dataset":
        start = np.tile(base, (len(rows), 1))
        return self.rows.subset(rows.tolist()).construct().set_init_score(start.squeeze(1) if len(base) == 1 else start)


def grown(data: LightData, rounds: int) -> list[dict[str, Any]]:
    """The roots of trees grown from all rows, as LightGBM tells them."""
    model = lightgbm.train(data.parameters, data.rows, rounds)
    return [tree["tree_structure"] for tree in model.dump_model()["tree_info"]]


class LightBooster:
    """LightGBM (Ke et al. 2017)."""

    step = 5

    def __init__(self, data: LightData, learn: Ints, validate: Ints, fold: int) -> None:
        self.target, self.base = data.target, _base(data.target, learn)
        parameters = data.parameters | {"seed": data.parameters["seed"] + fold}
        self.model = lightgbm.Booster(parameters, data.part(learn, self.base))
        self.model.add_valid(data.part(validate, self.base), "validate")

    def grow(self, go_on: GoOn) -> bool:
        for _ in range(self.step):
            self.model.update()
            if not go_on():
                return False
        return True

    def answers(self) -> Doubles:
        found: list[Doubles] = []

        def keep(answers: Doubles, _: Any) -> tuple[str, float, bool]:
            found.append(answers)
            return "", 0.0, True

        self.model.eval_valid(keep)
        answers = found[0].reshape(len(found[0]), -1)
        return np.hstack([1.0 - answers, answers]) if self.target.width == 2 else answers

    def rounds(self) -> int:
        return self.model.current_iteration()

    def scores(self, x: Floats, rounds: int) -> Doubles:
        found = np.asarray(self.model.predict(x, num_iteration=rounds, raw_score=True), np.float64)
        return found.reshape(len(x), -1) + self.base

    def trees(self, rounds: int) -> list[Tree]:
        parts = self._text(rounds).split("\nTree=")[1:]
        return [_light_tree(part, i % len(self.base)) for i, part in enumerate(parts)]

    def leaves(self, rounds: int, first: int = 0) -> int:
        text = self._text(rounds, first) if rounds > first else ""  # which would mean all of them
        return sum(map(int, re.findall(r"^num_leaves=(\d+)$", text, re.MULTILINE)))

    def _text(self, rounds: int, first: int = 0) -> str:
        text: str = self.model.model_to_string(num_iteration=rounds - first, start_iteration=first)
        return text.partition("end of trees")[0]

    def forget_rows(self) -> None:
        self.model = lightgbm.Booster(model_str=self.model.model_to_string())


def _light_tree(text: str, target: int) -> Tree:
    """One tree of LightGBM's text format, whose children are numbered as ours are."""
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def numbers(name: str, dtype: type[np.generic]) -> NDArray[Any]:
        return np.array(fields[name].split(), dtype)

    values = numbers("leaf_value", np.float32)
    if len(values) == 1:
        return constant(values[0], target)
    kinds = numbers("decision_type", np.int64)
    assert not (kinds & 0b1101).any(), "thresholds alone, and no missing values"  # bit 1, the default side, is moot
    return Tree(
        numbers("split_feature", np.int64), rounded_down(numbers("threshold", np.float64)),
        numbers("left_child", np.int64), numbers("right_child", np.int64), values, np.full(len(values), target),
    )  # fmt: skip


class HistBooster:
    """scikit-learn's gradient boosting on histograms, for computers without LightGBM."""

    step = 20  # it begins with putting all rows into bins

    def __init__(self, x: Floats, target: Target, learn: Ints, validate: Ints, settings: Settings) -> None:
        kind = HistGradientBoostingClassifier if target.classes else HistGradientBoostingRegressor
        self.model: Any = kind(
            learning_rate=settings.rate, max_leaf_nodes=settings.leaves, random_state=settings.seed, warm_start=True,
            early_stopping=False, min_samples_leaf=settings.least, l2_regularization=settings.penalty,
            max_bins=settings.bins, max_features=settings.features,
        )  # fmt: skip
        self.target, self.validating = target, x[validate]
        self.x, self.y = _with_all_classes(x[learn], target.take(learn))
        self.grown = 0

    def grow(self, go_on: GoOn) -> bool:
        self.grown += self.step
        self.model.set_params(max_iter=self.grown).fit(self.x, self.y)
        self.base = np.asarray(self.model._baseline_prediction, np.float64).ravel()
        return go_on()

    def answers(self) -> Doubles:
        ask = self.model.predict_proba if self.target.classes else self.model.predict
        return np.asarray(ask(self.validating), np.float64).reshape(len(self.validating), -1)

    def rounds(self) -> int:
        return self.grown

    def scores(self, x: Floats, rounds: int) -> Doubles:
        ask = self.model.staged_decision_function if self.target.classes else self.model.staged_predict
        found = next(islice(ask(x), rounds - 1, None))
        return np.asarray(found, np.float64).reshape(len(x), -1)

    def trees(self, rounds: int) -> list[Tree]:
        return boosting_nodes(self.model, rounds)

    def leaves(self, rounds: int, first: int = 0) -> int:
        trees = [tree.nodes["is_leaf"] for trees in self.model._predictors[first:rounds] for tree in trees]
        return int(sum(map(np.sum, trees)))

    def forget_rows(self) -> None:
        del self.x, self.y, self.validating


def _with_all_classes(x: Floats, target: Target) -> tuple[Floats, NDArray[Any]]:
    """The rows, and an average one for every class they lack."""
    absent = np.setdiff1d(np.arange(len(target.classes)), target.values)
    return np.vstack([x, np.repeat(x.mean(0, keepdims=True), len(absent), 0)]), np.append(
        target.values, absent.astype(target.values.dtype)
    )
