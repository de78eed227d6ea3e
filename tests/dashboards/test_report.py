"""The page of the training report."""

import csv
import io
import json
import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboards.exporting import paper
from dashboards.exporting.document import for_paper
from models import Membership, User
from models.access import Role
from tests.dashboards.reporting.told import LABELS, NUMBER, old, report
from tests.dashboards.reporting.trained import trained
from tests.factories import make_machine
from tests.machines.houses import houses

HTMX = {"HTTP_HX_REQUEST": "true"}
CHOSEN = {"output": "0", "at": "10", "miss": "10", "alarm": "2", "year": "50 000"}


@pytest.fixture
def machine(alice):
    return trained(alice)


def page(client, machine, query=None, **more):
    return client.get(f"/machines/{machine.pk}/report/", query or {}, **more)


def shown(content, name):
    return re.search(rf'data-show="{name}">([^<]*)<', content)[1]


def titles(content):
    return re.findall(r'<h2 id="([a-z0-9-]+)-heading">', content)


def test_it_works(alice_client, machine):
    content = page(alice_client, machine).content.decode()
    found = titles(content)
    assert [key for key in found if key.endswith("-0")] == [
        "short-0", "leaderboard-0", "learning-0", "curves-0", "calibration-0", "confusion-0", "threshold-0", "thin-0",
    ]  # fmt: skip
    assert [key for key in found if key.endswith("-1")] == [
        "short-1", "leaderboard-1", "fit-1", "residuals-1", "spread-1", "thin-1",
    ]  # fmt: skip
    assert [key for key in found if "-" not in key] == ["importance", "effect", "outside", "rounds", "training"]
    assert "<b>east" not in content and "Train again to see" not in content
    assert f'href="/machines/{machine.pk}/report/roc-0.csv"' in content
    detail = alice_client.get(f"/machines/{machine.pk}/").content.decode()
    assert f'href="/machines/{machine.pk}/report/"' in detail


def test_the_effects_are_worked_out_when_somebody_gets_to_them(alice_client, machine):
    waiting = page(alice_client, machine).content.decode()
    assert 'hx-trigger="revealed"' in waiting and "is being asked" in waiting and "?now=1#effect" in waiting
    part = page(alice_client, machine, {"part": "effect"}, **HTMX).content.decode()
    assert (
        part.strip().startswith("<section") and "“size” and “risk: no”" in part and 'hx-trigger="revealed' not in part
    )
    other = page(alice_client, machine, {"part": "effect", "column": "1", "answer": "1"}, **HTMX).content.decode()
    assert "“kind” and “price”" in other and '<option value="1" selected>kind' in other
    kept = page(alice_client, machine).content.decode()
    assert 'hx-trigger="revealed"' not in kept and "“size” and “risk: no”" in kept


def test_the_threshold_is_a_form_without_javascript(alice_client, machine):
    content = page(alice_client, machine, CHOSEN).content.decode()
    found, missed, alarms = (int(shown(content, name)) for name in ("found", "missed", "false"))
    entry = LABELS["operating"][0]
    place = len(entry["at"]) - 1 - 10
    assert (found, alarms) == (entry["found"][place], entry["false"][place]) and found + missed == entry["positives"]
    cost = 1000 * (10 * missed + 2 * alarms) / entry["rows"]
    assert (
        shown(content, "cost") == f"{cost:.2f}" and shown(content, "year").replace("\u202f", "") == f"{cost * 50:.0f}"
    )
    assert 'value="10"' in content and "roc-0.csv?output=0&amp;at=10&amp;miss=10&amp;alarm=2" in content
    cheapest = page(alice_client, machine, CHOSEN | {"cheapest": "1"}).content.decode()
    assert shown(cheapest, "chance") == shown(cheapest, "cheapest") and shown(cheapest, "cost") == shown(
        cheapest, "cheapest_cost"
    )


@pytest.mark.parametrize("wrong", ["", "x", "-1", "nan", "inf", "1e99"])
def test_a_cost_that_is_none_is_said(alice_client, machine, wrong):
    response = page(alice_client, machine, CHOSEN | {"miss": wrong})
    content = response.content.decode()
    assert response.status_code == 200 and 'aria-invalid="true"' in content
    assert shown(content, "cost") == shown(page(alice_client, machine).content.decode(), "cost")


