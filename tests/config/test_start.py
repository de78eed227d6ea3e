"""Starting: on a public name, with a demo only where it does no harm, with one secret for all processes."""

import http.server
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError

from config import environment as env
from machines.management.commands import run

ROOT = Path(__file__).resolve().parents[2]


class OnlyItsOwnName(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.headers["Host"] == "x.example.org" else 400)
        self.end_headers()

    def log_message(self, *words):
        pass


@pytest.fixture
def port():
    server = http.server.HTTPServer(("127.0.0.1", 0), OnlyItsOwnName)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104  (not bound)
def test_a_site_that_answers_to_its_public_name_only_starts(settings, monkeypatch, port, host):
    monkeypatch.setattr(run, "START_SECONDS", 1)
    settings.SITE_URL = "https://x.example.org"
    run.wait_until_it_answers(host, port, [])


def test_a_taken_port_is_refused_before_anything_starts(port):
    """What listens there would answer in the place of this site, and the web server be started again for ever."""
    with pytest.raises(CommandError, match="Try PORT=8001"):
        run.check_free("127.0.0.1", port)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        free = listener.getsockname()[1]
    run.check_free("127.0.0.1", free)


def demo_with(**variables):
    environment = {"PATH": os.environ["PATH"], "SECRET_KEY": "x" * 50} | variables
    command = [sys.executable, "-c", "from config.settings import DEMO; print(DEMO)"]
    return subprocess.run(
        command, cwd=ROOT, env=environment | {"PYTHONPATH": "site"}, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_demo_is_made_only_where_its_public_password_does_no_harm():
    assert demo_with() == "True"
    assert demo_with(SITE_URL="https://x.example.org") == "False"
    assert demo_with(SITE_URL="https://x.example.org", DEMO="True") == "True"


@pytest.mark.parametrize("value", ["https://x.example.org/app", "https://:8000", "http://x.example.org?a=1"])
def test_an_address_of_a_site_is_a_scheme_and_a_host(monkeypatch, value):
    monkeypatch.setenv("THING", value)
    with pytest.raises(ImproperlyConfigured, match="Write an address such as"):
        env.site_url("THING", "")


def test_all_who_start_at_once_have_the_same_secret(monkeypatch, tmp_path):
    monkeypatch.delenv("THING", raising=False)
    found, gate = [], threading.Barrier(8)

    def begin():
        gate.wait()
        found.append(env.secret("THING", keep_in=tmp_path / "var" / "secret_key"))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1 and len(found[0]) >= 50 and len(found) == 8
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["secret_key"]


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "http://127.0.0.1:8123"), ("0.0.0.0", "http://127.0.0.1:8123"), ("::1", "http://[::1]:8123")],  # noqa: S104  (not bound)
)
def test_links_lead_to_where_the_site_is_started(monkeypatch, host, address):
    monkeypatch.setenv("SITE_URL", "to be forgotten")
    monkeypatch.delenv("SITE_URL")
    run.tell_the_address(host, 8123)
    assert os.environ["SITE_URL"] == env.site_url("SITE_URL", "") == address


def test_what_the_environment_says_of_the_address_counts(monkeypatch):
    monkeypatch.setenv("SITE_URL", "https://answers.example.org")
    run.tell_the_address("127.0.0.1", 8123)
    assert os.environ["SITE_URL"] == "https://answers.example.org"
