"""Columns: proposed by the engine, changed by a person, confirmed for training."""

import pytest

from machines.engine.errors import DataError
from machines.engine.schema import DataType, Role, Schema
from machines.services.columns import column_update, columns_confirm, reading_of, schema_of
from models.machine import InvalidTransition, MachineStatus
from tests.factories import make_column
from tests.machines.houses import HEADER, OUTPUTS

pytestmark = pytest.mark.django_db


@pytest.fixture
def typed(machine):
    machine.columns_proposed()
    return machine


def test_confirming_writes_the_machines_own_fields(typed):
    machine = columns_confirm(machine=typed)

    machine.refresh_from_db()
    assert machine.machine_status == MachineStatus.TYPED
    assert machine.dfr_columns_type_user_df["day"] == machine.mdc_columns_data_type["day"] == "DATE"
    assert set(machine.dfr_columns_description_user_df) == set(HEADER)
    assert machine.mdc_columns_name_input == {name: name not in OUTPUTS for name in HEADER}
    assert machine.mdc_columns_name_output == {name: name in OUTPUTS for name in HEADER}
    counts = machine.mdc_columns_total_count, machine.mdc_columns_input_count, machine.mdc_columns_output_count
    assert counts == (11, 9, 2)
    assert machine.mdc_columns_unique_values_count["city"] == 4
    assert machine.mdc_columns_missing_percentage["size"] == 5.0
    assert machine.mdc_columns_values_min["delta"] == -9 and machine.mdc_columns_values_max["delta"] == 9
    low, middle, high = (
        getattr(machine, f"mdc_columns_values_{name}")["price"] for name in ("quantile02", "median", "quantile08")
    )
    assert low < middle < high
    assert "city" not in machine.mdc_columns_values_mean


def test_without_an_output_it_is_refused(typed):
    typed.columns.outputs().update(role="ignored")
    with pytest.raises(DataError, match="No column is an output"):
        columns_confirm(machine=typed)
    typed.refresh_from_db()
    assert typed.machine_status == "new" and typed.mdc_columns_total_count is None


def test_without_an_input_it_is_refused(typed):
    typed.columns.inputs().update(role="ignored")
    with pytest.raises(DataError, match="No column is an input"):
        columns_confirm(machine=typed)


@pytest.mark.parametrize("name", ["day", "note"])
def test_an_output_that_cannot_be_predicted_is_named(typed, name):
    typed.columns.filter(name=name).update(role="output")
    with pytest.raises(DataError, match=f"“{name}” is an output"):
        columns_confirm(machine=typed)


def test_during_a_training_nothing_is_confirmed(machine):
    type(machine).objects.update(machine_status=MachineStatus.TRAINING)
    with pytest.raises(InvalidTransition):
        columns_confirm(machine=machine)
    machine.refresh_from_db()
    assert machine.mdc_columns_total_count is None


def test_the_schema_is_what_the_columns_say(machine):
    schema = schema_of(machine)
    assert [column.name for column in schema.columns] == HEADER
    assert [column.name for column in schema.outputs] == list(OUTPUTS)
    pressure = schema.columns[2]
    assert (pressure.type, pressure.role, pressure.zero_is_missing) == (DataType.FLOAT, Role.INPUT, True)
    assert Schema.from_json(schema.to_json()) == schema


def test_a_new_type_brings_its_own_reading(machine):
    column = machine.columns.get(name="day")
    column.format = {"decimal": ",", "thousands": ".", "date_order": "MDY"}
    column_update(column=column, changes={"type": "LABEL"})
    column.refresh_from_db()
    assert column.type == "LABEL"
    assert (
        column.format == reading_of(column).get("format", {}) != {"decimal": ",", "thousands": ".", "date_order": "MDY"}
    )


def test_words_and_range_are_kept_when_the_type_is_not_touched(machine):
    column = machine.columns.get(name="size")
    column_update(column=column, changes={"unit": "m²", "range_low": 5.0, "range_high": 500.0})
    column_update(column=column, changes={"description": "living space"})
    column.refresh_from_db()
    assert (column.unit, column.description, column.range_low, column.range_high) == ("m²", "living space", 5, 500)


@pytest.mark.parametrize("type", ["IGNORE", "JSON"])
def test_what_is_not_read_is_ignored(machine, type):
    column = column_update(column=machine.columns.get(name="size"), changes={"type": type})
    column.refresh_from_db()
    assert (column.type, column.role) == (type, "ignored")
    assert schema_of(machine).columns[0].is_used is False


def test_zeros_are_a_matter_of_numbers(machine):
    column = column_update(column=machine.columns.get(name="pressure"), changes={"type": "LABEL"})
    column.refresh_from_db()
    assert column.zero_is_missing is False


def test_a_range_of_numbers_is_no_range_of_days(machine):
    column = machine.columns.get(name="day")
    column_update(column=column, changes={"range_low": 1.0, "range_high": 2.0})
    column_update(column=column, changes={"type": "TIME"})
    column.refresh_from_db()
    assert not column.has_range


@pytest.mark.parametrize(
    ("values", "median", "becomes"),
    [(["1", "2", "3"], 2, "LABEL"), (["1.5", "2", "3"], 2, "FLOAT"), (["1999", "2000", "2001"], 2000, "FLOAT")],
)
def test_few_whole_numbers_become_classes_as_the_output(machine, values, median, becomes):
    profile = {
        "type": "FLOAT",
        "readings": {
            "FLOAT": {"format": {}, "distinct": len(values), "median": median, "high": median + 1},
            "LABEL": {"format": {}, "top": [[value, 5] for value in values]},
        },
    }
    column = make_column(machine, name="rooms", type="FLOAT", position=99, profile=profile)
    assert column_update(column=column, changes={"role": "output"}).type == becomes
