"""Paging by position, not by number: a page is found through an index in the same time at row 50 and at row 1,200,000.

A list is ordered by one value and then by primary key, so every row has its own place even among equal values. Rows
without a value come last in both directions: the walk has two legs, "has a value" and "has none", and each leg is a
plain range of the index on (value, id). A page costs one query, two where it crosses from one leg to the other. Where most
rows have the same value, the index need not hold them: they are a leg of their own, by number (`Order.usual`).

The cursor in the address is encrypted: the sort value may be a name or an e-mail that the reader sees only masked.
"""

from __future__ import annotations

import base64
import hashlib
import json
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from functools import lru_cache, reduce
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import F, Field, ForeignObjectRel, Model, Q, QuerySet
from django.db.models.fields.tuple_lookups import TupleGreaterThan, TupleLessThan

from crm.ui import nearest

SORT_ALIAS = "k_sort"
KEYS = ("pk", "id")


@dataclass(frozen=True)
class Order:
    """What a list is ordered by: `path` is a field path or an annotation, `key` its name in the address.

    usual: the value that most rows have, where the index of this order may hold only the others.
    """

    key: str
    path: str
    descending: bool = False
    usual: Any = None

    @property
    def param(self) -> str:
        return f"-{self.key}" if self.descending else self.key


@dataclass(frozen=True)
class Cursor:
    """A place in a list: just after (or, walking backwards, just before) the row with this value and primary key."""

    order: str
    value: Any
    pk: Any
    backwards: bool = False

    def token(self) -> str:
        body = json.dumps([self.order, _plain(self.value), self.value is None, str(self.pk), self.backwards])
        return _cipher().encrypt(body.encode()).decode().rstrip("=")


@dataclass(frozen=True)
class Page:
    rows: Sequence[Model]
    next: str | None
    previous: str | None

    @property
    def is_whole(self) -> bool:
        """Whether this page is the whole list, so that its length is the exact count."""
        return self.next is None and self.previous is None


@lru_cache(maxsize=1)
def _cipher() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"keelson.keyset." + settings.SECRET_KEY.encode()).digest()))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    if hasattr(value, "total_seconds"):
        return str(value)
    return value


def _sort_field(queryset: QuerySet[Any], path: str) -> tuple[Field[Any, Any], bool]:
    """Find the field behind a sort path and whether it can be empty. Annotations count as nullable."""
    annotation = queryset.query.annotations.get(path)
    if annotation is not None:
        return annotation.output_field, True
    model, nullable, field = queryset.model, False, None
    for part in path.split("__"):
        field = model._meta.pk if part == "pk" else model._meta.get_field(part)
        if isinstance(field, ForeignObjectRel):
            if field.multiple:
                raise FieldDoesNotExist(f"{path} leads to many rows; a list can't be ordered by it")
            nullable, model = True, field.related_model
            continue
        nullable = nullable or bool(field.null)
        if field.is_relation:
            model = field.related_model
    if not isinstance(field, Field):
        raise FieldDoesNotExist(path)
    return field, nullable


def read_cursor(token: str, order: Order, queryset: QuerySet[Any]) -> Cursor | None:
    """Decrypt a cursor's token; None (the first page) where it is damaged, forged or of another order."""
    if not token:
        return None
    try:
        body = _cipher().decrypt((token + "=" * (-len(token) % 4)).encode())
        name, value, is_null, pk, backwards = json.loads(body)
        if name != order.param:
            return None
        field, nullable = _sort_field(queryset, order.path)
        if is_null and not nullable:
            return None
        return Cursor(
            order=name,
            value=None if is_null else field.to_python(value),
            pk=queryset.model._meta.pk.to_python(pk),
            backwards=bool(backwards),
        )
    except (InvalidToken, ValueError, TypeError, ValidationError):
        return None


class Part(Enum):
    """The rows of a leg, by their value: any, none, and around the usual one."""

    FILLED = "filled"
    EMPTY = "empty"
    ABOVE = "above"
    USUAL = "usual"
    BELOW = "below"


