"""Work as such, whatever its kind: who ends it, and what is left of it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from machines.engine.errors import DataError
from machines.jobs.folders import folder_of
from machines.services import works
from machines.services.works import LEFT_BEHIND, machine_held, work_finish_early, work_retry, works_prune
from machines.work_words import with_places
from models import AuditEntry, Machine, Work
from models.access import Role
from models.work import WorkKind, WorkState
from tests.api.conftest import make_key
from tests.factories import make_machine, make_work

pytestmark = pytest.mark.django_db


@pytest.fixture
def shared(team, alice):
    """Alice's training of a machine on which Bob may train, too."""
    team.memberships.update(role=Role.EDITOR)
    machine = make_machine(owner=alice, machine_owner_team=team, machine_name="Diabetes", machine_status="training")
    return make_work(machine, user=alice)


@pytest.mark.parametrize("way", ["work", "training", "rest", "deleted"])
def test_whoever_asked_is_told_when_somebody_else_ends_it(shared, bob, bob_client, alice_client, team, way):
    addresses = {"work": f"/work/{shared.pk}/cancel/", "training": f"/machines/{shared.machine_id}/training/cancel/"}
    if way == "rest":
        assert make_key(bob).post(f"work/{shared.pk}/cancel/", {}).status_code == 200
    elif way == "deleted":
        team.memberships.update(role=Role.ADMIN)
        bob_client.post(f"/machines/{shared.machine_id}/delete/", {"name": "Diabetes"})
        assert not Machine.objects.exists()
    else:
        assert bob_client.post(addresses[way]).status_code == 302
    shared.refresh_from_db()
    assert shared.state is WorkState.CANCELLED and shared.told_at is None
    assert "was cancelled by somebody else" in alice_client.get("/").content.decode()
    entry = AuditEntry.objects.get(action="work.cancelled")
    assert (entry.actor, entry.team) == (bob, team)


def test_who_ends_their_own_is_not_told(shared, alice_client):
    alice_client.post(f"/machines/{shared.machine_id}/training/cancel/")
    shared.refresh_from_db()
    assert shared.state is WorkState.CANCELLED and shared.told_at is not None
    assert not AuditEntry.objects.filter(action="work.cancelled").exists()


@pytest.mark.parametrize("kind", [kind for kind in WorkKind if kind is not WorkKind.TRAINING])
def test_only_a_training_ends_early(kind):
    work = make_work(**kind.columns)
    work.start()
    assert work_finish_early(work=work) is False and not Work.objects.get().is_finish_requested


def test_what_is_tried_again_begins_anew():
    work = make_work(make_machine(machine_status="failed"))
    work.start()
    work.report(0.9, "…", best_score=0.7, curve={"training_loss": [3, 2]})
    assert work.give_back(notice={"template": "It crashed."}) and work.start() and work.fail("…")
    assert work_retry(work=work)
    stored = Work.objects.get()
    assert (stored.progress, stored.best_score, stored.curve, stored.result) == (0.0, None, [], {})


def test_whoever_lost_it_does_not_end_what_waits_again():
    """The lease was over and the work given back; its first worker was only asleep."""
    work = make_work()
    work.start()
    assert Work.objects.get().give_back()
    assert work.fail("Out of memory.") is False and Work.objects.get().state is WorkState.WAITING


@pytest.mark.parametrize(("ago", "is_kept"), [(LEFT_BEHIND / 2, True), (LEFT_BEHIND * 2, False)])
def test_of_cancelled_work_nothing_is_kept_even_if_its_worker_died(ago, is_kept):
    work = make_work(**WorkKind.SOLVING.columns)
    work.start()
    folder = folder_of(work)
    (folder / "source").write_bytes(b"private")
    assert work.cancel()
    Work.objects.update(work_finished_at_date_time=timezone.now() - ago)
    works_prune()
    assert folder.exists() is is_kept and bool(Work.objects.get().folder) is is_kept


def test_a_work_is_locked_before_its_machine():
    work = make_work(make_machine())
    with CaptureQueriesContext(connection) as asked:
        assert machine_held(work=work) == work.machine
    assert [
        table for query in asked for table in ("models_work", "models_machine") if f'FROM "{table}"' in query["sql"]
    ] == [
        "models_work",
        "models_machine",
    ]


def test_without_its_machine_a_work_is_over():
    work = make_work(make_machine())
    work.start()
    Machine.objects.all().delete()
    assert machine_held(work=Work.objects.get()) is None and Work.objects.get().state is WorkState.CANCELLED


def test_only_what_waits_has_a_place():
    first, second, ended = (make_work(make_machine()) for _ in range(3))
    ended.cancel()
    places = dict(with_places(Work.objects.order_by("pk")).values_list("pk", "ahead"))
    assert places == {first.pk: 0, second.pk: 1, ended.pk: 0}


def test_one_person_cannot_fill_the_queue(alice, bob, machine, monkeypatch):
    monkeypatch.setattr(works, "MOST_ACTIVE", 2)
    for _ in range(2):
        works.work_make(kind=WorkKind.SOLVING, user=alice, machine=machine)
    with pytest.raises(DataError, match="You have 2 works that wait or run"):
        works.work_make(kind=WorkKind.SOLVING, user=alice, machine=machine)
    assert works.work_make(kind=WorkKind.EXPORT, user=alice), "one's own data are one's own"
    assert works.work_make(kind=WorkKind.SOLVING, user=bob, machine=machine)
    assert Work.objects.filter(user=alice).count() == 3
