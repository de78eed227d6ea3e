"""The fourteen rules of an invitation's link (docs of the project: access.md 4.3), one test each."""

import base64
import logging
import re
import threading
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core import serializers
from django.core.exceptions import PermissionDenied
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.forms.invites import InviteForm
from accounts.services.invites import Terms, invite_make
from accounts.services.joining import Outcome, invite_accept
from accounts.services.teams import member_remove, team_leave
from models import EasyAutoMLLogger, Invite, Membership, User
from models.access import Action, Role
from models.tokens import digest
from tests.accounts.invites import confirmed, make_invite, past, path_of, role_in, token_of, work_off
from tests.conftest import signed_in
from tests.factories import PASSWORD, make_team, make_user

pytestmark = pytest.mark.django_db


def accept(invite, user, by_mail=False):
    return invite_accept(invite=Invite.objects.get(pk=invite.pk), user=user, by_mail=by_mail)


def join(client, invite, by_mail=False):
    return client.post(path_of(invite, by_mail), {"action": "join"})


def test_1_a_token_has_256_bits_and_each_is_another(team):
    tokens = [token_of(link) for _ in range(20) for i in [make_invite(team)] for link in (i.link, i.mail_link)]
    assert len(set(tokens)) == 40
    for token in tokens:
        assert len(base64.urlsafe_b64decode(token + "=")) == 32


def test_2_the_database_holds_its_hash_only(team, client):
    invite = make_invite(team, email="eve@example.org")
    client.post(path_of(invite), {"action": "sign-up"})
    rows = serializers.serialize("json", [*Invite.objects.all(), *Session.objects.all()])
    rows += str([session.get_decoded() for session in Session.objects.all()])
    for link in (invite.link, invite.mail_link):
        assert token_of(link) not in rows
        assert digest(token_of(link)) in rows


def test_3_it_is_found_by_its_hash_in_an_index(team):
    invite = make_invite(team)
    with CaptureQueriesContext(connection) as asked:
        assert Invite.objects.by_token(token_of(invite.link)).get() == invite
    assert len(asked) == 1
    assert token_of(invite.link) not in asked[0]["sql"] and invite.token_hash in asked[0]["sql"]
    assert Invite._meta.get_field("token_hash").unique and Invite._meta.get_field("mail_hash").unique


def test_4_it_ends_after_seven_days(team, charlie):
    invite = make_invite(team)
    assert abs(invite.expires_at - timezone.now() - timedelta(days=7)) < timedelta(minutes=1)
    assert InviteForm(team=team, user=team.admin_user, power=Role.OWNER).fields["days"].initial == 7
    Invite.objects.update(expires_at=past())
    assert accept(invite, charlie) is Outcome.ENDED
    assert role_in(team, charlie) is None


def test_5_it_is_for_one_unless_more_are_chosen(team, charlie, cara):
    invite = make_invite(team)
    assert (accept(invite, charlie), accept(invite, cara)) == (Outcome.JOINED, Outcome.ENDED)
    assert (role_in(team, charlie), role_in(team, cara)) == ("predictor", None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("uses", "winners"), [(1, 1), (5, 5)])
def test_6_of_sixteen_at_once_as_many_get_in_as_it_is_for(team, uses, winners):
    invite = make_invite(team, max_uses=uses)
    people = [make_user() for _ in range(16)]
    ready, outcomes = threading.Barrier(16), []

    def one(person):
        try:
            ready.wait()
            outcomes.append(accept(invite, person))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (outcomes.count(Outcome.JOINED), outcomes.count(Outcome.ENDED)) == (winners, 16 - winners)
    assert Membership.objects.filter(team=team, invite=invite).count() == winners
    assert Invite.objects.get().uses == winners


@pytest.mark.django_db(transaction=True)
def test_6_one_person_who_presses_twice_takes_one_place(team, charlie):
    invite = make_invite(team, max_uses=10)
    ready, outcomes = threading.Barrier(4), []

    def one():
        try:
            ready.wait()
            outcomes.append(accept(invite, charlie))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (outcomes.count(Outcome.JOINED), outcomes.count(Outcome.MEMBER)) == (1, 3)
    assert Invite.objects.get().uses == 1


def test_7_revoking_works_at_once_even_with_the_page_open(team, charlie_client, charlie):
    invite = make_invite(team)
    assert "Join" in charlie_client.get(path_of(invite)).content.decode()
    invite.revoke()
    response = join(charlie_client, invite)
    assert response.status_code == 404
    assert "cannot be used" in response.content.decode()
    assert role_in(team, charlie) is None


