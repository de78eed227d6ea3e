"""Rules of the house that no linter knows: the tree, the settings, the headers, what may stand in a file."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from config import environment as env

ROOT = Path(__file__).parents[1]
LONG = "x" * 50


def tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout; clone the repository to check its tracked files")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def text_of(path):
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


# The tree


def test_site_is_no_package():
    assert not (ROOT / "site" / "__init__.py").exists()


def test_migrations_have_names():
    names = [path.stem for path in ROOT.glob("*/migrations/[0-9]*.py")]
    assert "0001_initial" in names
    assert [name for name in names if "auto" in name or not re.fullmatch(r"\d{4}_[a-z0-9_]+", name)] == []


def test_no_tracked_file_knows_this_machine_or_a_registry():
    """Another checkout lies elsewhere, and package registries are a matter of each machine's own settings."""
    home = rf"{re.escape(str(ROOT.parent))}/(?:{re.escape(ROOT.name)}|shared|\.library)"
    bad = re.compile(
        rf"{home}\b|/home/\w+/|/Users/\w+/|https?://[\w.-]*(?:pypi|pythonhosted|npmjs|jsdelivr|unpkg|cdnjs)[\w.-]*"
    )
    found = [f"{path.relative_to(ROOT)}: {hit}" for path in tracked() for hit in bad.findall(text_of(path))]
    assert found == []


def test_no_secret_and_no_rubbish_is_tracked():
    names = [path.relative_to(ROOT).as_posix() for path in tracked()]
    bad = re.compile(
        r"(^|/)(\.env|secret_key|db\.sqlite3|__pycache__|\.DS_Store|node_modules)(/|$)|\.(pyc|orig|rej|swp|pem|key)$"
    )
    assert [name for name in names if bad.search(name)] == []


# Templates and headers

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
INLINE = re.compile(
    r"\sstyle\s*=|<style\b|\son[a-z]+\s*=\s*[\"']|javascript:|<script(?![^>]*\bsrc=)(?![^>]*application/json)",
    re.IGNORECASE,
)


# A file to take away has its style in itself, as it goes without the site; it is never a page of the site.
TAKEN_AWAY = {"templates/dashboards/export/report.html: <style"}


def test_no_template_holds_code_or_styles():
    assert len(TEMPLATES) > 40
    found = [f"{path.relative_to(ROOT)}: {hit}" for path in TEMPLATES for hit in INLINE.findall(path.read_text())]
    assert [hit for hit in found if hit not in TAKEN_AWAY] == []


def test_no_template_asks_another_server():
    found = [path.name for path in TEMPLATES if re.search(r"(?:src|href)=[\"'](?:https?:)?//", path.read_text())]
    assert found == []


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/", "/accounts/login/", "/machines/", "/nowhere/", "/healthz"])
def test_headers(address):
    response = Client().get(address)
    policy = response["Content-Security-Policy"]
    assert "unsafe-inline" not in policy and "unsafe-eval" not in policy and "*" not in policy and "http:" not in policy
    for directive in (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ):
        assert directive in policy
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Frame-Options"] == "DENY"


@pytest.mark.django_db
def test_healthz():
    response = Client().get("/healthz")
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    assert response.json() == {"status": "ok"}
    assert not response.cookies


@pytest.mark.django_db
def test_an_unknown_host_is_refused():
    assert Client().get("/", headers={"host": "evil.example.org"}).status_code == 400


# Settings


def settings_variables():
    text = (ROOT / "site" / "config" / "settings.py").read_text()
    return set(re.findall(r"\benv\.\w+\(\s*\"([A-Z_]+)\"", text))


def test_every_variable_is_documented():
    documented = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert len(settings_variables()) > 15
    assert documented == settings_variables()


