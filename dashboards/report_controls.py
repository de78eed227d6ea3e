"""What can be chosen in a section of the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from dashboards.reporting.choice import Choice, CostsForm, costs_form
from dashboards.reporting.effect import answer_name
from dashboards.reporting.thin import columns_of
from dashboards.reporting.threshold import Costs, Threshold, entry_of

Options = list[tuple[int, str, bool]]  # number, name, whether it is chosen


@dataclass(frozen=True)
class Control:
    """A form above the pictures of a section; `template` shows it."""

    template: str
    output: int = 0
    columns: Sequence[tuple[int, str, bool]] = ()
    answers: Sequence[tuple[int, str, bool]] = ()
    form: CostsForm | None = None
    chosen: Threshold | None = None


def control_of(
    key: str, outputs: Sequence[Mapping[str, Any]], choice: Choice, asked: QueryDict, effects: Mapping[str, Any] | None
) -> Control | None:
    """The control of a section, by its key; most have none."""
    kind, _dash, number = key.partition("-")
    output = int(number or 0) if number.isdecimal() or not number else 0
    if kind == "effect" and effects:
        columns = _options([about["name"] for about in effects["columns"]], choice.column or 0)
        answers = _options([answer_name(about) for about in effects["answers"]], choice.answer)
        return Control("dashboards/report/_effect.html", columns=columns, answers=answers)
    if kind == "thin":
        columns = _options(columns_of(outputs[output]), choice.region(output) or 0)
        return Control("dashboards/report/_thin.html", output, columns)
    entry = entry_of(outputs[output]) if kind == "threshold" else None
    if entry is None:
        return None
    chosen = Threshold(entry, choice.costs.get(output, Costs()), choice.places.get(output))
    return Control("dashboards/report/_threshold.html", output, form=costs_form(asked, output), chosen=chosen)


def _options(names: Sequence[str], chosen: int) -> Options:
    place = chosen if chosen < len(names) else 0
    return [(number, name, number == place) for number, name in enumerate(names)]
