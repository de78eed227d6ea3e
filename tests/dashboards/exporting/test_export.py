"""The two downloads, for who may see the machine."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboards import export_views, kept
from dashboards.exporting import paper
from machines.child import ChildFailedError
from machines.engine.errors import DataError
from models import User
from tests.factories import make_machine
from tests.machines.houses import houses


@pytest.fixture
def machine(alice):
    return houses().machine(owner=alice, machine_name="Houses & <b>")


def address(machine, ending):
    return f"/machines/{machine.pk}/report.{ending}"


def test_html(alice_client, machine):
    answer = alice_client.get(address(machine, "html"))
    text = answer.content.decode()
    assert re.fullmatch(r'attachment; filename="houses-b-report-\d{4}-\d\d-\d\d\.html"', answer["Content-Disposition"])
    assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "Houses &amp; &lt;b&gt;" in text and "<b>" not in text and "<script" not in text
    assert text.count("<svg") > 5  # every picture of this report can be drawn
    assert "<details open>" not in text


def test_pdf(alice_client, machine):
    answer = alice_client.get(address(machine, "pdf"))
    assert answer["Content-Type"] == "application/pdf" and answer.content.startswith(b"%PDF-")
    assert re.fullmatch(r'attachment; filename="houses-b-report-\d{4}-\d\d-\d\d\.pdf"', answer["Content-Disposition"])


@pytest.mark.parametrize("ending", ["html", "pdf"])
def test_who_may_have_it(alice_client, charlie_client, client, machine, alice, ending):
    assert charlie_client.get(address(machine, ending)).status_code == 404
    assert client.get(address(machine, ending)).status_code == 302
    assert alice_client.post(address(machine, ending)).status_code == 405
    untrained = make_machine(owner=alice)
    assert alice_client.get(address(untrained, ending)).url == f"/machines/{untrained.pk}/report/"


def test_nobody_makes_pdfs_without_end(alice_client, machine, monkeypatch):
    monkeypatch.setattr(paper, "pdf", lambda told, now: b"%PDF-")
    answers = [alice_client.get(address(machine, "pdf")).status_code for _ in range(31)]
    assert answers == [200] * 30 + [429] and alice_client.get(address(machine, "html")).status_code == 200


@pytest.mark.parametrize("reason", ["deadline", "memory", "crash"])
def test_a_pdf_that_fails_says_why(alice_client, machine, monkeypatch, reason):
    def fail(*args, **kwargs):
        raise ChildFailedError(reason)

    monkeypatch.setattr(kept, "run_child", fail)
    answer = alice_client.get(address(machine, "pdf"))
    assert answer.status_code == 409 and answer.content.decode() == paper.TASK.words[reason]
    assert answer["Content-Type"] == "text/plain; charset=utf-8"


def test_without_effects_there_is_all_else(alice_client, machine, monkeypatch):
    def fail(*args, **kwargs):
        raise DataError("The rows have just changed. Try again.")

    monkeypatch.setattr(export_views, "effects_of", fail)
    text = alice_client.get(address(machine, "html")).content.decode()
    assert "The rows have just changed. Try again." in text and text.count("<svg") > 5


def test_in_the_readers_format(alice_client, alice, machine):
    text = {}
    for mark in ",.":
        User.objects.filter(pk=alice.pk).update(decimal_separator=mark)
        text[mark] = alice_client.get(address(machine, "html")).content.decode()
    assert re.search(r">0,\d+<", text[","]) and not re.search(r">0\.\d+<", text[","])
    assert re.search(r">0\.\d+<", text["."]) and not re.search(r">0,\d+<", text["."])


def test_queries_do_not_grow_with_the_report(alice_client, machine):
    with CaptureQueriesContext(connection) as few:
        alice_client.get(address(machine, "html"))
    (output, *_others) = machine.training_report["outputs"]
    machine.training_report["outputs"] = [output]
    machine.save()
    with CaptureQueriesContext(connection) as fewer:
        alice_client.get(address(machine, "html"))
    assert len(few) == len(fewer) <= 12
