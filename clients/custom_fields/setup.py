"""Setting custom fields up: add, change, reorder, archive and restore fields and their choices."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.audit_codes import ClientsAction
from clients.models import CustomChoice, CustomField, CustomFieldType, CustomValue
from clients.models.custom_fields import CHOICES_MAX
from crm.db.locking import lock, lock_all
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.models import Actor
from crm.security import audit
from crm.security.policies import require
from crm.staff import company

FIELDS_MAX: Final = 50
LABEL_CHARS_MAX: Final = 80
KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class FieldDetails:
    """What a brand decides about a field. `roles`: who sees it, everybody who sees the record where empty."""

    labels: Mapping[str, str]
    type: str
    for_leads: bool = True
    for_clients: bool = True
    is_required: bool = False
    is_personal: bool = False
    roles: Sequence[str] = field(default_factory=list)


@transaction.atomic
def create_custom_field(*, brand_id: int, key: str, actor: Actor, details: FieldDetails) -> CustomField:
    """Add a field to a brand's records, as the last one.

    Who: `crm.manage_company` on the whole brand. Raises: NotAllowed, WrongState; DomainError for a key that is taken or no plain
    word, a missing label, or where the brand has its fifty.
    """
    require(company.can_set_up(actor, brand_id))
    brand = company.open_brand(brand_id)
    if not KEY.fullmatch(key):
        raise DomainError(_("Use lower-case a–z, digits and underscores, and start with a–z."))
    mine = CustomField.objects.filter(brand=brand)
    if mine.filter(key=key).exists():
        raise DomainError(_("This brand already has a field with this key."), code="duplicate")
    values = _checked(details)
    _require_room(brand_id, details)
    added = CustomField(brand=brand, key=key, created_at=timezone.now(), position=_next_position(mine), **values)
    added.save()
    audit.record(
        actor=actor,
        action=ClientsAction.CUSTOM_FIELD_CREATED,
        target=added,
        brand_id=brand_id,
        after={"key": key, **values},
    )
    return added


@transaction.atomic
def change_custom_field(*, field_id: int, actor: Actor, details: FieldDetails) -> CustomField:
    """Change a field. A new label is free; the key never changes. Who: as for a new one.

    Raises: NotAllowed; DomainError for another type while records have a value.
    """
    row = _locked(field_id, actor)
    values = _checked(details)
    if values["type"] != row.type:
        _require_no_values(row)
    if row.archived_at is None:
        _require_room(row.brand_id, details, besides=row.pk)
    before = {name: getattr(row, name) for name, value in values.items() if getattr(row, name) != value}
    if before:
        for name in before:
            setattr(row, name, values[name])
        row.save(update_fields=list(before))
        after = {name: values[name] for name in before}
        audit.record(
            actor=actor,
            action=ClientsAction.CUSTOM_FIELD_CHANGED,
            target=row,
            brand_id=row.brand_id,
            before=before,
            after=after,
        )
    return row


@transaction.atomic
def archive_custom_field(*, field_id: int, actor: Actor) -> CustomField:
    """Archive a field: nobody sees it any more, and its values stay. Who: as for a change. Raises: NotAllowed, WrongState."""
    row = _locked(field_id, actor)
    if row.archived_at is not None:
        raise WrongState(_("%(name)s is already archived.") % {"name": row})
    return _set_archived(row, actor, is_archived=True)


@transaction.atomic
def restore_custom_field(*, field_id: int, actor: Actor) -> CustomField:
    """Take a field out of the archive, with its values. Who: as for a change. Raises: NotAllowed, WrongState, DomainError."""
    row = _locked(field_id, actor)
    if row.archived_at is None:
        raise WrongState(_("%(name)s isn't archived.") % {"name": row})
    _require_room(row.brand_id, row)
    return _set_archived(row, actor, is_archived=False)


@transaction.atomic
def move_custom_field(*, field_id: int, actor: Actor, down: bool) -> CustomField:
    """Move a field one place up or down among the brand's open fields. Who: as for a change. Raises: NotAllowed, DomainError."""
    row = _locked(field_id, actor)
    rows = lock_all(CustomField.objects.filter(brand_id=row.brand_id, archived_at=None))
    rows.sort(key=lambda each: (each.position, each.pk))
    places = [each.pk for each in rows]
    at = places.index(row.pk) if row.pk in places else -1
    to = at + (1 if down else -1)
    if at < 0 or not 0 <= to < len(rows):
        raise DomainError(_("%(name)s is already in that position.") % {"name": row})
    rows[at], rows[to] = rows[to], rows[at]
    for number, each in enumerate(rows):
        each.position = number
    CustomField.objects.bulk_update(rows, ["position"])
    audit.record(
        actor=actor,
        action=ClientsAction.CUSTOM_FIELD_MOVED,
        target=row,
        brand_id=row.brand_id,
        before={"position": at + 1},
        after={"position": to + 1},
    )
    return rows[to]


