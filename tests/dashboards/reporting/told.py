"""Reports of the shape that a training writes, made by plain loops from answers that the tests know."""

from typing import Any

import numpy as np

ROWS = 240
RNG = np.random.default_rng(3)
TRUTH = RNG.random(ROWS) < 0.3
CHANCES = np.round(np.clip(0.3 + 0.25 * TRUTH + RNG.normal(0, 0.2, ROWS), 0.01, 0.99), 2)  # with ties
ACTUAL = RNG.normal(100, 20, 60)
PREDICTED = ACTUAL + RNG.normal(0, 6, 60)


def operating(label: str = "yes", truth: Any = TRUTH, chances: Any = CHANCES) -> dict[str, Any]:
    at = sorted(set(chances.tolist()), reverse=True)
    return {
        "label": label,
        "rows": len(truth),
        "positives": int(truth.sum()),
        "at": at,
        "found": [sum(1 for t, c in zip(truth, chances, strict=True) if t and c >= edge) for edge in at],
        "false": [sum(1 for t, c in zip(truth, chances, strict=True) if not t and c >= edge) for edge in at],
    }


def metric(value: float, reach: float = 0.05) -> dict[str, float]:
    return {"value": value, "low": value - reach, "high": value + reach}


def line(name: str, value: float, weight: float, difference: float, reach: float = 0.01) -> dict[str, Any]:
    return {"name": name, **metric(value), "weight": weight, "seconds": 3.456, "micros": 12.3456,
            "difference": metric(difference, reach)}  # fmt: skip


def a_bin(rows: int, error: float | None = 0.2, **place: Any) -> dict[str, Any]:
    there = {"kind": "range", "low": None, "high": None, "label": None} | place
    reach = (
        {"error_low": None, "error_high": None}
        if error is None
        else {"error_low": error - 0.05, "error_high": error + 0.05}
    )
    return {**there, "rows": rows, "measured": rows // 2, "error": error, **reach}


REGIONS = [
    {"column": "size", "bins": [a_bin(100, high=40.0), a_bin(128, 0.5, low=40.0, high=60.0), a_bin(12, low=60.0)]},
    {"column": "city", "bins": [a_bin(238, kind="label", label="north"), a_bin(1, None, kind="label", label="<b>east"),
                                a_bin(1, kind="missing")]},
]  # fmt: skip
LABELS: dict[str, Any] = {
    "name": "risk", "task": "binary", "classes": ["no", "yes"], "rows": ROWS, "baseline_shown": "linear",
    "holdout": {"roc_auc": metric(0.8), "log_loss": metric(0.4), "ece": metric(0.031, 0.01)},
    "baseline": {"roc_auc": metric(0.7)}, "difference": metric(-0.1, 0.02), "weights": {"linear": 0.4, "boosting": 0.6},
    "confusion": [[150, 20], [30, 40]],
    "reliability": [{"chance": 0.1, "share": 0.12, "rows": 120, "low": 0.08, "high": 0.2},
                    {"chance": 0.6, "share": 0.5, "rows": 120, "low": 0.4, "high": 0.6}],
    "leaderboard": [line("blend", 0.4, 1.0, 0.0), line("boosting", 0.42, 0.6, 0.02), line("boosting 7", 0.45, 0.0, 0.05),
                    line("linear", 0.5, 0.4, 0.1)],
    "operating": [operating()], "regions": REGIONS, "usual_error": 0.2, "learning_curve_of": "boosting",
    "learning_curve": [{"rows": rows, **metric(value)} for rows, value in ((30, 0.6), (60, 0.5), (120, 0.45))],
}  # fmt: skip
NUMBER = {
    "name": "price", "task": "number", "classes": [], "rows": 60, "baseline_shown": "mean",
    "holdout": {"rmse": metric(6.0, 1.0), "mae": metric(4.8, 1.0), "r2": metric(0.9)}, "baseline": {"rmse": metric(20.0)},
    "difference": metric(-14.0, 2.0), "weights": {"linear": 1.0}, "coverage": 0.91, "confusion": [],
    "points": [[p, a, p - 10, p + 11] for p, a in zip(PREDICTED.tolist(), ACTUAL.tolist(), strict=True)],
    "residuals": {"edges": [-15.0, -5.0, 5.0, 15.0], "counts": [10, 40, 10]},
    "leaderboard": [line("blend", 6.0, 1.0, 0.0), line("linear", 6.0, 1.0, 0.0)], "operating": [], "reliability": [],
    "spread": [{"low": 60.0, "high": 100.0, "rows": 30, "covered": 0.9, "width": 21.0},
               {"low": 100.0, "high": 140.0, "rows": 30, "covered": 0.8, "width": 25.5}],
    "regions": [{"column": "size", "bins": [a_bin(100, 4.8, high=40.0), a_bin(140, 4.8, low=40.0)]}], "usual_error": 4.8,
    "learning_curve": [], "learning_curve_of": "",
}  # fmt: skip
NEW = ("leaderboard", "operating", "regions", "usual_error", "learning_curve", "learning_curve_of", "spread")


def old(output: dict[str, Any]) -> dict[str, Any]:
    """As a training wrote it before there was this report."""
    kept = {name: value for name, value in output.items() if name not in NEW}
    return kept | ({"points": [point[:2] for point in kept["points"]]} if "points" in kept else {})


def report(*outputs: dict[str, Any]) -> dict[str, Any]:
    return {
        "outputs": [*outputs], "rows": 240, "rows_trained": 240, "rows_held_out": 240, "seconds": 4.2, "level": 1, "seed": 1,
        "warnings": [], "training_loss": [0.9, 0.7, 0.6], "validation_loss": [0.95, None, 0.7], "loss_rounds": [1, 2, 3],
        "networks": [["network", 1]], "split": {}, "importance": {"size": 0.7, "city": 0.3},
        "importance_range": {"size": [0.6, 0.8], "city": [0.2, 0.4]},
    }  # fmt: skip