def test_8_no_role_is_given_above_ones_own(team, bob, alice):
    Membership.objects.filter(user=bob).update(role="viewer")
    with pytest.raises(PermissionDenied, match="no role above your own"):
        invite_make(team=team, user=bob, terms=Terms(role=Role.EDITOR))
    assert not Invite.objects.exists()
    offered = InviteForm(team=team, user=team.admin_user, power=Role.EDITOR).fields["role"].choices
    assert [value for value, _label in offered] == ["viewer", "predictor", "editor"]
    least = min((role for role in Role.stored() if role.may(Action.INVITE)), key=lambda role: role.rank)
    assert least.rank >= max(role.rank for role in Role.stored()), "else accepting must compare the two roles"
    assert invite_make(team=team, user=alice, terms=Terms(role=Role.ADMIN)).role == "admin"


def test_8_it_dies_when_its_maker_is_demoted(team, bob, charlie):
    Membership.objects.filter(user=bob).update(role="admin")
    invite = make_invite(team, invited_by=bob, role="admin")
    Membership.objects.filter(user=bob).update(role="editor")
    assert accept(invite, charlie) is Outcome.ENDED
    Membership.objects.filter(user=bob).update(role="admin")
    assert accept(invite, charlie) is Outcome.JOINED


def test_9_it_dies_when_its_maker_is_removed_or_closed(team, bob, charlie, client):
    Membership.objects.filter(user=bob).update(role="admin")
    invite = make_invite(team, invited_by=bob)
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert accept(invite, charlie) is Outcome.ENDED
    User.objects.filter(pk=bob.pk).update(is_active=True)
    team.remove_user_from_team(bob)
    assert accept(invite, charlie) is Outcome.ENDED
    assert client.get(path_of(invite)).status_code == 404


def test_10_an_address_must_be_proved(team, charlie, cara):
    locked = make_invite(team, email=charlie.email, is_locked=True)
    assert accept(locked, charlie) is Outcome.UNPROVED
    assert accept(locked, confirmed(cara)) is Outcome.OTHER_ADDRESS
    assert Invite.objects.get().uses == 0
    assert accept(locked, confirmed(charlie)) is Outcome.JOINED


@pytest.mark.parametrize("domain", ["example.org", "EXAMPLE.org"])
def test_10_so_must_a_domain(team, charlie, domain):
    invite = make_invite(team, domain=domain, max_uses=5)
    other, tricky = make_user(email="x@example.com"), make_user(email="x@evil-example.org")
    under = make_user(email="x@sub.example.org")
    assert accept(invite, charlie) is Outcome.UNPROVED
    for person in (other, tricky, under):
        assert accept(invite, confirmed(person)) is Outcome.OTHER_ADDRESS
    assert accept(invite, confirmed(charlie)) is Outcome.JOINED


def test_10_the_mailed_link_proves_the_noted_address_and_no_other(team, charlie, cara):
    invite = make_invite(team, email=charlie.email, is_locked=True)
    assert accept(invite, cara, by_mail=True) is Outcome.OTHER_ADDRESS
    assert accept(invite, charlie, by_mail=True) is Outcome.JOINED
    assert charlie.emailaddress_set.get().verified and not cara.emailaddress_set.exists()


def test_11_a_look_changes_nothing(team, charlie_client, client):
    invite = make_invite(team, email="charlie@example.org")
    before = serializers.serialize("json", Invite.objects.all())
    for visitor in (client, charlie_client):
        for path in (path_of(invite), path_of(invite, by_mail=True)):
            for look in (visitor.get, visitor.head):
                assert look(path).status_code == 200
            assert visitor.get(f"{path}?action=join").status_code == 200
    assert serializers.serialize("json", Invite.objects.all()) == before
    assert not Membership.objects.filter(user__email="charlie@example.org").exists()
    assert not client.session.get("invite")
    assert Client(enforce_csrf_checks=True).post(path_of(invite), {"action": "join"}).status_code == 403


def test_12_the_token_is_in_no_log_no_referrer_and_no_address_to_come(team, charlie_client, client, caplog):
    caplog.set_level(logging.DEBUG)
    invite = make_invite(team, email="charlie@example.org", is_locked=True)
    token = token_of(invite.link)
    answers = [client.get(path_of(invite)), client.get("/invites/" + token), client.get(path_of(invite) + "x/")]
    for action in ("sign-up", "sign-in", "join"):
        answers.append(client.post(path_of(invite), {"action": action}))
    answers += [charlie_client.post(path_of(invite), {"action": a}) for a in ("join", "ask", "switch")]
    answers.append(Client(enforce_csrf_checks=True).post(path_of(invite), {"action": "join"}))
    logging.getLogger("django.request").error("Failed: /invites/%s/", token)
    assert token not in " ".join(row.message + row.traceback for row in EasyAutoMLLogger.objects.all())
    assert EasyAutoMLLogger.objects.filter(message__contains="/invites/***").exists()
    console = next(handler for handler in logging.getLogger().handlers if type(handler) is logging.StreamHandler)
    printed = [console.format(record) for record in caplog.records]
    assert any("/invites/***" in line for line in printed)
    assert token not in " ".join(printed)
    for answer in answers:
        assert answer["Referrer-Policy"] == "same-origin"
        is_slash_added = answer.status_code == 301
        assert is_slash_added or token not in answer.get("Location", "")


