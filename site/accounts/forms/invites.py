"""What is chosen before an invitation goes out."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import DomainNameValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.forms.addresses import read_addresses
from accounts.services.invites import ROLE_WORDS, Terms, members_among, waiting_among
from accounts.services.mail import mail_works, may_mail
from config.shortcuts import field_of
from models import Machine, Team, User
from models.access import Role
from models.invite import DAYS, MOST_USES, Landing

MOST_DAYS = 30
MOST_ADDRESSES = 200
MOST_MACHINES = 200  # that a list offers; any other machine of the team can be named by its page
MOST_ERRORS = 10
whole_number = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})


class TermsForm(forms.Form):
    """What all ways to invite have in common."""

    role = forms.ChoiceField(label=gettext_lazy("Role"), initial=Role.PREDICTOR, widget=forms.RadioSelect)
    days = forms.IntegerField(
        label=gettext_lazy("Ends after"),
        min_value=1,
        max_value=MOST_DAYS,
        initial=DAYS,
        widget=whole_number,
        help_text=gettext_lazy("days"),
    )
    is_locked = forms.BooleanField(label=gettext_lazy("Only this address can use it"), required=False)
    language = forms.ChoiceField(label=gettext_lazy("Language"), required=False)
    landing = forms.ChoiceField(label=gettext_lazy("They arrive at"), choices=Landing.choices, initial=Landing.HOME)
    machine = forms.ModelChoiceField(
        label=gettext_lazy("Machine"), queryset=Machine.objects.none(), required=False, empty_label="–"
    )
    note = forms.CharField(
        label=gettext_lazy("Note to them"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, team: Team, user: User, power: Role, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.team, self.has_mail, self.may_send = team, mail_works(), may_mail(user)
        field_of(self, "role").choices = [
            (role.value, f"{role.label}: {ROLE_WORDS[role]}") for role in Role.stored() if role.rank <= power.rank
        ]
        field_of(self, "days").range_text = f"1 – {MOST_DAYS}"
        machines = Machine.objects.filter(machine_owner_team=team).only("machine_name").order_by("-pk")
        field_of(self, "machine").queryset = machines
        field_of(self, "machine").choices = self._offered(machines)
        field_of(self, "language").choices = settings.LANGUAGES
        if len(settings.LANGUAGES) == 1:
            del self.fields["language"]
        if not self.has_mail:
            del self.fields["is_locked"]  # nobody can prove an address here

    def _offered(self, machines: Any) -> list[tuple[Any, str]]:
        """Offer the newest machines, and the one that is asked for if it is an older one."""
        asked = str(self.data.get("machine") or self.initial.get("machine") or "")
        newest = list(machines[:MOST_MACHINES])
        if asked.isdecimal() and len(asked) < 19 and asked not in {str(machine.pk) for machine in newest}:
            newest += machines.filter(pk=int(asked))
        return [("", "–"), *((machine.pk, machine.machine_name) for machine in newest)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("landing") in {Landing.MACHINE, Landing.FORM}:
            if not data.get("machine") and "machine" not in self.errors:
                self.add_error("machine", _("Choose the machine at which they arrive."))
        else:
            data["machine"] = None
        return data

    @property
    def terms(self) -> Terms:
        data = self.cleaned_data
        return Terms(
            role=Role(data["role"]),
            days=data["days"],
            uses=data.get("uses", 1),
            is_locked=data.get("is_locked", False),
            domain=data.get("domain", ""),
            language=data.get("language", ""),
            landing=Landing(data["landing"]),
            machine=data["machine"],
            note=data["note"],
        )

    @property
    def is_more_open(self) -> bool:
        """Whether the folded part has something to show."""
        names = {"landing", "machine", "domain", "note", "language"}
        return bool(names & set(self.errors)) or bool(self.initial.get("machine"))


class InviteForm(TermsForm):
    """One invitation, by e-mail or as a link to copy."""

    field_order = ["role", "email", "days", "uses", "is_locked", "landing", "machine", "domain", "language", "note"]

    way = forms.ChoiceField(choices=[("link", ""), ("mail", "")])
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    uses = forms.IntegerField(
        label=gettext_lazy("For how many people"), min_value=1, max_value=MOST_USES, initial=1, widget=whole_number
    )
    domain = forms.CharField(
        label=gettext_lazy("Only addresses of this domain"),
        max_length=253,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
        help_text=gettext_lazy("such as clinic.example.org"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field_of(self, "uses").range_text = f"1 – {MOST_USES}"
        if not self.has_mail:
            del self.fields["domain"]
            self.fields["email"].help_text = _("so that you know later for whom the link is")

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if email and members_among(team=self.team, emails=[email]):
            raise forms.ValidationError(_("%(email)s is in the team already."), params={"email": email})
        if email and waiting_among(team=self.team, emails=[email]):
            words = _("An invitation waits for %(email)s already: copy its link below, or send it again.")
            raise forms.ValidationError(words, params={"email": email})
        return email

    def clean_domain(self) -> str:
        domain = str(self.cleaned_data["domain"]).lower().removeprefix("@")
        if domain:
            DomainNameValidator(message=_("Write a domain such as clinic.example.org."))(domain)
        return domain

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        email, domain = data.get("email", ""), data.get("domain", "")
        if data.get("way") == "mail" and not self.has_mail:
            self.add_error(None, _("This site cannot send e-mail. Make a link and send it yourself."))
        elif data.get("way") == "mail" and not self.may_send:
            self.add_error(None, _("Confirm your own e-mail address first, or make a link and send it yourself."))
        elif data.get("way") == "mail" and not email and "email" not in self.errors:
            self.add_error("email", _("Type the address to which the invitation goes."))
        if data.get("is_locked") and not email and "email" not in self.errors:
            self.add_error("email", _("Type the address that alone can use it."))
        if data.get("is_locked") and data.get("uses", 1) > 1:
            self.add_error("uses", _("One address is one person."))
        if email and domain and email.rpartition("@")[2] != domain:
            self.add_error("domain", _("The address above is not of this domain."))
        return data


class BulkForm(TermsForm):
    """A paste of addresses; each gets an invitation of its own, for one person."""

    field_order = ["addresses", "role", "days", "landing", "machine", "language", "note"]

    addresses = forms.CharField(
        label=gettext_lazy("E-mail addresses"),
        max_length=100_000,
        widget=forms.Textarea(
            attrs={"rows": 8, "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
        help_text=gettext_lazy("One a line, or with commas or semicolons between them. Names may stand with them."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field_of(self, "addresses").range_text = _("%(n)d at most") % {"n": MOST_ADDRESSES}
        if "is_locked" in self.fields:
            self.fields["is_locked"].label = _("Each can be used with its address only")

    def clean_addresses(self) -> list[str]:
        good, wrong = read_addresses(self.cleaned_data["addresses"])
        if wrong:
            said = _("Line %(line)d: “%(text)s” is no e-mail address.")
            raise forms.ValidationError([said % {"line": w.line, "text": w.text[:100]} for w in wrong[:MOST_ERRORS]])
        if not good:
            raise forms.ValidationError(_("Type at least one address."))
        if len(good) > MOST_ADDRESSES:
            words = {"n": len(good), "most": MOST_ADDRESSES}
            raise forms.ValidationError(_("These are %(n)d addresses. Invite %(most)d at a time.") % words)
        return good


class RoleForm(forms.Form):
    """Another role for an invitation that waits."""

    role = forms.TypedChoiceField(coerce=Role, choices=Role.stored_choices())


class AskForm(forms.Form):
    """Where the new invitation shall go that somebody asks for."""

    email = forms.EmailField(
        label=gettext_lazy("Your e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
