"""Searched settings: Optuna proposes (Akiba et al. 2019, arXiv 1907.10902), what is fitted with them says how good they are.

Its sampler is a tree-structured Parzen estimator (Bergstra et al. 2011), seeded: the same losses lead to the same proposals,
so that a training that goes on after a crash proposes what it proposed before, and finds that already fitted.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from machines.engine.boosters import HAS_LIGHTGBM, Settings
from machines.engine.plan import Kind

if TYPE_CHECKING:
    from optuna import Study, Trial

FIRST = 8  # proposals at random, before what was found is looked at
TOLD = Callable[[float], None]
# What is often good is tried first: from the first on, but from the last for networks and numbers of many rows.
BOOSTING: Sequence[Mapping[str, Any]] = (
    {"leaves": 12, "rate": 0.03, "least": 10, "features": 0.6, "rows": 0.8, "penalty": 1.0, "extra": False},
    {"leaves": 24, "rate": 0.04, "least": 20, "features": 0.35, "rows": 0.7, "penalty": 5.0, "extra": False},
    {"leaves": 48, "rate": 0.04, "least": 5, "features": 0.9, "rows": 0.9, "penalty": 0.1, "extra": False},
    {"leaves": 64, "rate": 0.04, "least": 15, "features": 0.6, "rows": 0.8, "penalty": 1.0, "extra": False},
)
NETWORKS: Sequence[Mapping[str, Any]] = (
    {"width": 128, "layers": 2, "pieces": 0, "dropout": 0.4, "rate": 4e-3, "decay": 1e-2, "members": 1},
    {"width": 96, "layers": 2, "pieces": 8, "dropout": 0.3, "rate": 3e-3, "decay": 1e-3, "members": 1},
    {"width": 128, "layers": 2, "pieces": 24, "dropout": 0.2, "rate": 2e-3, "decay": 1e-3, "members": 4},
    {"width": 128, "layers": 2, "pieces": 48, "dropout": 0.45, "rate": 3e-3, "decay": 1e-2, "members": 1},
)


class Search:
    """The search of one kind of model."""

    def __init__(
        self, seed: int, known: Sequence[Mapping[str, Any]], has_many_rows: bool = False, is_aslant: bool = False
    ) -> None:
        self.seed, self.known = seed, known
        self.has_many_rows, self.is_aslant = has_many_rows, is_aslant
        self.study: Study | None = None

    def boosting(self, seed: int, is_skewed: bool, has_codes: bool, has_slants: bool) -> tuple[Settings, TOLD]:
        """Propose how to grow trees; the other is to be told the loss, unless nothing came of it."""
        trial = self._ask()
        settings = Settings(
            seed,
            leaves=trial.suggest_int("leaves", 4, 128, log=True),
            rate=trial.suggest_float("rate", 0.02, 0.12, log=True),
            least=trial.suggest_int("least", 2, 60, log=True),
            features=trial.suggest_float("features", 0.3, 1.0),
            rows=trial.suggest_float("rows", 0.5, 1.0),
            penalty=trial.suggest_float("penalty", 0.01, 30.0, log=True),
            extra=HAS_LIGHTGBM and not self.has_many_rows and trial.suggest_categorical("extra", [False, True]),
            root=is_skewed and trial.suggest_categorical("root", [True, False]),
            codes=has_codes and trial.suggest_categorical("codes", [True, False]),
            oblique=has_slants and trial.suggest_categorical("oblique", [True, False]),
        )
        return settings, self._teller(trial)

    def network(self, name: str) -> tuple[Kind, TOLD]:
        """Propose a network, as `boosting` does trees."""
        trial = self._ask()
        width = trial.suggest_categorical("width", [64, 96, 128, 192, 256])
        members = trial.suggest_categorical("members", [1, 4, 8])
        kind = Kind(
            name,
            members,
            (width,) * trial.suggest_int("layers", 1, 3),
            trial.suggest_categorical("pieces", [0, 8, 24, 48]),
            dropout=trial.suggest_float("dropout", 0.0, 0.6),
            rate=trial.suggest_float("rate", 5e-4, 1.2e-2, log=True),
            is_normed=members == 1,
            decay=trial.suggest_float("decay", 1e-4, 1e-1, log=True),
        )
        return kind, self._teller(trial)

    def _ask(self) -> "Trial":
        if self.study is None:
            self.study = _study(self.seed)
            for number, settings in enumerate(self.known):
                oblique = self.is_aslant or (not self.has_many_rows and number % 2 == 1)
                also = {"root": number % 2 == 0, "codes": number % 4 < 2, "oblique": oblique}
                self.study.enqueue_trial({**settings, **also})
        return self.study.ask()

    def _teller(self, trial: "Trial") -> TOLD:
        study = self.study
        assert study, "a proposal comes from a study"

        def tell(loss: float) -> None:
            study.tell(trial, loss)

        return tell


def _study(seed: int) -> "Study":
    # Imported here: it takes 0.2 s, and quick trainings do not search.
    from optuna import create_study, logging
    from optuna.samplers import TPESampler

    logging.set_verbosity(logging.WARNING)
    return create_study(sampler=TPESampler(seed=seed, n_startup_trials=FIRST))
