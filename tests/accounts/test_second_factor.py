"""The second factor: turned on with an app, asked for when signing in, replaced by a recovery code, turned off."""

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command

from models import AuditEntry
from tests.accounts.codes import ACTIVATE, CODES, code_of, recovery_codes, turn_on, wrong
from tests.accounts.conftest import signed_in_as
from tests.conftest import proved

pytestmark = pytest.mark.django_db(transaction=True)  # the library tells of a change when it is committed

STEP = "/accounts/2fa/authenticate/"


@pytest.fixture
def client(client, alice):
    client.force_login(alice)
    return proved(client)


def actions():
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def test_it_works(client, alice, visitor, sign_in):
    secret, codes = turn_on(client)
    assert len(set(codes)) == 10
    assert sign_in(alice.email)["Location"] == STEP
    assert not signed_in_as(visitor)
    assert "One more step" in visitor.get(STEP).content.decode()
    visitor.post(STEP, {"code": code_of(secret)})
    assert signed_in_as(visitor) == str(alice.pk)
    assert actions() == ["account.second_factor_on", "account.recovery_codes_made", "account.signed_in"]


def test_the_picture_and_the_secret_say_the_same(client):
    page = client.get(ACTIVATE)
    assert page.context["totp_url"].startswith("otpauth://totp/alice%40example.org?secret=")
    assert page.context["totp_url"].endswith(f"{page.context['form'].secret}&issuer=EasyAutoML")
    assert 'src="data:image/svg+xml;base64,' in page.content.decode()


def test_without_the_right_code_it_stays_off(client, visitor, sign_in, alice):
    secret = client.get(ACTIVATE).context["form"].secret
    page = client.post(ACTIVATE, {"code": wrong(code_of(secret))}).content.decode()
    assert "This code does not fit." in page
    assert secret in page  # the app need not scan again
    assert sign_in(alice.email)["Location"] == "/"


def test_a_wrong_code_lets_nobody_in(client, alice, visitor, sign_in):
    secret, _codes = turn_on(client)
    sign_in(alice.email)
    assert "This code does not fit." in visitor.post(STEP, {"code": wrong(code_of(secret))}).content.decode()
    assert not signed_in_as(visitor)
    assert actions()[-1] == "account.sign_in_failed"


def test_a_code_counts_once(client, alice, visitor, sign_in):
    secret, _codes = turn_on(client)
    code = code_of(secret)
    sign_in(alice.email)
    visitor.post(STEP, {"code": code})
    visitor.post("/accounts/logout/")
    sign_in(alice.email)
    visitor.post(STEP, {"code": code})
    assert not signed_in_as(visitor)


def test_guesses_are_limited(client, alice, visitor, sign_in):
    secret, _codes = turn_on(client)
    cache.clear()
    sign_in(alice.email)
    for _ in range(5):
        visitor.post(STEP, {"code": wrong(code_of(secret))})
    assert "Too many attempts" in visitor.post(STEP, {"code": code_of(secret)}).content.decode()
    assert not signed_in_as(visitor)
    assert actions().count("account.sign_in_failed") == 5


def test_a_recovery_code_signs_in_once(client, alice, visitor, sign_in):
    _secret, codes = turn_on(client)
    mail.outbox.clear()
    for expected in (str(alice.pk), None):
        sign_in(alice.email)
        visitor.post(STEP, {"code": codes[0]})
        assert signed_in_as(visitor) == expected
        visitor.post("/accounts/logout/")
    assert [message.subject for message in mail.outbox] == ["A recovery code was used"]
    assert "9 are left" in mail.outbox[0].body
    assert "account.recovery_code_used" in actions()
    assert "9 left" in client.get("/accounts/security/").content.decode()


def test_new_recovery_codes_end_the_old_ones(client, alice, visitor, sign_in):
    _secret, old = turn_on(client)
    new = recovery_codes(client.post(f"{CODES}generate/", follow=True).content.decode())
    assert not set(old) & set(new)
    sign_in(alice.email)
    visitor.post(STEP, {"code": old[0]})
    assert not signed_in_as(visitor)
    visitor.post(STEP, {"code": new[0]})
    assert signed_in_as(visitor) == str(alice.pk)
    assert actions().count("account.recovery_codes_made") == 2


def test_recovery_codes_can_be_downloaded(client):
    _secret, codes = turn_on(client)
    response = client.get(f"{CODES}download/")
    assert response["Content-Type"].startswith("text/plain")
    assert "attachment" in response["Content-Disposition"]
    assert response.content.decode().split() == codes


def test_looking_at_the_codes_writes_nothing(client, django_assert_max_num_queries):
    turn_on(client)
    with django_assert_max_num_queries(10) as asked:
        client.get(CODES)
    assert asked.captured_queries
    assert all(query["sql"].startswith("SELECT") for query in asked.captured_queries)


def test_it_can_be_turned_off(client, alice, visitor, sign_in):
    turn_on(client)
    client.post("/accounts/2fa/totp/deactivate/")
    assert sign_in(alice.email)["Location"] == "/"
    assert client.get(CODES).status_code == 404
    assert "account.second_factor_off" in actions()


def test_every_change_is_told(client, alice):
    turn_on(client)
    client.post(f"{CODES}generate/")
    client.post("/accounts/2fa/totp/deactivate/")
    assert [message.subject for message in mail.outbox] == [
        "The second factor is on",
        "New recovery codes",
        "The second factor is off",
    ]
    assert {address for message in mail.outbox for address in message.to} == {alice.email}


def test_an_unconfirmed_address_comes_first(client, alice):
    """Else somebody could lock the owner of the address out of an account made with it."""
    alice.emailaddress_set.create(email=alice.email, verified=False)
    response = client.get(ACTIVATE, follow=True)
    assert response.request["PATH_INFO"] == "/accounts/security/"
    assert "Confirm your e-mail address first" in response.content.decode()


@pytest.mark.parametrize("path", [ACTIVATE, CODES, f"{CODES}generate/", f"{CODES}download/"])
def test_a_visitor_gets_nothing(visitor, path):
    assert visitor.get(path)["Location"].startswith("/accounts/login/?next=")


def test_the_step_is_for_those_who_know_the_password(visitor, db):
    assert visitor.get(STEP)["Location"] == "/accounts/login/"


def test_the_database_alone_makes_no_codes(client, alice):
    secret, codes = turn_on(client)
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored and codes[0] not in stored


def test_with_another_key_of_the_site_no_code_fits(client, alice, visitor, sign_in, settings):
    secret, _codes = turn_on(client)
    settings.SECRET_KEY = "another" * 10
    sign_in(alice.email)
    assert "This code does not fit." in visitor.post(STEP, {"code": code_of(secret)}).content.decode()
    assert not signed_in_as(visitor)


def test_who_runs_the_site_can_turn_it_off(client, alice, sign_in, capsys):
    turn_on(client)
    mail.outbox.clear()
    call_command("second_factor_off", alice.email.upper())
    assert sign_in(alice.email)["Location"] == "/"
    assert [message.to for message in mail.outbox] == [[alice.email]]
    assert "account.second_factor_off" in actions()
    call_command("second_factor_off", alice.email)
    assert capsys.readouterr().out.split("\n")[:2] == ["It is off.", "It was not on."]
    with pytest.raises(CommandError, match="Nobody signs in with"):
        call_command("second_factor_off", "nobody@example.org")
