import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from models import Column
from models.column import ColumnRole, ColumnType
from tests.factories import make_column, make_machine

pytestmark = pytest.mark.django_db


def test_it_works():
    column = make_column(name="Glucose", type="FLOAT", unit="mg/dL", range_low=40, range_high=400)

    assert (str(column), column.get_type_display(), column.get_role_display()) == ("Glucose", "Number", "Input")
    assert column.has_range and column.is_input and not column.is_output
    column.full_clean()


def test_words_are_the_engines():
    schema = pytest.importorskip("machines.engine.schema")

    assert set(ColumnType.values) == {str(t) for t in schema.DataType}
    assert set(ColumnRole.values) == {str(r) for r in schema.Role}


def test_columns_come_in_the_order_of_the_file():
    machine = make_machine()
    for position in (2, 0, 1):
        make_column(machine, position=position, role="output" if position == 2 else "input")

    assert [c.position for c in machine.columns.all()] == [0, 1, 2]
    assert [c.position for c in machine.columns.inputs()] == [0, 1]
    assert [c.position for c in machine.columns.outputs()] == [2]


@pytest.mark.parametrize("same", [{"position": 0}, {"name": "column0"}])
def test_position_and_name_are_unique_in_a_machine(same):
    machine = make_machine()
    make_column(machine)
    make_column(position=0, name="column0")  # of another machine
    with pytest.raises(IntegrityError), transaction.atomic():
        make_column(machine, **{"position": 9, "name": "other"} | same)


@pytest.mark.parametrize(
    "values",
    [
        {"type": "IGNORE", "role": "input"},
        {"type": "IGNORE", "role": "output"},
        {"type": "INTEGER"},
        {"role": "target"},
        {"range_low": 2.0, "range_high": 1.0},
    ],
)
def test_nonsense_is_refused_by_form_and_database(values):
    column = make_column()
    with pytest.raises(IntegrityError), transaction.atomic():
        Column.objects.filter(pk=column.pk).update(**values)
    for name, value in values.items():
        setattr(column, name, value)
    with pytest.raises(ValidationError):
        column.full_clean()


@pytest.mark.parametrize("values", [{"range_low": 1.0}, {"range_high": 1.0}, {"type": "IGNORE", "role": "ignored"}])
def test_half_a_range_is_a_range(values):
    make_column(**values).full_clean()


def test_columns_go_with_their_machine():
    column = make_column()
    column.machine.delete()
    assert not Column.objects.exists()
