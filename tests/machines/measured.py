"""A report with every figure the engine can measure, made of made-up answers: three outputs, one of each kind."""

from typing import Any

import numpy as np
import orjson

from machines.engine import metrics
from machines.engine.report import OutputReport

ROWS = 300
LABELS = tuple(f"label {number}" for number in range(1, 13))  # more than one by one on the page


def full_report() -> dict[str, Any]:
    """Return it as the database gives it back."""
    rng = np.random.default_rng(3)
    outputs = [_labels("ill", ("no", "yes"), rng), _labels("kind", LABELS, rng), _number("price", rng)]
    facts = {"rows_trained": 1200, "rows_held_out": ROWS, "level": 2, "seed": 0, "seconds": 12.0}
    report: dict[str, Any] = orjson.loads(orjson.dumps(facts | {"outputs": [output.to_json() for output in outputs]}))
    return report


def _labels(name: str, labels: tuple[str, ...], rng: np.random.Generator) -> OutputReport:
    count = len(labels)
    chances = rng.dirichlet(1.0 / np.arange(1, count + 1), ROWS)
    truth = (chances.cumsum(1) > rng.random((ROWS, 1))).argmax(1)
    rates = np.tile(np.bincount(truth, minlength=count) / ROWS, (ROWS, 1))
    table = np.bincount(truth * count + chances.argmax(1), minlength=count**2).reshape(count, count)
    return OutputReport(
        name=name,
        task="binary" if count == 2 else "multiclass",
        holdout=metrics.label_metrics(truth, chances),
        baseline_shown="class_rates",
        baselines={"class_rates": metrics.label_metrics(truth, rates)},
        samples={},
        classes=labels,
        confusion=table.tolist(),
        weights={"boosting extra 0 1": 0.3, "network": 0.4, "boosting extra 0": 0.3},
        rows=ROWS,
        difference=metrics.difference(truth, chances, rates),
        reliability=metrics.reliability(truth, chances),
    )


def _number(name: str, rng: np.random.Generator) -> OutputReport:
    truth = rng.normal(200_000, 50_000, ROWS)
    answer = truth + rng.normal(0, 20_000, ROWS)
    simple = truth + rng.normal(0, 20_000, ROWS)
    return OutputReport(
        name=name,
        task="number",
        holdout=metrics.number_metrics(truth, answer),
        baseline_shown="linear",
        baselines={"linear": metrics.number_metrics(truth, simple)},
        samples={},
        coverage=0.913,
        rows=ROWS,
        difference=metrics.difference(truth, answer, simple),
        residuals=metrics.residuals(truth, answer),
    )
