"""Graphs for people without an account, at /g/<token>/: seen by whoever has the link, until it is revoked."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from config.logs import without_secrets
from dashboards import graph_public
from machines.services.sharing import machine_move
from models import AuditEntry, GraphLink
from models.access import Role
from tests.conftest import signed_in
from tests.dashboards.test_graphs import address
from tests.factories import make_graph
from tests.machines.views.pages import HTMX, is_whole, page

pytestmark = pytest.mark.django_db


def path(link):
    return "/g/" + link.link.partition("/g/")[2]


@pytest.fixture
def graph(houses):
    return make_graph(houses, graph_name="Sizes", graph_type=4, x="size")


@pytest.fixture
def other(houses):
    return make_graph(houses, graph_name="Cities", graph_type=13, y="city", position=1)


@pytest.fixture
def link(graph, alice):
    return GraphLink.objects.create(machine=graph.machine, graph=graph, created_by=alice)


@pytest.fixture
def page_link(graph, other, alice):
    return GraphLink.objects.create(machine=graph.machine, created_by=alice)


@pytest.fixture
def stranger():
    return Client(headers={"Accept-Language": "en"}, enforce_csrf_checks=True)


# Making one


def test_published_and_shown(alice_client, houses, graph, stranger):
    answer = alice_client.post(address(houses, "sharing"), {"graph": graph.pk, "days": "30"})
    link = houses.graph_links.get()
    assert answer.url == address(houses, "sharing") and link.graph == graph
    assert timedelta(days=29) < link.expires_at - timezone.now() <= timedelta(days=30)
    shown = page(alice_client.get(address(houses, "sharing")))
    assert shown.all("a", href=link.link) and "Sizes" in shown.text
    assert AuditEntry.objects.filter(action="link.graphs_published", object_name="Sizes").count() == 1
    assert "Sizes" in page(stranger.get(path(link))).text


def test_only_who_may_publish_makes_and_revokes_one(bob_client, shared_houses, graph, link, team, bob):
    for role, status in ((Role.VIEWER, 403), (Role.EDITOR, 403), (Role.ADMIN, 302)):
        team.memberships.filter(user=bob).update(role=role)
        assert bob_client.post(address(shared_houses, "sharing"), {"graph": ""}).status_code == status
        assert bob_client.post(address(shared_houses, "sharing", link.pk, "revoke")).status_code == status
    assert shared_houses.graph_links.filter(revoked_at=None).count() == 1


def test_another_machines_graph_cannot_be_published_here(alice_client, houses):
    foreign = make_graph()
    assert "Select a valid choice" in page(alice_client.post(address(houses, "sharing"), {"graph": foreign.pk})).text
    assert not GraphLink.objects.exists()


# What it shows


def test_one_graph_with_its_numbers_and_nothing_else(stranger, houses, graph, other, link):
    answer = stranger.get(path(link))
    assert is_whole(answer) and "data-graph" in page(answer).one("div", id=f"drawn-{graph.pk}")
    assert "Cities" not in answer.content.decode() and "alice" not in answer.content.decode().lower()
    assert stranger.get(f"{path(link)}{graph.pk}/").status_code == 200
    assert (
        stranger.get(f"{path(link)}{other.pk}/").status_code == stranger.get(f"{path(link)}987654/").status_code == 404
    )


def test_a_page_of_graphs_each_when_it_is_scrolled_to(stranger, graph, other, page_link):
    shown = page(stranger.get(path(page_link)))
    places = [div["hx-get"] for div in shown.all("div") if "hx-get" in div]
    assert places == [f"{path(page_link)}{each.pk}/" for each in (graph, other)]
    part = stranger.get(places[1], headers=HTMX)
    assert not is_whole(part) and "Cities" in page(part).text


def test_its_table_as_csv(stranger, other, page_link, link):
    assert b"east,50" in stranger.get(f"{path(page_link)}{other.pk}/table/").content
    assert stranger.get(f"{path(link)}{other.pk}/table/").status_code == 404


def test_numbers_are_written_as_the_browser_says(link, alice):
    german = signed_in(alice).get(path(link), headers={"Accept-Language": "de"}).content.decode()
    assert '"separators":",' in german.replace('": "', '":"'), "alice writes 1.5, but here she is a stranger"


def test_it_counts_how_often_it_was_opened(stranger, link, page_link, other):
    stranger.get(path(link))
    stranger.get(path(link))
    stranger.get(f"{path(page_link)}{other.pk}/", headers=HTMX)
    link.refresh_from_db()
    page_link.refresh_from_db()
    assert link.uses == 2 and link.last_used_at and page_link.uses == 0


def test_no_cookie_no_cache_no_index(stranger, alice, link):
    for client in (stranger, signed_in(alice)):
        answer = client.get(path(link))
        assert not answer.cookies and answer["Cache-Control"] == "no-store" and answer["X-Robots-Tag"] == "noindex"


# Its end


def test_revoked_at_once(alice_client, houses, graph, link, stranger):
    places = [path(link), f"{path(link)}{graph.pk}/", f"{path(link)}{graph.pk}/table/"]
    assert [stranger.get(place).status_code for place in places] == [200, 200, 200]
    alice_client.post(address(houses, "sharing", link.pk, "revoke"))
    assert [stranger.get(place).status_code for place in places] == [404, 404, 404]
    assert AuditEntry.objects.filter(action="link.revoked", object_name="Sizes").count() == 1


def test_every_closed_link_looks_alike(stranger, alice, houses, graph):
    given = ({"revoked_at": timezone.now()}, {"expires_at": timezone.now()}, {"created_by": None})
    links = [GraphLink.objects.create(**{"machine": houses, "created_by": alice} | each) for each in given]
    answers = [stranger.get(place) for place in (*map(path, links), "/g/nothing/", f"/g/nothing/{graph.pk}/")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1 and "This link is closed" in page(answers[0]).text


@pytest.mark.parametrize("role", [Role.EDITOR, None])
def test_it_dies_with_its_makers_power_and_comes_back_with_it(shared_houses, graph, team, bob, stranger, role):
    place = team.memberships.filter(user=bob)
    place.update(role=Role.ADMIN)
    link = GraphLink.objects.create(machine=shared_houses, graph=graph, created_by=bob)
    assert stranger.get(path(link)).status_code == 200
    place.update(role=role) if role else place.delete()
    assert stranger.get(path(link)).status_code == 404
    assert GraphLink.objects.backed().get().state.value == "stopped"
    team.memberships.update_or_create(user=bob, team=team, defaults={"role": Role.ADMIN})
    assert stranger.get(path(link)).status_code == 200


def test_taken_out_of_the_team_nothing_stays_open_that_others_opened(shared_houses, graph, team, alice, bob):
    team.memberships.filter(user=bob).update(role=Role.ADMIN)
    by_bob = GraphLink.objects.create(machine=shared_houses, graph=graph, created_by=bob)
    by_alice = GraphLink.objects.create(machine=shared_houses, created_by=alice)
    machine_move(machine=shared_houses, team=None, user=alice)
    by_bob.refresh_from_db()
    by_alice.refresh_from_db()
    assert by_bob.revoked_at and not by_alice.revoked_at


# In frames of other sites


def test_no_site_may_embed_it_unless_it_was_named(link, stranger):
    for answer in (stranger.get(path(link)), stranger.get("/g/nothing/")):
        assert answer["X-Frame-Options"] == "DENY" and "frame-ancestors 'none'" in answer["Content-Security-Policy"]


def test_named_sites_may_and_get_it_bare(alice_client, houses, graph, stranger):
    site = "https://clinic.example.org"
    alice_client.post(address(houses, "sharing"), {"graph": graph.pk, "days": "", "allowed_sites": f"{site}/\n{site}"})
    link = houses.graph_links.get()
    assert link.allowed_sites == [site] and link.expires_at is None
    frame = page(alice_client.get(address(houses, "sharing"))).text
    assert f'<iframe src="{link.link}?embed"' in frame
    answer = stranger.get(f"{path(link)}?embed")
    assert (
        f"frame-ancestors {site}" in answer["Content-Security-Policy"].split("; ") and "X-Frame-Options" not in answer
    )
    shown = page(answer)
    assert not shown.all("h1") and not shown.all("footer") and shown.one("div", id=f"drawn-{graph.pk}")
    assert page(stranger.get(path(link))).all("h1")
    link.revoke()
    assert stranger.get(path(link))["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("site", ["http://a.org", "a.org", "https://a.org/path", "https://*", "data:"])
def test_what_is_no_site_is_refused(alice_client, houses, graph, site):
    answer = alice_client.post(address(houses, "sharing"), {"graph": "", "allowed_sites": site})
    assert "is no address of a site" in page(answer).text and not GraphLink.objects.exists()


# Misuse


@pytest.mark.parametrize("token", ["x" * 5000, "%00", "..%2f", "é", "' OR 1=1 --"])
def test_junk_instead_of_a_token(stranger, token):
    assert stranger.get(f"/g/{token}/").status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_no_other_methods(link, method):
    assert getattr(Client(), method)(path(link)).status_code == 405


def test_too_much_of_it_is_slowed_down(link, stranger, monkeypatch):
    monkeypatch.setattr(graph_public, "MOST_LOOKS", 2)
    assert [stranger.get(path(link)).status_code for _ in range(3)] == [200, 200, 429]
    cache.clear()
    monkeypatch.setattr(graph_public, "MOST_MISSES", 2)
    assert [stranger.get("/g/nothing/").status_code for _ in range(3)] == [404, 404, 429]


def test_the_address_is_in_no_log(link):
    assert path(link).split("/")[2] not in without_secrets(f"Not Found: {path(link)}")
