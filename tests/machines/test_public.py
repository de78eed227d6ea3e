"""The form at /p/<token>/: answers without an account, counts, and tells strangers nothing else."""

import logging
import re
import threading
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from config.formats import Formats
from config.logs import without_secrets
from machines.services import public
from machines.services.machines import machine_delete
from machines.services.predictions import predictor_of
from machines.services.sharing import link_publish
from models import EncDecConfiguration, NNModel, PublicLink
from models.access import Role
from tests.conftest import signed_in
from tests.machines.houses import ANSWERS, IMPORTANCE
from tests.machines.views.pages import HTMX, is_whole, page

pytestmark = pytest.mark.django_db

ENGLISH, GERMAN = {"Accept-Language": "en"}, {"Accept-Language": "de"}


def publish(machine, user=None, **kwargs):
    given = {"name": "Is it risky?", "questions": [], "allowed_sites": [], "max_uses": None, "expires_at": None}
    return link_publish(machine=machine, user=user or machine.machine_owner_user, **given | kwargs)


def path(link):
    return link.link.removeprefix(link.link.partition("/p/")[0])


def fields(machine, questions=None):
    """What a stranger types: name of the field -> text, in the order of the file's inputs."""
    names = [item["name"] for item in machine.enc_dec_configuration.enc_dec_config["inputs"]]
    asked = [name for name in names if questions is None or name in questions]
    return {f"c{number}": ANSWERS[name] for number, name in enumerate(asked)}


@pytest.fixture
def link(machine):
    return publish(machine)


@pytest.fixture
def stranger():
    return Client(headers=ENGLISH, enforce_csrf_checks=True)


# What it is for


def test_it_works(machine, link, stranger):
    shown = page(stranger.get(path(link)))
    assert "Is it risky?" in shown.text and len(shown.questions()) == 9
    answered = stranger.post(path(link), fields(machine))
    assert is_whole(answered) and "probability" in page(answered).text and "9 of 9 answered" in page(answered).text
    link.refresh_from_db()
    assert link.uses == 1 and link.last_used_at


def test_htmx_gets_the_answer_in_place(machine, link, stranger):
    response = stranger.post(path(link), fields(machine), headers=HTMX)
    assert not is_whole(response) and "probability" in page(response).text
    assert page(response).one("form")["hx-target"] == "#work"


def test_a_short_form_asks_only_what_was_chosen(machine, stranger):
    link = publish(machine, questions=["size", "city"])
    shown = page(stranger.get(path(link)))
    assert shown.questions() == ["c0", "c1"] and "pressure" not in shown.text
    answered = page(stranger.post(path(link), fields(machine, ["size", "city"])))
    assert "2 of 2 answered" in answered.text and "probability" in answered.text


def test_the_most_telling_question_comes_first(machine, link, stranger):
    shown = page(stranger.get(path(link)))
    words = [shown.text.index(f" {name} ") for name in IMPORTANCE if name in ("size", "kind", "pressure")]
    assert words == sorted(words)


def test_numbers_are_written_as_the_browser_says(machine, link):
    size = predictor_of(machine)  # loaded, so that both ask the same one
    assert size
    english = Client(headers=ENGLISH).post(path(link), fields(machine) | {"c0": "41.5"}).content.decode()
    german = Client(headers=GERMAN).post(path(link), fields(machine) | {"c0": "41,5"}).content.decode()
    number = re.search(r"<p class=\"outcome\">(\d+\.\d+)</p>", english)[1]
    assert number.replace(".", ",") in german and number not in german


def test_the_persons_own_formats_do_not_matter_here(machine, link, alice):
    """Alice writes 41.5, but to this page she is a stranger whose browser speaks German."""
    client = signed_in(alice)
    assert alice.formats == Formats(decimal_separator=".")
    shown = client.get(path(link), headers=GERMAN).content.decode()
    assert re.search(r"\d,\d", page(client.get(path(link), headers=GERMAN)).text) and "Alice" not in shown


def test_the_machine_keeps_answering_while_it_trains_anew(machine, link, stranger):
    for status in ("training", "new", "typed", "failed"):
        type(machine).objects.update(machine_status=status)
        assert "probability" in page(stranger.post(path(link), fields(machine))).text


# No cookies, no traces


def test_no_cookie_is_set_or_read(machine, link, alice, django_assert_num_queries):
    client = signed_in(alice)
    client.cookies["csrftoken"] = "junk"
    predictor_of(machine)
    with django_assert_num_queries(2):
        got = client.get(path(link))
    with django_assert_num_queries(3):
        sent = client.post(path(link), fields(machine))
    for response in (got, sent):
        assert not response.cookies
        assert b"csrf" not in response.content and b"Alice" not in response.content
        assert response["Cache-Control"] == "no-store" and response["X-Robots-Tag"] == "noindex"


