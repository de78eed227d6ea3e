"""A query written once and filled in says what the queryset says."""

import pytest
from django.db import Error, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from models import Machine, User
from models.access import Action
from models.prepared import MOMENTS, NUMBERS, TEXT, Prepared
from tests.factories import make_machine


def by_name_and_owner():
    return Machine.objects.filter(machine_name=TEXT, machine_owner_user=NUMBERS[0]).values_list("pk").order_by("pk")


def test_it_works(alice, bob):
    one, two = make_machine(owner=alice, machine_name="One"), make_machine(owner=bob, machine_name="100 % ?")
    prepared = Prepared(by_name_and_owner, TEXT, NUMBERS[0])
    assert [*prepared.rows("One", alice.pk)] == [(one.pk,)]
    assert [*prepared.rows("100 % ?", bob.pk)] == [(two.pk,)]
    assert [*prepared.rows("One", bob.pk)] == [*prepared.rows("' OR 1 = 1 --", alice.pk)] == []


def test_it_is_written_once_and_asks_once(alice):
    built = []
    prepared = Prepared(lambda: built.append(1) or by_name_and_owner(), TEXT, NUMBERS[0])
    with CaptureQueriesContext(connection) as asked:
        for _ in range(3):
            prepared.rows("One", alice.pk)
    assert len(asked) == 3 and built == [1]


def test_a_value_that_stands_in_several_places(alice, bob, team):
    machine = make_machine(owner=alice, team=team)
    prepared = Prepared(
        lambda: Machine.objects.allowing(User(pk=NUMBERS[0]), Action.PREDICT).values_list("pk").order_by(), NUMBERS[0]
    )
    assert [*prepared.rows(bob.pk)] == [*prepared.rows(alice.pk)] == [(machine.pk,)]
    team.remove_user_from_team(bob)
    assert [*prepared.rows(bob.pk)] == []


def test_moments(alice):
    machine = make_machine(owner=alice)
    prepared = Prepared(lambda: Machine.objects.filter(timestamp__lte=MOMENTS[0]).values_list("pk"), MOMENTS[0])
    assert [*prepared.rows(timezone.now())] == [(machine.pk,)]
    assert [*prepared.rows(machine.timestamp)] == [(machine.pk,)]
    assert [*prepared.rows(machine.timestamp - timezone.timedelta(microseconds=1))] == []


@pytest.mark.usefixtures("db")
def test_a_value_that_is_not_used_is_a_mistake():
    with pytest.raises(ValueError, match="does not use"):
        Prepared(by_name_and_owner, TEXT, NUMBERS[0], NUMBERS[1]).rows("One", 1, 2)


@pytest.mark.usefixtures("db")
def test_what_the_database_refuses_is_told_as_django_tells_it():
    with pytest.raises(Error):
        Prepared(by_name_and_owner, TEXT, NUMBERS[0]).rows(object(), 1)
