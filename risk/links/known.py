"""Links set aside: a person has looked, and knows why two clients share what they share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client, Identifier
from clients.policies import can
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.models import User
from crm.security import audit
from crm.security.policies import require
from risk.abuse.queue import RIGHT
from risk.audit_codes import RiskAction
from risk.links.choices import KnownAs
from risk.links.models import KnownLink

# Who shares one of these is one person: the records are merged, not set aside.
IDENTITY: Final = ("document", "photo", "official")


def known_among(clients: Iterable[int]) -> dict[tuple[int, int], KnownLink]:
    """Find the links set aside of some clients, by their two ids in order."""
    ids = list(clients)
    rows = KnownLink.objects.filter(Q(first__in=ids) | Q(second__in=ids), ended_at__isnull=True)
    return {(row.first_id, row.second_id): row for row in rows.select_related("noted_by")[:5000]}


def known_of(client: Client) -> QuerySet[KnownLink]:
    """Select the links of a client that are set aside."""
    return KnownLink.objects.filter(Q(first=client) | Q(second=client), ended_at__isnull=True)


@transaction.atomic
def set_link_aside(*, client_id: int, other_id: int, why: str, reason: str, actor: User) -> KnownLink:
    """Note that two clients are known to be two people: what they share counts for nothing from here on.

    Who: `risk.decide_abuseepisode`, both clients in reach. Raises: NotAllowed; DomainError (one client, two brands, an identity
    document in common, no reason); WrongState (set aside already).
    """
    first_id, second_id = sorted((client_id, other_id))
    first, second = (lock(Client, pk, "brand", "book", no_key=True) for pk in (first_id, second_id))
    require(can(actor, first, RIGHT))
    require(can(actor, second, RIGHT))
    if first.pk == second.pk or first.brand_id != second.brand_id:
        raise DomainError(_("Choose two clients of one brand."))
    if not reason.strip():
        raise DomainError(_("Enter how you know that these are two people."))
    mine = Identifier.objects.filter(client=first, kind__in=IDENTITY).values("mark")
    if Identifier.objects.filter(client=second, kind__in=IDENTITY, mark__in=mine).exists():
        raise DomainError(_("They share an identity document or an official number. Merge the records instead."))
    if KnownLink.objects.filter(first=first, second=second, ended_at__isnull=True).exists():
        raise WrongState(_("This link is set aside already."))
    row = KnownLink.objects.create(
        first=first,
        second=second,
        why=KnownAs(why),
        reason=reason.strip()[:300],
        noted_by=actor,
        noted_at=timezone.now(),
    )
    _record(RiskAction.LINK_SET_ASIDE, row, actor, reason)
    return row


@transaction.atomic
def count_link_again(*, link_id: int, actor: User) -> KnownLink:
    """End that: what the two share counts again. Who: as `set_link_aside`. Raises: NotAllowed, WrongState."""
    row = lock(KnownLink, link_id, "first__brand", "second__brand")
    require(can(actor, row.first, RIGHT))
    require(can(actor, row.second, RIGHT))
    if row.ended_at is not None:
        raise WrongState(_("This link counts already."))
    row.ended_by, row.ended_at = actor, timezone.now()
    row.save(update_fields=["ended_by", "ended_at"])
    _record(RiskAction.LINK_COUNTED_AGAIN, row, actor)
    return row


def _record(action: RiskAction, row: KnownLink, actor: User, reason: str = "") -> None:
    """On both clients' records."""
    for client, other in ((row.first, row.second), (row.second, row.first)):
        audit.record(
            actor=actor,
            action=action,
            target=row,
            client_id=client.pk,
            brand_id=client.brand_id,
            reason=reason,
            after={"other": other.pk, "why": row.why},
        )
