"""The quality of a machine in words and figures: what its own page shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.formats import current_formats
from machines.answers import digits_for
from machines.services.texts import sentence
from models import Machine

METRIC_NAMES = {
    "roc_auc": "ROC AUC",
    "auc": "ROC AUC",
    "accuracy": gettext_lazy("Accuracy"),
    "f1": "F1",
    "log_loss": gettext_lazy("Log loss"),
    "rmse": "RMSE",
    "mae": gettext_lazy("Mean error"),
    "r2": "R²",
}
MAIN = {"binary": "roc_auc", "multiclass": "accuracy", "number": "rmse"}
TASKS = {
    "binary": gettext_lazy("Yes or no"),
    "multiclass": gettext_lazy("One of several classes"),
    "number": gettext_lazy("Number"),
}
BASELINES = {
    "linear": gettext_lazy("simple linear model"),
    "mean": gettext_lazy("always the average"),
    "class_rates": gettext_lazy("always the usual shares"),
}


@dataclass(frozen=True)
class Score:
    """One metric on rows never learned from, with its 95 % interval and the baseline's value."""

    name: str
    value: str
    span: str
    baseline: str


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
        warnings=[sentence(warning) for warning in report.get("warnings", [])],
        importance=[(name, 100 * share / most, current_formats().percent(share)) for name, share in importance],
        chart={"training": report.get("training_loss", []), "validation": report.get("validation_loss", [])},
    )


def _output(output: Mapping[str, Any]) -> OutputView:
    baseline = output["baseline"]
    scores = {name: _score(name, metric, baseline.get(name)) for name, metric in output["holdout"].items()}
    main = scores.get(MAIN[output["task"]]) or next(iter(scores.values()))
    shown = str(BASELINES.get(output["baseline_shown"], output["baseline_shown"]))
    return OutputView(output["name"], str(TASKS[output["task"]]), main, list(scores.values()), shown)


def _score(name: str, metric: Mapping[str, float], baseline: Mapping[str, float] | None) -> Score:
    return Score(
        name=str(METRIC_NAMES.get(name, name)),
        value=_figure(metric["value"], metric),
        span=f"{_figure(metric['low'], metric)} – {_figure(metric['high'], metric)}",
        baseline=_figure(baseline["value"], metric) if baseline else "",
    )


def _figure(value: float, metric: Mapping[str, float]) -> str:
    """Never more digits than mean something: two significant ones of the interval's width."""
    return current_formats().number(value, min(digits_for(metric["high"] - metric["low"]), 4))
