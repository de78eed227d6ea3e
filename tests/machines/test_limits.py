"""What costs time is limited per person, and the limit says when to come back."""

import threading

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from config.limits import at_most
from machines.engine.errors import DataError
from machines.services import datasets, reading
from models import User

pytestmark = pytest.mark.django_db


@at_most(3, seconds=3600)
def work(request: HttpRequest) -> HttpResponse:
    return HttpResponse("done")


def ask(user: User, method: str = "post") -> HttpResponse:
    request = getattr(RequestFactory(), method)("/")
    request.user = user
    return work(request)


def test_the_fourth_post_within_the_time_is_refused(alice):
    assert [ask(alice).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert 0 < int(ask(alice)["Retry-After"]) <= 3600


def test_each_person_has_their_own_count_and_looking_is_free(alice, bob):
    for _ in range(4):
        ask(alice)
    assert ask(bob).status_code == 200
    assert ask(alice, "get").status_code == 200


def test_only_so_many_files_are_read_at_once(alice, monkeypatch):
    monkeypatch.setattr(reading, "_PLACES", threading.BoundedSemaphore(1))
    monkeypatch.setattr(reading, "PLACE_SECONDS", 0.05)
    with reading._PLACES, pytest.raises(DataError, match="Several files are being read"):
        datasets.dataset_upload(user=alice, name="x", file_name="x.csv", chunks=[b"a,b\n1,2\n"])
    assert datasets.dataset_upload(user=alice, name="x", file_name="x.csv", chunks=[b"a,b\n1,2\n2,3\n"]).rows_count == 2
