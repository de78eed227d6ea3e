"""One question on the column page: do several rows belong to the same person or time?"""

import pytest
from django.db import IntegrityError, transaction

from machines.engine.errors import DataError
from machines.engine.splits import Split, SplitKind
from machines.forms.splits import MOST_LISTED
from machines.reports import report_view
from machines.services.splits import split_of, split_suggestions
from machines.services.training import JOB, training_start
from models import Machine, Work
from models.access import Role
from tests.factories import make_column, make_machine
from tests.machines.views.pages import is_whole, page, url

pytestmark = pytest.mark.django_db

ROWS = 400


def profile(distinct, missing=0, **more):
    return {"rows": ROWS, "missing": missing, "distinct": distinct} | more


@pytest.fixture
def visits(point):
    """Visits of patients: nothing is trained yet."""
    machine = make_machine(owner=point, machine_name="Visits", rows_count=ROWS, source_name="visits.csv")
    make_column(machine, name="patient", type="LABEL", role="ignored", profile=profile(80, is_id=True))
    make_column(machine, name="day", type="DATE", profile=profile(300))
    make_column(machine, name="hour", type="TIME", profile=profile(24))
    make_column(machine, name="pulse", type="FLOAT", profile=profile(60))
    make_column(machine, name="city", type="LABEL", profile=profile(40))
    make_column(machine, name="ill", type="LABEL", role="output", profile=profile(2))
    return machine


def answer(client, machine, kind="group", group="", time="", **more):
    """Send the question as a browser does, with every row of the page."""
    sent = {"split-kind": kind, "split-group": group, "split-time": time, "save": "1"}
    for column in machine.columns.all():
        sent |= {f"{column.pk}-{name}": getattr(column, name) for name in ("type", "role", "description", "unit")}
    return client.post(url("columns", machine.pk), sent | more)


def kept(machine):
    return split_of(Machine.objects.get(pk=machine.pk))


def options(shown):
    """The values offered by the page, in both lists: those of roles and types left out."""
    return [value for a in shown.all("option") if (value := a.get("value")) in {"patient", "day", "hour", "pulse"}]


def test_it_works(visits, alice_client):
    shown = page(alice_client.get(url("columns", visits.pk)))
    assert "Do several rows belong together?" in shown.text
    assert "checked" in shown.one("input", name="split-kind", value="rows")
    answered = answer(alice_client, visits, group="patient")
    assert is_whole(answered) and "Saved" in page(answered).text
    assert kept(visits) == Split(SplitKind.GROUP, "patient")
    shown = page(alice_client.get(url("columns", visits.pk)))
    assert "checked" in shown.one("input", name="split-kind", value="group")
    assert "selected" in shown.one("option", value="patient")


def test_rows_in_time_are_ordered_by_a_moment_or_a_number(visits, alice_client):
    shown = page(alice_client.get(url("columns", visits.pk)))
    assert sorted(options(shown)) == ["day", "day", "hour", "hour", "patient", "pulse", "pulse"]
    assert not shown.all("option", value="ill"), "what is to be predicted tells nothing"
    answer(alice_client, visits, "time", time="day")
    assert kept(visits) == Split(SplitKind.TIME, "day")


def test_no_takes_the_column_back(visits, alice_client):
    answer(alice_client, visits, group="patient")
    answer(alice_client, visits, "rows", group="patient", time="gone")
    assert kept(visits) == Split()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"kind": "group"}, "Choose the column that tells which rows belong together."),
        ({"kind": "time", "group": "patient"}, "Choose the column that tells when."),
        ({"kind": "group", "group": "nurse"}, "There is no column “nurse” to choose here."),
        ({"kind": "group", "group": "ill"}, "There is no column “ill” to choose here."),
        ({"kind": "time", "time": "city"}, "“city” is no column of dates, times or numbers."),
        ({"kind": "group", "group": "\x00"}, "There is no column"),
        ({"kind": "sometimes"}, "Select a valid choice."),
        ({"kind": ""}, "required"),
    ],
)
def test_a_wrong_answer_is_told_beside_it_and_changes_nothing(visits, alice_client, sent, said):
    answered = answer(alice_client, visits, train="1", level="1", **sent)
    shown = page(answered)
    assert answered.status_code == 200 and shown.text.count(said) == 2, "in the summary and beside the field"
    assert kept(visits) == Split() and not Work.objects.exists()
    if sent["kind"] in {"group", "time"}:
        assert "checked" in shown.one("input", name="split-kind", value=sent["kind"]), "what was chosen is kept"
    assert len(set(shown.ids())) == len(shown.ids())


