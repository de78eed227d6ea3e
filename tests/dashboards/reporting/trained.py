"""A machine with rows, trained by the real child; what its report tells was made by hand."""

import polars as pl

from machines import storage
from models import DataLinesOperation, Machine, User
from tests.dashboards.reporting.told import LABELS, NUMBER
from tests.machines.houses import HEADER, houses, table_rows


def trained(owner: User) -> Machine:
    owner.decimal_separator = "."
    owner.save()
    machine = houses().machine(owner=owner, machine_name="Houses")
    machine.training_report |= {"outputs": [LABELS, NUMBER]}
    machine.save()
    place = storage.new_folder() / "part.parquet"
    pl.DataFrame({name: [row[at] for row in table_rows()] for at, name in enumerate(HEADER)}).write_parquet(place)
    DataLinesOperation.objects.create(
        machine_id=machine.pk, is_added_for_learning=True, path=storage.recorded(place), rows=200
    )
    return machine
