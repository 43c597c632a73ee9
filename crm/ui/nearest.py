"""The first rows of a filtered list in bounded time, whatever the planner believes.

A list wants the first fifty of the rows that match, in an order. PostgreSQL can walk the order and leave out what does
not match, or find all that match and sort them. It chooses by statistics that know each column alone: where columns
hang together (a book without one contacted lead), it walks a million rows and finds none. So the walk gets an end here:

1. walk the order through `PROBE_ROWS` rows at most. Where many rows match, the page is full after a few hundred;
2. where it is not full, few rows match, or none near the start: find all that match, and only then sort.

Both are one query, held by a subquery that the planner does not look through (`LIMIT`, `OFFSET 0`).
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.db.models.sql.datastructures import BaseTable

PROBE_ROWS = 5000


class Subquery(BaseTable):
    """A subquery in FROM that goes by the table's own name, so that conditions on the table are conditions on it."""

    def __init__(self, table_name: str, alias: str, sql: str = "", params: tuple[Any, ...] = ()) -> None:
        super().__init__(table_name, alias)
        self.sql, self.params = sql, params

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return f"({self.sql}) {compiler.quote_name_unless_alias(self.table_alias)}", list(self.params)

    def relabeled_clone(self, change_map: dict[Any, Any]) -> "Subquery":
        alias = change_map.get(self.table_alias, self.table_alias)
        return Subquery(str(self.table_name), str(alias), self.sql, self.params)

    @property
    def identity(self) -> tuple[Any, ...]:
        return (*super().identity, self.sql, self.params)


def within(matching: QuerySet[Any], candidates: QuerySet[Any], size: int) -> list[Any]:
    """Read those of the first `size` rows of `matching` that are among the first `PROBE_ROWS` candidates.

    `candidates` has the same order, and all rows of `wanted` are among its own; it is a range of an index.
    """
    return list(_read_from(matching, candidates[:PROBE_ROWS])[:size])


def sorted_afterwards(matching: QuerySet[Any], columns: Sequence[str], sorting: Sequence[Any], size: int) -> list[Any]:
    """Read the first `size` rows in the order `sorting`.

    All that match are found by `columns` alone (the key and what is sorted by), which an index may hold; then the first
    of them are read whole.
    """
    key = matching.model._meta.pk.name
    narrow = matching.order_by().values(*{key if column == "pk" else column for column in columns})
    in_order = matching.model._base_manager.order_by(*sorting)
    keys = list(_read_from(in_order, narrow, "OFFSET 0").values_list("pk", flat=True)[:size])
    place = {pk: index for index, pk in enumerate(keys)}
    return sorted(matching.filter(pk__in=keys).order_by(), key=lambda row: place[row.pk]) if keys else []


def _read_from(queryset: QuerySet[Any], rows: QuerySet[Any], suffix: str = "") -> QuerySet[Any]:
    """Make the queryset read its table's rows from a subquery instead of the table."""
    made = queryset.all()
    alias = made.query.get_initial_alias()
    sql, params = rows.query.sql_with_params()
    made.query.alias_map[alias] = Subquery(made.query.alias_map[alias].table_name, alias, f"{sql} {suffix}", params)
    return made
