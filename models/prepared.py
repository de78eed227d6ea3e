"""Queries that are asked thousands of times a minute: written as SQL once, then only filled in.

What a key may do is asked of the database at every single call, and Django takes ten times longer to write such a query
than the database to answer it. The conditions are those of the querysets, because a queryset wrote them.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
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

    def rows(self, *values: object) -> Sequence[tuple[Any, ...]]:
        """Return what the database has, as it writes it: JSON is text, a truth may be 0 or 1."""
        database = connections[DEFAULT_DB_ALIAS]
        sql, native, slots = self._written
        adapted = _adapted(values, database)
        params = [adapted[at] if is_ours else at for at, is_ours in slots]
        if database.execute_wrappers or database.queries_logged:  # somebody listens
            with database.cursor() as cursor:
                cursor.execute(sql, params)
                return list(cursor.fetchall())
        database.ensure_connection()
        with database.wrap_database_errors:
            found: list[tuple[Any, ...]] = database.connection.execute(native, params).fetchall()
        return found

    @cached_property
    def _written(self) -> tuple[str, str, list[tuple[Any, bool]]]:
        """The SQL for Django and for the driver, and for each place in it which value goes there, or the one that always does."""
        database = connections[DEFAULT_DB_ALIAS]
        sql, params = self.build().query.sql_with_params()
        places = {value: at for at, value in enumerate(_adapted(self.stand_ins, database))}
        if missing := places.keys() - set(params):
            raise ValueError(f"the query does not use {missing}")
        native = sql % (("?",) * len(params)) if database.vendor == "sqlite" else sql
        return sql, native, [(places[param], True) if param in places else (param, False) for param in params]


def _adapted(values: Sequence[object], database: BaseDatabaseWrapper) -> list[Any]:
    adapt = database.ops.adapt_datetimefield_value
    return [adapt(value) if isinstance(value, datetime) else value for value in values]
