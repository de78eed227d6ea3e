"""What a person has chosen on the page of a report: columns, a threshold, costs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from dashboards.reporting.threshold import Costs
from machines.forms.fields import NumberField

MOST = 1e12
KEY = re.compile(r"(effect|thin)-(\d{1,4})-(\d{1,4})")


@dataclass(frozen=True)
class Choice:
    """Nothing chosen is what paper shows: the first few columns, and the cheapest threshold."""

    column: int | None = None  # whose effect is shown
    answer: int = 0  # on which answer
    is_paper: bool = True
    regions: Mapping[int, int] = field(default_factory=dict)  # output -> column whose errors are drawn
    costs: Mapping[int, Costs] = field(default_factory=dict)  # output -> what mistakes cost
    places: Mapping[int, int] = field(default_factory=dict)  # output -> the threshold, see threshold.Threshold

    def region(self, output: int) -> int | None:
        return None if self.is_paper else self.regions.get(output, 0)


class CostsForm(forms.Form):
    """The threshold of one output, and what its mistakes cost."""

    _bounds = (MinValueValidator(0), MaxValueValidator(MOST))
    at = forms.IntegerField(required=False, min_value=0, max_value=10_000)
    miss = NumberField(label=_("Cost of a miss"), validators=_bounds)
    alarm = NumberField(label=_("Cost of a false alarm"), validators=_bounds)
    year = NumberField(label=_("Rows a year"), validators=_bounds, required=False)


def costs_form(asked: QueryDict, output: int) -> CostsForm:
    """What was sent about this output; else a miss costs as much as a false alarm."""
    if "miss" in asked and _number(asked, "output") == output:
        return CostsForm(asked, auto_id=f"threshold-{output}-%s")
    form = CostsForm({"miss": "1", "alarm": "1"}, auto_id=f"threshold-{output}-%s")
    form.is_valid()
    return form


def choice_of(asked: QueryDict, key: str = "") -> Choice:
    """What the address says; `key` of a picture says which columns it is of. What cannot be is as if it were not said."""
    output = _number(asked, "output")
    column, answer, regions = _number(asked, "column"), _number(asked, "answer"), {output: _number(asked, "region")}
    found = KEY.fullmatch(key)
    if found and found[1] == "effect":
        column, answer = int(found[2]), int(found[3])
    elif found:
        regions = {int(found[2]): int(found[3])}
    form, costs, places = costs_form(asked, output), {}, {}
    if form.is_valid() and "miss" in asked:
        costs = {output: Costs(*(form.cleaned_data[name] for name in ("miss", "alarm", "year")))}
        if form.cleaned_data["at"] is not None and "cheapest" not in asked:
            places = {output: form.cleaned_data["at"]}
    return Choice(column, answer, False, regions, costs, places)


def _number(asked: QueryDict, name: str) -> int:
    text = asked.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else 0
