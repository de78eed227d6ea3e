"""The page of columns, and one row of it for htmx."""

import pytest

from models import Column, Machine, Work
from models.machine import MachineStatus
from tests.factories import make_column
from tests.machines.views.pages import HTMX, htmx, is_whole, page, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def size(machine):
    return machine.columns.get(name="size")


def fields(column, **changes):
    """What a browser sends for a row: everything that stands in it."""
    sent = {"type": column.type, "role": column.role, "description": column.description, "unit": column.unit}
    if column.type in {"FLOAT", "DATE", "TIME", "DATETIME"}:
        sent |= {"range_low": "", "range_high": ""}
    if column.zero_is_missing:
        sent["zero_is_missing"] = "on"
    return {f"{column.pk}-{name}": value for name, value in (sent | changes).items()}


def whole(machine, **extra):
    sent = {}
    for column in machine.columns.all():
        sent |= fields(column)
    return sent | extra


def change(client, column, headers=HTMX, **changes):
    return client.post(url("column", column.machine_id, column.pk), fields(column, **changes), headers=headers)


def test_it_works(machine, alice_client):
    shown = page(alice_client.get(url("columns", machine.pk)))
    assert "houses.csv" in shown.text and "200 rows" in shown.text and "UTF-8, comma" in shown.text
    for column in machine.columns.all():
        assert f"column-{column.pk}" in shown.ids()
        assert shown.one("select", name=f"{column.pk}-type") and shown.one("select", name=f"{column.pk}-role")
    assert "10 empty (5" in shown.text, "how many cells are missing"
    assert "10.3" in shown.text or "99" in shown.text, "the range in the person's format"
    assert len(set(shown.ids())) == len(shown.ids())


def test_every_control_has_a_name_for_screen_readers(machine, alice_client):
    shown = page(alice_client.get(url("columns", machine.pk)))
    labelled = {attributes.get("for") for attributes in shown.all("label")}
    controls = shown.all("select") + [a for a in shown.all("input") if a.get("type") in {"text", "date", "time"}]
    assert len(controls) > 30
    assert [attributes["id"] for attributes in controls if attributes["id"] not in labelled] == []


# One row


def test_a_new_type_gives_that_row_alone(size, alice_client):
    response = change(alice_client, size, type="LABEL")
    shown = page(response)
    assert not is_whole(response) and response.content.decode().strip().startswith("<tr")
    assert [name for name in shown.ids() if name.startswith("column-")] == [f"column-{size.pk}"]
    assert not shown.all("input", name=f"{size.pk}-range_low"), "a label has no range"
    size.refresh_from_db()
    assert size.type == "LABEL"


def test_without_javascript_it_goes_back_to_the_page(size, alice_client):
    response = change(alice_client, size, headers={}, unit="m²")
    assert (response.status_code, response["Location"]) == (302, url("columns", size.machine_id))
    size.refresh_from_db()
    assert size.unit == "m²"


def test_words_and_range(size, alice_client):
    response = change(alice_client, size, description="living space", unit="m²", range_low="5.5", range_high="1000")
    size.refresh_from_db()
    assert (size.description, size.unit, size.range_low, size.range_high) == ("living space", "m²", 5.5, 1000)
    shown = page(response)
    assert shown.one("input", name=f"{size.pk}-range_low")["value"] == "5.5"


def test_a_range_with_a_decimal_comma(size, alice, alice_client):
    alice.decimal_separator = ","
    alice.save()
    shown = page(change(alice_client, size, range_low="5,5", range_high="99,25"))
    size.refresh_from_db()
    assert (size.range_low, size.range_high) == (5.5, 99.25)
    assert shown.one("input", name=f"{size.pk}-range_low")["value"] == "5,5"


def test_a_range_that_was_not_touched_is_no_change(size, machine, alice_client, monkeypatch):
    size.range_low, size.range_high = 0.1, 1234567.891
    size.save()
    saved = []
    monkeypatch.setattr(Column, "save", lambda column, **kwargs: saved.append(column))
    change(alice_client, size, range_low="0.1", range_high="1234567.891")
    assert saved == []


