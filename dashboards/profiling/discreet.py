"""A profile for people who may look at a machine, but not change it: nothing of what fewer than five rows share.

What many rows share says something about the table; what a few share may say something about a person.
"""

from collections.abc import Mapping
from typing import Any

LEAST_ROWS = 5


def discreet(told: Mapping[str, Any]) -> dict[str, Any]:
    """The same profile without single values: rare ones, the lowest, the highest, and those far off."""
    return {
        **told,
        "columns": [_column(about) for about in told["columns"]],
        "by_part": [_labels(found) for found in told["by_part"]],
        "by_half": [_labels(found) for found in told["by_half"]],
        "warnings": [{**warning, "notice": warning.get("quiet", warning["notice"])} for warning in told["warnings"]],
    }


def _column(about: Mapping[str, Any]) -> dict[str, Any]:
    shown = {**about, "top": [[value, count] for value, count in about["top"] if count >= LEAST_ROWS]}
    if "quantiles" in about:  # in place of all of them the middle nine tenths
        shown["low"], shown["high"], shown["is_middle"] = about["quantiles"][0], about["quantiles"][-1], True
        if about["rows"] - about["missing"] < LEAST_ROWS / 0.05:  # so few that these are single ones, too
            shown = {name: value for name, value in shown.items() if name not in {"low", "high", "quantiles"}}
    if "outliers" in about:
        shown["outliers"] = {**about["outliers"], "examples": []}
    return shown


def _labels(found: Mapping[str, Any]) -> dict[str, Any]:
    """Without the names of rare labels; None stands in their place."""
    if found["labels"] is None:
        return {**found}
    rows = zip(found["labels"], found["label_rows"], strict=True)
    return {**found, "labels": [label if count >= LEAST_ROWS else None for label, count in rows]}
