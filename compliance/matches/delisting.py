"""True matches whose entry was removed from its list: each is a task, and lifting the restriction takes two people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients import timeline
from clients.choices import TimelineKind
from clients.models import Client
from clients.policies import can
from clients.queries import clients_visible_to
from compliance import holds
from compliance.audit_codes import ComplianceAction
from compliance.brand_policies import DELISTING_HOURS
from compliance.choices import NOT_FOR_SALES, ComplianceNotice, HitState, RestrictionCause
from compliance.models import Delisting, DelistingState, Hit, ListEntry, ListVersion, Restriction
from compliance.risk_rating.rating import assess
from crm import work
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import LocalizedText, joined, label_of, localize, phrase
from crm.models import Actor, User
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import Decision, require

RIGHT = "compliance.decide_hit"


class DelistedMatch(work.WorkKind[Delisting]):
    """The queue of true matches whose entry was removed."""

    model = Delisting
    code, label = "compliance.delisting", gettext_lazy("Delisted true matches")
    right = RIGHT
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        DelistingState.LIFTED: work.Outcome(gettext_lazy("Lift the restriction"), True, second_person=True),
        DelistingState.KEPT: work.Outcome(gettext_lazy("Keep the restriction"), True),
    }
    hours = DELISTING_HOURS
    needs_claim = False
    queue_url = "compliance:delistings"

    def visible_to(self, user: Actor) -> QuerySet[Delisting]:
        return delistings_visible_to(user)

    def may_work(self, user: Actor, subject: Delisting) -> Decision:
        return can(user, subject.client, self.right)

    def rows(self) -> QuerySet[Delisting]:
        return Delisting.objects.select_related("client__brand", "client__book", "hit__entry", "hit__party")

    def lock(self, subject_id: int) -> Delisting:
        return locked(subject_id)

    def title(self, subject: Delisting) -> LocalizedText:
        return joined([str(subject.hit.party or subject.client), subject.hit.entry.primary_name], " ~ ")

    def carry_out(
        self, subject: Delisting, outcome: str, *, actor: User, reason: str, given: Mapping[str, Any]
    ) -> None:
        _require_open(subject)
        assert subject.work.proposed_by is not None
        _decide(subject, DelistingState(outcome), actor, reason)
        _lift(subject, asked_by=subject.work.proposed_by, actor=actor, reason=reason)


DELISTED = work.register(DelistedMatch)


def delistings_visible_to(user: Actor) -> QuerySet[Delisting]:
    """List the delisted true matches of clients in reach, for `compliance.decide_hit`."""
    if not user or not user.is_authenticated or not user.is_team or not user.has_perm(RIGHT):
        return Delisting.objects.none()
    return Delisting.objects.filter(client__in=clients_visible_to(user))


def get_delisting(user: User, delisting_id: int) -> Delisting:
    """Find one with its client, entry and list, or 404."""
    rows = delistings_visible_to(user).select_related(
        "client__brand", "client__book", "hit__entry__source", "hit__party", "hit__decided_by", "version", "decided_by"
    )
    delisting = rows.filter(pk=delisting_id).first()
    if delisting is None:
        raise Http404
    return delisting


def locked(delisting_id: int) -> Delisting:
    """Lock a delisting and, before it, its client."""
    client_id = Delisting.objects.values_list("client_id", flat=True).get(pk=delisting_id)
    client = lock(Client, client_id, "brand", no_key=True)
    delisting = lock(Delisting, delisting_id, "hit__entry__source", "hit__party", "work")
    delisting.client = delisting.hit.client = client
    return delisting


@transaction.atomic
def decide_delisting(*, delisting_id: int, outcome: str, reason: str, actor: User) -> Delisting:
    """Keep the restriction of a delisted true match, or propose to lift it; a second person lifts it.

    Lifted, the match no longer counts for the risk rating. Who: `compliance.decide_hit` in reach. Raises: NotAllowed,
    WrongState, DomainError without a reason.
    """
    delisting = locked(delisting_id)
    require(DELISTED.may_work(actor, delisting))
    _require_open(delisting)
    state = DelistingState(outcome)
    if not reason.strip():
        raise DomainError(_("Enter a reason. Auditors read this."))
    if work.needs_second_person(delisting, state):
        work.propose(delisting, actor=actor, outcome=state, reason=reason)
    else:
        _decide(delisting, state, actor, reason.strip())
    return delisting


def _require_open(delisting: Delisting) -> None:
    if delisting.state != DelistingState.OPEN:
        raise WrongState(_("This was already decided: %(state)s.") % {"state": delisting.get_state_display()})


def _decide(delisting: Delisting, state: DelistingState, actor: User, reason: str) -> None:
    delisting.move_to(state)
    delisting.decided_by, delisting.decided_at, delisting.reason = actor, timezone.now(), reason
    delisting.save(update_fields=["state", "decided_by", "decided_at", "reason"])
    work.decide(delisting, actor=actor, outcome=state, reason=reason)
    _record(delisting, actor, ComplianceAction.DELISTING_DECIDED, before=DelistingState.OPEN, reason=reason)
    timeline.add_entry(
        client_id=delisting.client_id,
        kind=TimelineKind.COMPLIANCE,
        actor=actor,
        title=phrase("True match delisted: %(outcome)s") % {"outcome": label_of(delisting, "state")},
        url=delisting.get_absolute_url(),
        dedupe_key=f"delisting:{delisting.pk}",
        needs=NOT_FOR_SALES,
    )


def _lift(delisting: Delisting, *, asked_by: User, actor: User, reason: str) -> None:
    """Lift what the confirmed match had restricted, as proposed by one person and decided by another."""
    in_force = Restriction.objects.filter(
        hit=delisting.hit_id, cause=RestrictionCause.CONFIRMED_MATCH, lifted_at__isnull=True
    )
    for restriction in in_force.order_by("pk"):
        restriction.client, now = delisting.client, timezone.now()
        restriction.lift_requested_by, restriction.lift_requested_at = asked_by, now
        restriction.lifted_by, restriction.lifted_at, restriction.lift_reason = actor, now, reason
        restriction.save()
        holds.note_lifted(restriction, actor=actor)
    assess(client_id=delisting.client_id)


# ── a new version of a list ──────────────────────────────────────────────────────────────────────────────────────────


def follow_version(delta: QuerySet[ListEntry], version: ListVersion) -> None:
    """Open a task for each true match that a version leaves on no list, and restrict again whose entry is back.

    A person whom several lists name is delisted when the last of their entries is removed.
    """
    touched = Q(entry__in=delta) | Q(parts__entry__in=delta, parts__state=HitState.CONFIRMED)
    reviewed = Q(pk=OuterRef("pk")) | Q(part_of=OuterRef("pk"))
    listed = Exists(Hit.objects.filter(reviewed, state=HitState.CONFIRMED, entry__is_listed=True))
    true = Hit.objects.filter(touched, part_of=None, state=HitState.CONFIRMED).order_by("client_id", "pk").distinct()
    gone = true.filter(~listed).exclude(delistings__state=DelistingState.OPEN)
    back = true.filter(listed, delistings__state__in=[DelistingState.OPEN, DelistingState.LIFTED])
    for hit_id in list(gone.values_list("pk", flat=True)):
        _open(hit_id, version)
    for hit_id in list(back.values_list("pk", flat=True)):
        _list_again(hit_id)


@transaction.atomic
def _open(hit_id: int, version: ListVersion) -> None:
    hit = _locked_hit(hit_id)
    now = timezone.now()
    item = work.open_item(DELISTED, client_id=hit.client_id, brand=hit.client.brand, opened_at=now)
    delisting = Delisting.objects.create(hit=hit, client=hit.client, version=version, opened_at=now, work=item)
    _record(delisting, None, ComplianceAction.DELISTING_OPENED)
    notify(
        people_with(RIGHT, brand_id=hit.client.brand_id),
        kind=ComplianceNotice.DELISTED,
        title=phrase("Removed from a watchlist: match of %(client)s") % {"client": hit.client},
        body=phrase("The restriction stays. Decide whether to lift it."),
        url=delisting.get_absolute_url(),
        dedupe_key=f"compliance.delisting:{delisting.pk}",
    )


@transaction.atomic
def _list_again(hit_id: int) -> None:
    """End the task, or put what was lifted in force again: the true match was decided and is true still."""
    hit = _locked_hit(hit_id)
    rows = Delisting.objects.filter(hit=hit, state__in=[DelistingState.OPEN, DelistingState.LIFTED])
    for delisting in rows.select_related("work").order_by("pk"):
        before = DelistingState(delisting.state)
        delisting.client = hit.client
        delisting.move_to(DelistingState.RELISTED)
        delisting.save(update_fields=["state"])
        _record(delisting, None, ComplianceAction.DELISTING_RELISTED, before=before)
        if before == DelistingState.OPEN:
            work.close_items([delisting.work_id])
            continue
        restriction = Restriction.objects.create(
            client=hit.client,
            kind=holds.blocked_by(hit),
            cause=RestrictionCause.CONFIRMED_MATCH,
            hit=hit,
            placed_at=timezone.now(),
            reason=localize(
                phrase("Listed again: true match with %(name)s (%(list)s)")
                % {"name": hit.entry.primary_name, "list": hit.entry.source.name}
            ),
        )
        holds.note_placed(restriction, actor=None)
        assess(client_id=hit.client_id)
        notify(
            people_with(RIGHT, brand_id=hit.client.brand_id),
            kind=ComplianceNotice.MATCH_CONFIRMED,
            title=phrase("Listed again: true match of %(client)s") % {"client": hit.client},
            body=hit.entry.primary_name,
            url=hit.get_absolute_url(),
            dedupe_key=f"compliance.relisted:{delisting.pk}",
        )


def _locked_hit(hit_id: int) -> Hit:
    client = lock(Client, Hit.objects.values_list("client_id", flat=True).get(pk=hit_id), "brand", no_key=True)
    hit = lock(Hit, hit_id, "entry__source", "party")
    hit.client = client
    return hit


def _record(
    delisting: Delisting, actor: Actor, action: ComplianceAction, *, before: str = "", reason: str = ""
) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=delisting,
        client_id=delisting.client_id,
        brand_id=delisting.client.brand_id,
        before={"state": str(before)} if before else {},
        after={"state": delisting.state},
        reason=reason,
        evidence={"match": delisting.hit_id, "version": delisting.version_id},
    )
