"""A machine with rows of its own making, to look at: two of its names are hostile."""

import polars as pl

from machines import storage
from models import Column, DataLinesOperation
from tests.factories import make_machine

ROWS = 240
COLUMNS = {
    "=size": ("FLOAT", "input"),
    "town <b>": ("LABEL", "input"),
    "day": ("DATE", "input"),
    "price": ("FLOAT", "output"),
}


def rows_of(scale=1):
    return {
        "=size": [str((n * 37 % 101) * scale) for n in range(ROWS)],
        "town <b>": [["<i>Rome</i>", "Oslo", "Bern"][n % 3] for n in range(ROWS)],
        "day": [f"2021-{1 + n % 12:02}-15" for n in range(ROWS)],
        "price": [str(n * 37 % 101 + n * 53 % 97) for n in range(ROWS)],
    }


def make_profiled(owner):
    machine = make_machine(owner=owner, machine_name="Houses", rows_count=ROWS)
    for position, (name, (type, role)) in enumerate(COLUMNS.items()):
        Column.objects.create(machine=machine, position=position, name=name, type=type, role=role)
    machine.folder = storage.new_folder()
    add(machine, rows_of())
    return machine


def add(machine, rows):
    place = machine.folder / f"part-{DataLinesOperation.objects.count()}.parquet"
    pl.DataFrame(rows).write_parquet(place)
    DataLinesOperation.objects.create(
        machine_id=machine.pk, is_added_for_learning=True, path=storage.recorded(place), rows=ROWS
    )
