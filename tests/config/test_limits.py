"""A body that is far too large is refused before it is read, whoever sends it."""

import io

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


class Unread:
    def read(self, *size):
        pytest.fail("it was read")

    readline = read


def send(client, address, megabytes, body=None):
    extra = {"CONTENT_LENGTH": str(megabytes * 1_000_000)} | ({"wsgi.input": body} if body else {})
    return client.generic("POST", address, b"x", "multipart/form-data; boundary=x", **extra)


@pytest.mark.parametrize("address", ["/machines/new/", "/accounts/login/", "/nowhere/"])
def test_far_too_large(alice_client, settings, address):
    settings.UPLOAD_LIMIT_BYTES = settings.MODEL_UPLOAD_LIMIT_BYTES = 5_000_000
    for client in (Client(), alice_client):
        response = send(client, address, 21, Unread())
        assert response.status_code == 413 and b"too much at once" in response.content
        assert response["Content-Security-Policy"] and response["X-Content-Type-Options"] == "nosniff"


def test_a_little_too_large_is_for_the_form_to_say(alice_client, settings):
    settings.UPLOAD_LIMIT_BYTES = settings.MODEL_UPLOAD_LIMIT_BYTES = 5_000_000
    cut_off = send(alice_client, "/machines/new/", 6, io.BytesIO(b"--x--"))
    assert cut_off.status_code == 400, "it was read: the test announced more than it sent"


@pytest.mark.parametrize("length", ["", "-1", "many", "²"])
def test_nonsense_is_no_error_of_ours(length):
    assert Client().generic("GET", "/healthz", CONTENT_LENGTH=length).status_code == 200
