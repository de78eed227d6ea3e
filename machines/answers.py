"""An answer in words, a bar and a table: what the result page shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from config.formats import current_formats
from machines.answer_reasons import ReasonsView, reasons_view
from machines.figures import figure
from machines.services.texts import sentence
from machines.serving.predictor import Answer
from machines.serving.reasons import Reasons
from machines.serving.uploaded import is_nothing, unusual

MOST_CLASSES = 8  # rows of the small table
NOTHING = "–"
UNSURE = 1e-6  # no label is certain or impossible, even where 32 bits say so


@dataclass(frozen=True)
class Row:
    """One line of the table beside the bar."""

    label: str
    text: str
    percent: float | None = None


@dataclass(frozen=True)
class Meter:
    """A value on its scale; positions are 0..100."""

    value: float
    start: float = 0.0
    width: float = 0.0
    left: str = ""
    right: str = ""


@dataclass(frozen=True)
class AnswerView:
    name: str
    description: str
    outcome: str
    sentence: str
    average: str
    meter: Meter | None
    rows: list[Row]
    why: ReasonsView | None = None


def answer_views(
    answers: list[Answer], description: Mapping[str, Any], reasons: Sequence[Reasons] = ()
) -> list[AnswerView]:
    """Return each output's first row in the reader's words, with its reasons where they are given."""
    outputs = {output["name"]: output for output in description["outputs"]}
    views = {answer.name: _view(answer, outputs[answer.name]) for answer in answers}
    given = {answer.name: answer for answer in answers}
    for found in reasons:
        name = found.output
        views[name] = replace(views[name], why=reasons_view(found, given[name], outputs[name]))
    return list(views.values())


def _view(answer: Answer, output: Mapping[str, Any]) -> AnswerView:
    if output.get("interval", True):
        return _label_view(answer, output) if answer.probabilities else _number_view(answer, output)
    if is_nothing(answer)[0]:
        return _told_view(answer, output, NOTHING, _("The model gave no usable answer"))
    if answer.probabilities:
        return _told_chances(answer, output)
    return _told_number(answer, output) if answer.values.dtype != object else _told_label(answer, output)


def _label_view(answer: Answer, output: Mapping[str, Any]) -> AnswerView:
    percent = current_formats().percent
    chances = {label: min(max(float(p[0]), UNSURE), 1 - UNSURE) for label, p in answer.probabilities.items()}
    label = str(answer.values[0])
    rate = dict(zip(output["classes"], output["rates"], strict=True)).get(label, 0.0)
    ordered = sorted(chances.items(), key=lambda item: -item[1])[:MOST_CLASSES]
    return AnswerView(
        name=answer.name,
        description=output.get("description", ""),
        outcome=label,
        sentence=_("probability %(chance)s") % {"chance": percent(chances[label])},
        average=_("In all the data: %(rate)s.") % {"rate": percent(rate)},
        meter=Meter(100 * chances[label], left=percent(0), right=percent(1)),
        rows=[Row(name, percent(chance), 100 * chance) for name, chance in ordered],
    )


def _number_view(answer: Answer, output: Mapping[str, Any]) -> AnswerView:
    assert answer.low is not None and answer.high is not None
    value, low, high = float(answer.values[0]), float(answer.low[0]), float(answer.high[0])
    unit = f" {output['unit']}" if output.get("unit") else ""
    width = high - low

    def number(number: float, digits: int = 2) -> str:
        return figure(number, width, digits) + unit

    bottom, top = min(output["low"], low), max(output["high"], high)
    scale = 100 / ((top - bottom) or 1.0)
    return AnswerView(
        name=answer.name,
        description=output.get("description", ""),
        outcome=number(value, 3),
        sentence=_("likely %(low)s to %(high)s") % {"low": number(low), "high": number(high)},
        average=_("In 9 of 10 similar cases the true value lies in this range. Average of all the data: %(mean)s.")
        % {"mean": number(output["mean"])},
        meter=Meter(
            (value - bottom) * scale, (low - bottom) * scale, (high - low) * scale, number(bottom), number(top)
        ),
        rows=[
            Row(_("Lowest likely"), number(low)),
            Row(_("Best guess"), number(value, 3)),
            Row(_("Highest likely"), number(high)),
        ],
    )


def _told_view(answer: Answer, output: Mapping[str, Any], outcome: str, words: str, **more: Any) -> AnswerView:
    """An uploaded model's answer: what it does not tell, nobody makes up."""
    told = {"average": "", "meter": None, "rows": []} | more
    return AnswerView(answer.name, output.get("description", ""), outcome=outcome, sentence=words, **told)


def _told_chances(answer: Answer, output: Mapping[str, Any]) -> AnswerView:
    percent = current_formats().percent
    chances = {label: float(chance[0]) for label, chance in answer.probabilities.items()}
    label, ordered = str(answer.values[0]), sorted(chances.items(), key=lambda item: -item[1])[:MOST_CLASSES]
    return _told_view(
        answer,
        output,
        label,
        _("probability %(chance)s") % {"chance": percent(chances[label])},
        average=" ".join(sentence(notice) for notice in unusual([answer])),
        meter=Meter(100 * chances[label], left=percent(0), right=percent(1)),
        rows=[Row(name, percent(chance), 100 * chance) for name, chance in ordered],
    )


def _told_label(answer: Answer, output: Mapping[str, Any]) -> AnswerView:
    return _told_view(answer, output, str(answer.values[0]), _("This model tells no chances"))


def _told_number(answer: Answer, output: Mapping[str, Any]) -> AnswerView:
    value, low, high = float(answer.values[0]), output.get("low"), output.get("high")
    unit = f" {output['unit']}" if output.get("unit") else ""
    number = current_formats().number
    meter = None
    if low is not None and high is not None and low < high:
        share = min(max((value - low) / (high - low), 0.0), 1.0)
        meter = Meter(100 * share, left=number(low) + unit, right=number(high) + unit)
    return _told_view(answer, output, number(value) + unit, _("This model tells no range"), meter=meter)
