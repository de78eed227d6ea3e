"""A machine's main score in words, with its range. Reads reports defensively: old ones stay readable."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.formats import current_formats

# The first of these that a report holds is shown.
METRICS = {
    "auc": _("ROC AUC"),
    "accuracy": _("right answers"),
    "mae": _("off by, on average"),
    "rmse": _("RMSE"),
    "r2": _("R²"),
}
TASKS = {"binary": _("Yes or no"), "multiclass": _("One of several"), "number": _("A number")}


@dataclass(frozen=True)
class Score:
    """One score of one output, written for a person."""

    output: str
    metric: str
    value: str
    low: str
    high: str


def score_of(outputs: Any) -> Score | None:
    """Return the main score of the first output that has one; `outputs` is the part of a report of that name."""
    for name, report in _named(outputs):
        holdout = report.get("holdout")
        for metric, label in METRICS.items():
            found = holdout.get(metric) if isinstance(holdout, Mapping) else None
            if isinstance(found, Mapping) and all(_is_finite(found.get(key)) for key in ("value", "low", "high")):
                return Score(name, str(label), *_written(metric, found))
    return None


def tasks_of(outputs: Any) -> dict[str, str]:
    """Return output -> what kind of answer it gives, in words."""
    return {name: str(TASKS.get(str(report.get("task")), "")) for name, report in _named(outputs)}


def _named(outputs: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Outputs as (name, report), whether they are kept as a list or by name."""
    if isinstance(outputs, Mapping):
        return [(str(name), report) for name, report in outputs.items() if isinstance(report, Mapping)]
    if isinstance(outputs, list):
        return [(str(report.get("name", "")), report) for report in outputs if isinstance(report, Mapping)]
    return []


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _written(metric: str, found: Mapping[str, float]) -> tuple[str, str, str]:
    write = _writer(metric, found["high"] - found["low"])
    return write(found["value"]), write(found["low"]), write(found["high"])


def _writer(metric: str, width: float) -> Callable[[float], str]:
    """Return how to write a value whose range is that wide: no more digits than mean something."""
    formats = current_formats()
    if metric == "accuracy":
        return formats.percent
    if metric in {"auc", "r2"}:
        return lambda value: formats.number(value, 2)
    digits = 1 - math.floor(math.log10(width)) if width > 0 else 2
    return lambda value: formats.number(round(value, digits), max(0, digits))