@transaction.atomic
def add_custom_choice(*, field_id: int, actor: Actor, labels: Mapping[str, str]) -> CustomChoice:
    """Add a choice to a field. Who: as for a change. Raises: NotAllowed; DomainError without a label, or beyond two hundred."""
    row = _locked(field_id, actor)
    if not row.has_choices:
        raise DomainError(_("Only fields with choices have any."))
    wanted = _labels(labels)
    choices = list(row.choices.all())
    if len(choices) >= CHOICES_MAX:
        raise DomainError(_("A field has at most %(count)s choices.") % {"count": CHOICES_MAX})
    _require_new_label(choices, wanted)
    code = _free_code(wanted, {choice.code for choice in choices})
    added = CustomChoice.objects.create(field=row, code=code, labels=wanted, position=_next_position(row.choices))
    _record_choice(row, actor, {}, {"choice": code, "labels": wanted})
    return added


@transaction.atomic
def rename_custom_choice(*, choice_id: int, actor: Actor, labels: Mapping[str, str]) -> CustomChoice:
    """Rename a choice; its code and the values stay. Who: as for a change. Raises: NotAllowed, DomainError."""
    row, choice = _locked_choice(choice_id, actor)
    wanted = _labels(labels)
    _require_new_label([other for other in row.choices.all() if other.pk != choice.pk], wanted)
    if choice.labels != wanted:
        _record_choice(row, actor, {"labels": choice.labels}, {"choice": choice.code, "labels": wanted})
        choice.labels = wanted
        choice.save(update_fields=["labels"])
    return choice


@transaction.atomic
def archive_custom_choice(*, choice_id: int, actor: Actor, is_archived: bool) -> CustomChoice:
    """Archive a choice (records keep it, nobody chooses it again) or restore it. Who: as for a change. Raises: NotAllowed."""
    row, choice = _locked_choice(choice_id, actor)
    if (choice.archived_at is not None) != is_archived:
        choice.archived_at = timezone.now() if is_archived else None
        choice.save(update_fields=["archived_at"])
        _record_choice(row, actor, {"archived": not is_archived}, {"choice": choice.code, "archived": is_archived})
    return choice


@transaction.atomic
def delete_custom_choice(*, choice_id: int, actor: Actor) -> None:
    """Delete a choice that no record has. Who: as for a change. Raises: NotAllowed; DomainError where records have it."""
    row, choice = _locked_choice(choice_id, actor)
    of_field = CustomValue.objects.filter(field=row)
    if of_field.filter(code=choice.code).exists() or of_field.filter(codes__contains=[choice.code]).exists():
        raise DomainError(_("Records have “%(choice)s”. Archive it instead.") % {"choice": choice.label})
    _record_choice(row, actor, {"choice": choice.code, "labels": choice.labels}, {})
    choice.delete()


def _locked(field_id: int, actor: Actor) -> CustomField:
    row = lock(CustomField, field_id, "brand")
    require(company.can_set_up(actor, row.brand_id))
    return row


