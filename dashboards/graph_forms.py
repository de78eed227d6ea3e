"""The form of a graph: the places of its kind, each with the columns that fit there."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.shortcuts import field_of
from dashboards.drawing.kinds import KINDS, faults, fitting
from dashboards.graph_words import fault_sentence, place_label
from dashboards.graphs import graph_put
from machines.engine.schema import Column
from machines.forms.sharing import clean_sites
from models import Graph, Machine

MOST_OFFERED = 500  # columns of one place; the most telling ones come first
NAME_LENGTH = 200


class GraphForm(forms.Form):
    """What a graph of one kind shows. `columns` stand in the order in which they are offered."""

    graph_name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=NAME_LENGTH,
        required=False,
        help_text=gettext_lazy("Stands above it. Left empty, the kind's name is taken."),
    )

    def __init__(self, kind: int, columns: Sequence[Column], data: Mapping[str, Any]) -> None:
        super().__init__(data)
        self.kind, self.columns = kind, columns
        self.fields["graph_name"].widget.attrs["autocomplete"] = "off"
        for place, rule in KINDS[kind].items():
            names = [column.name for column in fitting(kind, place, columns)][:MOST_OFFERED]
            given = str(data.get(place) or "")
            # What was chosen stays to be seen, even where it does not fit any more: the sentence beside it says so.
            offered = [*names, *([given] if given and given not in names else [])]
            choices = [("", _("Choose a column") if rule.is_needed else _("Nothing")), *((n, n) for n in offered)]
            self.fields[place] = forms.CharField(
                label=place_label(place), required=False, widget=forms.Select(choices=choices), strip=False
            )
            field_of(self, place).quiet_optional = True

    @property
    def places(self) -> list[forms.BoundField]:
        return [self[place] for place in KINDS[self.kind]]

    @property
    def sent(self) -> dict[str, str]:
        """What was sent, or chosen for the person."""
        return {name: str(self.data.get(name) or "") for name in self.fields}

    @property
    def chosen(self) -> dict[str, str]:
        return {place: self.cleaned_data.get(place, "") for place in KINDS[self.kind]}

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        for place, fault in faults(self.kind, self.chosen, self.columns).items():
            self.add_error(place, fault_sentence(fault))
        return data

    def put(self, graph: Graph) -> Graph:
        """Write what was chosen into a graph, which is not saved by that."""
        graph.graph_name = self.cleaned_data["graph_name"]
        return graph_put(graph, kind=self.kind, chosen=self.chosen)


class GraphLinkForm(forms.Form):
    """A new public link: what it shows, until when, and who may embed it."""

    graph = forms.ModelChoiceField(Graph.objects.none(), label=gettext_lazy("What it shows"), required=False)
    days = forms.TypedChoiceField(
        label=gettext_lazy("Ends"), coerce=int, empty_value=None, required=False, initial="90"
    )
    allowed_sites = forms.CharField(
        label=gettext_lazy("Sites that may embed it"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "https://clinic.example.org", "spellcheck": "false"}),
        help_text=gettext_lazy("One address a line. Left empty, no other site can show it in a frame."),
    )

    def __init__(self, machine: Machine, data: Any = None, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        which = field_of(self, "graph")
        which.queryset, which.empty_label = machine.graphs.all(), _("The whole page of graphs")
        days = [(str(n), ngettext("In %(n)s day", "In %(n)s days", n) % {"n": n}) for n in (1, 7, 30, 90)]
        field_of(self, "days").choices = [("", _("Never")), *days]
        for name in self.fields:
            field_of(self, name).quiet_optional = True

    def clean_allowed_sites(self) -> list[str]:
        return clean_sites(self.cleaned_data["allowed_sites"])

    @property
    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=days) if days else None
