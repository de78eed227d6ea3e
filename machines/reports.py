"""The quality of a machine in words and figures: what its own page shows."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.formats import current_formats
from machines.candidate_names import blend_of
from machines.figures import figure
from machines.loss_curve import LossCurve
from machines.report_charts import Confusion, Reliability, Residuals, confusion_of, reliability_of, residuals_of
from machines.services.texts import sentence
from models import Machine

METRIC_NAMES = {
    "roc_auc": "ROC AUC",
    "pr_auc": "PR AUC",
    "accuracy": gettext_lazy("Accuracy"),
    "balanced_accuracy": gettext_lazy("Balanced accuracy"),
    "f1": "F1",
    "log_loss": gettext_lazy("Log loss"),
    "ece": gettext_lazy("Calibration error"),
    "rmse": "RMSE",
    "mae": gettext_lazy("Mean error"),
    "r2": "R²",
}
EXPLAINED = {
    "roc_auc": gettext_lazy("How often a row that is it ranks above one that is not: 0.5 is chance, 1 is perfect."),
    "pr_auc": gettext_lazy("How few false finds there are while finding the rarer answer: 1 is perfect."),
    "accuracy": gettext_lazy("Share of rows answered right."),
    "balanced_accuracy": gettext_lazy("Share answered right, every class counting alike."),
    "f1": gettext_lazy("Right finds against misses and false finds: 1 is perfect."),
    "log_loss": gettext_lazy("How much the truth surprises it: lower is better."),
    "ece": gettext_lazy("How far stated chances are from what came true: lower is better."),
    "rmse": gettext_lazy("Typical error, in the unit of the answer; large ones count more."),
    "mae": gettext_lazy("How far off on average, in the unit of the answer."),
    "r2": gettext_lazy("Share of the differences it explains: 1 is perfect, 0 is no better than the average."),
}
PERCENT_DIGITS = {"accuracy": 0, "balanced_accuracy": 0, "ece": 1}  # shown in percent
HUNDREDTHS = {"roc_auc", "pr_auc", "f1", "log_loss", "r2"}  # read to two decimals everywhere
MAIN = ("roc_auc", "accuracy", "rmse")  # the first of these that was measured is shown alone
MAIN_OF_SEVERAL = ("accuracy",)  # the mean ROC AUC of several classes says little to most people
TASKS = {
    "binary": gettext_lazy("Yes or no"),
    "multiclass": gettext_lazy("One of several"),
    "number": gettext_lazy("A number"),
}
MEASURED_ON = {  # by machines.engine.splits.SplitKind
    "rows": gettext_lazy("On rows it has never seen"),
    "group": gettext_lazy("On values of “%(column)s” it has never seen"),
    "time": gettext_lazy("On the latest rows by “%(column)s”, after all it learned from"),
}
BASELINES = {
    "linear": gettext_lazy("simple linear model"),
    "mean": gettext_lazy("always the average"),
    "class_rates": gettext_lazy("always the usual shares"),
}


@dataclass(frozen=True)
class Score:
    """One metric on rows never learned from, with its 95 % interval, the baseline's value and what it is, in words."""

    name: str
    value: str
    low: str
    high: str
    baseline: str = ""
    explained: str = ""


@dataclass(frozen=True)
class OutputView:
    """How well one output is answered. What a report from before did not measure is None or ""."""

    name: str
    task: str
    main: Score
    scores: list[Score]
    baseline: str
    verdict: str
    coverage: str
    confusion: Confusion | None
    reliability: Reliability | None
    residuals: Residuals | None
    blend: list[tuple[str, float, str]]  # name, percent of the longest bar, share


@dataclass(frozen=True)
class ReportView:
    outputs: list[OutputView]
    facts: list[tuple[str, str]]
    warnings: list[str]
    importance: list[tuple[str, float, str, str]]  # name, percent of the longest bar, share, its range
    measured_on: str
    curve: LossCurve


