"""Declared facts as fields of conditions. Not in the vocabulary of clients: lists and segments of sales don't see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from clients.declared.choices import AMOUNTS, CODES, DeclaredFact
from clients.models import Declaration
from crm.conditions import Field, FieldType

GROUP: Final = _("Declared by the client")


def _rows(fact: DeclaredFact) -> Callable[[], QuerySet[Declaration]]:
    return lambda: Declaration.objects.filter(fact=fact, until=None)


def _read(name: str, fact: DeclaredFact, column: str) -> Callable[[Any], Any]:
    def read(subject: Any) -> Any:
        if isinstance(subject, Mapping):
            return subject.get(name)
        return _rows(fact)().filter(client=subject.pk).values_list(column, flat=True).first()

    return read


def _field(fact: DeclaredFact) -> Field:
    name, is_amount = f"declared.{fact.value}", fact in AMOUNTS
    column = "amount" if is_amount else "codes"
    return Field(
        name,
        fact.label,
        FieldType.MONEY if is_amount else FieldType.SET,
        column,
        None if is_amount else lambda: CODES[fact].choices,
        _read(name, fact, column),
        group=GROUP,
        rows=_rows(fact),
    )


DECLARED: Final = tuple(_field(fact) for fact in DeclaredFact)
