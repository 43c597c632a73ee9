"""Locked rows for verbs: read again under the lock, because an object that was handed in may be old by now.

Which row is locked before which is written in docs/domain/locking.md; verbs that follow it can't wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db import connection
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from crm.db.prepared import ByKey
from crm.errors import NotFound

Row = TypeVar("Row", bound=Model)
Source = type[Row] | QuerySet[Row]


def lock(source: Source[Row], pk: Any, *read_along: str, no_key: bool = False) -> Row:
    """Lock one row until the transaction ends and return it as it is now.

    `source` is a model, or a queryset that says which rows the caller may reach. Rows named in `read_along` are read in
    the same query and not locked. `no_key` lets others insert rows that point at this one meanwhile: enough where the
    lock only puts verbs in a line.

    Raises: NotFound.
    """
    row = lock_or_none(source, pk, *read_along, no_key=no_key)
    if row is None:
        raise NotFound(_("This record no longer exists. Reload the page."))
    return row


def lock_or_none(source: Source[Row], pk: Any, *read_along: str, no_key: bool = False) -> Row | None:
    """Lock one row as `lock` does; None where there is none."""
    # Outside of a transaction Django refuses to write the statement.
    is_plain = isinstance(pk, int) and not isinstance(source, QuerySet) and not connection.get_autocommit()
    if is_plain and (statement := _statement(source, read_along, no_key)):
        found: Row | None = statement.get(pk)
        return found
    try:
        return _locked(source, read_along, no_key).get(pk=pk)
    except ObjectDoesNotExist:
        return None


def lock_first(rows: QuerySet[Row], *read_along: str) -> Row | None:
    """Lock the row that was found by something else than its key; None where there is none."""
    return _locked(rows, read_along, no_key=False).first()


def lock_all(
    source: Source[Row],
    *read_along: str,
    pks: Iterable[Any] | None = None,
    at_most: int | None = None,
    no_key: bool = False,
) -> list[Row]:
    """Lock many rows of one kind, always in the order of their keys; those that are gone are left out."""
    rows = _locked(source, read_along, no_key=no_key)
    return list((rows if pks is None else rows.filter(pk__in=list(pks))).order_by("pk")[:at_most])


@cache
def _statement(model: type[Model], read_along: tuple[str, ...], no_key: bool) -> ByKey[Any] | None:
    """Write the statement once a process: each verb begins with one. None where the model's manager adds conditions."""
    query = model._default_manager.all().query
    return None if query.where or query.annotations else ByKey(lambda: _locked(model, read_along, no_key).order_by())


def _locked(source: Source[Row], read_along: tuple[str, ...], no_key: bool) -> QuerySet[Row]:
    rows = source if isinstance(source, QuerySet) else source._default_manager.all()
    # Without `of`, PostgreSQL would lock the rows that are only read along, too.
    rows = rows.select_for_update(of=("self",), no_key=no_key)
    return rows.select_related(*read_along) if read_along else rows