def plain(response):
    """The page without what is another one at every request: the CSRF token, and the second it was asked for at."""
    page = re.sub(r'(name="csrfmiddlewaretoken" value=|X-CSRFToken": )"[^"]*"', "", response.content.decode())
    headers = {name: value for name, value in response.items() if "csrf" not in value.lower() and name != "Expires"}
    return page, response.status_code, headers


@pytest.mark.parametrize("who", ["visitor", "charlie"])
def test_13_whatever_ended_or_never_was_looks_the_same_and_takes_the_same(team, bob, charlie, who):
    client = Client() if who == "visitor" else signed_in(charlie)
    client.get("/")
    ended = [{"revoked_at": past()}, {"expires_at": past()}, {"uses": 1}, {"invited_by": bob}]
    paths = [path_of(make_invite(team, **one)) for one in ended] + ["/invites/never-was/", f"/invites/{'a' * 43}/"]
    pages, counts = [], []
    for path in paths:
        with CaptureQueriesContext(connection) as asked:
            pages.append(plain(client.get(path)))
        counts.append(len(asked))
        assert path.split("/")[2] not in pages[-1][0]
    assert pages[0][1] == 404
    assert all(page == pages[0] for page in pages)
    assert len(set(counts)) == 1


def test_13_asking_for_a_new_one_answers_the_same_too(team, client):
    make_invite(team)
    pages, counts = [], []
    for path in (path_of(make_invite(team, revoked_at=past())), "/invites/never-was/"):
        with CaptureQueriesContext(connection) as asked:
            pages.append(plain(client.post(path, {"action": "ask", "email": "eve@example.org"})))
        counts.append(len(asked))
    assert pages[0] == pages[1] and pages[0][1] == 200
    assert counts[0] == counts[1]


def test_14_who_tries_links_in_a_row_is_stopped(team, client, charlie_client):
    good = make_invite(team)
    for number in range(10):
        assert client.get(f"/invites/wrong{number}/").status_code == 404
    stopped = client.get("/invites/wrong/")
    assert stopped.status_code == 429 and 0 < int(stopped["Retry-After"]) <= 60
    assert client.get(path_of(good)).status_code == 429, "else a right guess would show"
    assert client.post(path_of(good), {"action": "sign-up"}).status_code == 429
    assert Client(REMOTE_ADDR="10.0.0.7").get(path_of(good)).status_code == 200


def test_14_good_links_are_never_counted(client):
    invite = make_invite(make_team())
    assert {client.get(path_of(invite)).status_code for _ in range(30)} == {200}


def test_who_was_removed_does_not_come_back_by_an_old_link(team, alice, charlie, charlie_client):
    old = make_invite(team, max_uses=10)
    assert accept(old, charlie) is Outcome.JOINED
    member_remove(team=team, person=charlie, by=alice)
    assert "You were taken out" in charlie_client.get(path_of(old)).content.decode()
    join(charlie_client, old)
    assert role_in(team, charlie) is None and Invite.objects.get().uses == 1
    assert charlie_client.post(path_of(old), {"action": "ask", "email": charlie.email}).status_code == 200
    work_off()
    assert old.requests.get().email == charlie.email
    join(charlie_client, make_invite(team))
    assert role_in(team, charlie), "a new invitation says that they are welcome again"


def test_who_left_may_come_back_by_the_same_link(team, charlie):
    link = make_invite(team, max_uses=10)
    accept(link, charlie)
    team_leave(team=team, person=charlie)
    assert accept(link, charlie) is Outcome.JOINED


def test_asking_in_a_row_is_held_up_with_a_good_link_too(team, client):
    path = path_of(make_invite(team, max_uses=10))
    answers = [client.post(path, {"action": "ask", "email": f"eve{n}@example.org"}).status_code for n in range(11)]
    assert answers == [200] * 10 + [429]


def test_the_next_person_at_the_computer_can_sign_in_without_it(team, client, charlie):
    client.post(path_of(make_invite(team)), {"action": "sign-in"})
    assert "Not for me" in client.get("/accounts/login/").content.decode()
    assert client.post("/invites/", {"action": "drop"})["Location"] == "/accounts/login/"
    assert "invites you" not in client.get("/accounts/login/").content.decode()
    client.post("/accounts/login/", {"login": charlie.email, "password": PASSWORD})
    assert role_in(team, charlie) is None


def test_a_team_that_was_deleted_meanwhile_is_the_end_of_it(team, charlie):
    invite = make_invite(team)
    stale = Invite.objects.select_related("team", "invited_by").get(pk=invite.pk)
    team.delete()
    assert invite_accept(invite=stale, user=charlie, by_mail=False) is Outcome.ENDED