def test_a_stranger_gets_no_cookie_where_it_is_closed_either(stranger):
    response = stranger.get("/p/nothing/")
    assert response.status_code == 404 and not response.cookies
    assert response["X-Robots-Tag"] == "noindex" and response["Cache-Control"] == "no-store"


def test_as_many_queries_for_nine_questions_as_for_two(machine, link, stranger, django_assert_num_queries):
    predictor_of(machine)
    short = publish(machine, questions=["size", "city"])
    for one in (link, short):
        with django_assert_num_queries(2):
            stranger.get(path(one))
        with django_assert_num_queries(3):
            stranger.post(path(one), fields(machine, one.questions or None))


def test_the_page_says_nothing_about_whose_it_is(machine, team, link, stranger):
    machine.machine_owner_team = team
    machine.source_name = "secret-file.csv"
    machine.save()
    pages = [
        stranger.get(path(link)),
        stranger.post(path(link), fields(machine)),
        stranger.post(path(link), {"c0": "x"}),
    ]
    for response in pages:
        html = response.content.decode()
        for word in ("alice", "Alice", "example.org", "secret-file", team.name, "/machines/", "/accounts/"):
            assert word not in html, word


def test_the_token_is_in_no_log(link):
    token = path(link).split("/")[2]
    assert token not in without_secrets(f"Internal Server Error: {path(link)}")


def test_the_console_hides_it_too(link):
    console = next(handler for handler in logging.getLogger().handlers if type(handler) is logging.StreamHandler)
    record = logging.LogRecord("django.request", logging.ERROR, "", 0, "Error: %s", (path(link),), None)
    line = console.format(record)
    assert "/p/***" in line and path(link) not in line


# What it costs


def test_a_wrong_answer_counts_nothing(machine, link, stranger):
    response = stranger.post(path(link), fields(machine) | {"c0": "forty"})
    assert "“forty” is not a number" in page(response).text and response.status_code == 200
    link.refresh_from_db()
    assert link.uses == 0 and link.last_used_at is None


def test_looking_counts_nothing(link, stranger):
    stranger.get(path(link))
    link.refresh_from_db()
    assert link.uses == 0


def test_the_last_answer_is_the_last(machine, stranger):
    link = publish(machine, max_uses=2)
    assert [stranger.post(path(link), fields(machine)).status_code for _ in range(3)] == [200, 200, 404]
    link.refresh_from_db()
    assert link.uses == 2 and stranger.get(path(link)).status_code == 404


def test_an_answer_that_cannot_be_counted_is_not_shown(machine, monkeypatch, stranger):
    """It was revoked while the machine was thinking."""
    link = publish(machine)
    think = public.prediction_make

    def revoked_meanwhile(**kwargs):
        PublicLink.objects.get().revoke()
        return think(**kwargs)

    monkeypatch.setattr(public, "prediction_make", revoked_meanwhile)
    response = stranger.post(path(link), fields(machine))
    assert response.status_code == 404 and "probability" not in page(response).text
    assert PublicLink.objects.get().uses == 0


@pytest.mark.django_db(transaction=True)
def test_of_16_at_once_5_are_answered(machine):
    link = publish(machine, max_uses=5)
    address, data = path(link), fields(machine)
    codes, start = [], threading.Barrier(16)

    def ask():
        client = Client(headers=ENGLISH)
        start.wait()
        try:
            codes.append(client.post(address, data).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200] * 5 + [404] * 11
    link.refresh_from_db()
    assert link.uses == 5


def test_sixty_a_minute_from_one_address(machine, link, stranger):
    data = {"c0": "wrong"}
    assert {stranger.post(path(link), data).status_code for _ in range(60)} == {200}
    slow = stranger.post(path(link), data)
    assert slow.status_code == 429 and 0 < int(slow["Retry-After"]) <= 60
    assert stranger.get(path(link)).status_code == 200, "looking is free"
    assert stranger.post(path(publish(machine)), data).status_code == 200, "another link has its own count"
    elsewhere = Client(REMOTE_ADDR="203.0.113.7", headers=ENGLISH)
    assert elsewhere.post(path(link), data).status_code == 200, "so has another address"


