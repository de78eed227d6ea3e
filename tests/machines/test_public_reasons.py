"""Strangers read why an answer is what it is, as people with an account do; of uploaded models nobody can say."""

import pytest
from django.test import Client

from machines.services import public
from machines.services.uploads import model_describe
from models import PublicLink
from tests.conftest import signed_in
from tests.factories import make_version
from tests.machines.test_public import ENGLISH, GERMAN, fields, path, publish
from tests.machines.views.pages import HTMX, page, url

pytestmark = pytest.mark.django_db

USUALLY = "With usual values the "


def why(client, link, data, **kwargs):
    """What the page says from its first reasons on; "" where it gives none."""
    shown = page(client.post(path(link), data, **kwargs)).text
    return "".join(shown.partition(USUALLY)[1:]).partition("Made with")[0]


@pytest.fixture
def stranger():
    return Client(headers=ENGLISH, enforce_csrf_checks=True)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["browser", "htmx"])
def test_it_works(machine, stranger, headers):
    shown = why(stranger, publish(machine), fields(machine) | {"c0": "95"}, headers=headers)
    assert "points" in shown and "which need not be a cause" in shown
    price = shown[shown.index(f"{USUALLY}answer is") :]
    assert price.index("size") < price.index("+"), "the strongest first"


def test_they_are_those_of_the_signed_in_page(machine, alice_client, stranger):
    data = fields(machine) | {"c0": "95"}
    link = publish(machine)
    shown = page(alice_client.post(url("predict", machine.pk), data)).text
    assert why(stranger, link, data) and why(stranger, link, data) in shown


def test_a_short_form_gives_reasons_of_what_it_asks_alone(machine, stranger):
    shown = why(stranger, publish(machine, questions=["size", "city"]), fields(machine, ["size", "city"]))
    assert "size" in shown
    assert not [name for name in ("pressure", "delta", "kind", "note") if f" {name} " in shown]


def test_they_are_written_as_the_browser_says(machine):
    link, data = publish(machine), fields(machine)
    english, german = (why(Client(headers=headers), link, data) for headers in (ENGLISH, GERMAN))
    assert english and english != german and len(english) == len(german)


def test_an_empty_form_has_none(machine, stranger):
    assert why(stranger, publish(machine), {}) == ""


def test_what_cannot_be_explained_is_neither_shown_nor_counted(machine, stranger, monkeypatch):
    """The model was replaced while it was explaining."""
    link = publish(machine)

    def gone(**_kwargs):
        raise public.NotTrainedError

    monkeypatch.setattr(public, "reasons_find", gone)
    response = stranger.post(path(link), fields(machine))
    assert response.status_code == 404 and "probability" not in page(response).text
    assert PublicLink.objects.get().uses == 0


def test_an_uploaded_model_answers_without(point, stranger):
    version = make_version(owner=point)
    colour = {"name": "Colour", "type": "choice", "labels": ["red", "blue"], "encoding": "one_hot"}
    model_describe(version=version, user=point, inputs=[colour, {"name": "x3"}], outputs=[{"name": "y"}])
    machine = version.machine
    machine.refresh_from_db()
    data = {"c0": "blue", "c1": "3"}
    for response in (
        stranger.post(path(publish(machine)), data),
        signed_in(point).post(url("predict", machine.pk), data),
    ):
        shown = page(response)
        assert response.status_code == 200 and "11.5" in shown.text, shown.text
        assert USUALLY not in shown.text and "Why" not in shown.text
