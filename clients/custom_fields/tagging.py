"""Tags: the choices of a custom field that takes several, added to many records or taken off, the others left as they are.

A tag is seen by the roles that see its field. It is a column, a filter and a condition of lists, segments and automations, and
comes in with files and the API like any custom field.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from clients.audit_codes import ClientsAction
from clients.custom_fields.registry import seen_by
from clients.custom_fields.values import value_row
from clients.models import Client, CustomChoice, CustomField, CustomFieldType, CustomValue
from clients.policies import can
from clients.queries import is_in_own_book
from crm.choices import AccessKind
from crm.db.locking import lock_all
from crm.errors import DomainError
from crm.events import ClientProfileChanged, publish_many
from crm.models import Actor, User
from crm.money.numbers import is_whole
from crm.security import access_log, audit
from crm.security.policies import require, require_permission

RIGHT: Final = "clients.change_client"


def tags_seen_by(user: User | None, *, brand_id: int | None = None) -> QuerySet[CustomChoice]:
    """Select the tags that a person sees: open choices of open fields that take several. None: the system, all of them."""
    fields = CustomField.objects.filter(archived_at=None) if user is None else seen_by(user)
    fields = fields.filter(type=CustomFieldType.CHOICES, **({"brand_id": brand_id} if brand_id else {}))
    rows = CustomChoice.objects.filter(archived_at=None, field__in=fields.order_by().values("pk"))
    return rows.select_related("field__brand").order_by("field__brand__name", "field__position", "position", "pk")


def find_tag(user: User | None, pk: Any, *, brand_id: int | None = None) -> CustomChoice:
    """Find a tag that a person sees. Raises: DomainError."""
    number = str(pk or "")
    rows = tags_seen_by(user, brand_id=brand_id)
    tag = rows.filter(pk=int(number)).first() if is_whole(number) and len(number) < 18 else None
    if tag is None:
        raise DomainError(_("Choose a tag."), code="tag")
    return tag


def label_of(tag: CustomChoice) -> str:
    """Name a tag with its field."""
    return f"{tag.field.label}: {tag.label}"


def tag_problems(
    clients: Collection[Client], tag: CustomChoice, user: User | None, *, is_adding: bool
) -> dict[int, str]:
    """Say whose tag can't be set, or taken off, and why, by the client's id."""
    values = _codes_of([client.pk for client in clients], tag.field_id)
    found = {client.pk: _problem(client, tag, user, values.get(client.pk, []), is_adding) for client in clients}
    return {pk: problem for pk, problem in found.items() if problem}


@transaction.atomic
def tag_clients(*, client_ids: Collection[int], tag_id: int, actor: Actor, is_adding: bool = True) -> list[int]:
    """Add a tag to records, or take it off; returns the ids of those that changed, whoever else is left as they are.

    Who: `clients.change_client` in reach, and only tags of fields that the person sees; None: the system.
    Raises: NotAllowed; DomainError for a tag that is archived or not seen.
    """
    require_permission(actor, RIGHT)
    found = lock_all(Client.objects.defer("search_text"), "brand", pks=client_ids, no_key=True)
    if found and not any(can(actor, client, RIGHT) for client in found):
        require(can(actor, found[0], RIGHT))
    tag = find_tag(actor, tag_id)
    problems = tag_problems(found, tag, actor, is_adding=is_adding)
    clients = [client for client in found if client.pk not in problems]
    before = _codes_of([client.pk for client in clients], tag.field_id)
    after = {client.pk: _changed(before.get(client.pk, []), tag.code, is_adding) for client in clients}
    CustomValue.objects.filter(field_id=tag.field_id, client_id__in=list(after)).delete()
    CustomValue.objects.bulk_create([value_row(pk, tag.field, codes) for pk, codes in after.items() if codes])
    _record(clients, tag, before, after, actor)
    return [client.pk for client in clients]


def _codes_of(client_ids: Collection[int], field_id: int) -> dict[int, list[str]]:
    rows = CustomValue.objects.filter(field_id=field_id, client_id__in=list(client_ids))
    return {client_id: codes or [] for client_id, codes in rows.values_list("client_id", "codes")}


def _changed(codes: list[str], code: str, is_adding: bool) -> list[str]:
    return sorted({*codes, code}) if is_adding else [other for other in codes if other != code]


def _problem(client: Client, tag: CustomChoice, user: User | None, codes: list[str], is_adding: bool) -> str:
    field = tag.field
    if user is not None and not (allowed := can(user, client, RIGHT)):
        return allowed.reason
    if client.brand_id != field.brand_id:
        return _("Belongs to another brand")
    if not (field.for_leads if client.stage == "lead" else field.for_clients):
        return _("Doesn’t have this field")
    if (tag.code in codes) == is_adding:
        return _("Has the tag already") if is_adding else _("Doesn’t have the tag")
    if field.is_required and not is_adding and len(codes) == 1:
        return _("The field is required and would be empty")
    return ""


def _record(
    clients: Collection[Client],
    tag: CustomChoice,
    before: Mapping[int, list[str]],
    after: Mapping[int, list[str]],
    actor: Actor,
) -> None:
    names = (f"custom_{tag.field.key}",)
    events = [ClientProfileChanged(client_id=client.pk, brand_id=client.brand_id, fields=names) for client in clients]
    publish_many(events, actor=actor)
    audit.record_many(
        {
            "actor": actor,
            "action": ClientsAction.CUSTOM_VALUES_CHANGED,
            "target": client,
            "client_id": client.pk,
            "brand_id": client.brand_id,
            "before": {tag.field.key: before.get(client.pk)},
            "after": {tag.field.key: after[client.pk] or None},
        }
        for client in clients
    )
    if actor is not None and actor.is_team:
        views = [
            access_log.View(
                client_id=client.pk,
                brand_id=client.brand_id,
                target="clients.custom_values",
                in_book=is_in_own_book(actor, client),
            )
            for client in clients
        ]
        access_log.note_many(user=actor, kind=AccessKind.EDIT, views=views)
