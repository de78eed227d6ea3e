"""Names of columns, files, machines and labels are text, wherever they are shown."""

from functools import cache

import pytest

from models import Machine
from tests.machines.houses import train
from tests.machines.views.pages import HTMX, page, url

pytestmark = pytest.mark.django_db

NAMES = [
    "<script>alert(1)</script>",
    "{{7*7}}{% debug %}",
    "'; DROP TABLE models_machine; --",
    "__class__",
    "id",
    "csrfmiddlewaretoken",
    "constructor",
    '"><img src=x onerror=alert(2)>',
    "%(name)s %s 100%",
]
LABELS = ["</option><script>alert(3)</script>", '"onmouseover="alert(4)', "{{label}}", "%(x)s"]
ANSWER = "answer <script>alert(5)</script>"


@cache
def hostile():
    """A machine whose columns, labels and classes are all out for trouble."""
    lines = [[*NAMES, "label", "many", ANSWER]]
    for number in range(120):
        numbers = [str((number * (at + 3)) % 17) for at in range(len(NAMES))]
        lines.append([*numbers, LABELS[number % 4], f"<i>{number % 25}</i>", f"<b>{number % 17 > 8}</b>"])
    quoted = ("".join(",".join('"' + cell.replace('"', '""') + '"' for cell in line) + "\r\n") for line in lines)
    return train("".join(quoted).encode(), (ANSWER,), label="LABEL", many="LABEL", **{ANSWER: "LABEL"})


@pytest.fixture
def machine(point):
    machine = hostile().machine(owner=point, machine_name="<script>alert(6)</script>{{7*7}}")
    Machine.objects.update(source_name="<script>alert(7)</script>.csv")
    machine.columns.update(description="<script>alert(8)</script>", unit="<b>{{9}}</b>")
    return machine


def check(html):
    assert "<script>alert" not in html and "<img src=x" not in html and "<i>" not in html and "<b>{{9}}" not in html
    assert "49{%" not in html and "<b>True</b>" not in html
    shown = page(type("Answer", (), {"content": html.encode()}))
    assert not [a for _tag, a in shown.elements if "onerror" in a or "onmouseover" in a]
    assert all("src" in attributes or "json" in (attributes.get("type") or "") for attributes in shown.all("script"))
    return shown


@pytest.mark.parametrize("name", ["list", "detail", "source", "columns", "rows", "training", "predict", "delete"])
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["whole", "part"])
def test_pages(machine, alice_client, name, headers):
    address = url(name) if name == "list" else url(name, machine.pk)
    response = alice_client.get(address, headers=headers)
    assert response.status_code == 200
    check(response.content.decode())


def test_names_are_shown_as_they_are(machine, alice_client):
    shown = page(alice_client.get(url("columns", machine.pk)))
    for name in [*NAMES, ANSWER]:
        assert name in shown.text


def test_every_question_is_there_once(machine, alice_client):
    shown = check(alice_client.get(url("predict", machine.pk)).content.decode())
    for name in NAMES:
        assert name in shown.text
    assert len(shown.all("input", name="csrfmiddlewaretoken")) == 2, "one to sign out, one to ask"
    assert sorted(shown.questions()) == sorted(f"c{number}" for number in range(11))


def test_the_answer(machine, alice_client):
    fields = {f"c{number}": "5" for number in range(len(NAMES))}
    data = fields | {"c9": LABELS[0], "c10": "<script>alert(9)</script>"}
    for headers in ({}, HTMX):
        response = alice_client.post(url("predict", machine.pk), data, headers=headers)
        shown = check(response.content.decode())
        assert "11 of 11 answered" in shown.text and "Never seen in training" in shown.text
        assert "<b>True</b>" in shown.text or "<b>False</b>" in shown.text


def test_errors(machine, alice_client):
    data = {"c0": "<script>alert(10)</script>", "c9": "<script>alert(11)</script>"}
    for headers in ({}, HTMX):
        shown = check(alice_client.post(url("predict", machine.pk), data, headers=headers).content.decode())
        assert "<script>alert(10)</script>" in shown.text, "told as text"


def test_rows_of_the_column_page(machine, alice_client):
    for column in machine.columns.all():
        prefix = str(column.pk)
        data = {
            f"{prefix}-type": column.type,
            f"{prefix}-role": column.role,
            f"{prefix}-unit": "<script>alert(12)</script>",
        }
        check(alice_client.post(url("column", machine.pk, column.pk), data, headers=HTMX).content.decode())


def test_messages(machine, alice_client):
    response = alice_client.post(url("delete", machine.pk), follow=True)
    assert "alert(6)" in check(response.content.decode()).text
