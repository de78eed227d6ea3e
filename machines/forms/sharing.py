"""Forms of the sharing page: the team a machine belongs to, and a new public link."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.formats import current_formats
from config.shortcuts import field_of
from machines.forms.data import TeamField
from machines.forms.fields import MomentField
from models import Machine, Team, User
from models.access import Action
from models.shared_link import is_origin

MOST_USES = 1_000_000
MOST_SITES = 20
MOST_OFFERED = 100  # questions to tick, the most telling ones; a longer form is the whole form
ENOUGH = 0.8  # of what the inputs tell: as many questions are ticked beforehand
LEAST_TICKED, MOST_TICKED = 3, 8
MOST_YEARS = 10
WHOLE, SHORT = "whole", "short"
ON_DATE = "date"
_HOW_MANY = gettext_lazy("Write a whole number from 1 on, or leave it empty.")


class ShareForm(forms.Form):
    """Which team a machine belongs to. Only its owner can put it into one; an admin there can take it out."""

    team = TeamField(label=gettext_lazy("Shared with"))

    def __init__(self, machine: Machine, user: User, data: Any = None) -> None:
        super().__init__(data, initial={"team": machine.machine_owner_team_id})
        if machine.machine_owner_user_id == user.pk:
            current = Team.objects.filter(machines=machine)
            field_of(self, "team").queryset = (Team.objects.allowing(user, Action.CREATE) | current).distinct()

    @property
    def has_teams(self) -> bool:
        return len(field_of(self, "team").choices) > 1


class LinkForm(forms.Form):
    """A new link to the form of a trained machine, whose `description` the file gives."""

    name = forms.CharField(
        label=gettext_lazy("Title"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("People see it above the form. Left empty, the name above is taken."),
    )
    length = forms.ChoiceField(label=gettext_lazy("Questions"), widget=forms.RadioSelect, initial=WHOLE)
    questions = forms.MultipleChoiceField(
        label=gettext_lazy("Which ones?"), widget=forms.CheckboxSelectMultiple, required=False
    )
    days = forms.ChoiceField(label=gettext_lazy("Ends"), initial="90")
    ends_on = MomentField(type="DATE", label=gettext_lazy("Last day"), required=False)
    max_uses = forms.IntegerField(
        label=gettext_lazy("Answers at most"),
        min_value=1,
        max_value=MOST_USES,
        required=False,
        error_messages=dict.fromkeys(("invalid", "min_value"), _HOW_MANY),
    )
    allowed_sites = forms.CharField(
        label=gettext_lazy("Sites that may embed it"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "https://clinic.example.org", "spellcheck": "false"}),
        help_text=gettext_lazy("One address a line. Left empty, no other site can show it in a frame."),
    )

    def __init__(self, description: Mapping[str, Any], data: Any = None) -> None:
        super().__init__(data)
        ordered = sorted(description["inputs"], key=lambda item: -(item.get("importance") or 0))
        offered = ordered[:MOST_OFFERED]
        whole = ngettext("The whole form, %(n)s question", "The whole form, %(n)s questions", len(ordered))
        self._choices("length", [(WHOLE, whole % {"n": len(ordered)}), (SHORT, _("A short form"))])
        self._choices("questions", [(item["name"], _told(item)) for item in offered])
        self._choices(
            "days", [("", _("Never")), *((str(n), _in_days(n)) for n in (1, 7, 30, 90)), (ON_DATE, _("On a date"))]
        )
        self.fields["days"].required = False
        ticked = offered[: _enough(offered)]
        self.fields["questions"].initial = [item["name"] for item in ticked]
        self.fields["questions"].help_text = _hint(ticked)
        for name in self.fields:
            field_of(self, name).quiet_optional = True

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field_of(self, name).choices = choices

    def clean_allowed_sites(self) -> list[str]:
        return clean_sites(self.cleaned_data["allowed_sites"])

    def clean_ends_on(self) -> datetime | None:
        """Return the end of the day that was named; nothing when another end was chosen."""
        seconds = self.cleaned_data.get("ends_on")
        if self.cleaned_data.get("days") != ON_DATE:
            return None
        if seconds is None:
            raise forms.ValidationError(_("Choose the last day on which it answers."))
        now = timezone.now()
        if not 0 < seconds + 86_400 - now.timestamp() < MOST_YEARS * 366 * 86_400:
            raise forms.ValidationError(_("Choose a day between today and ten years from now."))
        return datetime.fromtimestamp(seconds, UTC) + timedelta(days=1)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("length") == SHORT and not data.get("questions") and "questions" not in self.errors:
            self.add_error("questions", _("Tick at least one question."))
        return data

    def chosen(self) -> dict[str, Any]:
        """Return what was chosen as `link_publish` takes it."""
        data = self.cleaned_data
        days = int(data["days"]) if data["days"].isdecimal() else None
        return {
            "name": data["name"],
            "questions": data["questions"] if data["length"] == SHORT else [],
            "allowed_sites": data["allowed_sites"],
            "max_uses": data["max_uses"],
            "expires_at": timezone.now() + timedelta(days=days) if days else data["ends_on"],
        }


def clean_sites(text: str) -> list[str]:
    """Return the sites that may embed something, one a line. Raises forms.ValidationError for what is no site."""
    lines = [line.strip().lower().removesuffix("/") for line in text.splitlines()]
    sites = list(dict.fromkeys(line for line in lines if line))
    wrong = next((site for site in sites if not is_origin(site)), None)
    if wrong is not None:
        told = _("“%(site)s” is no address of a site. Write it as https://clinic.example.org, without a path.")
        raise forms.ValidationError(told % {"site": wrong[:100]})
    if len(sites) > MOST_SITES:
        raise forms.ValidationError(_("At most %(n)s sites can be named.") % {"n": MOST_SITES})
    return sites


def _in_days(count: int) -> str:
    return ngettext("In %(n)s day", "In %(n)s days", count) % {"n": count}


def _told(item: Mapping[str, Any]) -> str:
    """Return a question with the share of the answer that it tells."""
    share = item.get("importance")
    return f"{item['name']} · {current_formats().percent(share)}" if share else str(item["name"])


def _enough(items: list[Mapping[str, Any]]) -> int:
    """Return how many of the first questions tell nearly all that the inputs tell; some, where that is not known."""
    shares = [max(item.get("importance") or 0, 0) for item in items]
    needed = sum(told < ENOUGH * sum(shares) for told in accumulate(shares)) + 1
    return min(max(needed if any(shares) else 5, LEAST_TICKED), MOST_TICKED, len(items))


def _hint(ticked: list[Mapping[str, Any]]) -> str:
    share = sum(item.get("importance") or 0 for item in ticked)
    if not share:
        return _("The most telling ones stand first.")
    told = _(
        "The ones ticked beforehand carry %(share)s of what the questions tell. The rest counts as “I don't know”."
    )
    return told % {"share": current_formats().percent(min(share, 1))}
