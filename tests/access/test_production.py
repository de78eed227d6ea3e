"""The site as it runs in public: settings and answers of a process started with an https address."""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
URL = "https://answers.example.org"

ASK = """
import json, os, sys
sys.path.insert(0, "site")
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from models import User
plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # nothing is collected for this
settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
call_command("migrate", verbosity=0)
User.objects.create_user("alice@example.org", "correct horse battery staple")
client = Client(HTTP_HOST="answers.example.org", raise_request_exception=False)
ask = dict(secure=True)
def told(response):
    return {"status": response.status_code, "headers": dict(response.headers), "body": response.content.decode()[:3000]}
answers = {
    "plain": told(client.get("/accounts/login/")),
    "login page": told(client.get("/accounts/login/", **ask)),
    "nowhere": told(client.get("/nowhere/", **ask)),
    "git": told(client.get("/.git/config", **ask)),
    "listing": told(client.get("/static/", **ask)),
    "storage": told(client.get("/storage/", **ask)),
    "other host": told(client.get("/", HTTP_HOST="evil.example.org", **ask)),
    "trace": told(client.trace("/", **ask)),
}
form = {"login": "alice@example.org", "password": "correct horse battery staple"}
answers["login"] = told(client.post("/accounts/login/", form, **ask))
cookies = {name: {key: morsel[key] for key in ("secure", "httponly", "samesite", "path", "domain")}
           for name, morsel in client.cookies.items()}
user = User.objects.get()
print("ANSWER" + json.dumps({"answers": answers, "cookies": cookies, "password": user.password, "debug": settings.DEBUG}))
"""


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the site answers in production, asked once in a process of its own."""
    place = tmp_path_factory.mktemp("public")
    environment = environ(DATABASE_URL=f"sqlite:///{place / 'db.sqlite3'}", STORAGE_ROOT=str(place))
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert "ANSWER" in done.stdout, done.stderr
    return json.loads(done.stdout.partition("ANSWER")[2])


def environ(**more: str) -> dict[str, str]:
    given = {"PATH": os.environ["PATH"], "SECRET_KEY": secrets.token_urlsafe(60), "SITE_URL": URL}
    return given | {"ALLOWED_HOSTS": "answers.example.org"} | more


def test_the_session_cookie_is_for_this_host_and_https_only(public: Any):
    """3.3.1 to 3.3.4: the prefix, Secure, HttpOnly, SameSite."""
    cookie = public["cookies"]["__Host-session"]
    assert cookie["secure"] and cookie["httponly"] and cookie["samesite"] == "Lax"
    assert cookie["path"] == "/" and not cookie["domain"]


def test_every_cookie_is_secure(public: Any):
    for name, cookie in public["cookies"].items():
        assert cookie["secure"] and cookie["httponly"] and cookie["samesite"] in {"Lax", "Strict"}, name


def test_https_is_demanded_for_a_year(public: Any):
    assert public["answers"]["plain"]["status"] == 301
    assert public["answers"]["plain"]["headers"]["Location"].startswith(URL)
    for name in ("login page", "nowhere"):
        words = public["answers"][name]["headers"]["Strict-Transport-Security"].split("; ")
        assert int(words[0].removeprefix("max-age=")) >= 31_536_000 and "includeSubDomains" in words, name


def test_no_debug_no_trace_no_listing_no_git(public: Any):
    assert public["debug"] is False
    for name in ("nowhere", "git", "listing", "storage"):
        answer = public["answers"][name]
        assert answer["status"] == 404, name
        assert not [
            word for word in ("Traceback", "DEBUG = True", "urlpatterns", "ROOT_URLCONF") if word in answer["body"]
        ]
    assert public["answers"]["trace"]["status"] == 405


def test_other_hosts_are_refused(public: Any):
    assert public["answers"]["other host"]["status"] == 400


def test_passwords_are_hashed_by_argon2_at_its_current_cost(public: Any):
    from django.contrib.auth.hashers import Argon2PasswordHasher

    hasher = Argon2PasswordHasher()
    algorithm, kind, _version, cost, *_rest = public["password"].split("$")
    assert (algorithm, kind) == ("argon2", "argon2id")
    numbers = dict(part.split("=") for part in cost.split(","))
    assert int(numbers["m"]) >= hasher.memory_cost and int(numbers["t"]) >= hasher.time_cost


def test_signing_in_works_there(public: Any):
    assert public["answers"]["login"]["status"] == 302


def test_the_check_for_production_finds_nothing():
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, cwd=ROOT, env=environ(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