def _parts(order: Order, *, nullable: bool, down: bool) -> list[Part]:
    """List the parts of a list in walking direction."""
    filled = [Part.FILLED] if order.usual is None else [Part.ABOVE, Part.USUAL, Part.BELOW]
    if not down:
        filled.reverse()
    empty = [Part.EMPTY] if nullable else []
    return [*filled, *empty] if down == order.descending else [*empty, *filled]


def _part_of(order: Order, value: Any) -> Part:
    if value is None:
        return Part.EMPTY
    if order.usual is None:
        return Part.FILLED
    return Part.USUAL if value == order.usual else Part.ABOVE if value > order.usual else Part.BELOW


@dataclass(frozen=True)
class Leg:
    """One leg of the walk, in walking direction, after the cursor where the cursor lies in this leg."""

    order: Order
    part: Part
    nullable: bool
    down: bool
    after: Cursor | None = None

    @property
    def empty(self) -> bool:
        return self.part is Part.EMPTY

    @property
    def is_by_key(self) -> bool:
        return self.part in (Part.EMPTY, Part.USUAL) or self.order.path in KEYS

    @property
    def _held(self) -> Q:
        path, usual = self.order.path, self.order.usual
        return {
            Part.FILLED: Q(**{f"{path}__isnull": False}) if self.nullable else Q(),
            Part.EMPTY: Q(**{f"{path}__isnull": True}),
            Part.ABOVE: Q(**{f"{path}__gt": usual}),
            Part.USUAL: Q(**{path: usual}),
            Part.BELOW: Q(**{f"{path}__lt": usual}),
        }[self.part]

    @property
    def condition(self) -> Q:
        """What holds for its rows."""
        condition = self._held
        if self.after is None:
            return condition
        if self.is_by_key:
            return condition & Q(**{"pk__lt" if self.down else "pk__gt": self.after.pk})
        # A row comparison is one range of the index; the spelled-out OR would filter from the list's start.
        compare = TupleLessThan if self.down else TupleGreaterThan
        return condition & Q(compare((F(self.order.path), F("pk")), (self.after.value, self.after.pk)))

    def of(self, queryset: QuerySet[Any], *, is_range: bool = False) -> QuerySet[Any]:
        """Keep its rows, in order. is_range: an index has this order, and with it all rows without a value next to each other.

        The planner sees that only where they are ordered by the value, too: else it walks by number, past all that have one.
        """
        condition, sign = self.condition, "-" if self.down else ""
        part = queryset.filter(condition) if condition else queryset
        if self.is_by_key and not (self.empty and is_range):
            return part.order_by(f"{sign}pk")
        return part.order_by(f"{sign}{SORT_ALIAS}", f"{sign}pk")


def _walk(
    queryset: QuerySet[Any],
    order: Order,
    cursor: Cursor | None,
    size: int,
    candidates: QuerySet[Any] | None = None,
    nearer: QuerySet[Any] | None = None,
    *,
    has_index: bool = False,
) -> list[Any]:
    """Read up to `size` rows after the cursor, in walking direction."""
    _field, nullable = _sort_field(queryset, order.path)
    backwards = bool(cursor and cursor.backwards)
    down = order.descending != backwards
    parts = _parts(order, nullable=nullable, down=down)
    if cursor is not None:
        parts = parts[parts.index(_part_of(order, cursor.value)) :]
    legs = [Leg(order, part, nullable, down, cursor if index == 0 else None) for index, part in enumerate(parts)]
    if candidates is not None:
        near = candidates if nearer is None else nearer
        walked = [(leg, candidates if leg.empty else near) for leg in legs]
        return _bounded_walk(queryset, walked, size, has_index=has_index)
    rows: list[Any] = []
    for leg in legs:
        rows += leg.of(queryset)[: size - len(rows)]
        if len(rows) >= size:
            break
    return rows