def start(**variables):
    """Start the site with these variables, in a process of its own."""
    environment = {"PATH": os.environ["PATH"], "SECRET_KEY": LONG} | variables
    command = [sys.executable, "manage.py", "check"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def test_nonsense_stops_the_start_with_one_sentence():
    answer = start(DEBUG="perhaps")
    assert answer.returncode != 0
    assert answer.stderr.strip().splitlines()[-1].endswith("DEBUG is “perhaps”. Write True or False.")


def test_good_values_start():
    answer = start(
        DEBUG="off", SITE_URL="https://answers.example.org/", UPLOAD_LIMIT_MB="5", CACHE_URL="locmemcache://"
    )
    assert answer.returncode == 0, answer.stderr


@pytest.fixture
def variable(monkeypatch):
    monkeypatch.delenv("THING_FILE", raising=False)
    return lambda value: monkeypatch.setenv("THING", value)


@pytest.mark.parametrize(
    ("value", "read"),
    [("True", True), ("true", True), ("1", True), ("yes", True), ("ON", True), (" true ", True), ("False", False), ("0", False),
     ("no", False), ("off", False), ("", False)],
)  # fmt: skip
def test_booleans(variable, value, read):
    variable(value)
    assert env.boolean("THING", False) is read


WRONG = [
    (env.boolean, "perhaps", {"default": False}, "Write True or False"),
    (env.boolean, "2", {"default": False}, "Write True or False"),
    (env.integer, "ten", {"default": 1, "at_least": 1}, "whole number of 1 or more"),
    (env.integer, "0", {"default": 1, "at_least": 1}, "whole number of 1 or more"),
    (env.integer, "-5", {"default": 1, "at_least": 1}, "whole number of 1 or more"),
    (env.integer, "1.5", {"default": 1, "at_least": 1}, "whole number of 1 or more"),
    (env.integer, "²", {"default": 1, "at_least": 1}, "whole number of 1 or more"),
    (env.choice, "LOUD", {"default": "INFO", "allowed": ("DEBUG", "INFO")}, "one of: DEBUG, INFO"),
    (env.site_url, "answers.example.org", {"default": ""}, "Write an address such as"),
    (env.site_url, "ftp://x", {"default": ""}, "Write an address such as"),
    (env.site_url, "https://", {"default": ""}, "Write an address such as"),
    (env.database, "klingon://user:hush@host/name", {"default": ""}, "Write for example"),
    (env.database, "nonsense", {"default": ""}, "Write for example"),
    (env.email, "pigeon://user:hush@roof", {"default": ""}, "Write for example"),
    (env.cache, "memory", {"default": ""}, "Write for example"),
    (env.secret, "short", {"keep_in": Path("never-written")}, "shorter than 50 characters"),
]  # fmt: skip


@pytest.mark.parametrize(("read", "value", "kwargs", "said"), WRONG, ids=lambda value: getattr(value, "__name__", None))
def test_a_wrong_value_is_refused_with_a_sentence(variable, read, value, kwargs, said):
    variable(value)
    with pytest.raises(ImproperlyConfigured, match=said) as refused:
        read("THING", **kwargs)
    assert str(refused.value).startswith("THING ") and "\n" not in str(refused.value)
    assert "hush" not in str(refused.value), "it may hold a password"
    assert not Path("never-written").exists()


def test_a_value_may_come_from_a_file(monkeypatch, tmp_path):
    (tmp_path / "value").write_text("from the file\n")
    monkeypatch.setenv("THING_FILE", str(tmp_path / "value"))
    monkeypatch.setenv("THING", "from the variable")
    assert env.text("THING", "") == "from the file"


def test_a_file_that_is_not_there_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("THING_FILE", str(tmp_path / "nowhere"))
    with pytest.raises((ImproperlyConfigured, FileNotFoundError), match="nowhere"):
        env.text("THING", "")


def test_words(variable):
    variable(" a, b ,,c ")
    assert env.words("THING", "") == ["a", "b", "c"]


@pytest.mark.parametrize(
    "value", ["postgres://me:p%40ss@db:5432/name", "postgresql://me@db/name", "sqlite:////tmp/x.sqlite3"]
)
def test_databases(variable, value):
    variable(value)
    database = env.database("THING", "")
    assert database["ENGINE"].rpartition(".")[2] in {"postgresql", "sqlite3"}
    assert database.get("PASSWORD", "") in {"", "p@ss"}


def test_the_secret_is_made_once_and_only_its_owner_reads_it(monkeypatch, tmp_path):
    monkeypatch.delenv("THING", raising=False)
    place = tmp_path / "var" / "secret_key"
    first = env.secret("THING", keep_in=place)
    assert len(first) >= 50 and env.secret("THING", keep_in=place) == first
    assert place.stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("THING", LONG)
    assert env.secret("THING", keep_in=place) == LONG
