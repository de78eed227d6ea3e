"""The log of actions only grows, and is read by those it concerns."""

import pytest

from models import AuditEntry
from models.access import Role
from models.audit import AuditAction, record
from tests.factories import make_machine, make_team

pytestmark = pytest.mark.django_db


def test_it_works(team, alice):
    machine = make_machine(owner=alice, team=team, machine_name="Houses")
    entry = record(AuditAction.MACHINE_SHARED, actor=alice, team=team, target=machine, level=2)
    entry.refresh_from_db()
    assert (entry.actor_name, entry.team_name, entry.object_type) == ("alice@example.org", team.name, "machine")
    assert (entry.object_id, entry.object_name, entry.details) == (str(machine.pk), "Houses", {"level": 2})
    assert str(entry) == "alice@example.org shared a machine with the team Houses"


def test_entries_are_neither_changed_nor_deleted(alice):
    entry = record(AuditAction.SIGNED_IN, actor=alice)
    for forbidden in (entry.save, entry.delete, AuditEntry.objects.all().delete, AuditEntry.objects.update):
        with pytest.raises(TypeError):
            forbidden()
    assert AuditEntry.objects.count() == 1


def test_they_outlive_their_people_team_and_object(team, bob):
    machine = make_machine(owner=bob)
    record(AuditAction.MACHINE_DELETED, actor=bob, team=team, target=machine)
    machine.delete()
    bob.delete()
    name = team.name
    team.delete()
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.team, entry.actor_name, entry.team_name) == (None, None, "bob@example.org", name)


def test_who_may_read_what(alice, bob, charlie, dana):
    team = make_team(admin=alice)
    team.add_user_to_team(bob, Role.EDITOR)
    mine, theirs = record(AuditAction.SIGNED_IN, actor=bob), record(AuditAction.TEAM_RENAMED, actor=alice, team=team)
    assert list(AuditEntry.objects.visible_to(bob)) == [mine]
    assert list(AuditEntry.objects.visible_to(alice)) == [theirs]
    assert list(AuditEntry.objects.visible_to(charlie)) == []
    assert AuditEntry.objects.visible_to(dana).count() == 2


def test_who_was_refused_does_not_read_what_they_were_refused(alice, charlie, team):
    refusal = record(AuditAction.DENIED, actor=charlie, team=team, target=make_machine(owner=alice, team=team))
    assert not AuditEntry.objects.visible_to(charlie).exists()
    assert list(AuditEntry.objects.visible_to(alice)) == [refusal]


def test_a_team_sees_how_its_members_sign_in_since_they_joined(alice, bob, charlie):
    before = record(AuditAction.SIGNED_IN, actor=bob)
    team = make_team(bob, admin=alice)
    since, stranger = record(AuditAction.SIGNED_IN, actor=bob), record(AuditAction.SIGNED_IN, actor=charlie)
    seen = set(AuditEntry.objects.of_team(team))
    assert since in seen and not {before, stranger} & seen