def report_view(machine: Machine) -> ReportView:
    """Return the report of the latest training for display."""
    report = machine.training_report
    number = current_formats().number
    facts = [
        (_("Rows learned from"), number(report.get("rows_trained", 0))),
        (_("Rows it was measured on"), number(report.get("rows_held_out", 0))),
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
        importance=[
            (name, 100 * share / most, current_formats().percent(share), _range(report, name))
            for name, share in importance
        ],
        measured_on=_measured_on(report.get("split") or {}),
        curve=LossCurve(report),
    )


def _range(report: Mapping[str, Any], name: str) -> str:
    """Say where a column's importance lies with 95 % confidence; "" where that was not measured."""
    found = report.get("importance_range", {}).get(name)
    return " – ".join(map(current_formats().percent, found)) if found else ""


def _measured_on(split: Mapping[str, Any]) -> str:
    """Say which rows were held back: the figures mean something else for each."""
    template = MEASURED_ON[split.get("kind", "rows")]
    return str(template) % {"column": split.get("column")}


def main_score(output: Mapping[str, Any]) -> Score | None:
    """Return the one score that stands for an output of a report; None if it has none that can be shown."""
    holdout, baseline = output.get("holdout"), output.get("baseline")
    for name in _main_names(output):
        metric = holdout.get(name) if isinstance(holdout, Mapping) else None
        if isinstance(metric, Mapping) and all(_is_finite(metric.get(key)) for key in ("value", "low", "high")):
            return _score(name, metric, baseline.get(name) if isinstance(baseline, Mapping) else None)
    return None


def _main_names(output: Mapping[str, Any]) -> tuple[str, ...]:
    return MAIN_OF_SEVERAL if output.get("task") == "multiclass" else MAIN


def task_name(output: Mapping[str, Any]) -> str:
    return str(TASKS.get(str(output.get("task")), ""))


def _output(output: Mapping[str, Any]) -> OutputView:
    baseline = output["baseline"]
    scores = [_score(name, metric, baseline.get(name)) for name, metric in output["holdout"].items()]
    shown = str(BASELINES.get(output["baseline_shown"], output["baseline_shown"]))
    return OutputView(
        name=output["name"],
        task=task_name(output),
        main=main_score(output) or scores[0],
        scores=scores,
        baseline=shown,
        verdict=_verdict(output.get("difference"), shown),
        coverage=_coverage(output.get("coverage")),
        confusion=confusion_of(output),
        reliability=reliability_of(output),
        residuals=residuals_of(output),
        blend=blend_of(output.get("weights") or {}),
    )


def _verdict(difference: Mapping[str, float] | None, rule: str) -> str:
    """Say whether the machine beats the baseline on the very same rows."""
    if not difference:
        return ""
    if difference["high"] < 0:
        return _("On the same rows it is better than “%(rule)s”.") % {"rule": rule}
    if difference["low"] > 0:
        return _("On the same rows it is worse than “%(rule)s”.") % {"rule": rule}
    return _("On the same rows it cannot be told from “%(rule)s”.") % {"rule": rule}


def _coverage(share: float | None) -> str:
    if share is None:
        return ""
    return _("%(share)s of its 90 %% ranges held the truth.") % {"share": current_formats().percent(share)}


def _score(name: str, metric: Mapping[str, float], baseline: Mapping[str, float] | None) -> Score:
    width = metric["high"] - metric["low"]

    def written(value: float) -> str:
        if name in PERCENT_DIGITS:
            return current_formats().percent(value, PERCENT_DIGITS[name])
        return current_formats().number(value, 2) if name in HUNDREDTHS else figure(value, width)

    edges = written(metric["value"]), written(metric["low"]), written(metric["high"])
    beside = written(baseline["value"]) if baseline else ""
    return Score(str(METRIC_NAMES.get(name, name)), *edges, beside, str(EXPLAINED.get(name, "")))


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