def test_a_page_that_does_not_ask_changes_nothing(visits, alice_client):
    answer(alice_client, visits, group="patient")
    alice_client.post(url("columns", visits.pk), {"save": "1"})
    assert kept(visits) == Split(SplitKind.GROUP, "patient")


def test_a_column_retyped_in_the_same_breath_can_be_chosen(visits, alice_client):
    city = visits.columns.get(name="city")
    answer(alice_client, visits, "time", time="city", **{f"{city.pk}-type": "FLOAT"})
    assert kept(visits) == Split(SplitKind.TIME, "city")


def test_who_may_answer(visits, team, bob, bob_client, charlie_client, client):
    visits.machine_owner_team = team
    visits.save()
    team.memberships.filter(user=bob).update(role=Role.VIEWER)
    assert answer(bob_client, visits, group="patient").status_code == 403
    assert answer(charlie_client, visits, group="patient").status_code == 404
    assert answer(client, visits, group="patient").status_code == 302
    assert kept(visits) == Split()
    team.memberships.filter(user=bob).update(role=Role.EDITOR)
    assert answer(bob_client, visits, group="patient").status_code == 200
    assert kept(visits) == Split(SplitKind.GROUP, "patient")


def test_the_training_is_told(visits, alice_client, tmp_path):
    answer(alice_client, visits, "time", time="day", train="1", level="1")
    assert JOB.prepare(Work.objects.get(), tmp_path)["split"] == {"kind": "time", "column": "day"}


@pytest.mark.parametrize(
    ("split", "said"),
    [
        (Split(SplitKind.GROUP, "nurse"), "There is no column “nurse”"),
        (Split(SplitKind.GROUP, "ill"), "“ill” is to be predicted"),
        (Split(SplitKind.TIME, "city"), "“city” holds text"),
    ],
)
def test_no_training_starts_with_a_column_that_cannot_tell(visits, alice, split, said):
    """The file was read again, or the column's type changed, after the question was answered."""
    with pytest.raises(DataError, match=said):
        training_start(machine=visits, user=alice, level=1, split=split)
    assert not Work.objects.exists() and kept(visits) == Split()


@pytest.mark.parametrize("values", [{"machine_split_kind": "group"}, {"machine_split_column": "x"}])
def test_the_database_takes_no_half_an_answer(visits, values):
    with pytest.raises(IntegrityError), transaction.atomic():
        Machine.objects.filter(pk=visits.pk).update(**values)


# What the columns suggest


def test_a_code_that_recurs_is_suggested(visits, alice_client):
    words = "“patient” repeats: about 5 rows for each value. Do they belong together?"
    assert words in page(alice_client.get(url("columns", visits.pk))).text
    assert words not in page(answer(alice_client, visits, group="patient")).text
    assert [item.column for item in split_suggestions(visits)] == ["patient"], "not the city, which is an input"


@pytest.mark.parametrize(
    ("changes", "is_suggested"),
    [
        ({"profile": profile(80)}, True),
        ({"profile": profile(390)}, False),
        ({"profile": profile(7)}, False),
        ({"profile": profile(80, missing=360)}, False),
        ({"profile": {}}, False),
        ({"profile": profile(80), "role": "input"}, False),
        ({"profile": profile(80, is_id=True), "role": "input"}, True),
        ({"profile": profile(80, is_id=True), "type": "IGNORE"}, False),
    ],
)
def test_only_what_looks_like_persons_is_suggested(visits, changes, is_suggested):
    visits.columns.filter(name="patient").update(**changes)
    assert bool(split_suggestions(visits)) is is_suggested


