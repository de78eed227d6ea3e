"""Many invitations at once, from a paste."""

import pytest
from django.core import mail

from accounts.forms.addresses import Wrong, read_addresses
from models import Invite
from tests.accounts.invites import CONSOLE, confirmed, make_invite, past, work_off

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _alice_has_proved_her_address(alice):
    confirmed(alice)


FORM = {"role": "viewer", "days": "7", "landing": "home"}


@pytest.fixture
def send(alice_client, team, django_capture_on_commit_callbacks):
    def post(addresses, **more):
        with django_capture_on_commit_callbacks(execute=True):
            return alice_client.post(
                f"/teams/{team.pk}/invites/bulk/", FORM | {"addresses": addresses} | more, follow=True
            )

    return post


PASTED = 'Eve Adams <Eve@Example.org>, finn@example.org;\n\n"Green, Gina" <gina@example.org>\r\n eve@example.org \n'


def test_it_works(send, alice):
    response = send(PASTED, note="Welcome")
    invites = list(Invite.objects.order_by("pk"))
    assert [invite.email for invite in invites] == ["eve@example.org", "finn@example.org", "gina@example.org"]
    assert {(i.role, i.max_uses, i.note, i.invited_by) for i in invites} == {("viewer", 1, "Welcome", alice)}
    assert {invite.mail_state for invite in invites} == {"waiting"}
    page = response.content.decode()
    assert "3 invitations made" in page and "on their way" in page
    work_off()
    assert [message.to for message in mail.outbox] == [["eve@example.org"], ["finn@example.org"], ["gina@example.org"]]
    assert set(Invite.objects.values_list("mail_state", flat=True)) == {"sent"}


def test_without_a_mail_server_each_link_can_be_copied(send, settings):
    settings.EMAIL_BACKEND = CONSOLE
    page = send(PASTED).content.decode()
    assert work_off() == 0
    for invite in Invite.objects.all():
        assert f'data-copy="{invite.link}"' in page
        assert f"{invite.email} {invite.link}\n" in page.replace("&#10;", "\n")


def test_one_wrong_address_and_nothing_is_sent(send):
    response = send("eve@example.org\nfinn@, gina@example.org\nnonsense")
    page = response.content.decode()
    assert "Line 2: “finn@” is no e-mail address." in page
    assert "Line 3: “nonsense” is no e-mail address." in page
    assert "eve@example.org\nfinn@, gina@example.org\nnonsense" in page, "what was pasted is kept"
    assert not Invite.objects.exists() and not mail.outbox


def test_members_are_left_out_and_named(send, bob, alice):
    page = send(f"{bob.email}, new@example.org, {alice.email}").content.decode()
    assert [invite.email for invite in Invite.objects.all()] == ["new@example.org"]
    assert "in the team already: alice@example.org, bob@example.org." in page


def test_all_of_them_members(send, bob, team):
    make_invite(team, revoked_at=past())
    page = send(bob.email).content.decode()
    assert "in the team already: bob@example.org." in page and "made</h2>" not in page
    assert Invite.objects.count() == 1


def test_there_is_an_end(send):
    page = send(" ".join(["a@example.org,"] * 3) + ",".join(f"p{n}@example.org" for n in range(200))).content.decode()
    assert "These are 201 addresses. Invite 200 at a time." in page
    assert not Invite.objects.exists()
    send(",".join(f"p{n}@example.org" for n in range(200)))
    assert Invite.objects.count() == 200


@pytest.mark.parametrize("typed", ["", "  \n ", ",;,", "a@example.org\0"])
def test_nothing_is_no_address(send, typed):
    assert send(typed).context["form"].errors.keys() == {"addresses"}
    assert not Invite.objects.exists()


def test_nothing_else_can_be_typed_in(send, charlie):
    send("eve@example.org", uses="900", invited_by=charlie.pk, domain="example.org", email="x@example.org")
    invite = Invite.objects.get()
    assert (invite.max_uses, invite.email, invite.domain) == (1, "eve@example.org", "")
    assert invite.invited_by != charlie


@pytest.mark.parametrize(
    ("text", "good", "wrong"),
    [
        ("a@b.org", ["a@b.org"], []),
        ("A@b.org; a@B.org", ["a@b.org"], []),
        ('"Doe, Jane" <jane@b.org>,<c@d.org>', ["jane@b.org", "c@d.org"], []),
        ("Jane Doe jane@b.org", [], [Wrong(1, "Jane Doe jane@b.org")]),
        ("\n\nx", [], [Wrong(3, "x")]),
        ('"open <a@b.org>', ["a@b.org"], []),
        ("a@b.org <c@d.org> tail", [], [Wrong(1, "a@b.org <c@d.org> tail")]),
        ("<>", [], [Wrong(1, "<>")]),
    ],
)
def test_addresses_are_read_as_people_write_them(text, good, wrong):
    assert read_addresses(text) == (good, wrong)


def test_a_long_line_of_nonsense_is_read_quickly():
    _good, wrong = read_addresses('"' * 30_000 + "<" * 30_000 + " " * 30_000 + "x")
    assert wrong


def test_who_has_an_invitation_gets_no_second_one(send, team, alice_client):
    send("eve@example.org")
    page = send("eve@example.org, finn@example.org").content.decode()
    assert "an invitation waits for them already: eve@example.org." in page
    assert sorted(Invite.objects.values_list("email", flat=True)) == ["eve@example.org", "finn@example.org"]
    one = FORM | {"email": "Eve@example.org", "uses": "1", "way": "link"}
    single = alice_client.post(f"/teams/{team.pk}/invites/", one).content.decode()
    assert "An invitation waits for eve@example.org already" in single
