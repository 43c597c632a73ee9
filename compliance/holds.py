"""Restrictions that a screening places by itself, and that end with the decision on the match."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.facts import rebuild_client
from clients.models import Client
from compliance.audit_codes import ComplianceAction
from compliance.choices import RestrictionCause, RestrictionKind
from compliance.models import Hit, Restriction
from compliance.parties.choices import BLOCKED, PartyRole
from crm.db.locking import lock, lock_all
from crm.events import RestrictionLifted, RestrictionPlaced, publish
from crm.i18n.localized_text import localize, phrase
from crm.models import Actor
from crm.security import audit


def blocked_by(hit: Hit) -> RestrictionKind:
    """Return what a match blocks, while it is under review and once it is confirmed."""
    return BLOCKED[PartyRole(hit.party.role)] if hit.party else RestrictionKind.FROZEN


def hold_for(*, hit: Hit) -> Restriction:
    """Freeze the client until the match is decided: funds must not move to somebody who may be listed.

    A match of a payer or payee blocks withdrawals only. Called inside a verb that holds the client's lock.
    """
    values = {"name": hit.entry.primary_name, "list": hit.entry.source.name, "party": hit.party}
    if hit.party is None:
        reason = _("Possible match with %(name)s (%(list)s) under review") % values
    else:
        reason = _("%(party)s: possible match with %(name)s (%(list)s) under review") % values
    restriction = Restriction.objects.create(
        client=hit.client,
        kind=blocked_by(hit),
        cause=RestrictionCause.SCREENING_HOLD,
        reason=reason,
        hit=hit,
        placed_at=timezone.now(),
    )
    note_placed(restriction, actor=None)
    return restriction


def release_hold(*, hit: Hit, actor: Actor, reason: str) -> None:
    """Lift the hold of a match that was decided or is outdated."""
    for restriction in hit.restrictions.filter(cause=RestrictionCause.SCREENING_HOLD, lifted_at__isnull=True):
        restriction.lifted_by, restriction.lifted_at, restriction.lift_reason = actor, timezone.now(), reason
        restriction.save(update_fields=["lifted_by", "lifted_at", "lift_reason"])
        note_lifted(restriction, actor=actor)


OVERDUE_REASONS = {
    RestrictionCause.DOCUMENT_OVERDUE: phrase(
        "A document expired, and no new one was approved within the grace period."
    ),
    RestrictionCause.REVIEW_OVERDUE: phrase("The periodic review is overdue."),
}


@transaction.atomic
def place_overdue(*, client_id: int, cause: str, kinds: Iterable[str]) -> list[Restriction]:
    """Block what the brand's policy says while a client's verification is overdue. A second call changes nothing."""
    client = lock(Client, client_id, "brand", no_key=True)
    cause = RestrictionCause(cause)
    there = set(
        Restriction.objects.filter(client=client, cause=cause, lifted_at__isnull=True).values_list("kind", flat=True)
    )
    placed = []
    for kind in sorted(set(kinds) - there):
        restriction = Restriction.objects.create(
            client=client,
            kind=RestrictionKind(kind),
            cause=cause,
            reason=localize(OVERDUE_REASONS[cause]),
            placed_at=timezone.now(),
        )
        note_placed(restriction, actor=None)
        placed.append(restriction)
    return placed


@transaction.atomic
def lift_overdue(*, client_id: int, cause: str) -> int:
    """Lift what was blocked while a client's verification was overdue; return how many restrictions."""
    client = lock(Client, client_id, "brand", no_key=True)
    rows = lock_all(Restriction.objects.filter(client=client, cause=RestrictionCause(cause), lifted_at__isnull=True))
    for restriction in rows:
        restriction.client = client
        restriction.lifted_at, restriction.lift_reason = timezone.now(), localize(phrase("Verification renewed"))
        restriction.save(update_fields=["lifted_at", "lift_reason"])
        note_lifted(restriction, actor=None)
    return len(rows)


def note_placed(restriction: Restriction, *, actor: Actor) -> None:
    """Audit, fact and event of a restriction that has just been placed."""
    client = restriction.client
    audit.record(
        actor=actor,
        action=ComplianceAction.RESTRICTION_PLACED,
        target=restriction,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={"kind": restriction.kind, "cause": restriction.cause},
        reason=restriction.reason,
    )
    rebuild_client(client.pk, "restrictions")
    publish(
        RestrictionPlaced(
            restriction_id=restriction.pk, kind=restriction.kind, client_id=client.pk, brand_id=client.brand_id
        ),
        actor=actor,
    )


def note_lifted(restriction: Restriction, *, actor: Actor) -> None:
    """Record that a restriction was lifted: audit, the client's facts, and the event."""
    client = restriction.client
    audit.record(
        actor=actor,
        action=ComplianceAction.RESTRICTION_LIFTED,
        target=restriction,
        client_id=client.pk,
        brand_id=client.brand_id,
        before={"kind": restriction.kind},
        reason=restriction.lift_reason,
        evidence={"asked_by": restriction.lift_requested_by_id},
    )
    rebuild_client(client.pk, "restrictions")
    publish(
        RestrictionLifted(
            restriction_id=restriction.pk, kind=restriction.kind, client_id=client.pk, brand_id=client.brand_id
        ),
        actor=actor,
    )
