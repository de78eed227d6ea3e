"""One table says which role may do what; every query, page and message reads it."""

import pytest

from models import Machine, Team
from models.access import LEAST_ROLE, Action, Role
from tests.factories import make_machine, make_team, make_user

# Written out by hand: a change of the table must be meant.
MAY = {
    Role.VIEWER: {"see"},
    Role.PREDICTOR: {"see", "predict"},
    Role.EDITOR: {"see", "predict", "create", "edit", "download"},
    Role.ADMIN: {
        "see", "predict", "create", "edit", "download", "publish", "delete", "invite", "manage", "keys", "audit",
    },
    Role.OWNER: set(Action.values),
}  # fmt: skip


def test_every_action_has_a_least_role():
    assert set(LEAST_ROLE) == set(Action)


@pytest.mark.parametrize("role", Role)
def test_the_table(role):
    assert {action.value for action in Action if role.may(action)} == MAY[role]


def test_there_is_one_owner_and_no_invitation_makes_another():
    assert Role.OWNER not in Role.stored() and len(Role.stored()) == 4


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role.stored())
def test_queries_follow_the_table(role, alice):
    team, member = make_team(admin=alice), make_user()
    team.add_user_to_team(member, role)
    machine = make_machine(owner=alice, team=team)
    for action in Action:
        allowed = action.value in MAY[role]
        assert Team.objects.allowing(member, action).filter(pk=team.pk).exists() is allowed
        assert Machine.objects.allowing(member, action).filter(pk=machine.pk).exists() is allowed


@pytest.mark.django_db
def test_the_maker_may_do_everything_with_a_machine_whatever_their_role(alice, bob):
    team = make_team(admin=alice)
    team.add_user_to_team(bob, Role.VIEWER)
    machine = make_machine(owner=bob, team=team)
    for action in Action:
        assert list(Machine.objects.allowing(bob, action)) == [machine]


@pytest.mark.django_db
@pytest.mark.parametrize("action", Action)
def test_strangers_former_members_and_the_deactivated_may_nothing(alice, bob, charlie, action):
    team = make_team(bob, admin=alice)
    make_machine(owner=alice, team=team)
    team.remove_user_from_team(bob)
    alice.is_active = False
    alice.save()
    for person in (alice, bob, charlie):
        assert not Machine.objects.allowing(person, action).exists()
        assert not Team.objects.allowing(person, action).exists()


@pytest.mark.django_db
def test_one_role_here_says_nothing_about_a_team_there(alice, bob):
    here, there = make_team(admin=alice), make_team(admin=alice)
    here.add_user_to_team(bob, Role.ADMIN)
    there.add_user_to_team(bob, Role.VIEWER)
    machine = make_machine(owner=alice, team=there)
    assert Machine.objects.visible_to(bob).get() == machine
    assert not Machine.objects.editable_by(bob).exists()


@pytest.mark.django_db
def test_a_second_welcome_does_not_change_the_role(alice, bob):
    team = make_team(admin=alice)
    team.add_user_to_team(bob, Role.EDITOR)
    team.add_user_to_team(bob, Role.ADMIN)
    assert team.role_of(bob) is Role.EDITOR and team.role_of(alice) is Role.OWNER
