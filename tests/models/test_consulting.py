from decimal import Decimal
from itertools import combinations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from models import ConsultingRequest
from models.consulting import ConsultingState
from models.fields import SIZES, SizedBinaryField
from tests.factories import make_consulting_request, make_machine, make_team

pytestmark = pytest.mark.django_db


def test_a_new_request_is_open(alice):
    request = make_consulting_request(user=alice, category="2", amount_usd=10, budget_estimation="12.5")
    request.refresh_from_db()
    assert request.state is ConsultingState.OPEN
    assert request.get_category_display() == "Machine performance"
    assert (request.amount_usd, request.budget_estimation) == (Decimal(10), Decimal("12.5"))


@pytest.mark.parametrize("pair", list(combinations(ConsultingState, 2)))
def test_two_states_are_refused_by_the_database(pair):
    request = make_consulting_request()
    values = dict.fromkeys(ConsultingState.values) | dict.fromkeys(pair, True)
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsultingRequest.objects.filter(pk=request.pk).update(**values)


def test_no_state_is_refused_by_the_database():
    request = make_consulting_request()
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsultingRequest.objects.filter(pk=request.pk).update(is_status_request_open=None)


@pytest.mark.parametrize("name", ["amount_usd", "budget_estimation", "delay_days"])
def test_amounts_are_not_negative(name):
    request = make_consulting_request()
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsultingRequest.objects.filter(pk=request.pk).update(**{name: -1})


def test_it_survives_everything(alice, bob, cara):
    request = make_consulting_request(
        user=bob, consultant_user=cara, team=make_team(admin=alice), machine=make_machine(machine_name="Churn")
    )
    request.machine.delete()
    for person in (alice, bob, cara):
        person.delete()
    request.refresh_from_db()
    assert (request.user, request.consultant_user, request.team, request.machine) == (None,) * 4
    assert request.machine_name == "Churn"


def test_of(alice, bob, charlie, cara, dana, team):
    request = make_consulting_request(user=alice, team=team, consultant_user=cara)
    for user, seen in ((alice, True), (bob, True), (cara, True), (dana, True), (charlie, False)):
        assert ConsultingRequest.objects.visible_to(user).filter(pk=request.pk).exists() is seen
    assert list(ConsultingRequest.objects.in_state(ConsultingState.OPEN)) == [request]


def test_the_file_is_kept_byte_by_byte():
    request = make_consulting_request(file=b"\x00\xff")
    request.refresh_from_db()
    assert bytes(request.file) == b"\x00\xff"


def test_a_file_over_16_mib_is_refused_by_form_and_save():
    too_big = bytes(SIZES[3] + 1)
    with pytest.raises(ValidationError):
        make_consulting_request(file=too_big)
    with pytest.raises(ValidationError) as error:
        ConsultingRequest(category="1", file=too_big).full_clean()
    assert "file" in error.value.message_dict


def test_size_classes_are_mysqls():
    assert SIZES == {1: 255, 2: 65_535, 3: 16_777_215, 4: 4_294_967_295}
    assert SizedBinaryField(size_class=3).clone().max_length == 16_777_215
    with pytest.raises(ValueError, match="size_class is 5"):
        SizedBinaryField(size_class=5)
