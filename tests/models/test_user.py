from decimal import Decimal

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F

from models import Machine, User
from tests.factories import make_admin, make_machine, make_team, make_user

pytestmark = pytest.mark.django_db

PREFERENCES = {
    "time_format": ("24H", ["12H", "24H"]),
    "date_format": ("DMY", ["DMY", "MDY", "YMD"]),
    "date_separator": ("/", ["/", "-", "."]),
    "datetime_separator": (" ", [" ", "T"]),
    "decimal_separator": (",", [",", "."]),
}


def test_email_is_the_name_to_sign_in_with():
    user = make_user(email="  Alice@Example.ORG ")

    assert user.email == "alice@example.org"
    assert user.check_password("correct horse battery staple")
    assert User.objects.get_by_natural_key("ALICE@example.org") == user
    assert (User.USERNAME_FIELD, User.REQUIRED_FIELDS) == ("email", [])
    assert not (user.is_staff or user.is_superuser or user.is_super_admin) and user.is_active


def test_email_is_unique_whatever_its_case(alice):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_user(email="ALICE@EXAMPLE.ORG")
    make_user(email="other@example.org")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(email="other@example.org").update(email="Alice@Example.org")


def test_clean_normalises_the_email():
    user = User(email=" Bob@EXAMPLE.org")
    user.clean()
    assert user.email == "bob@example.org"


def test_a_user_needs_an_email():
    with pytest.raises(ValueError, match="e-mail"):
        User.objects.create_user()


@pytest.mark.parametrize("name", PREFERENCES)
def test_preferences_are_the_seeds(name):
    default, choices = PREFERENCES[name]
    field = User._meta.get_field(name)

    assert field.get_default() == default
    assert [value for value, _label in field.choices] == choices


def test_formats_are_the_preferences():
    user = make_user(date_format="YMD", decimal_separator=".")

    assert user.formats.date_format == "YMD"
    assert user.formats.decimal_separator == "."
    assert user.formats.time_format == "24H"


def test_full_name_falls_back_to_the_email(alice):
    assert alice.get_full_name() == "Alice Archer"
    assert make_user(email="eve.b@example.org").get_full_name() == "eve.b"


def test_create_team_makes_admin_and_member(alice, bob):
    team = alice.create_team("Ours")

    assert team.admin_user == alice
    assert list(alice.get_user_teams()) == [team]
    assert list(bob.get_user_teams()) == []
    assert alice.has_perm(f"models.can_use_team_{team.pk}") and not bob.has_perm(f"models.can_use_team_{team.pk}")


def test_get_super_admin():
    assert User.get_super_admin() is None
    make_user()
    admin = make_admin()
    assert User.get_super_admin() == admin


def test_email_user(alice):
    alice.email_user("Subject", "Text")
    assert mail.outbox[0].to == ["alice@example.org"]


@pytest.mark.parametrize("name", ["user_balance", "user_ixioo_balance", "coupon_balance"])
def test_balances_start_at_zero_and_never_fall_below(alice, name):
    assert getattr(alice, name) == Decimal(0)
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=alice.pk).update(**{name: F(name) - Decimal("0.00000001")})
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=alice.pk).update(**{name: None})
    setattr(alice, name, Decimal(-1))
    with pytest.raises(ValidationError):
        alice.full_clean()


def test_balances_are_exact(alice):
    for _i in range(3):
        User.objects.filter(pk=alice.pk).update(user_balance=F("user_balance") + Decimal("0.1"))
    alice.refresh_from_db()
    assert alice.user_balance == Decimal("0.3")


def test_a_float_becomes_a_decimal_of_eight_places(alice):
    alice.user_balance = 0.1
    alice.save()
    assert str(alice.user_balance) == "0.10000000"


@pytest.mark.parametrize("one_by_one", [True, False])
def test_deleting_a_user_takes_machines_and_their_parts(alice, one_by_one):
    from models import NNModel, Team

    machine = make_machine(owner=alice)
    machine.training_nn_model_extfield = b"ONNX"
    machine.save()
    alice.create_team("Ours")

    if one_by_one:
        alice.delete()
    else:
        User.objects.filter(pk=alice.pk).delete()

    assert not Machine.objects.exists() and not NNModel.objects.exists() and not Team.objects.exists()


def test_deleting_a_user_leaves_to_their_teams_what_was_shared(alice, bob, team):
    shared, own = make_machine(owner=bob, team=team), make_machine(owner=bob)
    in_own_team = make_machine(owner=bob, team=make_team(admin=bob))

    bob.delete()

    assert list(Machine.objects.all()) == [shared]
    assert Machine.objects.get().machine_owner_user == alice
    assert {own.pk, in_own_team.pk}.isdisjoint(Machine.objects.values_list("pk", flat=True))


def test_who_sees_whom(alice, bob, charlie, dana, team):
    assert set(User.objects.visible_to(bob)) == {alice, bob}
    assert set(User.objects.visible_to(charlie)) == {charlie}
    assert User.objects.visible_to(dana).count() == 4
