"""Custom fields in lists and on the record: columns of the fields that a person sees, and the card of one record."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from clients.custom_fields.registry import as_field, name_of, of_record, seen_by
from clients.custom_fields.values import shown, values_of
from clients.models import Client, CustomField, CustomFieldType, CustomValue
from clients.policies import can
from crm.ui.columns import Column, DateColumn, MoneyColumn, NumberColumn, YesNoColumn
from crm.web.requests import UserRequest

KINDS: dict[str, Any] = {
    CustomFieldType.NUMBER: NumberColumn,
    CustomFieldType.MONEY: partial(MoneyColumn, currency="brand.base_currency"),
    CustomFieldType.DATE: DateColumn,
    CustomFieldType.YES_NO: YesNoColumn,
}


def alias_of(field_id: int) -> str:
    """Name the annotation that holds a field's value."""
    return f"custom_{field_id}"


def custom_columns(fields: Iterable[CustomField]) -> list[Column]:
    """Make the columns of the fields that a person sees."""
    return [_column(field) for field in fields]


def _column(field: CustomField) -> Column:
    made = KINDS.get(field.type, Column)
    alias = alias_of(field.pk)
    value: Any = alias
    if field.type == CustomFieldType.DATE:
        value = lambda row: getattr(row, alias) and getattr(row, alias).date()  # noqa: E731
    elif made is Column:
        value = lambda row: shown(field, getattr(row, alias))  # noqa: E731
    column: Column = made(name_of(field), field.label, value=value, hidden=True, group=as_field(field).group)
    return column


def with_values(rows: QuerySet[Client], columns: Iterable[Column], fields: Iterable[CustomField]) -> QuerySet[Any]:
    """Annotate clients with the values that chosen columns show."""
    names = {column.name for column in columns}
    return rows.annotate(
        **{
            alias_of(field.pk): Subquery(
                CustomValue.objects.filter(field_id=field.pk, client_id=OuterRef("pk")).values(field.column)[:1]
            )
            for field in fields
            if name_of(field) in names
        }
    )


def custom_card(request: UserRequest, client: Client) -> dict[str, Any] | None:
    """List the record's custom fields with their values; None where its brand has none that the person sees."""
    fields = list(of_record(client, seen_by(request.user)))
    if not fields:
        return None
    values = values_of(client)
    return {
        "lines": [(field, shown(field, values.get(field.pk))) for field in fields],
        "may_change": bool(can(request.user, client, "clients.change_client")),
    }