def test_as_many_queries_for_many_columns_as_for_few(visits, alice_client, django_assert_max_num_queries):
    with django_assert_max_num_queries(60) as few:
        alice_client.get(url("columns", visits.pk))
    for number in range(30):
        make_column(visits, name=f"code {number}", type="LABEL", role="ignored", profile=profile(80, is_id=True))
    with django_assert_max_num_queries(60) as many:
        shown = page(alice_client.get(url("columns", visits.pk)))
    assert len(many) == len(few) and shown.text.count("belong together? ") <= 5, "three suggestions are enough"


# Tables of many columns


@pytest.fixture
def wide(visits):
    """The same visits with many more measurements than anyone looks through."""
    for number in range(3 * MOST_LISTED):
        make_column(visits, name=f"marker {number}", type="FLOAT", profile=profile(300))
    return visits


def offered(shown, name):
    control = shown.one("input", name=f"split-{name}")
    at = shown.elements.index(("datalist", shown.one("datalist", id=control["list"])))
    rest = [tag for tag, _ in shown.elements[at + 1 :]]
    names = [a["value"] for tag, a in shown.elements[at + 1 :][: next(n for n, t in enumerate(rest) if t != "option")]]
    return names


def test_of_many_columns_one_is_named(wide, alice_client):
    shown = page(alice_client.get(url("columns", wide.pk)))
    assert not shown.all("select", name="split-group") and not shown.all("select", name="split-time")
    assert "patient" in offered(shown, "group") and "day" in offered(shown, "time")
    assert "patient" not in offered(shown, "time"), "labels have no order"
    answer(alice_client, wide, group=" Patient")
    assert kept(wide) == Split(SplitKind.GROUP, "patient"), "found whatever the case and spaces"
    assert page(alice_client.get(url("columns", wide.pk))).one("input", name="split-group")["value"] == "patient"
    answer(alice_client, wide, "time", time="marker 149")
    assert kept(wide) == Split(SplitKind.TIME, "marker 149")


def test_what_usually_tells_is_offered_before_the_rest(wide, alice_client, monkeypatch):
    monkeypatch.setattr("machines.forms.splits.MOST_OFFERED", 2)
    shown = page(alice_client.get(url("columns", wide.pk)))
    assert offered(shown, "group") == ["city", "patient"] and offered(shown, "time") == ["day", "hour"]


def test_a_name_that_does_not_exist_is_kept_and_told(wide, alice_client):
    shown = page(answer(alice_client, wide, group="nurse"))
    assert shown.text.count("There is no column “nurse” to choose here. Choose another one.") == 2
    assert shown.one("input", name="split-group")["value"] == "nurse" and kept(wide) == Split()
    shown = page(answer(alice_client, wide, "time", time="city"))
    assert "“city” is no column of dates, times or numbers. Choose another one." in shown.text


def test_names_that_differ_in_case_alone_are_told_apart(wide, alice_client):
    make_column(wide, name="Patient", type="LABEL", profile=profile(80))
    for name in ("Patient", "patient"):
        answer(alice_client, wide, group=name)
        assert kept(wide) == Split(SplitKind.GROUP, name)
    assert "There is no column “PATIENT”" in page(answer(alice_client, wide, group="PATIENT")).text


# What the report says


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ({}, "On rows it has never seen"),
        ({"split": {"kind": "rows", "column": None}}, "On rows it has never seen"),
        ({"split": {"kind": "group", "column": "patient"}}, "On values of “patient” it has never seen"),
        ({"split": {"kind": "time", "column": "day %"}}, "On the latest rows by “day %”, after all it learned from"),
    ],
)
def test_the_report_says_what_it_was_measured_on(visits, split, said):
    visits.training_report = split
    assert report_view(visits).measured_on == said