@pytest.mark.parametrize(
    ("name", "low", "seconds"),
    [("day", "2020-05-17", 1_589_673_600), ("hour", "14:30", 52_200), ("seen", "2021-03-04T05:06", 1_614_834_360)],
)
def test_the_range_of_a_moment_is_typed_as_a_moment(machine, alice_client, name, low, seconds):
    column = machine.columns.get(name=name)
    shown = page(change(alice_client, column, range_low=low))
    column.refresh_from_db()
    assert column.range_low == seconds
    value = shown.one("input", name=f"{column.pk}-range_low")["value"]
    assert value.startswith(low)
    change(alice_client, column, range_low=value)
    column.refresh_from_db()
    assert column.range_low == seconds


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        ("many", "", "not a number"),
        ("9", "1", "below the lower end"),
        ("1e999", "", "number"),
        ("nan", "", "not a number"),
    ],
)
def test_a_wrong_range_stands_beside_its_field_with_what_was_typed(size, alice_client, low, high, said):
    shown = page(change(alice_client, size, range_low=low, range_high=high))
    assert said in shown.text
    assert shown.one("input", name=f"{size.pk}-range_low")["value"] == low
    size.refresh_from_db()
    assert (size.range_low, size.range_high) == (None, None)


def test_zeros_are_offered_as_missing(machine, alice_client):
    pressure, size = machine.columns.get(name="pressure"), machine.columns.get(name="size")
    shown = page(change(alice_client, pressure))
    assert "checked" in shown.one("input", name=f"{pressure.pk}-zero_is_missing")
    change(alice_client, size, zero_is_missing="on")
    size.refresh_from_db()
    assert size.zero_is_missing
    assert not page(change(alice_client, machine.columns.get(name="city"))).all("input", type="checkbox")


@pytest.mark.parametrize("type", ["IGNORE", "JSON"])
def test_ignoring_a_column_takes_one_choice(size, alice_client, type):
    shown = page(change(alice_client, size, type=type))
    size.refresh_from_db()
    assert (size.type, size.role) == (type, "ignored")
    assert not [a for a in shown.all("select") if a.get("aria-invalid") == "true"]


@pytest.mark.parametrize("type", ["IGNORE", "JSON"])
def test_an_ignored_column_cannot_be_used(size, alice_client, type):
    Column.objects.filter(pk=size.pk).update(type=type, role="ignored")
    size.refresh_from_db()
    shown = page(change(alice_client, size, role="input"))
    assert "can only be ignored" in shown.text
    size.refresh_from_db()
    assert size.role == "ignored"


def test_cells_that_cannot_be_read_are_told(machine, alice_client):
    column = machine.columns.get(name="city")
    shown = page(change(alice_client, column, type="FLOAT"))
    assert "cells cannot be read this way" in shown.text or "200 cells" in shown.text


# The whole page


def test_saving_without_javascript(machine, size, alice_client):
    response = alice_client.post(url("columns", machine.pk), whole(machine, save="1", **{f"{size.pk}-unit": "m²"}))
    size.refresh_from_db()
    assert size.unit == "m²"
    assert is_whole(response) and "Saved" in page(response).text
    assert not Work.objects.exists()


def test_the_level_chosen_survives_saving(machine, alice_client):
    shown = page(alice_client.post(url("columns", machine.pk), whole(machine, save="1", level="4")))
    assert "checked" in shown.one("input", type="radio", value="4")


def test_training_starts_from_here(machine, alice_client, alice):
    response = alice_client.post(url("columns", machine.pk), whole(machine, train="1", level="2"))
    work = Work.objects.get()
    assert (response.status_code, response["Location"]) == (302, url("training", machine.pk))
    assert (work.machine, work.user, work.level) == (machine, alice, 2)


def test_columns_that_cannot_be_learned_from_are_told_here(machine, alice_client):
    machine.columns.outputs().update(role="input")
    shown = page(alice_client.post(url("columns", machine.pk), whole(machine, train="1", level="2")))
    assert "No column is an output" in shown.text
    assert "checked" in shown.one("input", type="radio", value="2")
    assert not Work.objects.exists()


