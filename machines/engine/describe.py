"""What a machine's file says about itself: enough to build its prediction form without the data."""

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from machines.engine.encode_text import order
from machines.engine.prepare import Target
from machines.engine.schema import Column, DataType, Schema, Table

VERSION = 1
LIBRARIES = ("torch", "scikit-learn", "onnx", "numpy")
MOST_LABELS_LISTED = 200


def describe_inputs(table: Table, inputs: Sequence[Column], importance: Mapping[str, float]) -> list[dict[str, Any]]:
    """Per input, from the rows trained on: missing share; low, median, high of numbers; labels by frequency."""
    return [
        describe_input(column, table[column.name]) | {"importance": importance.get(column.name)} for column in inputs
    ]


def describe_input(column: Column, values: NDArray[Any]) -> dict[str, Any]:
    """One input's part of it."""
    common = {"name": column.name, "type": str(column.type), "unit": column.unit, "description": column.description}
    if column.type.is_numeric:
        missing = ~np.isfinite(values) | (column.zero_is_missing & (values == 0))
        known = values[~missing]
        low, median, high = np.quantile(known, [0.0, 0.5, 1.0]).tolist() if len(known) else (None, None, None)
        whole = bool(len(known)) and bool((known == np.floor(known)).all())
        numbers = {"low": low, "median": median, "high": high, "whole": whole}
        return common | numbers | {"missing": float(missing.mean())}
    missing_share = float((values == "").mean())
    if column.type is DataType.LABEL:
        labels = [label for label, _ in order(values, MOST_LABELS_LISTED)]
        return common | {"labels": labels, "missing": missing_share}
    return common | {"missing": missing_share}


def describe_output(target: Target, train: NDArray[Any]) -> dict[str, Any]:
    """One output's part: task, classes and rates, or mean, low and high. `train` holds the trained rows' values."""
    column = target.column
    common = {
        "name": column.name,
        "task": target.task,
        "unit": column.unit,
        "description": column.description,
        "classes": list(target.classes),
    }
    if target.classes:
        total = sum(target.counts)
        return common | {"rates": [count / total for count in target.counts]}
    low, high = (float(edge) for edge in (train.min(), train.max()))
    return common | {"mean": target.mean, "std": target.std, "low": low, "high": high}


def metadata(
    schema: Schema, inputs: list[dict[str, Any]], outputs: list[dict[str, Any]], report: Mapping[str, Any]
) -> dict[str, Any]:
    """The JSON object in metadata_props["easyautoml"]."""
    return {
        "version": VERSION,
        "columns": schema.to_json(),
        "inputs": inputs,
        "outputs": outputs,
        "report": _summary(report),
        "rows": report["rows"],
        "level": report["level"],
        "seed": report["seed"],
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "libraries": {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES},
    }


def _summary(report: Mapping[str, Any]) -> dict[str, Any]:
    """The report without what only graphs need."""
    kept = ("rows", "rows_trained", "rows_held_out", "seconds", "epochs", "warnings", "samples")
    shown = ("name", "task", "holdout", "baseline", "baseline_shown", "coverage", "weights")
    outputs = [{key: output[key] for key in shown} for output in report["outputs"]]
    return {key: report[key] for key in kept} | {"outputs": outputs}
