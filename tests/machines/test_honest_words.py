"""Words that must not promise more than the figures hold."""

import numpy as np
import pytest

from config.formats import Formats
from machines import answers as answers_module
from machines.answers import answer_views
from machines.reports import report_view
from machines.serving.predictor import Answer
from models import Machine


def report_of(name, value, low, high, baseline, shown):
    metric = {"value": value, "low": low, "high": high}
    output = {"name": "y", "task": "binary", "holdout": {name: metric}, "baseline_shown": shown}
    return Machine(training_report={"outputs": [output | {"baseline": {name: {"value": baseline}}}]})


@pytest.mark.parametrize(
    ("name", "figures", "shown", "said"),
    [
        ("roc_auc", (0.54, 0.43, 0.64, 0.5), "class_rates", True),
        ("roc_auc", (0.84, 0.75, 0.9, 0.5), "class_rates", False),
        ("roc_auc", (0.84, 0.75, 0.9, 0.85), "linear", False),
        ("rmse", (9.8, 9.0, 10.6, 10.0), "mean", True),
        ("rmse", (3.0, 2.5, 3.5, 10.0), "mean", False),
    ],
)
def test_no_better_than_chance_is_said(name, figures, shown, said):
    warnings = report_view(report_of(name, *figures, shown)).warnings
    assert [("“y” is answered no better than by chance" in warning) for warning in warnings] == [True] * said


def test_no_label_is_certain(monkeypatch):
    monkeypatch.setattr(answers_module, "current_formats", Formats)
    chances = {"yes": np.array([1.0], np.float32), "no": np.array([0.0], np.float32)}
    answer = Answer(name="y", values=np.array(["yes"], object), probabilities=chances)
    view = answer_views([answer], {"outputs": [{"name": "y", "classes": ["yes", "no"], "rates": [0.5, 0.5]}]})[0]
    assert view.sentence.startswith("probability >") and [row.text[0] for row in view.rows] == [">", "<"]