@pytest.mark.parametrize(
    "query", [{"column": "x"}, {"column": "99999"}, {"region": "77"}, {"output": "9", "miss": "1"}, {"at": "-4"}]
)
def test_what_cannot_be_chosen_is_as_if_it_were_not(alice_client, machine, query):
    assert page(alice_client, machine, query).status_code == 200


def test_a_part_is_one_section(alice_client, machine):
    part = page(alice_client, machine, CHOSEN | {"part": "threshold-0"}, **HTMX).content.decode()
    assert titles(part) == ["threshold-0"] and "A miss costs 10, a false alarm 2" in part
    part = page(alice_client, machine, {"part": "thin-0", "region": "1", "output": "0"}, **HTMX).content.decode()
    assert titles(part) == ["thin-0"] and "Errors by “city”" in part and "Errors by “size”" not in part


def test_tables_come_as_csv(alice_client, machine):
    address = f"/machines/{machine.pk}/report/"
    response = alice_client.get(f"{address}leaderboard-0.csv")
    lines = [*csv.reader(io.StringIO(response.content.decode("utf-8-sig")))]
    assert [line[0] for line in lines] == [
        "Candidate",
        "The blend",
        "Boosted trees 1",
        "Boosted trees 2",
        "Linear model",
    ]
    assert [float(cell) for cell in lines[2][1:]] == pytest.approx([0.42, 0.37, 0.47])
    assert "attachment" in response["Content-Disposition"]
    costs = alice_client.get(f"{address}costs-0.csv", CHOSEN).content.decode("utf-8-sig").splitlines()
    assert len(costs) == 1 + len(LABELS["operating"][0]["at"])
    assert alice_client.get(f"{address}effect-1-0.csv").content.decode("utf-8-sig").startswith("kind,")
    assert alice_client.get(f"{address}thin-0-1.csv").content.decode("utf-8-sig").startswith("city")
    assert alice_client.get(f"{address}nothing-0.csv").status_code == 404


def test_a_report_from_before_leaves_out_what_it_lacks(alice_client, machine):
    machine.training_report |= {"outputs": [old(LABELS), old(NUMBER)]}
    machine.save()
    content = page(alice_client, machine).content.decode()
    found = titles(content)
    assert (
        "leaderboard-0" not in found
        and "thin-0" not in found
        and "threshold-0" not in found
        and "spread-1" not in found
    )
    assert {"short-0", "calibration-0", "confusion-0", "fit-1", "residuals-1", "importance"} <= set(found)
    assert content.count("Train again to see") == 1


def test_what_a_training_of_today_writes_is_shown(alice_client, machine):
    machine.training_report = houses().report
    machine.save()
    found = titles(page(alice_client, machine).content.decode())
    assert {
        "leaderboard-0",
        "threshold-0",
        "curves-0",
        "thin-0",
        "leaderboard-1",
        "fit-1",
        "spread-1",
        "thin-1",
    } <= set(found)


def test_several_classes_and_hostile_names(alice_client, machine):
    hostile = LABELS | {"name": "<script>x", "task": "multiclass", "classes": ["<i>a", "b"]}
    machine.training_report = report(hostile) | {"importance": {"<u>c": 1.0}, "importance_range": {}}
    machine.save()
    content = page(alice_client, machine).content.decode()
    assert (
        "<script>x" not in content
        and "<i>a" not in content
        and "<u>c" not in content
        and "threshold-0" not in titles(content)
    )


def test_it_asks_the_database_as_often_whatever_there_is(alice_client, machine):
    def queries():
        with CaptureQueriesContext(connection) as found:
            assert page(alice_client, machine).status_code == 200
        return len(found)

    first = queries()
    machine.training_report |= {"outputs": [LABELS, NUMBER] * 4}
    machine.save()
    assert queries() == first <= 16


def test_who_may_see_it(alice_client, charlie_client, client, machine):
    for address in ("", "roc-0.csv"):
        path = f"/machines/{machine.pk}/report/{address}"
        assert alice_client.get(path).status_code == 200
        assert charlie_client.get(path).status_code == 404
        assert client.get(path).status_code == 302


