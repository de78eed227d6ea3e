from itertools import combinations

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from models import Work
from models.work import WorkKind, WorkState
from tests.factories import make_machine, make_server, make_work

pytestmark = pytest.mark.django_db

MOVES = {
    "start": (lambda w: w.start(make_server()), {"WAITING": "PROCESSING"}),
    "finish": (lambda w: w.finish({"rows": 3}), {"PROCESSING": "FINISHED"}),
    "fail": (lambda w: w.fail("Out of memory."), {"PROCESSING": "ERROR"}),
    "cancel": (lambda w: w.cancel(), {"WAITING": "CANCELLED", "PROCESSING": "CANCELLED"}),
    "request_finish": (lambda w: w.request_finish(), {"WAITING": "WAITING", "PROCESSING": "PROCESSING"}),
    "report": (lambda w: w.report(0.5, "Half"), {"PROCESSING": "PROCESSING"}),
}


def test_new_work_waits():
    work = make_work()
    assert (work.state, work.kind, work.progress) == (WorkState.WAITING, WorkKind.TRAINING, 0.0)
    assert work.is_active and work.work_started_at_date_time is None and work.machine_name == work.machine.machine_name


@pytest.mark.parametrize("state", list(WorkState))
@pytest.mark.parametrize("move", MOVES)
def test_every_transition_from_every_state(move, state):
    work = make_work(**state.columns)
    action, allowed = MOVES[move]
    target = allowed.get(state.name)

    assert action(work) is (target is not None)

    stored = Work.objects.get()
    assert stored.state is work.state is (WorkState[target] if target else state)


def test_only_one_of_two_servers_starts_it():
    work = make_work()
    first, second = Work.objects.get(), Work.objects.get()
    servers = make_server(), make_server()

    assert first.start(servers[0]) is True
    assert second.start(servers[1]) is False
    work.refresh_from_db()
    assert work.server == servers[0]


def test_started_at_is_set_once():
    work = make_work()
    before = timezone.now()
    work.start()
    started = work.work_started_at_date_time
    work.save()
    work.report(0.5)
    work.finish({})
    work.refresh_from_db()
    assert work.work_started_at_date_time == started >= before
    assert work.work_finished_at_date_time >= started and work.seconds_left is None


def test_a_report_tells_what_is_known():
    work = make_work()
    work.start()
    assert work.report(0.25, "Trees", best_score=0.8, seconds_left=30.0, curve=[[1, 0.8]])
    assert work.report(1.7)
    work.refresh_from_db()
    assert (work.progress, work.message, work.best_score, work.curve) == (1.0, "Trees", 0.8, [[1, 0.8]])


def test_the_worker_learns_that_it_was_cancelled():
    work = make_work()
    work.start()
    Work.objects.get().cancel()
    assert work.report(0.9) is False
    assert work.finish({"late": True}) is False
    assert Work.objects.get().result == {}


@pytest.mark.parametrize("pair", list(combinations(WorkState, 2)))
def test_two_states_are_refused_by_the_database(pair):
    work = make_work()
    with pytest.raises(IntegrityError), transaction.atomic():
        Work.objects.filter(pk=work.pk).update(**dict.fromkeys(WorkState.values) | dict.fromkeys(pair, True))


@pytest.mark.parametrize("nothing", [None, False])
@pytest.mark.parametrize("flags", [WorkState, WorkKind])
def test_no_state_or_kind_is_refused_by_the_database(flags, nothing):
    work = make_work()
    with pytest.raises(IntegrityError), transaction.atomic():
        Work.objects.filter(pk=work.pk).update(**dict.fromkeys(flags.values, nothing))


def test_both_kinds_are_refused_also_in_bulk():
    with pytest.raises(IntegrityError), transaction.atomic():
        Work.objects.bulk_create(
            [Work(is_work_training=True, is_work_solving=True, is_work_status_wait_for_server_start=True)]
        )


@pytest.mark.parametrize("progress", [-0.1, 1.1])
def test_progress_is_0_to_1(progress):
    work = make_work()
    with pytest.raises(IntegrityError), transaction.atomic():
        Work.objects.filter(pk=work.pk).update(progress=progress)


def test_queries():
    works = {state: make_work(**state.columns) for state in WorkState}
    solving = make_work(is_work_solving=True)

    assert set(Work.objects.active()) == {works[WorkState.WAITING], works[WorkState.PROCESSING], solving}
    assert set(Work.objects.waiting()) == {works[WorkState.WAITING], solving}
    assert set(Work.objects.trainings()) == set(works.values())


def test_visible_to(alice, bob, charlie, dana, team):
    private, shared = make_work(make_machine(owner=alice)), make_work(make_machine(owner=alice, team=team))

    assert set(Work.objects.visible_to(alice)) == {private, shared}
    assert set(Work.objects.visible_to(bob)) == {shared}
    assert set(Work.objects.visible_to(charlie)) == set()
    assert set(Work.objects.visible_to(dana)) == {private, shared}


def test_work_survives_everything(alice, charlie):
    work = make_work(make_machine(owner=alice, machine_name="Churn"), user=alice, server=make_server())
    work.server.delete()
    work.machine.delete()
    assert list(Work.objects.visible_to(alice)) == [work]
    assert list(Work.objects.visible_to(charlie)) == []
    alice.delete()
    work.refresh_from_db()
    assert (work.machine, work.server, work.user, work.machine_name) == (None, None, None, "Churn")
