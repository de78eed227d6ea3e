"""How long a work will take is learned from those before it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from machines.engine.parameters import LEVEL_SECONDS, PROMISED_ROWS
from machines.jobs.estimates import USUAL, estimate
from machines.services.works import work_make
from models import Work
from models.work import WorkKind, WorkState
from tests.factories import make_work

pytestmark = pytest.mark.django_db


def past(seconds, *, size=None, level=None, kind=WorkKind.EXPORT, state=WorkState.FINISHED):
    end = timezone.now()
    times = {"work_started_at_date_time": end - timedelta(seconds=seconds), "work_finished_at_date_time": end}
    flags = dict.fromkeys(WorkKind.values) | kind.columns | state.columns
    work = make_work(size=size, level=level, **times)
    Work.objects.filter(pk=work.pk).update(**flags)


def test_it_works():
    for size in (1_000, 10_000, 20_000, 50_000):
        past(3 + size / 1_000, size=size)
    assert estimate(WorkKind.EXPORT, size=100_000) == pytest.approx(103, abs=0.5)


def test_one_odd_work_does_not_count():
    for size in (1_000, 5_000, 10_000, 20_000, 50_000):
        past(3 + size / 1_000, size=size)
    past(9_000, size=15_000)
    assert estimate(WorkKind.EXPORT, size=100_000) == pytest.approx(103, rel=0.1)


def test_without_a_past_it_is_what_is_usual():
    past(70, size=10)
    past(80, size=10)
    assert {kind: estimate(kind, size=10) for kind in USUAL} == pytest.approx(USUAL, abs=1e-4)
    assert estimate(WorkKind.PROFILING, size=10**8) == pytest.approx(21), "of many cells it is more"
    assert {level: estimate(WorkKind.TRAINING, level=level) for level in LEVEL_SECONDS} == LEVEL_SECONDS


def test_a_training_takes_its_share_of_what_is_promised_as_those_of_its_level_did():
    for seconds in (3, 4, 5):
        past(seconds, kind=WorkKind.TRAINING, level=1, size=1_000)
        past(20 * seconds, kind=WorkKind.TRAINING, level=3, size=2 * PROMISED_ROWS)
    assert estimate(WorkKind.TRAINING, level=1, size=PROMISED_ROWS) == pytest.approx(4, abs=0.1)
    assert estimate(WorkKind.TRAINING, level=1, size=3 * PROMISED_ROWS) == pytest.approx(12, abs=0.1)
    assert estimate(WorkKind.TRAINING, level=1, size=10**6, at_most=10) == pytest.approx(8, abs=0.1)
    assert estimate(WorkKind.TRAINING, level=3, size=10) == pytest.approx(40, abs=0.1)


def test_only_what_finished_counts():
    for _ in range(3):
        past(700, state=WorkState.ERROR)
        past(700, state=WorkState.CANCELLED)
        past(700, kind=WorkKind.SOLVING)
    assert estimate(WorkKind.EXPORT, size=5) == USUAL[WorkKind.EXPORT]


def test_larger_is_never_said_to_be_faster_and_nothing_takes_no_time():
    for size, seconds in ((10, 30), (20, 20), (30, 1)):
        past(seconds, size=size)
    assert estimate(WorkKind.EXPORT, size=10**6) >= 0.1


def test_all_of_one_size():
    for seconds in (4, 5, 6):
        past(seconds, size=100)
    assert estimate(WorkKind.EXPORT, size=10**6) == pytest.approx(5, abs=0.1)


def test_a_new_work_knows_it():
    for _ in range(3):
        past(42)
    work = work_make(kind=WorkKind.EXPORT, user=None)
    assert Work.objects.get(pk=work.pk).work_duration_estimation_seconds == pytest.approx(42, abs=0.1)
