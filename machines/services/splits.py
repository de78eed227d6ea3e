"""How the rows of a machine belong together: what its owner says, and what its columns suggest."""

from dataclasses import dataclass

from machines.engine.splits import Split, SplitKind
from models import Column, Machine
from models.column import ColumnRole, ColumnType

LEAST_REPEATED, MOST_REPEATED = 1.5, 50.0  # rows per value, of codes that look like those of persons
LEAST_VALUES = 3
MOST_SUGGESTED = 3


@dataclass(frozen=True)
class Suggestion:
    """A column whose values recur as those of persons, places or things do."""

    column: str
    rows_per_value: float


def split_of(machine: Machine) -> Split:
    """Return what was said, in the engine's words."""
    return Split(SplitKind(machine.machine_split_kind), machine.machine_split_column or None)


def split_choose(*, machine: Machine, split: Split) -> None:
    """Keep what was said. Whether the column can tell is checked when a training starts: columns may change until then."""
    machine.machine_split_kind, machine.machine_split_column = str(split.kind), split.column or ""
    machine.save(update_fields=["machine_split_kind", "machine_split_column"])


def split_suggestions(machine: Machine) -> list[Suggestion]:
    """Return columns of codes, or left out, whose values recur: rows may belong together although nobody said so."""
    if machine.machine_split_kind != SplitKind.ROWS:
        return []
    labels = machine.columns.filter(type=ColumnType.LABEL).exclude(role=ColumnRole.OUTPUT)
    keys = ("name", "role", "profile__is_id", "profile__rows", "profile__missing", "profile__distinct")
    found = []
    for name, role, is_id, rows, missing, distinct in labels.values_list(*keys):
        if (is_id or role == ColumnRole.IGNORED) and (distinct or 0) >= LEAST_VALUES:
            found.append(Suggestion(name, (rows - missing) / distinct))
    return [item for item in found if LEAST_REPEATED <= item.rows_per_value <= MOST_REPEATED][:MOST_SUGGESTED]


def split_columns(machine: Machine) -> list[tuple[str, str]]:
    """Return name and type of each column that may tell how rows belong together: all but those to be predicted."""
    return list(Column.objects.filter(machine=machine).exclude(role=ColumnRole.OUTPUT).values_list("name", "type"))
