"""Values of custom fields: checked by type, written with their audit row, shown in the reader's language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.db import transaction
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from clients import policies, timeline
from clients.audit_codes import ClientsAction
from clients.choices import TimelineKind
from clients.custom_fields.registry import of_record, seen_by
from clients.models import Client, CustomField, CustomFieldType, CustomValue
from clients.models.custom_fields import CHOICES_MAX, TEXT_CHARS_MAX
from clients.record.access import log_access
from crm.choices import AccessKind
from crm.db.locking import lock
from crm.db.prepared import ByKey
from crm.errors import DomainError
from crm.events import ClientProfileChanged, publish
from crm.i18n import formats
from crm.i18n.localized_text import joined, phrase
from crm.models import Actor
from crm.security import audit

NUMBER_MAX: Final = Decimal(10) ** 13
DIGITS_MAX: Final = 40
CODES_CHARS_MAX: Final = 20_000


def clean(field: CustomField, given: Any) -> Any:
    """Check what was entered in a field; None where nothing was. Raises: DomainError, which names the field."""
    try:
        return typed(field, given)
    except DomainError as problem:
        raise DomainError(f"{field.label}: {problem.message}") from problem


def typed(field: CustomField, given: Any) -> Any:
    """Check what was entered in a field whose name stands beside it. Raises: DomainError."""
    if isinstance(given, str):
        given = given.strip()
    if given in (None, "", [], ()):
        return None
    return CLEAN[CustomFieldType(field.type)](field, given)


def _text(field: CustomField, given: Any) -> str:
    if not isinstance(given, str) or len(given) > TEXT_CHARS_MAX or "\x00" in given:
        raise DomainError(
            _("Enter a text of at most %(count)s characters.") % {"count": formats.number(TEXT_CHARS_MAX)}
        )
    return given


def _number(field: CustomField, given: Any) -> Decimal:
    places = 2 if field.type == CustomFieldType.MONEY else 6
    try:
        is_number = isinstance(given, str | int | float | Decimal) and not isinstance(given, bool)
        text = str(given) if is_number else ""
        number = Decimal(text if len(text) <= DIGITS_MAX and "_" not in text else "NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) >= NUMBER_MAX:
        raise DomainError(_("Enter a number."))
    if round(number, places) != number:
        raise DomainError(_("At most %(count)s decimal places.") % {"count": places})
    return round(number, places)


def _day(field: CustomField, given: Any) -> dt.datetime:
    if isinstance(given, dt.datetime):
        given = given.date()
    try:
        day = given if isinstance(given, dt.date) else parse_date(str(given)[:20])
    except ValueError:
        day = None
    if day is None or not 1900 <= day.year <= 2100:
        raise DomainError(_("Enter a date as YYYY-MM-DD."))
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)


def _flag(field: CustomField, given: Any) -> bool:
    if isinstance(given, bool):
        return given
    word = str(given).lower()
    if word in ("1", "true", "yes", "ja", str(_("Yes")).lower()):
        return True
    if word in ("0", "false", "no", "nein", str(_("No")).lower()):
        return False
    raise DomainError(_("Enter yes or no."))


def _code(field: CustomField, given: Any) -> str:
    """Find a choice by its code, or by its label in any language."""
    word = str(given).strip().lower()
    for choice in field.choices.all():
        if choice.archived_at is None and word in (choice.code, *(label.lower() for label in choice.labels.values())):
            return choice.code
    raise DomainError(_("“%(value)s” isn't one of the choices.") % {"value": str(given)[:60]})


def _codes(field: CustomField, given: Any) -> list[str]:
    if not isinstance(given, str | list | tuple) or len(given) > CODES_CHARS_MAX:
        raise DomainError(_("Enter the choices, separated by commas."))
    entries = given.split(",") if isinstance(given, str) else list(given)
    if len(entries) > CHOICES_MAX:
        raise DomainError(_("A field has at most %(count)s choices.") % {"count": CHOICES_MAX})
    return sorted({_code(field, entry) for entry in entries if str(entry).strip()})


CLEAN: Final[dict[CustomFieldType, Callable[[CustomField, Any], Any]]] = {
    CustomFieldType.TEXT: _text,
    CustomFieldType.NUMBER: _number,
    CustomFieldType.MONEY: _number,
    CustomFieldType.DATE: _day,
    CustomFieldType.YES_NO: _flag,
    CustomFieldType.CHOICE: _code,
    CustomFieldType.CHOICES: _codes,
}


def shown(field: CustomField, value: Any) -> str:
    """Write a value for a reader; empty for none."""
    if value is None:
        return ""
    if field.type == CustomFieldType.DATE:
        return formats.day(value.date())
    if field.type == CustomFieldType.YES_NO:
        return _("Yes") if value else _("No")
    if field.type == CustomFieldType.MONEY:
        return formats.money(value, field.brand.base_currency)
    if field.type == CustomFieldType.NUMBER:
        return formats.number(value.normalize())
    if field.has_choices:
        labels = {choice.code: choice.label for choice in field.choices.all()}
        return ", ".join(labels.get(code, code) for code in ([value] if isinstance(value, str) else value))
    return str(value)


_VALUES: Final = ByKey(lambda: CustomValue.objects.order_by(), "client_id")


def values_of(client: Client) -> dict[int, Any]:
    """Read a client's values by field."""
    return {row.field_id: row.value for row in _VALUES.all(client_id=client.pk)}


