"""The administration: nobody makes themselves more powerful there, and nothing is written that was not changed."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from models import Machine, User
from models.machine import MachineStatus
from tests.conftest import signed_in
from tests.factories import make_machine, make_team, make_user

pytestmark = pytest.mark.django_db

EVERYTHING = {"is_staff": "on", "is_superuser": "on", "is_super_admin": "on"}


@pytest.fixture
def helper():
    """Staff who may change people, and nothing else."""
    user = make_user(email="helper@example.org", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=["change_user", "view_user"]))
    return user


def send(client, thing, **fields):
    page = client.get(reverse(f"admin:models_{thing._meta.model_name}_change", args=[thing.pk]))
    given = {}
    if page.context and "adminform" in page.context:
        form = page.context["adminform"].form
        given = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
        inlines = page.context["inline_admin_formsets"]
        given |= {f"{i.formset.prefix}-{n}": v for i in inlines for n, v in i.formset.management_form.initial.items()}
    given = {name: value for name, value in given.items() if value is not None and value is not False} | fields
    return client.post(page.wsgi_request.path, given)


def powers(user):
    user = User.objects.get(pk=user.pk)
    return (user.is_staff, user.is_superuser, user.is_super_admin, user.user_permissions.count())


@pytest.mark.parametrize("target", ["helper", "alice"])
def test_who_may_change_people_gives_no_power(request, helper, target):
    person = request.getfixturevalue(target)
    before = powers(person)
    response = send(signed_in(helper), person, first_name="Changed", **EVERYTHING)
    assert response.status_code == 302 and User.objects.get(pk=person.pk).first_name == "Changed"
    assert powers(person) == before


def test_who_may_change_people_cannot_take_over_an_administrator(helper, dana):
    assert send(signed_in(helper), dana, email="mine@example.org").status_code == 403
    assert User.objects.get(pk=dana.pk).email == "dana@example.org"


def test_who_may_make_members_lets_nobody_into_a_team_they_do_not_see(helper, team, charlie):
    helper.user_permissions.add(*Permission.objects.filter(codename="add_membership"))
    sent = {"team": team.pk, "user": helper.pk, "role": "admin"}
    page = signed_in(helper).post(reverse("admin:models_membership_add"), sent)
    assert "Select a valid choice" in page.content.decode()
    assert not team.has_member(helper)
    own = make_team(helper, admin=charlie)
    signed_in(helper).post(
        reverse("admin:models_membership_add"), {"team": own.pk, "user": team.admin_user_id, "role": "viewer"}
    )
    assert own.has_member(team.admin_user)


def test_an_administrator_gives_power(dana_client, alice):
    assert send(dana_client, alice, **EVERYTHING).status_code == 302
    assert powers(alice)[:3] == (True, True, True)


def test_a_machine_that_is_renamed_while_it_trains_stays_in_training(dana_client, monkeypatch, alice):
    machine = make_machine(machine_owner_user=alice)
    save = Machine.save

    def train_just_before(self, *args, **kwargs):
        Machine.objects.update(machine_status=MachineStatus.TRAINING)
        save(self, *args, **kwargs)

    monkeypatch.setattr(Machine, "save", train_just_before)
    assert send(dana_client, machine, machine_name="Renamed").status_code == 302
    machine.refresh_from_db()
    assert (machine.machine_name, machine.machine_status) == ("Renamed", MachineStatus.TRAINING)
