"""What a training found out, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from machines.engine.errors import Notice
from machines.engine.metrics import Metric

Metrics = Mapping[str, Metric]


@dataclass(frozen=True)
class OutputReport:
    """One output on the rows held back."""

    name: str
    task: str  # binary | multiclass | number
    holdout: Metrics
    baseline_shown: str  # linear | mean | class_rates: the best of the simple models, the one to compare with
    baselines: Mapping[str, Metrics]
    samples: Mapping[
        str, Mapping[str, float]
    ]  # training, evaluation, training_noise, evaluation_noise -> loss, accuracy
    classes: tuple[str, ...] = ()  # most frequent first
    confusion: list[list[int]] = field(default_factory=list)  # [actual][predicted], for up to 50 classes
    points: list[list[float]] = field(default_factory=list)  # [predicted, actual, low, high], at most 500
    coverage: float | None = None  # share of held-back numbers inside their 90 % interval
    temperature: float | None = None
    weights: Mapping[str, float] = field(default_factory=dict)  # what the answer is blended from
    rows: int = 0  # held back, that all this was measured on
    difference: Metric | None = None  # main loss minus that of the baseline shown, on the same rows
    reliability: list[dict[str, float]] = field(default_factory=list)  # of labels, see metrics.reliability
    residuals: Mapping[str, list[float]] = field(default_factory=dict)  # of numbers, see metrics.residuals
    leaderboard: list[dict[str, Any]] = field(default_factory=list)  # see leaderboard.leaderboard
    operating: list[dict[str, Any]] = field(default_factory=list)  # of labels, see operating.operating
    spread: list[dict[str, float]] = field(default_factory=list)  # of numbers, see measure.spread
    regions: list[dict[str, Any]] = field(default_factory=list)  # by the inputs that matter most, see regions.regions
    usual_error: float | None = None  # of all rows measured, as the errors of regions
    learning_curve: list[dict[str, float]] = field(default_factory=list)  # empty without time, see learning_curve
    learning_curve_of: str = ""  # linear | boosting: whose curve that is

    @property
    def baseline(self) -> Metrics:
        return self.baselines[self.baseline_shown]

    def to_json(self) -> dict[str, Any]:
        return vars(self) | {
            "holdout": _plain(self.holdout),
            "baseline": _plain(self.baseline),
            "baselines": {name: _plain(metrics) for name, metrics in self.baselines.items()},
            "difference": self.difference and self.difference.to_json(),
        }


@dataclass(frozen=True)
class Report:
    """One training."""

    outputs: tuple[OutputReport, ...]
    rows: int  # with an answer
    rows_trained: int
    rows_held_out: int
    seconds: float
    level: int
    seed: int
    epochs: int
    warnings: tuple[Notice, ...]
    training_loss: tuple[float, ...]
    validation_loss: tuple[float, ...]
    loss_rounds: tuple[int, ...]  # which rounds those losses are of
    networks: tuple[tuple[str, int], ...]  # trained one after another: the name of each, and its first round
    importance: Mapping[str, float]  # input -> share of 1; empty if there are too many
    importance_range: Mapping[str, tuple[float, float]]  # where that lies with 95 % confidence
    samples: Mapping[str, Mapping[str, float]]  # as in OutputReport, mean over outputs
    network: Mapping[str, Any]  # the one that counts most, see chosen.heaviest
    split: Mapping[str, str | None] = field(default_factory=dict)  # which rows belong together, see splits.Split

    def to_json(self) -> dict[str, Any]:
        return vars(self) | {
            "outputs": [output.to_json() for output in self.outputs],
            "warnings": [warning.to_json() for warning in self.warnings],
        }


def _plain(metrics: Metrics) -> dict[str, dict[str, float]]:
    return {name: metric.to_json() for name, metric in metrics.items()}