@transaction.atomic
def set_custom_values(*, client_id: int, actor: Actor, values: Mapping[int, Any]) -> list[CustomField]:
    """Write values into custom fields of a record, by the field's id; empty deletes one. Returns the changed fields.

    Who: `clients.change_client` in reach, and only fields that the person sees. Raises: NotAllowed; DomainError for a field
    that the record doesn't have, a value that doesn't fit, or a required field that would be empty.
    """
    client = lock(Client, client_id, "brand")
    policies.require(policies.can(actor, client, "clients.change_client"))
    known = of_record(client, seen_by(actor) if actor else CustomField.objects.filter(archived_at=None))
    fields = {field.pk: field for field in known}
    if values.keys() - fields.keys():
        raise DomainError(_("One of these fields was archived or isn't on this record any more. Reload the page."))
    have = values_of(client)
    cleaned = {pk: clean(fields[pk], given) for pk, given in values.items()}
    missing = [fields[pk].label for pk, value in cleaned.items() if value is None and fields[pk].is_required]
    if missing:
        raise DomainError(_("Required: %(fields)s.") % {"fields": ", ".join(missing)})
    changed = {pk: value for pk, value in cleaned.items() if value != have.get(pk)}
    if not changed:
        return []
    _write(client, fields, changed)
    labels = [fields[pk].label for pk in changed]
    names = tuple(sorted(f"custom_{fields[pk].key}" for pk in changed))
    publish(ClientProfileChanged(client_id=client.pk, brand_id=client.brand_id, fields=names), actor=actor)
    audit.record(
        actor=actor,
        action=ClientsAction.CUSTOM_VALUES_CHANGED,
        target=client,
        client_id=client.pk,
        brand_id=client.brand_id,
        before={fields[pk].key: have.get(pk) for pk in changed},
        after={fields[pk].key: value for pk, value in changed.items()},
    )
    if actor is not None and actor.is_team:
        log_access(actor, client, "clients.custom_values", kind=AccessKind.EDIT, rows=len(changed))
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.NOTE,
        actor=actor,
        title=phrase("Custom fields changed: %(fields)s") % {"fields": joined(labels, ", ")},
    )
    return [fields[pk] for pk in changed]


def value_row(client_id: int, field: CustomField, value: Any) -> CustomValue:
    """Make the row of a checked value."""
    return CustomValue(client_id=client_id, field_id=field.pk, type=field.type, **{field.column: value})


def _write(client: Client, fields: Mapping[int, CustomField], changed: Mapping[int, Any]) -> None:
    CustomValue.objects.filter(client=client, field_id__in=changed).delete()
    rows = [value_row(client.pk, fields[pk], value) for pk, value in changed.items() if value is not None]
    CustomValue.objects.bulk_create(rows)
