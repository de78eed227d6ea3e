"""A call that is repeated with its Idempotency-Key gets the same answer, and nothing is done twice."""

import threading
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from machines.api import uploads
from machines.services.repeats import GIVEN_UP, KEPT, call_answered, call_claim, call_forget
from models import IdempotentCall, Machine, Work
from tests.api.conftest import Program, error_of, make_key
from tests.api.forms import upload
from tests.machines.houses import houses

KEY = {"Idempotency-Key": "0b0e7c0e-6c1c-4a52-9c2b-1f6e0d3c8a11"}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    """No worker runs here: whoever waited for a check would wait for ever."""
    monkeypatch.setattr(uploads, "WAIT_SECONDS", 0)


@pytest.fixture
def trainable(alice) -> Machine:
    return houses().machine(owner=alice)


def train(program, machine, body=None, headers=KEY):
    address = f"/api/machines/{machine.pk}/train/"
    return program.client.post(address, body or {"level": 1}, content_type="application/json", headers=headers)


def test_it_works(program):
    first, second = upload(program, headers=KEY), upload(program, headers=KEY)
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json() and Machine.objects.count() == 1
    assert "Idempotent-Replayed" not in first and second["Idempotent-Replayed"] == "true"


def test_without_the_header_each_call_counts(program):
    assert upload(program).json()["id"] != upload(program).json()["id"]
    assert not IdempotentCall.objects.exists()


@pytest.mark.parametrize("other", [{"name": "Another"}, {"file": b"\x08\x08 another file"}, {"input_columns": '["a"]'}])
def test_the_same_key_with_another_call(program, other):
    upload(program, headers=KEY)
    response = upload(program, headers=KEY, **other)
    assert response.status_code == 422 and "another call" in error_of(response)["message"]
    assert Machine.objects.count() == 1


def test_the_same_key_at_another_address(program, trainable):
    upload(program, headers=KEY)
    assert train(program, trainable).status_code == 422 and not Work.objects.filter(machine=trainable).exists()


def test_a_training_is_begun_once(program, trainable):
    first, second = train(program, trainable), train(program, trainable)
    assert first.status_code == second.status_code == 202 and first.json() == second.json()
    assert Work.objects.filter(machine=trainable).count() == 1


def test_keys_do_not_meet(program, alice, charlie):
    upload(program, headers=KEY)
    upload(make_key(charlie), headers=KEY)
    upload(make_key(alice), headers=KEY)
    assert Machine.objects.count() == 3


def test_what_was_refused_may_be_tried_again(program):
    assert upload(program, headers=KEY, name="").status_code == 400
    assert not IdempotentCall.objects.exists()
    assert upload(program, headers=KEY).status_code == 201


def test_the_first_call_is_still_under_way(program, trainable):
    _begin_and_die(program, trainable)
    response = train(program, trainable)
    assert response.status_code == 409 and error_of(response)["code"] == "conflict"
    assert not Work.objects.exists()


def test_a_process_that_died_blocks_nobody_for_ever(program, trainable):
    call = _begin_and_die(program, trainable)
    IdempotentCall.objects.filter(pk=call.pk).update(created_at=timezone.now() - GIVEN_UP - timedelta(seconds=1))
    assert train(program, trainable).status_code == 202
    assert train(program, trainable)["Idempotent-Replayed"] == "true"


def test_who_was_taken_for_dead_changes_nothing(program, trainable):
    """A call that ends after another has taken its place neither answers for it nor forgets it."""
    slow = _begin_and_die(program, trainable)
    old = timezone.now() - GIVEN_UP - timedelta(seconds=1)
    IdempotentCall.objects.filter(pk=slow.pk).update(created_at=old)
    slow.created_at = old
    call_claim(api_key=program.key, key=slow.key, fingerprint=slow.fingerprint)
    call_answered(call=slow, status=202, body={"work": "0"})
    call_forget(call=slow)
    assert IdempotentCall.objects.get().status is None


def _begin_and_die(program, machine):
    """A training whose process is killed between its claim and its end: only the claim is kept."""
    train(program, machine)
    Work.objects.all().delete()
    Machine.objects.filter(pk=machine.pk).update(machine_status="ready")
    IdempotentCall.objects.update(status=None, body=None)
    return IdempotentCall.objects.get()


def test_after_a_day_it_is_another_call(program):
    upload(program, headers=KEY)
    IdempotentCall.objects.update(created_at=timezone.now() - KEPT - timedelta(seconds=1))
    assert "Idempotent-Replayed" not in upload(program, headers=KEY)
    assert Machine.objects.count() == 2 and IdempotentCall.objects.count() == 1


def test_old_answers_are_pruned(program, capsys):
    upload(program, headers=KEY)
    upload(program, headers={"Idempotency-Key": "another"}, name="Another")
    IdempotentCall.objects.filter(key="another").update(created_at=timezone.now() - KEPT - timedelta(seconds=1))
    call_command("prune")
    assert "1 answered calls deleted" in capsys.readouterr().out
    assert IdempotentCall.objects.get().key == KEY["Idempotency-Key"]


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb", "ä"])
def test_a_key_that_is_none(program, key):
    response = upload(program, headers={"Idempotency-Key": key})
    assert response.status_code == 400 and "Idempotency-Key" in error_of(response)["fields"]
    assert not Machine.objects.exists()


def test_a_body_that_is_nested_without_end(program, trainable):
    body = b'{"level": ' + b"[" * 400 + b"]" * 400 + b"}"
    response = train(program, trainable, body)
    assert response.status_code == 400 and error_of(response)["code"] == "malformed"


def test_looking_needs_none(program):
    assert program.get("models/", headers=KEY).status_code == 200 and not IdempotentCall.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_moment_one_is_done(alice):
    program, answers = make_key(alice), []
    together = threading.Barrier(2)

    def call():
        try:
            together.wait()
            answers.append(upload(Program(program.secret), headers=KEY))
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Machine.objects.count() == 1
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses in ([201, 201], [201, 409])
    assert upload(program, headers=KEY)["Idempotent-Replayed"] == "true"
