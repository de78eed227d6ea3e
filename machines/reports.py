"""The quality of a machine in words and figures: what its own page shows."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.formats import current_formats
from machines.figures import figure
from machines.services.texts import sentence
from models import Machine

METRIC_NAMES = {
    "roc_auc": "ROC AUC",
    "accuracy": gettext_lazy("Accuracy"),
    "f1": "F1",
    "log_loss": gettext_lazy("Log loss"),
    "rmse": "RMSE",
    "mae": gettext_lazy("Mean error"),
    "r2": "R²",
}
SHARES = {"accuracy"}  # shown in percent
HUNDREDTHS = {"roc_auc", "f1", "log_loss", "r2"}  # read to two decimals everywhere
MAIN = ("roc_auc", "accuracy", "rmse")  # the first of these that was measured is shown alone
TASKS = {
    "binary": gettext_lazy("Yes or no"),
    "multiclass": gettext_lazy("One of several"),
    "number": gettext_lazy("A number"),
}
BY_CHANCE = {"mean", "class_rates"}  # baselines that look at no input
HIGHER_IS_BETTER = {"roc_auc", "accuracy"}
BASELINES = {
    "linear": gettext_lazy("simple linear model"),
    "mean": gettext_lazy("always the average"),
    "class_rates": gettext_lazy("always the usual shares"),
}


@dataclass(frozen=True)
class Score:
    """One metric on rows never learned from, with its 95 % interval and the baseline's value, in words."""

    name: str
    value: str
    low: str
    high: str
    baseline: str = ""


@dataclass(frozen=True)
class OutputView:
    name: str
    task: str
    main: Score
    scores: list[Score]
    baseline: str


@dataclass(frozen=True)
class ReportView:
    outputs: list[OutputView]
    facts: list[tuple[str, str]]
    warnings: list[str]
    importance: list[tuple[str, float, str]]
    chart: dict[str, Any]


def report_view(machine: Machine) -> ReportView:
    """Return the report of the latest training for display."""
    report = machine.training_report
    number = current_formats().number
    facts = [
        (_("Rows learned from"), number(report.get("rows_trained", 0))),
        (_("Rows held back to measure"), number(report.get("rows_held_out", 0))),
        (_("Level"), str(report.get("level", ""))),
        (_("Took"), current_formats().duration(report.get("seconds", 0))),
        (_("Seed"), str(report.get("seed", ""))),
    ]
    importance = sorted(report.get("importance", {}).items(), key=lambda item: -item[1])[:12]
    most = max((share for _name, share in importance), default=0) or 1
    return ReportView(
        outputs=[_output(output) for output in report.get("outputs", [])],
        facts=facts,
        warnings=[*map(sentence, report.get("warnings", [])), *_chance_warnings(report)],
        importance=[(name, 100 * share / most, current_formats().percent(share)) for name, share in importance],
        chart={"training": report.get("training_loss", []), "validation": report.get("validation_loss", [])},
    )


def _chance_warnings(report: Mapping[str, Any]) -> list[str]:
    """Say of which outputs the inputs tell nothing: the score's range reaches that of a baseline without inputs."""
    template = _("“%(name)s” is answered no better than by chance. These columns may not hold the answer.")
    return [template % {"name": output["name"]} for output in report.get("outputs", []) if _is_by_chance(output)]


def _is_by_chance(output: Mapping[str, Any]) -> bool:
    name = next((name for name in MAIN if name in output["holdout"]), "")
    metric, baseline = output["holdout"].get(name), output["baseline"].get(name)
    if output["baseline_shown"] not in BY_CHANCE or not metric or not baseline:
        return False
    if name in HIGHER_IS_BETTER:
        return bool(metric["low"] <= baseline["value"])
    return bool(metric["high"] >= baseline["value"])


def main_score(output: Mapping[str, Any]) -> Score | None:
    """Return the one score that stands for an output of a report; None if it has none that can be shown."""
    holdout = output.get("holdout")
    for name in MAIN:
        metric = holdout.get(name) if isinstance(holdout, Mapping) else None
        if isinstance(metric, Mapping) and all(_is_finite(metric.get(key)) for key in ("value", "low", "high")):
            return _score(name, metric, None)
    return None


def task_name(output: Mapping[str, Any]) -> str:
    return str(TASKS.get(str(output.get("task")), ""))


def _output(output: Mapping[str, Any]) -> OutputView:
    baseline = output["baseline"]
    scores = [_score(name, metric, baseline.get(name)) for name, metric in output["holdout"].items()]
    shown = str(BASELINES.get(output["baseline_shown"], output["baseline_shown"]))
    return OutputView(output["name"], task_name(output), main_score(output) or scores[0], scores, shown)


def _score(name: str, metric: Mapping[str, float], baseline: Mapping[str, float] | None) -> Score:
    width = metric["high"] - metric["low"]

    def written(value: float) -> str:
        if name in SHARES:
            return current_formats().percent(value)
        return current_formats().number(value, 2) if name in HUNDREDTHS else figure(value, width)

    edges = written(metric["value"]), written(metric["low"]), written(metric["high"])
    return Score(str(METRIC_NAMES.get(name, name)), *edges, written(baseline["value"]) if baseline else "")


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