def test_guessing_is_slowed_down(link, stranger):
    assert {stranger.get(f"/p/guess{number}/").status_code for number in range(30)} == {404}
    slow = stranger.get("/p/guess/")
    assert slow.status_code == 429 and slow["Retry-After"]
    assert stranger.get(path(link)).status_code == 200, "who has a link is not kept out by a neighbour's guesses"


# Closed


def expired(link, machine):
    PublicLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def used_up(link, machine):
    PublicLink.objects.update(uses=3, max_uses=3)


def revoked(link, machine):
    link.revoke()


def deleted(link, machine):
    machine_delete(machine=machine)


def not_trained(link, machine):
    type(machine).objects.update(training_nn_model=None, enc_dec_configuration=None)


def described_no_more(link, machine):
    EncDecConfiguration.objects.update(enc_dec_config=None)


def questions_gone(link, machine):
    PublicLink.objects.update(questions=["a column of before"])


def maker_locked_out(link, machine):
    machine.machine_owner_user.is_active = False
    machine.machine_owner_user.save()


ENDS = [expired, used_up, revoked, deleted, not_trained, described_no_more, questions_gone, maker_locked_out]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["browser", "htmx"])
def test_whatever_closed_it_the_page_is_the_same(machine, link, stranger, end, headers):
    unknown = stranger.get("/p/no-such-token/", headers=headers)
    address, data = path(link), fields(machine)
    assert stranger.get(address).status_code == 200
    end(link, machine)
    for response in (stranger.get(address, headers=headers), stranger.post(address, data, headers=headers)):
        assert response.status_code == 404 and response.content == unknown.content
        assert dict(response.items()) == dict(unknown.items())
        assert "This form is closed. Ask whoever gave you the link." in re.sub(r"\s+", " ", page(response).text)


def test_a_model_that_vanishes_at_this_moment_closes_it(machine, link, stranger):
    NNModel.objects.update(nn_model=None)
    assert stranger.post(path(link), fields(machine)).status_code == 404
    link.refresh_from_db()
    assert link.uses == 0


@pytest.mark.parametrize("role", [Role.EDITOR, Role.PREDICTOR, None])
def test_it_dies_with_its_makers_power_and_comes_back_with_it(shared, team, bob, stranger, role):
    place = team.memberships.filter(user=bob)
    place.update(role=Role.ADMIN)
    link = publish(shared, user=bob)
    assert stranger.get(path(link)).status_code == 200
    place.update(role=role) if role else place.delete()
    assert stranger.get(path(link)).status_code == 404
    assert PublicLink.objects.backed().get().state.value == "stopped"
    team.memberships.update_or_create(user=bob, team=team, defaults={"role": Role.ADMIN})
    assert stranger.get(path(link)).status_code == 200


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_no_other_methods(link, stranger, method):
    assert getattr(stranger, method)(path(link)).status_code == 405


@pytest.mark.parametrize("token", ["x" * 5000, "%00", "..%2f", "é", "' OR 1=1 --"])
def test_junk_instead_of_a_token(stranger, token):
    assert stranger.get(f"/p/{token}/").status_code == 404


def test_files_that_are_sent_along_are_not_kept(machine, link, stranger, settings):
    settings.FILE_UPLOAD_TEMP_DIR = "/nowhere/to/write"  # where a file would be kept until the answer
    data = fields(machine) | {"file": SimpleUploadedFile("big.bin", b"x" * 3_000_000)}
    assert "probability" in page(stranger.post(path(link), data)).text


# In frames of other sites


def test_no_site_may_embed_it_unless_it_was_named(link, stranger):
    for response in (stranger.get(path(link)), stranger.get("/p/nothing/")):
        assert response["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in response["Content-Security-Policy"]


def test_named_sites_may(machine, stranger):
    link = publish(machine, allowed_sites=["https://clinic.example.org", "http://localhost:8123"])
    for response in (stranger.get(path(link)), stranger.post(path(link), fields(machine))):
        policy = response["Content-Security-Policy"].split("; ")
        assert "frame-ancestors https://clinic.example.org http://localhost:8123" in policy
        assert "script-src 'self'" in policy and "default-src 'none'" in policy
        assert "X-Frame-Options" not in response
    link.revoke()
    assert stranger.get(path(link))["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("site", ["https://a.org; script-src *", "*", "https://*", "https://a.org\r\nX: y", "data:"])
def test_what_got_into_the_table_by_another_way_stays_out_of_the_header(machine, stranger, site):
    response = stranger.get(path(publish(machine, allowed_sites=[site])))
    assert response["X-Frame-Options"] == "DENY" and "frame-ancestors 'none'" in response["Content-Security-Policy"]
