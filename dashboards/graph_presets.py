"""Which columns a new graph begins with: what is predicted first, then what tells most about it."""

from collections.abc import Mapping, Sequence

from dashboards.drawing.figure import MOST_LABELS
from dashboards.drawing.kinds import KINDS, LABEL
from machines.engine.schema import Column, Role
from models import Machine

MOST_ON_AXIS = 30  # labels beside each other that can still be read
FIRST = ("y", "x", "hue", "size")  # in this order the places choose; side by side and the like stay empty
ROLES = (Role.OUTPUT, Role.INPUT, Role.IGNORED)
TIMESERIES, BARS = 2, 13
MOST_POINTS = 200  # different numbers that each have a mean of their own over time, see drawing.timeseries


def ranked(machine: Machine, columns: Sequence[Column]) -> list[Column]:
    """Return the columns, outputs first, then inputs by what they tell as far as that is known."""
    report = machine.training_report or {}
    importance: Mapping[str, float] = report.get("importance") or {}
    return sorted(columns, key=lambda column: (ROLES.index(column.role), -(importance.get(column.name) or 0)))


def distinct_of(machine: Machine) -> dict[str, int]:
    """Return how many different values each column has, where that was counted; without reading whole profiles."""
    counts = machine.columns.values_list("name", "profile__distinct")
    return {name: count for name, count in counts if isinstance(count, int)}


def presets(kind: int, columns: Sequence[Column], distinct: Mapping[str, int]) -> dict[str, str]:
    """Return place -> column for a new graph of this kind; `columns` begin with the most telling ones."""
    taken = dict[str, str]()
    for place in FIRST:
        if place not in KINDS[kind] or (kind == BARS and place == "x"):  # counts of rows suit every label, sums do not
            continue
        free = [column for column in columns if column.name not in taken.values()]
        found = _best(kind, place, free, distinct)
        if found:
            taken[place] = found.name
    return {place: taken[place] for place in KINDS[kind] if place in taken}


def _best(kind: int, place: str, columns: Sequence[Column], distinct: Mapping[str, int]) -> Column | None:
    """Return the first fitting column: over time before numbers, and labels that can be told apart before many."""
    rule = KINDS[kind][place]
    takes = rule.takes
    if place == "hue" and takes > LABEL:  # colours tell labels apart best
        takes = LABEL
    fitting = [column for column in columns if column.type in takes]
    if kind == TIMESERIES and place == "x":
        fitting.sort(key=lambda c: (not c.type.is_moment, distinct.get(c.name, MOST_POINTS + 1) > MOST_POINTS))
    if takes == LABEL:
        most = MOST_ON_AXIS if rule.is_needed else MOST_LABELS
        few = [column for column in fitting if 1 < distinct.get(column.name, most + 1) <= most]
        fitting = few or (fitting if rule.is_needed else [])
    return fitting[0] if fitting else None
