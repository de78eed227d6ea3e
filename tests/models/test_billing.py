from decimal import Decimal
from itertools import combinations
from uuid import UUID

import pytest
from django.db import IntegrityError, models, transaction

from models import Billing, Credit, CreditIXIOO, Debit, DebitIXIOO, Operation
from models.billing import OperationKind
from tests.factories import make_credit, make_machine, make_operation

pytestmark = pytest.mark.django_db

MOVEMENTS = [Credit, Debit, CreditIXIOO, DebitIXIOO]


@pytest.mark.parametrize("kind", list(OperationKind))
def test_every_kind_can_be_created_by_its_flag(kind):
    operation = Operation.objects.create(**{kind.value: True})

    assert isinstance(operation.id, UUID) and operation.kind is kind
    assert list(Operation.objects.of_kind(kind)) == [operation]
    assert str(kind.label) in str(operation)


@pytest.mark.parametrize("pair", list(combinations(OperationKind, 2))[::5])
def test_two_kinds_are_refused_by_the_database(pair):
    operation = make_operation()
    values = OperationKind.TRAINING.columns | {OperationKind.TRAINING.value: False} | dict.fromkeys(pair, True)
    with pytest.raises(IntegrityError), transaction.atomic():
        Operation.objects.filter(pk=operation.pk).update(**values)


def test_no_kind_is_refused_by_the_database():
    with pytest.raises(IntegrityError), transaction.atomic():
        Operation.objects.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        Operation.objects.bulk_create([Operation()])


@pytest.mark.parametrize("movement", MOVEMENTS)
@pytest.mark.parametrize("amount", [0, -1, "0.000000001"])
def test_amounts_are_above_zero(movement, amount):
    with pytest.raises(IntegrityError), transaction.atomic():
        movement.objects.create(amount=amount)


@pytest.mark.parametrize("movement", MOVEMENTS)
def test_a_float_becomes_a_decimal(movement, alice):
    row = movement.objects.create(user=alice, amount=100.00)
    assert row.amount == Decimal(100) and isinstance(row.amount, Decimal)
    row.refresh_from_db()
    assert row.amount == Decimal(100)


def test_an_amount_is_needed():
    with pytest.raises(IntegrityError), transaction.atomic():
        Credit.objects.create()


def test_one_movement_belongs_to_one_operation():
    credit = make_credit()
    operation = make_operation(credit=credit)
    assert credit.operation == operation
    with pytest.raises(IntegrityError), transaction.atomic():
        make_operation(credit=credit)
    with pytest.raises(models.ProtectedError):
        credit.delete()


def test_history_survives_machine_and_people(alice, bob):
    machine = make_machine(owner=alice, machine_name="Churn")
    operation = make_operation(
        machine=machine, machine_owner=alice, operation_user=bob, credit=make_credit(user=bob, amount="5")
    )
    bill = Billing.objects.create(machine=machine, machine_owner_user=alice, Operation_User=bob)
    alice.delete()
    bob.delete()

    operation.refresh_from_db()
    bill.refresh_from_db()
    assert (operation.machine, operation.machine_owner, operation.operation_user) == (None, None, None)
    assert operation.machine_name == bill.machine_name == "Churn"
    assert operation.credit.user is None and operation.credit.amount == 5
    assert (bill.machine, bill.machine_owner_user, bill.Operation_User) == (None, None, None)


def test_operations_visible_to(alice, bob, charlie, dana):
    operation = make_operation(machine_owner=alice, operation_user=bob)
    for user, seen in ((alice, True), (bob, True), (charlie, False), (dana, True)):
        assert Operation.objects.visible_to(user).filter(pk=operation.pk).exists() is seen


@pytest.mark.parametrize("cost", ["TrainingCostMachineUSD", "SolvingCostMachineUSD", "SolvingAPIIncomeUSD"])
def test_bills_cost_nothing_unless_told_and_never_less(cost):
    bill = Billing.objects.create(OperationIsTraining=True, CountOfLinesTraining=10)
    assert getattr(bill, cost) == Decimal(0)
    with pytest.raises(IntegrityError), transaction.atomic():
        Billing.objects.filter(pk=bill.pk).update(**{cost: -1})
