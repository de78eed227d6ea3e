"""Why an answer is what it is, in words and bars: what the result page shows below it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from config.formats import MINUS, current_formats
from machines.figures import figure
from machines.serving.predictor import Answer
from machines.serving.reasons import Reasons

MOST_SHOWN = 6
TELLS = 0.005  # of a chance: what moves it less is not worth a line, nor is what would be written as 0


@dataclass(frozen=True)
class Reason:
    """How far one column moved the answer; `percent` is the length of its bar."""

    name: str
    text: str
    percent: float


@dataclass(frozen=True)
class ReasonsView:
    usual: str  # a sentence
    reasons: list[Reason]


def reasons_view(found: Reasons, answer: Answer, output: Mapping[str, Any]) -> ReasonsView | None:
    """Return the strongest reasons of one output's answer, and the rest as one; None where nothing moved it."""
    most = max(map(abs, found.parts.values()), default=0.0)
    written = _points if answer.probabilities else partial(_in_unit, width=most, output=output)
    least, nothing = TELLS if answer.probabilities else 0.0, written(0.0)

    def tells(part: float) -> bool:
        return abs(part) > least and written(abs(part)) != nothing

    lines = [(name, part) for name, part in found.parts.items() if tells(part)][:MOST_SHOWN]
    if not lines:
        return None
    rest = sum(found.parts.values()) + found.others - sum(part for _name, part in lines)
    if tells(rest):
        lines.append((_("Everything else"), rest))
    longest = max(abs(part) for _name, part in lines)
    reasons = [Reason(name, _signed(written(abs(part)), part), 100 * abs(part) / longest) for name, part in lines]
    return ReasonsView(_usual(found, answer, output), reasons)


def _usual(found: Reasons, answer: Answer, output: Mapping[str, Any]) -> str:
    if answer.probabilities:
        return _("With usual values the probability of “%(label)s” is %(chance)s.") % {
            "label": answer.values[0],
            "chance": current_formats().percent(found.usual),
        }
    width = max(map(abs, found.parts.values()))
    return _("With usual values the answer is %(value)s.") % {"value": _in_unit(found.usual, width, output)}


def _points(part: float) -> str:
    """A part of a chance, in percentage points."""
    return _("%(count)s points") % {"count": current_formats().number(100 * part, 0 if part >= 0.0995 else 1)}


def _in_unit(part: float, width: float, output: Mapping[str, Any]) -> str:
    unit = f" {output['unit']}" if output.get("unit") else ""
    return figure(part, width) + unit


def _signed(text: str, part: float) -> str:
    return f"{MINUS if part < 0 else '+'}{text}"
