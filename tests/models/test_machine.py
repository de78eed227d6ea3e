from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from models import EncDecConfiguration, Machine, NNModel
from models.machine_fields.marketplace import PRICES
from tests.factories import make_admin, make_column, make_machine, make_ready_machine, make_team, make_user

pytestmark = pytest.mark.django_db

SEED_GROUPS = {
    "machine_columns_errors", "log_work_status", "dfr_columns_python_user_df", "mdc_columns_json_structure",
    "mdc_columns_values_quantile08", "mdc_columns_values_str_percent_space", "mdc_columns_values_str_language_none",
    "machine_data_lines_training_count_limit", "fe_columns_inputs_importance_find_delay_sec",
    "enc_dec_columns_info_output_encode_count", "parameter_nn_find_delay_sec", "training_type_machine_hardware",
    "training_eval_accuracy_sample_evaluation_noise", "training_eval_outputs_cols_accuracy_sample_evaluation",
}  # fmt: skip
OURS = {
    "machine_status", "machine_status_message", "source_name", "source_path", "source_options", "source_notices",
    "source_preview", "rows_count", "model_version", "training_report", "machine_is_uploaded_model", "uploaded_version",
    "versions_given", "machine_split_kind", "machine_split_column",
}  # fmt: skip


def test_it_works(alice):
    machine = make_machine(owner=alice, machine_name="Churn")

    assert (str(machine), machine.machine_level, machine.machine_status) == ("Churn", 1, "new")
    assert machine.timestamp and machine.machine_original is None


def test_has_the_107_fields_of_the_seed_and_ours():
    names = {f.name for f in Machine._meta.concrete_fields}

    assert names >= SEED_GROUPS | OURS
    assert len(names - OURS - {"id"}) == 107


def test_copies_know_their_original():
    original = make_machine()
    copy = make_machine(machine_original=original)
    assert list(original.OriginalChild.all()) == [copy]


@pytest.mark.parametrize("name", ["", "   ", None])
def test_a_name_is_needed(name):
    with pytest.raises(ValidationError):
        make_machine(machine_name=name)


def test_reserved_names_belong_to_the_system():
    with pytest.raises(ValueError, match="reserved"):
        make_machine(machine_name="__results__")
    assert make_machine(machine_name="__results__", owner=make_admin())
    assert make_machine(machine_name="__only the start")


@pytest.mark.parametrize("level", [0, 6, None])
def test_level_is_1_to_5(level):
    with pytest.raises(ValidationError):
        make_machine(machine_level=level)


def test_level_is_1_to_5_in_the_database_too():
    machine = make_machine()
    with pytest.raises(IntegrityError), transaction.atomic():
        Machine.objects.filter(pk=machine.pk).update(machine_level=6)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dfr_columns_type_user_df", {"age": "INTEGER"}),
        ("mdc_columns_data_type", {"age": "float"}),
        ("dfr_columns_type_user_df", ["FLOAT"]),
        ("fe_columns_fet", "text"),
        ("source_notices", {}),
        ("training_report", None),
        ("parameter_nn_loss", "hinge"),
        ("parameter_nn_optimizer", "lbfgs"),
    ],
)
def test_save_refuses_wrong_shapes(name, value):
    machine = make_machine()
    setattr(machine, name, value)
    with pytest.raises(ValidationError) as error:
        machine.save()
    assert name in error.value.message_dict
    with pytest.raises(ValidationError):
        machine.save(update_fields=[name])


def test_the_seeds_choices_are_accepted():
    make_machine(parameter_nn_loss="binary_crossentropy", parameter_nn_optimizer="rmsprop", parameter_nn_shape=None)


@pytest.mark.parametrize("price", PRICES)
def test_prices_are_zero_and_never_negative(price):
    machine = make_machine()
    assert getattr(machine, price) == Decimal(0)
    with pytest.raises(IntegrityError), transaction.atomic():
        Machine.objects.filter(pk=machine.pk).update(**{price: Decimal(-1)})


@pytest.mark.parametrize(("value", "stored"), [(0.25, Decimal("0.25")), (float("nan"), None), (1e300, None)])
def test_a_measure_that_does_not_fit_is_unknown(value, stored):
    machine = make_machine(training_eval_loss_sample_training=value)
    machine.refresh_from_db()
    assert machine.training_eval_loss_sample_training == stored


