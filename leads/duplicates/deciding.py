"""People's word on a pair: not the same person, remembered with who and why; or open again."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import policies
from clients.queries import clients_visible_to
from crm.db.locking import lock
from crm.errors import DomainError, NotFound
from crm.models import Actor, User
from crm.security import audit
from leads.audit_codes import LeadsAction
from leads.choices import DuplicateState
from leads.models import PossibleDuplicate


def pairs_visible_to(user: User) -> QuerySet[PossibleDuplicate]:
    """Select the pairs of which the user sees both records. A pair is of one brand; merged records are in no open pair."""
    seen = clients_visible_to(user).values("pk")
    return PossibleDuplicate.objects.filter(first__in=seen, second__in=seen)


@transaction.atomic
def dismiss_duplicate(*, pair_id: int, actor: Actor, reason: str) -> PossibleDuplicate:
    """Note that two records aren't the same person; the pair comes again only when what they share changes.

    Who: `clients.merge_client` with both in reach. Raises: NotAllowed, NotFound; WrongState; DomainError without a reason.
    """
    pair = _locked(pair_id, actor)
    if not reason.strip():
        raise DomainError(_("Enter a reason."))
    pair.move_to(DuplicateState.DISMISSED)
    pair.decided_by, pair.decided_at, pair.reason = actor, timezone.now(), reason.strip()[:300]
    pair.save(update_fields=["state", "decided_by", "decided_at", "reason"])
    _record(pair, actor, LeadsAction.DUPLICATE_DISMISSED)
    return pair


@transaction.atomic
def reopen_duplicate(*, pair_id: int, actor: Actor) -> PossibleDuplicate:
    """Put a pair back into the queue.

    Who: `clients.merge_client` with both in reach. Raises: NotAllowed, NotFound; WrongState unless it was dismissed.
    """
    pair = _locked(pair_id, actor)
    pair.move_to(DuplicateState.OPEN)
    pair.save(update_fields=["state"])
    _record(pair, actor, LeadsAction.DUPLICATE_REOPENED)
    return pair


def _locked(pair_id: int, actor: Actor) -> PossibleDuplicate:
    found = PossibleDuplicate.objects.filter(pk=pair_id).select_related("first", "second").first()
    if found is None:
        raise NotFound(_("This record no longer exists. Reload the page."))
    for client in (found.first, found.second):
        policies.require(policies.can_merge(actor, client))
    return lock(PossibleDuplicate, pair_id)


def _record(pair: PossibleDuplicate, actor: Actor, action: LeadsAction) -> None:
    for client_id in (pair.first_id, pair.second_id):
        audit.record(
            actor=actor,
            action=action,
            target=pair,
            client_id=client_id,
            brand_id=pair.brand_id,
            reason=pair.reason,
            evidence={"pair": [pair.first_id, pair.second_id], "points": pair.points, "reasons": pair.reasons},
        )
