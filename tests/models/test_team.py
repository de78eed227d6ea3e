from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Permission

from models import Invite, Machine, Team
from tests.factories import make_machine

pytestmark = pytest.mark.django_db


def test_it_works(team, alice, bob, charlie):
    assert team.has_member(alice) and team.has_member(bob) and not team.has_member(charlie)
    assert str(team) == "Alice and Bob"


def test_permission_has_the_name_of_the_seed(team, bob, charlie):
    assert team.permission.codename == f"can_use_team_{team.pk}"
    assert team.create_permission() == team.permission
    assert bob.user_permissions.filter(pk=team.permission.pk).exists()
    assert not charlie.user_permissions.exists()


def test_removing_takes_membership_and_permission(team, bob):
    team.remove_user_from_team(bob)

    assert not team.has_member(bob)
    assert not bob.user_permissions.exists()
    team.remove_user_from_team(bob)  # again is no error


def test_the_admin_cannot_be_removed(team, alice):
    with pytest.raises(ValueError, match="admin"):
        team.remove_user_from_team(alice)


def test_link_is_a_url_that_cannot_be_guessed_and_is_not_stored(team, settings):
    first, second = team.generate_link(), team.generate_link()

    assert first != second and first.startswith(f"{settings.SITE_URL}/invites/")
    token = urlsplit(first).path.split("/")[2]
    assert len(token) == 43  # 256 bits
    assert Invite.objects.by_token(token).get().team == team
    stored = [str(value) for row in Invite.objects.values() for value in row.values()]
    assert token not in stored and team.url is None


@pytest.mark.parametrize("one_by_one", [True, False])
def test_deleting_leaves_machines_and_no_permission(team, alice, bob, one_by_one):
    machine = make_machine(owner=alice, team=team)
    codename = team.permission.codename

    if one_by_one:
        team.delete()
    else:
        Team.objects.filter(pk=team.pk).delete()

    assert not Permission.objects.filter(codename=codename).exists()
    machine.refresh_from_db()
    assert machine.machine_owner_user == alice and machine.machine_owner_team is None
    assert not Machine.objects.visible_to(bob).exists()


def test_who_goes_leaves_shared_machines_to_the_team(team, alice, bob):
    shared, own = make_machine(owner=bob, team=team), make_machine(owner=bob)

    team.remove_user_from_team(bob)

    shared.refresh_from_db()
    own.refresh_from_db()
    assert (shared.machine_owner_user, own.machine_owner_user) == (alice, bob)
    assert list(Machine.objects.visible_to(bob)) == [own]
