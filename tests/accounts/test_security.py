"""What every answer and every password keeps to."""

import io
import logging

import pytest

from config.logs import LineFormatter
from models import User
from tests.factories import PASSWORD, make_ready_machine

PRIVATE = ["/", "/machines/", "/accounts/profile/", "/accounts/security/", "/accounts/data/", "/nothing-here/"]


@pytest.fixture
def client(client, alice):
    client.force_login(alice)
    return client


@pytest.mark.parametrize("path", PRIVATE)
def test_nothing_private_stays_in_the_browser(client, path):
    assert "no-store" in client.get(path)["Cache-Control"]


def test_a_download_is_not_kept_and_still_works(client, alice):
    machine = make_ready_machine(owner=alice, nn_model=b"the model")
    response = client.get(f"/machines/{machine.pk}/download/")
    assert "no-store" in response["Cache-Control"]
    assert response.getvalue() == b"the model"


def test_what_everybody_may_see_may_be_kept(visitor):
    assert "no-store" not in visitor.get("/healthz").get("Cache-Control", "")


def test_signing_out_is_not_kept_either(client):
    assert "no-store" in client.post("/accounts/logout/")["Cache-Control"]


@pytest.mark.parametrize("path", ["/", "/healthz", "/accounts/profile/", "/nothing-here/"])
@pytest.mark.parametrize("method", ["TRACE", "TRACK", "DEBUG"])
def test_methods_that_nobody_needs_are_refused(client, method, path):
    response = client.generic(method, path)
    assert response.status_code == 405
    assert "GET" in response["Allow"]


def logged(*args, **kwargs):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter("{levelname} {message}", style="{"))
    logger = logging.Logger("test")
    logger.addHandler(handler)
    logger.error(*args, **kwargs)
    return stream.getvalue()


@pytest.mark.parametrize("control", ["\n", "\r", "\r\n", "\x1b[2J", "\x85", "\u2028", "\x0b", "\x00"])
def test_nobody_can_forge_a_line_of_the_log(control):
    line = logged("Not found: %s", f"/x{control}ERROR all is lost")
    assert len(line.splitlines()) == 1
    assert "/x\\" in line and line.isascii() and line[:-1].isprintable()


def test_a_traceback_cannot_pass_for_a_line_either():
    try:
        raise ValueError("typed\nERROR all is lost\r\x1b[2J")
    except ValueError:
        lines = logged("It failed", exc_info=True).rstrip("\n").split("\n")
    assert lines[0] == "ERROR It failed"
    assert all(line.startswith("    ") and "\r" not in line and "\x1b" not in line for line in lines[1:])


def test_the_console_uses_it():
    console = next(handler for handler in logging.getLogger().handlers if type(handler) is logging.StreamHandler)
    assert isinstance(console.formatter, LineFormatter)


def sign_up(visitor, password):
    visitor.post("/accounts/signup/", {"email": "new@example.org", "password1": password})
    return User.objects.filter(email="new@example.org").first()


@pytest.mark.parametrize("password", ["1234567", "zx8!kq2", "password1", "qwertyuiop", "new@example.org"])
def test_a_weak_password_is_refused(visitor, db, password):
    assert sign_up(visitor, password) is None


@pytest.mark.parametrize("password", ["zx8!kq2w", "correct horse battery staple " * 5, "pässwörd mit ümlaut ✓"])
def test_a_long_or_strange_password_is_taken_whole(visitor, db, password):
    user = sign_up(visitor, password)
    assert user.check_password(password.strip()) or user.check_password(password)
    assert not user.check_password(password[:64] if len(password) > 64 else password[:-1])


def test_passwords_are_kept_as_argon2(django_user_model, settings):
    from django.contrib.auth.hashers import make_password

    from config import settings as ours

    settings.PASSWORD_HASHERS = ours.PASSWORD_HASHERS
    assert make_password(PASSWORD).startswith("argon2$argon2id$")
