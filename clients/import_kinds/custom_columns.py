"""A brand's custom fields as columns of the importer: read by their type, compared, and written for many records at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Final

from django.utils.translation import gettext as _

from clients.custom_fields.registry import seen_by
from clients.custom_fields.values import shown, typed, value_row
from clients.models import Client, CustomField, CustomFieldType, CustomValue
from clients.models.custom_fields import TEXT_CHARS_MAX
from crm.errors import DomainError, outcome_of
from crm.imports import OPEN_ROWS, Difference, Field, Span
from crm.imports.fields import Formats, plain_name, read_date, read_number, read_yes_no
from crm.models import Actor, ImportRow

PREFIX: Final = "custom_"
NUMBERS: Final = (CustomFieldType.NUMBER, CustomFieldType.MONEY)
REFUSE: Final = f"""
UPDATE crm_importrow r SET verdict = 'refused', errors = r.errors || jsonb_build_array(jsonb_build_object(
  'column', m.label, 'message', m.message))
FROM unnest(%(ids)s::bigint[], %(labels)s::text[], %(messages)s::text[]) m(id, label, message)
WHERE {OPEN_ROWS} AND r.id = m.id
"""  # noqa: S608 - a constant


def open_fields(brand_id: int, user: Actor, *, is_lead: bool) -> list[CustomField]:
    """List the open fields of a brand's clients, or leads, that a person sees; all of them for the command line."""
    rows = CustomField.objects.filter(archived_at=None) if user is None else seen_by(user)
    rows = rows.filter(brand_id=brand_id, **{"for_leads" if is_lead else "for_clients": True})
    return list(rows.select_related("brand").prefetch_related("choices").order_by("position", "id"))


def as_columns(fields: Iterable[CustomField]) -> list[Field]:
    """Describe custom fields as fields of the importer, found by their key and their label in any language."""
    return [
        Field(
            PREFIX + field.key,
            field.label,
            partial(_read, field),
            " ".join(filter(None, map(plain_name, (field.key, *field.labels.values())))),
            longest=TEXT_CHARS_MAX,
            choices=[(one.code, one.label) for one in field.choices.all() if one.archived_at is None]
            if field.type == CustomFieldType.CHOICE
            else (),
            help=_("Several values are separated by commas") if field.type == CustomFieldType.CHOICES else "",
            is_date=field.type == CustomFieldType.DATE,
            is_number=field.type in NUMBERS,
            group=_("Custom fields"),
        )
        for field in fields
    ]


def _read(field: CustomField, text: str, formats: Formats) -> Any:
    """Read a cell as a value of the field, in the form in which a row keeps it. Raises: DomainError."""
    given: Any = text
    if field.type in NUMBERS:
        given = read_number(text, formats)
    elif field.type == CustomFieldType.DATE:
        given = read_date(text, formats)
    elif field.type == CustomFieldType.YES_NO:
        given = read_yes_no(text, formats)
    elif field.type == CustomFieldType.CHOICES:
        given = text.replace(";", ",").replace("|", ",")
    value = typed(field, given)
    if value in (None, []):
        raise DomainError(_("“%(value)s” isn't one of the choices.") % {"value": text[:60]})
    return _plain(value)


def _plain(value: Any) -> Any:
    """Write a typed value as JSON, so that equal values are written alike."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return value.date().isoformat() if isinstance(value, dt.datetime) else value


class CustomColumns:
    """The custom fields that an import has columns for."""

    def __init__(self, fields: Iterable[CustomField], mapped: Collection[str]) -> None:
        self.fields = {PREFIX + field.key: field for field in fields if PREFIX + field.key in mapped}
        self.mapped = [name for name in mapped if name.startswith(PREFIX)]

    def refuse_unfit(self, span: Span, rows: Iterable[ImportRow]) -> None:
        """Refuse rows whose value no longer fits: the field was archived, or has another type or other choices, since the check."""
        ids, labels, messages = [], [], []
        for row in rows:
            for name in self.mapped:
                if row.values.get(name) is None:
                    continue
                field = self.fields.get(name)
                problem = "" if field else _("This custom field was archived. Check the file again.")
                if field is not None:
                    done = outcome_of(partial(typed, field, row.values[name]))
                    problem = "" if done else done.message
                if problem:
                    ids.append(row.pk)
                    labels.append(field.label if field else name.removeprefix(PREFIX))
                    messages.append(problem)
                    break
        if ids:
            span.run(REFUSE, ids=ids, labels=labels, messages=messages)

    def write_new(self, made: Iterable[tuple[ImportRow, int]]) -> None:
        """Write the values of records that were just made."""
        CustomValue.objects.bulk_create(
            [
                value_row(client_id, field, typed(field, row.values[name]))
                for row, client_id in made
                for name, field in self.fields.items()
                if row.values.get(name) is not None
            ],
            batch_size=2_000,
        )

    def stored(self, client_ids: Collection[int]) -> dict[tuple[int, int], Any]:
        """Read what records have in these fields, by client and field."""
        ids = [field.pk for field in self.fields.values()]
        rows = CustomValue.objects.filter(client_id__in=client_ids, field_id__in=ids) if ids else ()
        return {(row.client_id, row.field_id): row.value for row in rows}

    def differences(
        self, client: Client, values: Mapping[str, Any], stored: Mapping[tuple[int, int], Any]
    ) -> Iterable[Difference]:
        """Yield the fields in which a record differs from its row."""
        for name, field in self.fields.items():
            given, have = values.get(name), stored.get((client.pk, field.pk))
            is_on_record = field.for_leads if client.stage == "lead" else field.for_clients
            if given is None or not is_on_record or (have is not None and _plain(have) == given):
                continue
            yield Difference(name, field.label, shown(field, have), shown(field, typed(field, given)))

    def replace(self, changed: Mapping[int, Mapping[str, Any]]) -> None:
        """Write values of existing records, by client and name; the caller has locked the clients."""
        rows = [
            value_row(client_id, self.fields[name], typed(self.fields[name], value))
            for client_id, values in changed.items()
            for name, value in values.items()
        ]
        ids = {row.field_id for row in rows}
        for field_id in ids:
            of_field = [row.client_id for row in rows if row.field_id == field_id]
            CustomValue.objects.filter(field_id=field_id, client_id__in=of_field).delete()
        CustomValue.objects.bulk_create(rows, batch_size=2_000)
