"""Who meets an invitation that has ended, or is for somebody else, asks for another; the team's admins answer."""

import pytest
from django.core import mail
from django.test import Client

from models import Invite, InviteRequest, Membership
from tests.accounts.invites import make_invite, past, path_of, work_off
from tests.conftest import signed_in

pytestmark = pytest.mark.django_db


def shown(client, place):
    return client.get(place).content.decode()


def ask(client, place, email="eve@example.org"):
    return client.post(place, {"action": "ask", "email": email})


def test_who_meets_an_ended_one_asks_and_the_admins_are_told(client, team, alice, bob):
    Membership.objects.filter(user=bob).update(role="admin")
    invite = make_invite(team, expires_at=past(), role="editor", landing="team")
    assert "You have asked" in ask(client, path_of(invite), "Eve@Example.org").content.decode()
    work_off()
    assert [message.to for message in mail.outbox] == [["alice@example.org"], ["bob@example.org"]]
    assert "eve@example.org asks for an invitation" in mail.outbox[0].subject
    assert f"/teams/{team.pk}/invites/" in mail.outbox[0].body
    admin = signed_in(alice)
    page = shown(admin, f"/teams/{team.pk}/invites/")
    assert "<b>eve@example.org</b> asks for a new invitation" in page
    wish = InviteRequest.objects.get()
    admin.post(f"/teams/{team.pk}/invites/{invite.pk}/", {"action": "grant", "request": wish.pk})
    new = Invite.objects.usable().get()
    assert (new.email, new.role, new.landing, new.max_uses) == ("eve@example.org", "editor", "team", 1)
    assert "asks for a new invitation" not in shown(admin, f"/teams/{team.pk}/invites/")
    admin.post(f"/teams/{team.pk}/invites/{invite.pk}/", {"action": "grant", "request": wish.pk})
    assert Invite.objects.usable().count() == 1, "it is answered once"


def test_a_request_can_be_ignored_but_not_by_others(client, team, alice_client, charlie_client):
    invite = make_invite(team, revoked_at=past())
    ask(client, path_of(invite))
    work_off()
    what = {"action": "ignore", "request": InviteRequest.objects.get().pk}
    assert charlie_client.post(f"/teams/{team.pk}/invites/{invite.pk}/", what).status_code == 404
    assert InviteRequest.objects.waiting().exists()
    alice_client.post(f"/teams/{team.pk}/invites/{invite.pk}/", what)
    assert not InviteRequest.objects.waiting().exists() and not Invite.objects.usable().exists()


def test_the_wrong_account_may_ask_too(charlie_client, team):
    invite = make_invite(team, email="cara@example.org", is_locked=True)
    ask(charlie_client, path_of(invite), "charlie@example.org")
    work_off()
    assert InviteRequest.objects.get().email == "charlie@example.org"


def test_once_an_address_and_fifty_an_invitation(team):
    invite = make_invite(team, revoked_at=past())
    for number in range(60):
        visitor = Client(REMOTE_ADDR=f"10.0.0.{number}")
        ask(visitor, path_of(invite), f"p{number % 55}@example.org")
    work_off()
    assert InviteRequest.objects.count() == 50
    assert len(mail.outbox) == 50


def test_a_link_that_never_was_tells_nobody(client):
    assert "You have asked" in ask(client, "/invites/never-was/").content.decode()
    work_off()
    assert not InviteRequest.objects.exists() and not mail.outbox


@pytest.mark.parametrize("typed", ["", "nonsense", "a@b.org\nBcc: c@d.org", "x" * 250 + "@b.org"])
def test_an_address_is_needed(client, team, typed):
    response = ask(client, path_of(make_invite(team, revoked_at=past())), typed)
    assert response.status_code == 404 and response.context["form"].errors
    assert work_off() == 0


def test_a_team_that_is_gone_takes_its_invitations_along(client, team):
    path = path_of(make_invite(team))
    team.delete()
    assert client.get(path).status_code == 404


def test_no_invitation_in_hand(client):
    assert client.get("/invites/").status_code == 404
