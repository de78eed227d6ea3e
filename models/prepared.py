"""Queries that are asked thousands of times a minute: written as SQL once, then only filled in.

What a key may do is asked of the database at every single call, and Django takes ten times longer to write such a query
than the database to answer it. The conditions are those of the querysets, because a queryset wrote them.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

# Values that stand in a query until the real ones are known: no row of a table holds them.
TEXT = "\N{OBJECT REPLACEMENT CHARACTER} stands for a text"
NUMBERS = range(7_000_000_000_000_000_001, 7_000_000_000_000_000_009)
MOMENTS = [datetime(1901, 2, 3, 4, 5, second, 678_901, UTC) for second in range(9)]


class Prepared:
    """A queryset of `values_list`, with a stand-in where a value belongs; `rows` takes the values in the same order."""

    def __init__(self, build: Callable[[], QuerySet[Any, Any]], *stand_ins: object) -> None:
        self.build = build
        self.stand_ins = stand_ins

    def rows(self, *values: object, database: BaseDatabaseWrapper | None = None) -> Sequence[tuple[Any, ...]]:
        """Return what the database has, as it writes it: JSON is text, a truth may be 0 or 1.

        Whoever asks several questions may say of which connection: to find that of the thread takes a while.
        """
        database = database or connections[DEFAULT_DB_ALIAS]
        sql, native, filled, places = self._written
        given = [*filled, *map(_adapted, values)]
        params = [given[place] for place in places]
        if database.execute_wrappers or database.queries_logged:  # somebody listens
            with database.cursor() as cursor:
                cursor.execute(sql, params)
                return list(cursor.fetchall())
        database.ensure_connection()
        try:
            found: list[tuple[Any, ...]] = database.connection.execute(native, params).fetchall()
        except Exception:
            with database.wrap_database_errors:
                raise
        return found

    @cached_property
    def _written(self) -> tuple[str, str, list[Any], list[int]]:
        """The SQL for Django and for the driver; what the queryset has filled in; which of that and of the values goes where."""
        sql, params = self.build().query.sql_with_params()
        stand_ins = [_adapted(value) for value in self.stand_ins]
        if missing := set(stand_ins) - set(params):
            raise ValueError(f"the query does not use {missing}")
        values = range(len(params), len(params) + len(stand_ins))  # they follow on what the queryset has filled in
        places = dict(zip(stand_ins, values, strict=True))
        native = sql % (("?",) * len(params)) if connections[DEFAULT_DB_ALIAS].vendor == "sqlite" else sql
        return sql, native, list(params), [places.get(param, place) for place, param in enumerate(params)]


def _adapted(value: object) -> Any:
    return _moment(value) if isinstance(value, datetime) else value


@lru_cache
def _moment(value: datetime) -> Any:
    """Return a moment as the database takes it. Who asks often may ask for the same moment for a while."""
    return connections[DEFAULT_DB_ALIAS].ops.adapt_datetimefield_value(value)
