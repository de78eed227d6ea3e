"""Another output: what repeats it is found anew, in the rows themselves."""

import pytest
from django.urls import reverse

from machines.services.copies import copies_set_aside
from machines.services.datasets import dataset_upload
from tests.factories import make_column, make_machine

pytestmark = pytest.mark.django_db


@pytest.fixture
def rooms(alice):
    """Price in euros and in cents, and something else; the last column is proposed as the output."""
    lines = ["euros,cents,size,kind"]
    lines += [f"{n * 7 % 83 + 0.5},{(n * 7 % 83 + 0.5) * 100},{n * 13 % 61},{'ab'[n % 2]}" for n in range(120)]
    return dataset_upload(user=alice, name="Rooms", file_name="rooms.csv", chunks=["\n".join(lines).encode()])


def test_a_column_that_is_the_output_in_another_unit_is_set_aside(rooms):
    output = rooms.columns.get(name="euros")
    output.role = "output"
    output.save()
    assert copies_set_aside(machine=rooms, output=output) == ["cents"]
    cents = rooms.columns.get(name="cents")
    assert cents.role == "ignored"
    assert "repeats the answer" in cents.profile["flags"][0]["template"]
    assert rooms.columns.get(name="size").role == "input"


def test_choosing_it_on_the_page_says_so_and_shows_the_page_anew(rooms, alice_client):
    euros = rooms.columns.get(name="euros")
    place = reverse("machines:column", args=[rooms.pk, euros.pk])
    typed = {f"{euros.pk}-type": "FLOAT", f"{euros.pk}-role": "output"}
    response = alice_client.post(place, typed, headers={"HX-Request": "true"})
    assert response.headers["HX-Refresh"] == "true"
    page = alice_client.get(reverse("machines:columns", args=[rooms.pk])).content.decode()
    assert "because they say the same as the output: cents" in page


def test_without_copies_only_the_row_is_answered(rooms, alice_client):
    size = rooms.columns.get(name="size")
    place = reverse("machines:column", args=[rooms.pk, size.pk])
    typed = {f"{size.pk}-type": "FLOAT", f"{size.pk}-role": "output"}
    response = alice_client.post(place, typed, headers={"HX-Request": "true"})
    assert "HX-Refresh" not in response.headers
    assert f"column-{size.pk}" in response.content.decode()


def test_without_rows_nothing_is_looked_for(alice):
    machine = make_machine(owner=alice)
    assert copies_set_aside(machine=machine, output=make_column(machine, name="y", role="output")) == []
