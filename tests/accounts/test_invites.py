"""The page on which a team's admins invite: one form, two ways, and the invitations that wait."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from models import AuditEntry, Invite, InviteRequest, Membership
from models.access import Role
from models.invite import DAYS, Landing
from tests.accounts.invites import CONSOLE, FORM, confirmed, make_invite, past, path_of
from tests.factories import make_machine, make_team, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _alice_has_proved_her_address(alice):
    confirmed(alice)


@pytest.fixture
def url(team):
    return f"/teams/{team.pk}/invites/"


def change(client, invite, **what):
    return client.post(f"/teams/{invite.team_id}/invites/{invite.pk}/", what)


def page_of(response):
    return response.content.decode()


def test_it_works(alice_client, url, team, alice):
    response = alice_client.post(url, FORM | {"role": "editor", "days": "3", "uses": "25"}, follow=True)
    invite = Invite.objects.get()
    assert (invite.team, invite.invited_by, invite.role, invite.max_uses) == (team, alice, "editor", 25)
    assert abs(invite.expires_at - timezone.now() - timedelta(days=3)) < timedelta(minutes=1)
    page = page_of(response)
    assert f'value="{invite.link}"' in page, "the link stands ready to be copied"
    assert f'data-copy="{invite.link}"' in page
    assert "0 of 25" in page
    assert AuditEntry.objects.get(action="invite.made").details == {"role": "editor", "uses": 25, "days": 3}


def test_the_link_works_without_any_mail_server(alice_client, url, settings):
    settings.EMAIL_BACKEND = CONSOLE
    page = page_of(alice_client.get(url))
    assert "no mail server" in page
    assert "Send by e-mail" not in page
    assert 'name="is_locked"' not in page and 'name="domain"' not in page, "nobody could prove an address here"
    assert Invite.objects.count() == 0
    page = page_of(alice_client.post(url, FORM | {"email": "eve@example.org", "is_locked": "on"}, follow=True))
    invite = Invite.objects.get()
    assert invite.link in page
    assert (invite.email, invite.is_locked, invite.mail_state) == ("eve@example.org", False, "")


def test_mail_that_cannot_be_sent_is_not_promised(alice_client, url, settings):
    settings.EMAIL_BACKEND = CONSOLE
    page = page_of(alice_client.post(url, FORM | {"way": "mail", "email": "eve@example.org"}))
    assert "This site cannot send e-mail" in page and 'value="eve@example.org"' in page
    assert not Invite.objects.exists()


WRONG = [
    ({"role": "owner"}, "role"),
    ({"role": "king"}, "role"),
    ({"days": "0"}, "days"),
    ({"days": "31"}, "days"),
    ({"days": "soon"}, "days"),
    ({"uses": "0"}, "uses"),
    ({"uses": "1001"}, "uses"),
    ({"email": "nonsense"}, "email"),
    ({"email": "a@b.org\nBcc: c@d.org"}, "email"),
    ({"way": "mail"}, "email"),
    ({"is_locked": "on"}, "email"),
    ({"is_locked": "on", "email": "eve@example.org", "uses": "2"}, "uses"),
    ({"domain": "not a domain"}, "domain"),
    ({"domain": "example.com", "email": "eve@example.org"}, "domain"),
    ({"landing": "form"}, "machine"),
    ({"landing": "moon"}, "landing"),
    ({"note": "x" * 501}, "note"),
    ({"note": "\0"}, "note"),
    ({"way": "pigeon"}, "way"),
]


@pytest.mark.parametrize(("typed", "field"), WRONG, ids=lambda value: str(value)[:30])
def test_what_is_not_possible_is_refused_and_the_rest_is_kept(alice_client, url, typed, field):
    response = alice_client.post(url, FORM | {"note": "Welcome, Eve"} | typed)
    assert response.status_code == 200
    assert set(response.context["form"].errors) == {field}
    if "note" not in typed:
        assert "Welcome, Eve" in page_of(response)
    assert not Invite.objects.exists()


def test_nothing_else_can_be_typed_in(alice_client, url, team, charlie):
    other = make_team(admin=charlie)
    typed = {"team": other.pk, "invited_by": charlie.pk, "max_uses": "900", "uses_left": "5", "token_hash": "a" * 64}
    alice_client.post(url, FORM | typed | {"expires_at": "2099-01-01", "mail_state": "sent"})
    invite = Invite.objects.get()
    assert (invite.team, invite.invited_by.email, invite.max_uses, invite.uses) == (team, "alice@example.org", 1, 0)
    assert invite.token_hash != "a" * 64 and invite.mail_state == ""
    assert invite.expires_at < timezone.now() + timedelta(days=DAYS + 1)


def test_only_machines_of_the_team_can_be_landed_on(alice_client, url, alice, team, charlie):
    shared, private = make_machine(owner=alice, team=team), make_machine(owner=alice)
    foreign = make_machine(owner=charlie)
    page = page_of(alice_client.get(url))
    assert shared.machine_name in page
    assert private.machine_name not in page and foreign.machine_name not in page
    for machine in (private, foreign):
        response = alice_client.post(url, FORM | {"landing": "form", "machine": machine.pk})
        assert set(response.context["form"].errors) == {"machine"}
    alice_client.post(url, FORM | {"landing": "form", "machine": shared.pk})
    assert (Invite.objects.get().landing, Invite.objects.get().landing_machine) == (Landing.FORM, shared)


def test_a_machine_can_be_chosen_before(alice_client, url, alice, team):
    machine = make_machine(owner=alice, team=team)
    page = page_of(alice_client.get(f"{url}?machine={machine.pk}&landing=form"))
    assert f'<option value="{machine.pk}" selected>' in page
    assert '<option value="form" selected>' in page
    for nonsense in ("x", "9" * 30, "0"):
        assert alice_client.get(f"{url}?machine={nonsense}").status_code == 200


# Who may come here


@pytest.mark.parametrize("role", ["viewer", "predictor", "editor"])
def test_a_role_below_admin_is_refused_with_the_reason(bob_client, url, bob, team, role):
    Membership.objects.filter(user=bob).update(role=role)
    invite = make_invite(team)
    bulk, one = f"{url}bulk/", f"{url}{invite.pk}/"
    for response in (bob_client.get(url), bob_client.post(url, FORM), bob_client.get(bulk), bob_client.post(one)):
        assert response.status_code == 403
        assert "takes Admin" in page_of(response)
    assert Invite.objects.count() == 1


def test_an_admin_may(bob_client, url, bob):
    Membership.objects.filter(user=bob).update(role="admin")
    bob_client.post(url, FORM | {"role": "admin"})
    assert Invite.objects.get().role == Role.ADMIN


def test_strangers_find_nothing(charlie_client, client, url, team):
    invite = make_invite(team)
    for place in (url, f"{url}bulk/"):
        assert charlie_client.get(place).status_code == charlie_client.post(place, FORM).status_code == 404
        assert client.get(place)["Location"].startswith("/accounts/login/")
    assert change(charlie_client, invite, action="revoke").status_code == 404
    invite.refresh_from_db()
    assert invite.revoked_at is None


def test_an_invitation_of_another_team_is_not_reached_through_ones_own(alice_client, team, charlie):
    foreign = make_invite(make_team(admin=charlie))
    for action in ("revoke", "renew", "role", "grant"):
        response = alice_client.post(f"/teams/{team.pk}/invites/{foreign.pk}/", {"action": action, "role": "viewer"})
        assert response.status_code == 404
    assert alice_client.get(f"/teams/{team.pk}/invites/?made={foreign.pk}").context["made"] is None
    foreign.refresh_from_db()
    assert (foreign.revoked_at, foreign.role) == (None, "predictor")


def test_looking_changes_nothing(alice_client, url, team):
    invite = make_invite(team)
    assert alice_client.get(f"{url}{invite.pk}/").status_code == 405
    assert alice_client.get(f"{url}{invite.pk}/?action=revoke").status_code == 405


# Those that wait


def test_the_list_says_what_matters(alice_client, url, team):
    make_invite(team, email="eve@example.org", is_locked=True, mail_state="failed", role="viewer")
    make_invite(team, domain="example.org", max_uses=25, uses=3)
    make_invite(team)
    page = page_of(alice_client.get(url))
    for words in ("eve@example.org", "only this address", "Could not be sent", "Send again", "by Alice Archer"):
        assert words in page
    for words in ("example.org addresses", "3 of 25", "Anyone with the link", "Revoke", "New link"):
        assert words in page


def test_the_ended_ones_are_folded_away(alice_client, url, team, bob):
    for ended in ({"revoked_at": past()}, {"expires_at": past()}, {"uses": 1}, {"invited_by": bob}):
        make_invite(team, **ended)
    response = alice_client.get(url)
    assert list(response.context["page"]) == []
    assert len(response.context["ended"]) == 4
    for words in ("Revoked", "Expired", "Used up", "Its maker may no longer invite"):
        assert words in page_of(response)


def test_however_many_there_are_it_asks_as_often(alice_client, url, team, alice):
    def questions():
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert alice_client.get(url).status_code == 200
        return len(asked)

    def fill(count):
        for number in range(count):
            old = make_invite(team, revoked_at=past(), email=f"old{number}@example.org")
            make_invite(team, email=f"new{number}@example.org")
            InviteRequest.objects.create(invite=old, email=f"ask{number}@example.org")
            make_machine(owner=alice, team=team)

    fill(1)
    few = questions()
    fill(60)
    assert questions() == few
    assert len(alice_client.get(url).context["page"]) == 25


def test_revoking_ends_it_at_once(alice_client, client, team):
    invite = make_invite(team)
    assert client.get(path_of(invite)).status_code == 200
    assert "revoked" in page_of(
        alice_client.post(f"/teams/{team.pk}/invites/{invite.pk}/", {"action": "revoke"}, follow=True)
    )
    assert client.get(path_of(invite)).status_code == 404
    change(alice_client, invite, action="revoke")
    assert AuditEntry.objects.filter(action="invite.revoked").count() == 1, "once"


def test_a_new_link_ends_the_old_one(alice_client, client, team):
    invite = make_invite(team, expires_at=timezone.now() + timedelta(hours=1))
    old = path_of(invite)
    page = page_of(alice_client.post(f"/teams/{team.pk}/invites/{invite.pk}/", {"action": "renew"}, follow=True))
    invite.refresh_from_db()
    assert invite.link in page
    assert client.get(old).status_code == 404
    assert client.get(path_of(invite)).status_code == 200
    assert invite.expires_at > timezone.now() + timedelta(days=6)


def test_a_link_that_cannot_be_shown_again_can_be_replaced(alice_client, url, team, settings):
    invite = make_invite(team)
    settings.SECRET_KEY = "another key, also of more than fifty characters, made for this test"
    alice_client.force_login(team.admin_user)
    page = page_of(alice_client.get(f"{url}?made={invite.pk}"))
    assert "cannot be shown again" in page and "Make a new link" in page
    change(alice_client, invite, action="renew")
    invite.refresh_from_db()
    assert invite.link


def test_an_expired_one_can_be_renewed_but_no_revoked_one(alice_client, team):
    expired, revoked = make_invite(team, expires_at=past()), make_invite(team, revoked_at=past())
    change(alice_client, expired, action="renew")
    change(alice_client, revoked, action="renew")
    assert list(Invite.objects.usable()) == [expired]


def test_who_renews_it_answers_for_it(alice_client, team, bob, alice):
    invite = make_invite(team, invited_by=bob)
    assert not Invite.objects.usable().exists()
    change(alice_client, invite, action="renew")
    assert Invite.objects.usable().get().invited_by == alice


def test_the_role_can_be_changed_until_it_is_used(alice_client, team):
    invite = make_invite(team)
    change(alice_client, invite, action="role", role="viewer")
    invite.refresh_from_db()
    assert invite.role == "viewer"
    for impossible in ("owner", "king", ""):
        change(alice_client, invite, action="role", role=impossible)
    invite.refresh_from_db()
    assert invite.role == "viewer"
    entry = AuditEntry.objects.get(action="invite.changed")
    assert entry.details == {"role": "viewer", "before": "predictor"}


def test_an_unknown_action_does_nothing(alice_client, team):
    assert change(alice_client, make_invite(team), action="explode").status_code == 404


def test_many_invitations_in_a_row_are_slowed_down(alice_client, url):
    answers = {alice_client.post(url, {}).status_code for _ in range(100)}
    assert answers == {200}
    assert alice_client.post(url, FORM).status_code == 429
    assert make_user() and not Invite.objects.exists()


def test_who_is_in_the_team_is_not_invited_again(alice_client, url, bob):
    response = alice_client.post(url, FORM | {"email": bob.email.upper()})
    assert response.context["form"].errors == {"email": [f"{bob.email} is in the team already."]}
    assert not Invite.objects.exists()


def test_what_is_wrong_is_told_in_the_order_of_the_page(alice_client, url):
    wrong = {"email": "nonsense", "days": "99", "uses": "many", "landing": "form"}
    assert list(alice_client.post(url, FORM | wrong).context["form"].errors) == ["email", "days", "uses", "machine"]