def as_files(client, machine, monkeypatch):
    """What the two files say, as text."""
    papers = []
    monkeypatch.setattr(paper, "pdf", lambda told, now: papers.append(for_paper(told)) or b"%PDF-")
    text = client.get(f"/machines/{machine.pk}/report.html").content.decode()
    assert client.get(f"/machines/{machine.pk}/report.pdf").content == b"%PDF-"
    return {"html": unescape(text), "pdf": json.dumps(papers[0][0], ensure_ascii=False)}


@pytest.mark.parametrize("role", Role.stored())
def test_who_sees_what_only_a_few_rows_share(bob, bob_client, team, machine, monkeypatch, role):
    """The label "<b>east" stands in one row that was learned from, and is none that the form knows."""
    machine.machine_owner_team = team
    machine.save()
    Membership.objects.filter(user=bob).update(role=role)
    User.objects.filter(pk=bob.pk).update(decimal_separator=".")
    address, may_edit = f"/machines/{machine.pk}/report/", role in {Role.EDITOR, Role.ADMIN}
    texts = as_files(bob_client, machine, monkeypatch)
    texts["page"] = unescape(page(bob_client, machine, {"region": "1", "now": "1"}).content.decode())
    texts["csv"] = bob_client.get(f"{address}thin-0-1.csv").content.decode("utf-8-sig")
    lowest = next(
        item["low"] for item in machine.enc_dec_configuration.enc_dec_config["inputs"] if item["name"] == "size"
    )
    for name, text in texts.items():
        assert ("<b>east" in text, "a rare label" in text) == (may_edit, not may_edit), name
        if name != "csv":
            assert ("Predicted and actual" in text, "Single rows, and values" in text) == (may_edit, not may_edit), name
            assert (f"{lowest:g} – " in text) is (role != Role.VIEWER), name
            assert ("about nine tenths" in text) is (role == Role.VIEWER), name
    effect = bob_client.get(f"{address}effect-0-0.csv").content.decode("utf-8-sig")
    assert (f"{lowest:g}," in effect) is may_edit or role == Role.PREDICTOR
    assert bob_client.get(f"{address}fit-1.csv").status_code == (200 if may_edit else 404)


def test_no_sentence_holds_two_percent_signs(alice_client, machine, monkeypatch):
    """Templates with values are formatted, those without are not: a "%%" in these would be shown."""
    for text in (
        page(alice_client, machine, {"now": "1"}).content.decode(),
        *as_files(alice_client, machine, monkeypatch).values(),
    ):
        assert "95 % interval" in text and "middle 80 %" in text and "%%" not in text.replace("100%%", "")


def test_of_many_outputs_the_first_are_shown_and_it_says_so(alice_client, machine):
    assert "Shown are the first" not in page(alice_client, machine).content.decode()
    machine.training_report |= {"outputs": [LABELS | {"name": f"risk {number}"} for number in range(9)]}
    machine.save()
    content = page(alice_client, machine).content.decode()
    assert (
        "Shown are the first 8 of its 9 outputs" in content
        and "short-7" in titles(content)
        and "short-8" not in titles(content)
    )


def test_in_short_is_one_large_figure_and_one_paragraph(alice_client, machine, monkeypatch):
    section = page(alice_client, machine).content.decode().partition('id="short-0"')[2].partition("</section>")[0]
    assert '<span class="figure">0.80</span>' in section and section.count('class="report-text"') == 1
    assert "ROC AUC, 95 % between 0.75 and 0.85" in section and 'data-label="95 % between"' in section
    files = as_files(alice_client, machine, monkeypatch)
    assert '<span class="figure">0.80</span>' in files["html"] and '"value": "0.80"' in files["pdf"]


def test_files_are_asked_for_with_the_costs_that_were_chosen(alice_client, machine):
    content = page(alice_client, machine, CHOSEN).content.decode()
    assert content.count('?output=0&amp;at=10&amp;miss=10&amp;alarm=2&amp;year=50+000" data-report-file') == 2


def test_without_a_training_it_leads_to_one(alice, alice_client):
    machine = make_machine(owner=alice)
    assert page(alice_client, machine)["Location"] == f"/machines/{machine.pk}/training/"
    assert alice_client.get(f"/machines/{machine.pk}/report/roc-0.csv").status_code == 404
    machine.machine_is_uploaded_model = True
    machine.save()
    assert "models" in page(alice_client, machine)["Location"] or "uploaded" in page(alice_client, machine)["Location"]