def _locked_choice(choice_id: int, actor: Actor) -> tuple[CustomField, CustomChoice]:
    """Lock a choice's field, then the choice."""
    field_id = CustomChoice.objects.filter(pk=choice_id).values_list("field_id", flat=True).first()
    row = _locked(field_id or 0, actor)
    return row, lock(CustomChoice, choice_id)


def _checked(details: FieldDetails) -> dict[str, Any]:
    if details.type not in CustomFieldType.values:
        raise DomainError(_("Choose a type."))
    if not details.for_leads and not details.for_clients:
        raise DomainError(_("Show the field on leads, on clients, or on both."))
    return {**asdict(details), "labels": _labels(details.labels), "roles": sorted(set(details.roles))}


def _labels(labels: Mapping[str, str]) -> dict[str, str]:
    wanted = {language: text.strip() for language, text in labels.items() if text.strip()}
    if not wanted:
        raise DomainError(_("Enter a label."))
    if any(len(text) > LABEL_CHARS_MAX or "\x00" in text for text in wanted.values()):
        raise DomainError(_("Enter a text of at most %(count)s characters.") % {"count": LABEL_CHARS_MAX})
    return wanted


def _require_room(brand_id: int, details: FieldDetails | CustomField, besides: int = 0) -> None:
    for is_there, name in ((details.for_leads, "for_leads"), (details.for_clients, "for_clients")):
        others = CustomField.objects.filter(brand_id=brand_id, archived_at=None, **{name: True}).exclude(pk=besides)
        if is_there and others.count() >= FIELDS_MAX:
            raise DomainError(
                _("A brand has at most %(count)s custom fields on leads and as many on clients. Archive one first.")
                % {"count": FIELDS_MAX}
            )


def _require_no_values(row: CustomField) -> None:
    count = CustomValue.objects.filter(field=row).count()
    if count:
        raise DomainError(
            ngettext(
                "%(count)s record has a value in this field, so its type can't change. Add a new field with the type you "
                "need, and archive this one.",
                "%(count)s records have a value in this field, so its type can't change. Add a new field with the type you "
                "need, and archive this one.",
                count,
            )
            % {"count": formats.number(count)}
        )


def _require_new_label(choices: Sequence[CustomChoice], labels: Mapping[str, str]) -> None:
    taken = {label.lower() for choice in choices for label in choice.labels.values()}
    double = next((label for label in labels.values() if label.lower() in taken), "")
    if double:
        raise DomainError(_("This field already has the choice “%(choice)s”.") % {"choice": double})


def _free_code(labels: Mapping[str, str], taken: set[str]) -> str:
    stem = (
        re.sub(r"[^a-z0-9]+", "_", (labels.get("en") or next(iter(labels.values()))).lower()).strip("_")[:34]
        or "choice"
    )
    numbers = (f"{stem}_{number}" for number in range(2, CHOICES_MAX + 3))
    return next(code for code in (stem, *numbers) if code not in taken)


def _next_position(rows: Any) -> int:
    last = rows.order_by("-position").values_list("position", flat=True).first()
    return 0 if last is None else int(last) + 1


def _set_archived(row: CustomField, actor: Actor, *, is_archived: bool) -> CustomField:
    row.archived_at = timezone.now() if is_archived else None
    row.save(update_fields=["archived_at"])
    audit.record(
        actor=actor,
        action=ClientsAction.CUSTOM_FIELD_ARCHIVED if is_archived else ClientsAction.CUSTOM_FIELD_RESTORED,
        target=row,
        brand_id=row.brand_id,
        before={"archived": not is_archived},
        after={"archived": is_archived},
    )
    return row


def _record_choice(row: CustomField, actor: Actor, before: dict[str, Any], after: dict[str, Any]) -> None:
    audit.record(
        actor=actor,
        action=ClientsAction.CUSTOM_CHOICE_CHANGED,
        target=row,
        brand_id=row.brand_id,
        before=before,
        after=after,
    )
