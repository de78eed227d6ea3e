"""The invited: whoever they are and whatever became of the invitation, there is a way on."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.test import Client

from models import AuditEntry, Membership, User
from tests.accounts.invites import CONSOLE, NEWCOMER, confirmed, make_invite, path_of, role_in
from tests.accounts.test_sign_up import link_in
from tests.factories import PASSWORD, make_machine, make_ready_machine

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _verification(settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "optional"


def act(client, invite, action, by_mail=False, **more):
    return client.post(path_of(invite, by_mail), {"action": action, **more})


def sign_up(client, invite, by_mail=False, **more):
    assert act(client, invite, "sign-up", by_mail)["Location"] == "/accounts/signup/"
    return client.post("/accounts/signup/", NEWCOMER | more)


def sign_in(client, user, **more):
    return client.post("/accounts/login/", {"login": user.email, "password": PASSWORD} | more)


def shown(client, place):
    return client.get(place).content.decode()


def test_it_works(client, team):
    invite = make_invite(team, role="editor", note="Hello <Eve>\nSee you", landing="team")
    page = shown(client, path_of(invite))
    for words in ("<b>Alice Archer</b> invites you", "<b>Alice and Bob</b> as Editor", "Hello &lt;Eve&gt;<br>See you"):
        assert words in page
    for words in ("the team&#x27;s page", "Make an account", "I have an account"):
        assert words in page
    response = sign_up(client, invite)
    assert response["Location"] == f"/teams/{team.pk}/"
    eve = User.objects.get(email="eve@example.org")
    membership = Membership.objects.get(team=team, user=eve)
    assert (membership.role, membership.invite) == ("editor", invite)
    assert eve.user_permissions.filter(pk=team.permission.pk).exists()
    entry = AuditEntry.objects.get(action="member.joined")
    assert (entry.actor, entry.team, entry.details) == (eve, team, {"role": "editor", "invite": str(invite.pk)})
    assert "Welcome to “Alice and Bob”. You are Editor here." in shown(client, "/")


# New here


def test_the_sign_up_page_shows_the_invitation_and_knows_the_address(client, team):
    invite = make_invite(team, email="eve@example.org", is_locked=True)
    act(client, invite, "sign-up")
    page = shown(client, "/accounts/signup/")
    assert "Alice Archer invites you to <b>Alice and Bob</b>" in page
    assert 'value="eve@example.org"' in page
    assert 'value="eve@example.org"' in shown(client, "/accounts/login/")
    assert "invites you" not in shown(Client(), "/accounts/signup/")


def test_who_comes_by_the_mailed_link_has_proved_the_address(client, team, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    invite = make_invite(team, email="eve@example.org", is_locked=True)
    response = sign_up(client, invite, by_mail=True)
    assert response["Location"] == "/"
    assert not mail.outbox, "no second message is needed"
    assert EmailAddress.objects.get().verified
    assert role_in(team, User.objects.get(email="eve@example.org")) == "predictor"


def test_the_mailed_link_proves_no_other_address(client, team):
    invite = make_invite(team, email="eve@example.org")
    sign_up(client, invite, by_mail=True, email="mallory@example.org")
    assert not EmailAddress.objects.get(email="mallory@example.org").verified


def test_the_copied_link_proves_nothing(client, team):
    invite = make_invite(team, email="eve@example.org", is_locked=True)
    response = sign_up(client, invite)
    eve = User.objects.get(email="eve@example.org")
    assert response["Location"] == "/invites/"
    assert "Confirm that eve@example.org is yours, then you are in" in shown(client, "/invites/")
    assert role_in(team, eve) is None
    opened = client.post(link_in(mail.outbox[0]))
    assert opened["Location"] == "/"
    assert role_in(team, eve) == "predictor"


def test_confirmed_elsewhere_the_link_is_opened_again(client, team):
    invite = make_invite(team, email="eve@example.org", is_locked=True)
    sign_up(client, invite)
    Client().post(link_in(mail.outbox[0]))
    act(client, invite, "join")
    assert role_in(team, User.objects.get(email="eve@example.org")) == "predictor"


def test_where_addresses_must_be_confirmed_the_invitation_waits(client, team, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    invite = make_invite(team)
    assert sign_up(client, invite)["Location"] == "/accounts/confirm-email/"
    client.post(link_in(mail.outbox[0]))
    eve = User.objects.get(email="eve@example.org")
    client.post("/accounts/login/", {"login": eve.email, "password": NEWCOMER["password1"]})
    assert role_in(team, eve) == "predictor"


def test_a_mistyped_password_does_not_lose_the_invitation(client, team):
    invite = make_invite(team)
    sign_up(client, invite, password1="short")
    assert client.post("/accounts/signup/", NEWCOMER)["Location"] == "/"
    assert Membership.objects.filter(invite=invite).exists()


def test_revoked_while_they_signed_up(client, team):
    invite = make_invite(team)
    act(client, invite, "sign-up")
    invite.revoke()
    response = client.post("/accounts/signup/", NEWCOMER)
    assert response["Location"] == "/invites/"
    assert "Ask for a new one" in client.get("/invites/").content.decode()
    assert role_in(team, User.objects.get(email="eve@example.org")) is None


# With an account


def test_who_is_signed_in_presses_one_button(charlie_client, charlie, team):
    invite = make_invite(team)
    assert "Join" in shown(charlie_client, path_of(invite))
    assert act(charlie_client, invite, "join")["Location"] == "/"
    assert role_in(team, charlie) == "predictor"


def test_who_signs_in_joins_by_itself_whatever_next_says(client, charlie, team):
    invite = make_invite(team, landing="team")
    assert act(client, invite, "sign-in")["Location"] == "/accounts/login/"
    assert sign_in(client, charlie, next="/machines/")["Location"] == f"/teams/{team.pk}/"
    assert role_in(team, charlie) == "predictor"


def test_the_second_factor_comes_first(client, charlie, team):
    confirmed(charlie)
    TOTP.activate(charlie, generate_totp_secret())
    codes = RecoveryCodes.activate(charlie)
    act(client, make_invite(team), "sign-in")
    assert sign_in(client, charlie)["Location"].startswith("/accounts/2fa/authenticate/")
    assert role_in(team, charlie) is None
    client.post("/accounts/2fa/authenticate/", {"code": codes.get_unused_codes()[0]})
    assert role_in(team, charlie) == "predictor"


def test_a_member_is_told_so_and_no_use_is_counted(bob_client, bob, team):
    invite = make_invite(team, role="admin", landing="team")
    page = shown(bob_client, path_of(invite))
    assert "You are in already" in page and f'href="/teams/{team.pk}/"' in page
    assert act(bob_client, invite, "join")["Location"] == f"/teams/{team.pk}/"
    invite.refresh_from_db()
    assert (invite.uses, role_in(team, bob)) == (0, "predictor"), "an invitation changes nobody's role"
    assert not AuditEntry.objects.filter(action="member.joined").exists()


def test_the_mailed_link_opened_a_second_time_still_leads_in(charlie_client, team):
    invite = make_invite(team)
    act(charlie_client, invite, "join")
    response = charlie_client.get(path_of(invite))
    assert response.status_code == 200 and "You are in already" in response.content.decode()


def test_the_wrong_account_is_told_which_is_right(charlie_client, charlie, cara, team):
    confirmed(charlie), confirmed(cara)
    invite = make_invite(team, email=cara.email, is_locked=True)
    page = shown(charlie_client, path_of(invite))
    assert "This invitation is for cara@example.org." in page
    assert "You are signed in as charlie@example.org." in page
    assert act(charlie_client, invite, "join")["Location"] == "/invites/"
    assert "You are signed in as charlie@example.org." in shown(charlie_client, "/invites/")
    assert act(charlie_client, invite, "switch")["Location"] == "/accounts/login/"
    assert "_auth_user_id" not in charlie_client.session
    sign_in(charlie_client, cara)
    assert (role_in(team, cara), role_in(team, charlie)) == ("predictor", None)


def test_a_domain_is_told_too(charlie_client, team):
    page = shown(charlie_client, path_of(make_invite(team, domain="clinic.example")))
    assert "This invitation is for addresses of clinic.example." in page


def test_nobody_learns_who_has_an_account(client, team, charlie):
    known = shown(client, path_of(make_invite(team, email=charlie.email, is_locked=True)))
    free = shown(client, path_of(make_invite(team, email="nobody@example.org", is_locked=True)))
    parts = [re.sub(r'"[\w-]{60,}"', "", page) for page in (known, free)]
    assert parts[0].replace(charlie.email, "@") == parts[1].replace("nobody@example.org", "@")


# Where they arrive


LANDINGS = [
    ("home", "/"),
    ("team", "/teams/{team}/"),
    ("machine", "/machines/{m}/"),
    ("form", "/machines/{m}/predict/"),
]


@pytest.mark.parametrize(("landing", "place"), LANDINGS)
def test_they_arrive_where_they_shall(charlie_client, alice, team, landing, place):
    machine = make_ready_machine(owner=alice, team=team)
    invite = make_invite(team, landing=landing, landing_machine=machine)
    assert act(charlie_client, invite, "join")["Location"] == place.format(team=team.pk, m=machine.pk)


def test_a_viewer_lands_beside_the_form_they_may_not_ask(charlie_client, alice, team):
    machine = make_ready_machine(owner=alice, team=team)
    invite = make_invite(team, role="viewer", landing="form", landing_machine=machine)
    assert "the page of" in shown(charlie_client, path_of(invite))
    assert act(charlie_client, invite, "join")["Location"] == f"/machines/{machine.pk}/"


def test_a_machine_that_is_not_trained_has_no_form(charlie_client, alice, team):
    machine = make_machine(owner=alice, team=team)
    invite = make_invite(team, landing="form", landing_machine=machine)
    assert act(charlie_client, invite, "join")["Location"] == f"/machines/{machine.pk}/"


@pytest.mark.parametrize("fate", ["deleted", "taken out"])
def test_a_machine_that_is_gone_gives_way_to_the_team(charlie_client, alice, team, fate):
    machine = make_ready_machine(owner=alice, team=team)
    invite = make_invite(team, landing="form", landing_machine=machine)
    if fate == "deleted":
        machine.delete()
    else:
        machine.machine_owner_team = None
        machine.save(update_fields=["machine_owner_team"])
    assert machine.machine_name not in shown(charlie_client, path_of(invite))
    assert act(charlie_client, invite, "join")["Location"] == f"/teams/{team.pk}/"


def test_who_opens_it_signed_in_joins_by_the_message_too(charlie_client, charlie, team):
    invite = make_invite(team, email=charlie.email, is_locked=True)
    assert act(charlie_client, invite, "confirm")["Location"] == "/invites/", "back to the invitation"
    assert "We sent a link to charlie@example.org" in shown(charlie_client, "/invites/")
    assert charlie_client.post(link_in(mail.outbox[0]))["Location"] == "/"
    assert role_in(team, charlie) == "predictor"


def test_who_is_signed_in_need_not_type_their_address_to_ask(charlie_client):
    page = charlie_client.get("/invites/" + "x" * 43 + "/").content.decode()
    assert 'value="charlie@example.org"' in page


def test_without_a_mail_server_nobody_is_told_to_look_for_a_message(client, team, settings):
    settings.EMAIL_BACKEND = CONSOLE
    sign_up(client, make_invite(team))
    page = shown(client, "/")
    assert "Welcome to" in page and "We sent a link" not in page
    page = client.post("/accounts/email/", {"again": ""}, follow=True).content.decode()
    assert "We sent a link to" not in page
