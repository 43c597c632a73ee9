"""One review per listed person: the first match leads, and matches with the person's other entries are decided with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from compliance import holds
from compliance.audit_codes import ComplianceAction
from compliance.choices import HitState
from compliance.hits import locked, new_items, parts_of, require_decidable
from compliance.matches.one_person import leader_for
from compliance.models import Hit
from crm.errors import WrongState
from crm.models import User, WorkItem
from crm.security import audit

EARLIER_MAX = 5


def arrange(hits: Sequence[Hit]) -> None:
    """Save new open matches, each under the match of its client that leads its listed person's review.

    They join a review that is open unless a decision is proposed there: who approves decides on what was proposed. The
    caller holds the clients' locks.
    """
    leaders_of = _open_reviews({hit.client_id for hit in hits})
    leading = []
    for hit in hits:
        leaders = leaders_of[hit.client_id, hit.party_id]
        hit.part_of = leader_for(hit, leaders)
        if hit.part_of is None:
            leaders.append(hit)
            leading.append(hit)
    WorkItem.objects.bulk_create(new_items(leading))
    Hit.objects.bulk_create(leading)
    parts = [hit for hit in hits if hit.part_of is not None]
    for hit in parts:
        hit.part_of = hit.part_of  # which has its key now
    Hit.objects.bulk_create(parts)


def _open_reviews(client_ids: Iterable[int]) -> dict[tuple[int, int | None], list[Hit]]:
    """List clients' open reviews without a proposal, oldest first, by client and party."""
    found: dict[tuple[int, int | None], list[Hit]] = defaultdict(list)
    rows = Hit.objects.filter(client__in=client_ids, state=HitState.OPEN, part_of=None, work__proposed_outcome="")
    for hit in rows.select_related("entry").prefetch_related("entry__names").order_by("pk"):
        found[hit.client_id, hit.party_id].append(hit)
    return found


def pass_on(ending: Sequence[Hit]) -> None:
    """Give the reviews of open matches that are about to end to a part that stays open, with claim, comments and files.

    A decision that was proposed isn't passed on: it was about another set of entries. The caller holds the clients' locks,
    and ends the matches afterwards.
    """
    keys = {hit.pk for hit in ending}
    for leader in ending:
        staying = [] if leader.part_of_id else [part for part in parts_of(leader) if part.pk not in keys]
        if not staying:
            continue
        heir, item = staying[0], leader.work
        assert item is not None
        if item.proposed_outcome:
            WorkItem.objects.bulk_create(new_items([heir]))
        else:
            leader.work, heir.work = None, item
        leader.part_of, heir.part_of = heir, None
        leader.save(update_fields=["work", "part_of"])
        heir.save(update_fields=["work", "part_of"])
        Hit.objects.filter(part_of=leader).update(part_of=heir)
        holds.hold_for(hit=heir)


@transaction.atomic
def separate(*, hit_id: int, actor: User) -> Hit:
    """Review an entry separately: it is another person than the one whose review it was put under.

    Who: `compliance.decide_hit` in reach. Raises: NotAllowed, WrongState when it isn't part of an open review, or a decision
    is proposed there.
    """
    hit = locked(hit_id)
    leader = hit if hit.part_of is None else locked(hit.part_of.pk)
    require_decidable(leader, actor)
    if leader is hit:
        raise WrongState(_("This match is already reviewed separately."))
    if leader.work and leader.work.proposed_outcome:
        raise WrongState(_("A decision on these matches is proposed. Approve or reject it first."))
    hit.part_of = None
    WorkItem.objects.bulk_create(new_items([hit]))
    hit.save(update_fields=["part_of", "work"])
    holds.hold_for(hit=hit)
    audit.record(
        actor=actor,
        action=ComplianceAction.HIT_SEPARATED,
        target=hit,
        client_id=hit.client_id,
        brand_id=hit.client.brand_id,
        before={"reviewed_with": leader.pk},
        after={"reviewed_with": None},
    )
    return hit


@dataclass
class Earlier:
    """A decision on the same entry for the same client, and what changed since, so that it has to be made again."""

    hit: Hit
    has_client_changed: bool
    has_entry_changed: bool


def decided_before(reviewed: Sequence[Hit]) -> list[Earlier]:
    """List the last decisions on the entries under review, newest first."""
    now = {hit.entry_id: hit for hit in reviewed}
    first, decided = reviewed[0], [HitState.FALSE_POSITIVE, HitState.CONFIRMED]
    before = Hit.objects.filter(client_id=first.client_id, party=first.party_id, entry__in=now, state__in=decided)
    rows = before.exclude(pk__in=[hit.pk for hit in reviewed]).select_related("entry__source", "decided_by")
    return [
        Earlier(
            hit,
            has_client_changed=hit.client_hash != now[hit.entry_id].client_hash,
            has_entry_changed=hit.entry_hash != now[hit.entry_id].entry_hash,
        )
        for hit in rows.order_by("-decided_at", "-pk")[:EARLIER_MAX]
    ]