def test_a_wrong_row_starts_nothing_and_the_others_are_kept(machine, size, alice_client):
    price = machine.columns.get(name="price")
    sent = whole(machine, train="1", level="1", **{f"{size.pk}-range_low": "many", f"{price.pk}-unit": "€"})
    shown = page(alice_client.post(url("columns", machine.pk), sent))
    assert "“many” is not a number" in shown.text
    assert shown.one("input", name=f"{size.pk}-range_low")["value"] == "many"
    assert Column.objects.get(pk=price.pk).unit == "€"
    assert not Work.objects.exists()


def test_during_a_training_no_second_one_starts(machine, alice_client):
    Machine.objects.update(machine_status=MachineStatus.TRAINING)
    shown = page(alice_client.post(url("columns", machine.pk), whole(machine, train="1", level="1")))
    assert "training already" in shown.text and not Work.objects.exists()


@pytest.mark.parametrize(
    "junk",
    [
        {},
        {"train": "1"},
        {"train": "1", "level": "9"},
        {"train": "1", "level": "1; DROP TABLE"},
        {"save": "1", "page": "7"},
        {"train": "1", "level": "1" * 5000},
    ],
    ids=["nothing", "no level", "level 9", "odd level", "odd page", "long level"],
)
@pytest.mark.parametrize("complete", [True, False])
def test_junk_starts_nothing(machine, alice_client, junk, complete):
    response = alice_client.post(url("columns", machine.pk), whole(machine, **junk) if complete else junk)
    assert response.status_code == 200
    assert not Work.objects.exists()


@pytest.mark.parametrize(
    "junk",
    [
        {"type": "KLINGON"}, {"role": "boss"}, {"type": ""}, {"role": ""}, {"unit": "x" * 41},
        {"range_low": "9" * 5000}, {"range_low": "1e400"}, {"range_high": "\x00"}, {"description": "\x00"},
    ],
    ids=str,
)  # fmt: skip
def test_junk_in_a_row_changes_nothing(size, alice_client, junk):
    before = Column.objects.filter(pk=size.pk).values().get()
    response = change(alice_client, size, **junk)
    assert response.status_code == 200 and page(response).all("ul") != []
    assert Column.objects.filter(pk=size.pk).values().get() == before


def test_a_row_without_its_fields_is_refused(size, alice_client):
    before = Column.objects.filter(pk=size.pk).values().get()
    assert htmx(alice_client, url("column", size.machine_id, size.pk), {"x": "y"}).status_code == 200
    assert Column.objects.filter(pk=size.pk).values().get() == before


def test_a_hundred_columns_on_a_page(alice, point, machine, alice_client):
    for position in range(11, 131):
        make_column(machine, position=position, name=f"extra {position}")
    first, second = (page(alice_client.get(url("columns", machine.pk), {"page": number})) for number in (1, 2))
    listed = [shown.text.partition("Do several rows belong together?")[0] for shown in (first, second)]
    assert "extra 99" in listed[0] and "extra 100" not in listed[0]
    assert "extra 130" in listed[1] and "Page 2 of 2" in second.text


def test_as_many_queries_for_eleven_columns_as_for_two(machine, alice_client, django_assert_max_num_queries):
    address = url("columns", machine.pk)
    kept = list(machine.columns.values_list("pk", flat=True)[:2])
    with django_assert_max_num_queries(60) as eleven:
        alice_client.get(address)
    sent = whole(machine, save="1")
    with django_assert_max_num_queries(60) as eleven_sent:
        alice_client.post(address, sent)
    machine.columns.exclude(pk__in=kept).delete()
    with django_assert_max_num_queries(60) as two:
        alice_client.get(address)
    with django_assert_max_num_queries(60) as two_sent:
        alice_client.post(address, sent)
    assert (len(eleven), len(eleven_sent)) == (len(two), len(two_sent))
