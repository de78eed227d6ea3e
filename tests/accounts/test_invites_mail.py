"""The mail of an invitation: what it says, and what happens when it cannot be sent."""

import socket

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.utils import timezone

from accounts.services.invite_mail import invites_send
from accounts.services.mail import mail_works
from models import Invite
from models.invite import MailState
from tests.accounts.invites import CONSOLE, FORM, confirmed, make_invite, past, path_of, work_off

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _alice_has_proved_her_address(alice):
    confirmed(alice)


TO_EVE = FORM | {"way": "mail", "email": "eve@example.org"}


@pytest.fixture
def post(alice_client, team, django_capture_on_commit_callbacks):
    def do(place="", **typed):
        with django_capture_on_commit_callbacks(execute=True):
            return alice_client.post(f"/teams/{team.pk}/invites/{place}", typed, follow=True)

    return do


@pytest.fixture
def no_server(settings):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        settings.EMAIL_HOST, settings.EMAIL_PORT = taken.getsockname()  # bound, but nobody listens
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        yield


def test_it_works(post, client):
    page = post(**TO_EVE | {"role": "editor", "note": "Hello Eve,\nsee <you>."}).content.decode()
    assert "on its way" in page and "Being sent" in page
    work_off()
    [message] = mail.outbox
    invite = Invite.objects.get()
    assert message.to == ["eve@example.org"]
    assert message.subject == "Alice Archer invites you to “Alice and Bob”"
    for words in (
        "Alice Archer",
        "“Alice and Bob”",
        "As Editor you can see, ask, make and train machines",
        "Hello Eve,\nsee <you>.",
    ):
        assert words in message.body
    assert f"until {invite.expires_at:%-d %B %Y, %H:%M} UTC" in message.body
    assert invite.mail_link in message.body and invite.link not in message.body
    assert client.get(path_of(invite, by_mail=True)).status_code == 200
    assert (invite.mail_state, timezone.now() - invite.sent_at < timezone.timedelta(minutes=1)) == ("sent", True)
    assert message.content_subtype == "plain"


def test_the_message_is_asked_for_after_the_commit(alice_client, team):
    alice_client.post(f"/teams/{team.pk}/invites/", TO_EVE)
    assert work_off() == 0, "the transaction of the test has not ended"


def test_a_mail_server_that_is_away_loses_no_invitation(post, no_server, client):
    post(**TO_EVE)
    work_off()
    invite = Invite.objects.get()
    assert invite.mail_state == MailState.FAILED
    page = post(place="", **{"way": "link", "role": "x"}).content.decode()
    assert "Could not be sent" in page and "Send again" in page
    assert client.get(path_of(invite)).status_code == 200


def test_it_is_sent_again_with_a_new_link(post, client, team):
    invite = make_invite(team, email="eve@example.org", mail_state="failed")
    old = path_of(invite, by_mail=True)
    page = post(f"{invite.pk}/", action="renew").content.decode()
    assert "on its way again" in page
    work_off()
    invite.refresh_from_db()
    assert invite.mail_state == "sent" and invite.mail_link in mail.outbox[0].body
    assert client.get(old).status_code == 404


@pytest.mark.parametrize(
    "ended", [{"revoked_at": past()}, {"expires_at": past()}, {"uses": 1}], ids=["revoked", "expired", "used up"]
)
def test_what_ended_meanwhile_is_not_sent(team, ended):
    invite = make_invite(team, email="eve@example.org", mail_state="waiting", **ended)
    invites_send(pks=[invite.pk])
    invite.refresh_from_db()
    assert not mail.outbox and invite.mail_state == ""


def test_it_is_sent_once(team):
    invite = make_invite(team, email="eve@example.org", mail_state="waiting")
    invites_send(pks=[invite.pk])
    invites_send(pks=[invite.pk])
    assert len(mail.outbox) == 1


def test_no_header_can_be_smuggled_in(team, alice):
    team.name, alice.first_name = "Team\r\nBcc: all@example.org", "Al\nCc: all@example.org\n"
    team.save(), alice.save()
    make_invite(team, email="eve@example.org", mail_state="waiting", note="x\r\nBcc: all@example.org\r\n\r\nHi")
    invites_send(pks=Invite.objects.values_list("pk", flat=True))
    [message] = mail.outbox
    assert message.recipients() == ["eve@example.org"]
    head = message.message().as_string().partition("\n\n")[0]
    assert not [line for line in head.splitlines() if line.lower().startswith(("bcc", "cc"))]


def test_it_is_written_in_the_language_of_the_invitation(team, settings, tmp_path):
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    invite = make_invite(team, email="eve@example.org", mail_state="waiting", language="de")
    invites_send(pks=[invite.pk])
    german_month = {1: "Januar", 2: "Februar", 3: "März", 5: "Mai", 6: "Juni", 7: "Juli", 10: "Oktober", 12: "Dezember"}
    month = german_month.get(invite.expires_at.month, f"{invite.expires_at:%B}")
    assert month in mail.outbox[0].body


def test_the_language_is_asked_for_where_there_is_a_choice(alice_client, team, settings):
    url = f"/teams/{team.pk}/invites/"
    assert 'name="language"' not in alice_client.get(url).content.decode()
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    assert 'name="language"' in alice_client.get(url).content.decode()
    alice_client.post(url, FORM | {"language": "de"})
    assert Invite.objects.get().language == "de"
    assert alice_client.post(url, FORM | {"language": "tlh"}).context["form"].errors.keys() == {"language"}


@pytest.mark.parametrize(
    ("backend", "works"), [("console", False), ("dummy", False), ("smtp", True), ("locmem", True), ("filebased", True)]
)
def test_whether_mail_leaves_the_site(settings, backend, works):
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{backend}.EmailBackend"
    assert mail_works() is works


def test_nobody_is_told_of_requests_by_a_console(team, client, settings):
    settings.EMAIL_BACKEND = CONSOLE
    client.post(path_of(make_invite(team, revoked_at=past())), {"action": "ask", "email": "eve@example.org"})
    assert work_off() == 1
    assert Invite.objects.get().requests.count() == 1


def test_nobody_has_mail_sent_before_their_own_address_is_proved(alice_client, team):
    """Else anyone could have this site write to the whole world."""
    EmailAddress.objects.update(verified=False)
    where = f"/teams/{team.pk}/invites/"
    page = alice_client.get(where).content.decode()
    assert "confirmed your own address" in page and 'value="mail"' not in page
    page = alice_client.post(where, FORM | {"email": "eve@example.org", "way": "mail"}).content.decode()
    assert "Confirm your own e-mail address first" in page and "eve@example.org" in page
    alice_client.post(f"{where}bulk/", FORM | {"addresses": "finn@example.org"})
    alice_client.post(where, FORM)
    assert set(Invite.objects.values_list("mail_state", flat=True)) == {""}
    assert work_off() == 0


def test_where_addresses_are_never_proved_mail_goes_out(alice_client, team, settings):
    EmailAddress.objects.update(verified=False)
    settings.ACCOUNT_EMAIL_VERIFICATION = "none"
    alice_client.post(f"/teams/{team.pk}/invites/", FORM | {"email": "eve@example.org", "way": "mail"})
    assert Invite.objects.get().mail_state == "waiting"