def test_extfields_are_saved_first_and_deleted():
    machine = make_machine()
    assert machine.training_nn_model_extfield is None and machine.enc_dec_configuration_extfield is None

    machine.training_nn_model_extfield = b"ONNX"
    machine.enc_dec_configuration_extfield = {"age": {}}
    machine.save()
    machine = Machine.objects.get()
    assert machine.training_nn_model_extfield == b"ONNX"
    assert machine.enc_dec_configuration_extfield == {"age": {}}

    machine.training_nn_model_extfield = b"ONNX 2"
    machine.save(update_fields=["training_nn_model"])
    assert NNModel.objects.get().machine_nn_model.training_nn_model_extfield == b"ONNX 2"

    del machine.training_nn_model_extfield
    del machine.enc_dec_configuration_extfield
    assert machine.training_nn_model is None
    machine.save()
    assert not NNModel.objects.exists() and not EncDecConfiguration.objects.exists()


def test_an_unsaved_part_is_saved_with_the_machine(alice):
    machine = Machine.objects.create(
        machine_name="m", machine_owner_user=alice, training_nn_model=NNModel(nn_model=b"1")
    )
    assert Machine.objects.get().training_nn_model_id == machine.training_nn_model_id is not None


def test_an_unchanged_model_is_not_written_again():
    machine = make_ready_machine()
    machine.training_nn_model_extfield  # noqa: B018  # loaded now
    with CaptureQueriesContext(connection) as queries:
        machine.save()
    assert not [q for q in queries.captured_queries if "nnmodel" in q["sql"].split("WHERE")[0].lower().split("set")[0]]


def test_deleting_takes_the_parts_along():
    make_ready_machine().delete()
    assert not NNModel.objects.exists()
    machine = make_ready_machine(enc_dec_configuration=EncDecConfiguration.objects.create())
    make_column(machine)
    Machine.objects.filter(pk=machine.pk).delete()
    assert not NNModel.objects.exists() and not EncDecConfiguration.objects.exists()


# Who sees what


def test_visible_to(alice, bob, charlie, dana, team):
    private, shared = make_machine(owner=alice), make_machine(owner=alice, team=team)

    assert set(Machine.objects.visible_to(alice)) == {private, shared}
    assert set(Machine.objects.visible_to(bob)) == {shared}
    assert set(Machine.objects.visible_to(charlie)) == set()
    assert set(Machine.objects.visible_to(dana)) == {private, shared}


def test_editable_by(alice, bob, charlie, dana, team):
    shared, bobs = make_machine(owner=alice, team=team), make_machine(owner=bob, team=team)

    assert set(Machine.objects.editable_by(alice)) == {shared, bobs}  # admin of the team
    assert set(Machine.objects.editable_by(bob)) == {bobs}
    assert set(Machine.objects.editable_by(charlie)) == set()
    assert set(Machine.objects.editable_by(dana)) == {shared, bobs}


def test_nobody_sees_nothing(alice):
    from django.contrib.auth.models import AnonymousUser

    make_machine(owner=alice)
    assert not Machine.objects.visible_to(AnonymousUser()) and not Machine.objects.editable_by(AnonymousUser())
    alice.is_active = False
    assert not Machine.objects.visible_to(alice)


def test_a_machine_is_listed_once_however_many_teams(alice, bob):
    make_machine(owner=alice, team=make_team(alice, bob, admin=alice))
    assert Machine.objects.visible_to(alice).count() == 1


def test_light_leaves_out_what_is_big(alice, django_assert_num_queries):
    make_machine(owner=alice, training_report={"curve": [1]})
    with django_assert_num_queries(1):
        machine = Machine.objects.light().get()
        assert machine.source_options == {} and machine.machine_status == "new"
    assert len(machine.get_deferred_fields()) > 50
    with django_assert_num_queries(1):  # checks nothing it would have to load
        machine.save(update_fields=["machine_description"])
    assert machine.training_report == {"curve": [1]}


def test_ready():
    make_machine()
    ready = make_ready_machine()
    assert list(Machine.objects.ready()) == [ready]


def test_owner_is_needed():
    with pytest.raises((IntegrityError, ValueError)), transaction.atomic():
        Machine.objects.create(machine_name="m")
    assert make_user().machines.count() == 0
