"""Rows by their key, for what every request or verb reads: Django would write the same statement again each time, in 0.6 ms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from typing import Any, Final, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model, Q, QuerySet
from django.db.models.query import get_related_populators

M = TypeVar("M", bound=Model)
_seen: Final[ContextVar[dict[tuple[Any, ...], list[Any]] | None]] = ContextVar("rows that were read", default=None)


@contextmanager
def read_once() -> Iterator[None]:
    """Read the rows of each key once within the block: for a page whose parts ask for the same ones, while nothing is written."""
    token = _seen.set({})
    try:
        yield
    finally:
        _seen.reset(token)


class ByKey(Generic[M]):
    """Reads `rows().get(pk=…)` by SQL that is written once a process.

    rows: the query, with what it needs of `select_related`. It may have no parameters, annotations or prefetches.
    names: of the fields that make up the key, as a filter names them. most: how many rows are read, where several may have a key.
    where: the condition made of these names, where it isn't that all of them hold.
    """

    def __init__(
        self,
        rows: Callable[[], QuerySet[M]],
        *names: str,
        most: int | None = None,
        where: Callable[..., Q] = lambda **values: Q(**values),
    ) -> None:
        self._rows = rows
        self._names = sorted(names) or ["pk"]
        self._most = most
        self._where = where

    @cached_property
    def _statement(self) -> tuple[Any, str, dict[int, Any], list[Any]]:
        places = {name: place for place, name in enumerate(self._names)}
        compiler = self._rows().filter(self._where(**places))[: self._most].query.get_compiler(DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        order = [str(one) for one in parameters]
        assert sorted(order) == sorted(str(one) for one in places.values()), "the key is the only parameter"
        self._order = [self._names[int(place)] for place in order]
        converters = compiler.get_converters([column[0] for column in compiler.select])
        # The types are of the next Django, which asks for a further argument.
        related = get_related_populators(compiler.klass_info, compiler.select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]
        return compiler, sql, converters, related

    def get(self, pk: int) -> M | None:
        """Return the row, or None where there is none of that key."""
        return self.find(pk=pk)

    def find(self, **values: Any) -> M | None:
        """Return the row whose key has these values, or None; they are as the database takes them."""
        return next(iter(self._rows_of(values)), None)

    def all(self, **values: Any) -> list[M]:
        """List the rows of a key that several have, such as the parent's, in the query's order."""
        return self._rows_of(values)

    def _rows_of(self, values: dict[str, Any]) -> list[M]:
        seen = _seen.get()
        if seen is None:
            return list(self._read(values))
        key = (id(self), *(values[name] for name in self._names))
        if key not in seen:
            seen[key] = list(self._read(values))
        return list(seen[key])

    def _read(self, values: dict[str, Any]) -> Iterator[M]:
        compiler, sql, converters, related = self._statement
        with connection.cursor() as cursor:
            cursor.execute(sql, [values[name] for name in self._order])
            found = cursor.fetchall()
        for row in compiler.apply_converters(found, converters):
            info = compiler.klass_info
            first, last = info["select_fields"][0], info["select_fields"][-1] + 1
            names = [column[0].target.attname for column in compiler.select[first:last]]
            one: M = info["model"].from_db(DEFAULT_DB_ALIAS, names, row[first:last])
            for populator in related:
                populator.populate(row, one)
            yield one
