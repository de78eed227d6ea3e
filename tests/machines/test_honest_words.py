"""Words that must not promise more than the figures hold."""

import numpy as np

from config.formats import Formats
from machines import answers as answers_module
from machines.answers import answer_views
from machines.engine.alarms import BY_CHANCE
from machines.engine.errors import Notice, Weight
from machines.reports import report_view
from machines.serving.predictor import Answer
from models import Machine


def test_no_better_than_chance_is_said():
    notice = Notice(BY_CHANCE, {"output": "y"}, Weight.WARNING)
    (said,) = report_view(Machine(training_report={"warnings": [notice.to_json()]})).warnings
    assert said.startswith("“y” is answered no better than by a rule that looks at no input.")


def test_no_label_is_certain(monkeypatch):
    monkeypatch.setattr(answers_module, "current_formats", Formats)
    chances = {"yes": np.array([1.0], np.float32), "no": np.array([0.0], np.float32)}
    answer = Answer(name="y", values=np.array(["yes"], object), probabilities=chances)
    view = answer_views([answer], {"outputs": [{"name": "y", "classes": ["yes", "no"], "rates": [0.5, 0.5]}]})[0]
    assert view.sentence.startswith("probability >") and [row.text[0] for row in view.rows] == [">", "<"]
