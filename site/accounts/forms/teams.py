"""What people type and choose about teams."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.members import people_of
from config.shortcuts import field_of
from models import Team, User
from models.access import Action, Role
from models.audit import AuditGroup


class TeamForm(forms.ModelForm[Team]):
    class Meta:
        model = Team
        fields = ("name",)
        labels = {"name": _("Name of the team")}
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "off"})}


class RoleForm(forms.Form):
    role = forms.TypedChoiceField(label=_("Role"), choices=Role.stored_choices, coerce=Role)


class WhyForm(forms.Form):
    """Why may somebody, or may they not, do this?"""

    action = forms.TypedChoiceField(label=_("What"), choices=Action.choices, coerce=Action)


class _Person(forms.ModelChoiceField[User]):
    def label_from_instance(self, person: User) -> str:
        return f"{person.get_full_name()} · {person.email}"


class TransferForm(forms.Form):
    to = _Person(label=_("New owner"), queryset=User.objects.none(), empty_label=_("Choose a member"))
    sure = forms.BooleanField(label=_("Yes, pass the team on. Only the new owner can give it back."))

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = people_of(team).filter(place__isnull=False, is_active=True).exclude(pk=team.admin_user_id)
        field_of(self, "to").queryset = members


class DeleteForm(forms.Form):
    """The name is typed, so that nobody deletes a team by a slip."""

    name = forms.CharField(label=_("Type the name of the team"), widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.team = team

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self.team.name.strip():
            raise forms.ValidationError(
                _("Type “%(name)s”, exactly as it is written here."), params={"name": self.team.name}
            )
        return name


class LogForm(forms.Form):
    group = forms.ChoiceField(label=_("What"), choices=[("", _("Everything")), *AuditGroup.choices], required=False)
    who = forms.CharField(label=_("Person or thing"), max_length=200, required=False)
