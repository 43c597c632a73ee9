"""Power dialling: the clients that a person chose from a list, one after the other, as far as each may be called now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.audit_codes import ClientsAction
from clients.models import Client, DialEntry, DialList, DoNotCall, PhoneCall
from clients.queries import clients_visible_to
from clients.telephony import hours, policies
from crm.db.locking import lock
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import User
from crm.security import audit
from crm.security.policies import YES, Decision, no, require, require_permission

CLIENTS_MAX: Final = 200


@dataclass(frozen=True)
class Refused:
    """A client on the list who can't be called now; from: when they can, by their own clock."""

    entry: DialEntry
    reason: str
    from_: dt.datetime | None = None


@dataclass(frozen=True)
class Progress:
    """How far a list is: whom to call next, who can't be called now, and how many were called or skipped."""

    next: DialEntry | None
    refused: Sequence[Refused]
    total: int
    called: int
    skipped: int
    left: int


def list_of(user: User) -> DialList | None:
    """Find the list that a person is dialling."""
    return DialList.objects.filter(owner=user, ended_at=None).first()


@transaction.atomic
def start_list(*, actor: User, client_ids: Sequence[int]) -> DialList:
    """Make a list of clients to call, those longest without contact first; it takes the place of the person's last one.

    Who: `clients.log_call`; of the clients, those in reach. Raises: NotAllowed; DomainError for none or too many.
    """
    require_permission(actor, policies.CALLS)
    if len(client_ids) > CLIENTS_MAX:
        raise DomainError(_("Choose at most %(count)s clients.") % {"count": CLIENTS_MAX})
    rows = clients_visible_to(actor).filter(pk__in=client_ids)
    ids = list(rows.order_by(F("last_contact_at").asc(nulls_first=True), "-score", "pk").values_list("pk", flat=True))
    if not client_ids:
        raise DomainError(_("Choose at least one client."))
    if not ids:
        raise NotAllowed(_("You don't have access to this client's book."))
    lock(User, actor.pk, no_key=True)
    DialList.objects.filter(owner=actor, ended_at=None).update(ended_at=timezone.now())
    row = DialList.objects.create(owner=actor)
    DialEntry.objects.bulk_create([DialEntry(dial_list=row, client_id=pk, place=place) for place, pk in enumerate(ids)])
    _audit(row, ClientsAction.DIAL_LIST_STARTED, actor, {"clients": len(ids)})
    return row


@transaction.atomic
def skip_entry(*, entry_id: int, actor: User) -> DialEntry:
    """Leave a client out. Who: whose list it is. Raises: NotAllowed; WrongState once the list ended or they were skipped."""
    entry = lock(DialEntry, entry_id, "dial_list", "client")
    require(is_own(actor, entry.dial_list))
    if entry.dial_list.ended_at is not None or entry.skipped_at is not None:
        raise WrongState(_("This client isn't on your list any more."))
    entry.skipped_at = timezone.now()
    entry.save(update_fields=["skipped_at"])
    audit.record(
        actor=actor,
        action=ClientsAction.DIAL_ENTRY_SKIPPED,
        target=entry,
        client_id=entry.client_id,
        brand_id=entry.client.brand_id,
    )
    return entry


@transaction.atomic
def end_list(*, list_id: int, actor: User) -> DialList:
    """End a list before everybody was called. Who: whose list it is. Raises: NotAllowed; WrongState once it ended."""
    row = lock(DialList, list_id)
    require(is_own(actor, row))
    if row.ended_at is not None:
        raise WrongState(_("This list has ended."))
    row.ended_at = timezone.now()
    row.save(update_fields=["ended_at"])
    _audit(row, ClientsAction.DIAL_LIST_ENDED, actor, {})
    return row


def is_own(actor: User, row: DialList) -> Decision:
    """Decide whether this is the person's own list."""
    return YES if row.owner_id == actor.pk else no(_("This is another person's list."))


def progress_of(row: DialList, user: User) -> Progress:
    """Find whom to call next. A client counts as called once the person has rung them since the list was made."""
    entries = list(_entries(row, user))
    open_entries = [entry for entry in entries if not entry.is_called and entry.skipped_at is None]  # type: ignore[attr-defined]
    marked = set(
        DoNotCall.objects.filter(client__in=[entry.client_id for entry in open_entries], lifted_at=None).values_list(
            "client_id", flat=True
        )
    )
    following, refused = None, []
    for entry in open_entries:
        refusal = _refusal(entry, user, marked)
        if refusal is not None:
            refused.append(refusal)
        elif following is None:
            following = entry
    skipped = sum(entry.skipped_at is not None for entry in entries)
    called = len(entries) - len(open_entries) - skipped
    return Progress(following, refused, len(entries), called, skipped, len(open_entries))


def _entries(row: DialList, user: User) -> QuerySet[DialEntry]:
    calls = PhoneCall.objects.filter(client=OuterRef("client"), agent=row.owner_id, requested_at__gte=row.created_at)
    rows = DialEntry.objects.filter(dial_list=row, client__in=clients_visible_to(user)).order_by("place")
    return rows.select_related("client__brand", "client__owner").annotate(is_called=Exists(calls))


def _refusal(entry: DialEntry, user: User, marked: set[int]) -> Refused | None:
    client: Client = entry.client
    allowed = policies.can_call(user, client)
    if not allowed:
        return Refused(entry, allowed.reason)
    if client.pk in marked:
        return Refused(entry, _("This client must not be called."))
    at = hours.allowed_from(client)
    return Refused(entry, _("Outside calling hours"), at) if at is not None else None


def _audit(row: DialList, action: ClientsAction, actor: User, after: dict[str, int]) -> None:
    audit.record(actor=actor, action=action, target=row, brand_id=actor.brand_id, after=after)