def _bounded_walk(
    queryset: QuerySet[Any], legs: Sequence[tuple[Leg, QuerySet[Any]]], size: int, *, has_index: bool
) -> list[Any]:
    """Walk the legs with an end to each (see `crm.ui.nearest`), each through its candidates, until the page is full.

    A leg that doesn't fill the page near its start is read as a whole, two next to each other in one go.
    """
    unfilled: list[Leg] = []
    for leg, wider in legs:
        near = nearest.within(leg.of(queryset, is_range=has_index), leg.of(wider, is_range=has_index), size)
        if len(near) == size:
            rows = _sorted_afterwards(queryset, unfilled, size) if unfilled else []
            return rows + near[: size - len(rows)]
        unfilled.append(leg)
    return _sorted_afterwards(queryset, unfilled, size)


def _sorted_afterwards(queryset: QuerySet[Any], legs: Sequence[Leg], size: int) -> list[Any]:
    """Read the first rows of these legs, all of which are found before they are sorted."""
    left = reduce(operator.or_, [leg.condition or Q(pk__isnull=False) for leg in legs])
    first, path = legs[0], legs[0].order.path
    value = F(path).desc if first.down else F(path).asc
    places = {"nulls_first" if first.empty else "nulls_last": True} if first.nullable else {}
    sorting = [value(**places), F("pk").desc() if first.down else F("pk").asc()]
    return nearest.sorted_afterwards(queryset.filter(left), [path, "pk"], sorting, size)


def get_page(
    queryset: QuerySet[Any],
    order: Order,
    token: str = "",
    size: int = 50,
    candidates: QuerySet[Any] | None = None,
    nearer: QuerySet[Any] | None = None,
    *,
    has_index: bool = False,
) -> Page:
    """Read one page of a list. Walking back past the start gives a full first page.

    `candidates`: a wider list whose orders are ranges of indexes. With it a page takes bounded time however few rows
    match (see `crm.ui.nearest`), for a query more where they are few. `nearer`: the part of them that holds all rows with a
    value in this order, where that, too, is a range of an index. has_index: so are those without one.
    """
    if order.path not in KEYS:  # which every row has at hand
        value = {SORT_ALIAS: F(order.path)}
        queryset = queryset.annotate(**value)
        candidates = None if candidates is None else candidates.annotate(**value)
        nearer = None if nearer is None else nearer.annotate(**value)
    cursor = read_cursor(token, order, queryset)
    rows = _walk(queryset, order, cursor, size + 1, candidates, nearer, has_index=has_index)
    more = len(rows) > size
    rows = rows[:size]
    if cursor is not None and not rows:
        if not token:
            return Page([], None, None)
        return get_page(queryset, order, "", size, candidates, nearer, has_index=has_index)
    has_next, has_previous = more, cursor is not None
    if cursor is not None and cursor.backwards:
        if not more:
            return get_page(queryset, order, "", size, candidates, nearer, has_index=has_index)
        rows.reverse()
        has_next = has_previous = True

    def at(row: Any, backwards: bool) -> str:
        value = row.pk if order.path in KEYS else getattr(row, SORT_ALIAS)
        return Cursor(order.param, value, row.pk, backwards).token()

    return Page(rows, at(rows[-1], False) if has_next else None, at(rows[0], True) if has_previous else None)


def all_rows(queryset: QuerySet[Any], order: Order, chunk: int = 2000) -> Iterator[Any]:
    """Yield the whole list in its order, through server-side cursors: memory stays flat at any size."""
    queryset = queryset.annotate(**{SORT_ALIAS: F(order.path)})
    _field, nullable = _sort_field(queryset, order.path)
    for part in _parts(order, nullable=nullable, down=order.descending):
        leg = Leg(order, part, nullable, order.descending)
        yield from leg.of(queryset).iterator(chunk_size=chunk)


def estimate(queryset: QuerySet[Any]) -> int:
    """Estimate how many rows a list has, from the planner's statistics: a millisecond at any size. Never a COUNT(*)."""
    plan = json.loads(queryset.order_by().explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])
