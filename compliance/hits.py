"""Deciding on a possible match: another person, or the one on the list."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients import timeline
from clients.choices import RiskRating, TimelineKind
from clients.models import Client
from clients.policies import can
from compliance import holds, policies
from compliance.audit_codes import ComplianceAction
from compliance.brand_policies import FALSE_POSITIVE_SECOND_PERSON, MATCH_REVIEW_HOURS, TRUE_MATCH_SECOND_PERSON
from compliance.choices import NOT_FOR_SALES, ClearReason, ComplianceNotice, HitState, RestrictionCause
from compliance.models import Hit, Restriction
from compliance.queries import hits_visible_to
from compliance.risk_rating.rating import assess
from crm import work
from crm.approvals import Change
from crm.brand_policies import Policy
from crm.choices import WorkPriority
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import LocalizedText, joined, localize, phrase
from crm.models import Actor, User, WorkItem
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import Decision, require

# From this score on a match is reviewed before others.
HIGH_SCORE = Decimal("0.95")


def _needs_second_person(rule: Policy[str], hit: Hit) -> bool:
    when = rule.of(hit.client.brand)
    return when == "always" or (when == "high_risk" and hit.client.risk_rating == RiskRating.HIGH)


class MatchReview(work.WorkKind[Hit]):
    """The queue of possible matches: a claim takes all of a client's matches and keeps colleagues out; nobody has to claim."""

    model = Hit
    code, label = "compliance.hit", gettext_lazy("Possible matches")
    right = "compliance.decide_hit"
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        HitState.FALSE_POSITIVE: work.Outcome(
            gettext_lazy("False positive"), True, partial(_needs_second_person, FALSE_POSITIVE_SECOND_PERSON)
        ),
        HitState.CONFIRMED: work.Outcome(
            gettext_lazy("True match"), True, partial(_needs_second_person, TRUE_MATCH_SECOND_PERSON)
        ),
    }
    hours = MATCH_REVIEW_HOURS
    needs_claim = False
    queue_url = "compliance:hits"

    def visible_to(self, user: Actor) -> QuerySet[Hit]:
        return hits_visible_to(user)

    def may_work(self, user: Actor, subject: Hit) -> Decision:
        return can(user, subject.client, self.right)

    def rows(self) -> QuerySet[Hit]:
        return Hit.objects.select_related("client__brand", "client__book", "entry", "party").prefetch_related("parts")

    def lock(self, subject_id: int) -> Hit:
        return locked(subject_id)

    def title(self, subject: Hit) -> LocalizedText:
        return joined([str(subject.party or subject.client), subject.entry.primary_name], " ~ ")

    def described(self, subject: Hit, given: Mapping[str, Any]) -> list[Change]:
        code = given.get("reason_code", "")
        return [Change(_("Why it's someone else"), ClearReason(code).label)] if code else []

    def carry_out(self, subject: Hit, outcome: str, *, actor: User, reason: str, given: Mapping[str, Any]) -> None:
        _require_open(subject)
        if outcome == HitState.CONFIRMED:
            _confirm(subject, actor, reason)
        else:
            _clear(subject, actor, ClearReason(given["reason_code"]), reason)


MATCH = work.register(MatchReview)


def new_items(hits: list[Hit]) -> list[WorkItem]:
    """Make a work item for each new match of a client, to be saved before them."""
    for hit in hits:
        hit.work = work.new_item(
            MATCH,
            client_id=hit.client_id,
            brand=hit.client.brand,
            opened_at=hit.found_at,
            priority=WorkPriority.HIGH if hit.score >= HIGH_SCORE else WorkPriority.NORMAL,
        )
    return [hit.work for hit in hits if hit.work]


# What the matcher says of two births that may be one person's.
AGREEING_BIRTHS = ("same_day", "same_year", "day_and_month_swapped")


@transaction.atomic
def clear_hit(
    *, hit_id: int, actor: User, reason_code: str, reason: str, is_contradiction_checked: bool = False
) -> Hit:
    """Another person: for this data of the client and this content of the entry the match is not raised again.

    Where the brand's policy wants a second person, it is proposed, and the match stays open until they decide.
    is_contradiction_checked: the officer knows that the comparison says the opposite of the reason.
    Who: `compliance.decide_hit` in reach. Raises: NotAllowed, WrongState, DomainError without a reason, or with one that the
    comparison contradicts (code `contradicted`).
    """
    hit = locked(hit_id)
    require_decidable(hit, actor)
    code = ClearReason(reason_code)
    if not reason.strip():
        raise DomainError(_("Explain how you know this is a different person. Auditors read this."))
    contradiction = contradiction_of(hit, code)
    if contradiction and not is_contradiction_checked:
        raise DomainError(contradiction, code="contradicted")
    if not _propose(hit, HitState.FALSE_POSITIVE, actor, reason, reason_code=code.value):
        _clear(hit, actor, code, reason.strip())
    return hit


def _clear(hit: Hit, actor: User, code: ClearReason, reason: str) -> None:
    _decide(hit, HitState.FALSE_POSITIVE, actor, reason, code, contradiction=contradiction_of(hit, code))
    holds.release_hold(
        hit=hit,
        actor=actor,
        reason=localize(phrase("Dismissed as false positive: %(reason)s") % {"reason": code.label}),
    )


@transaction.atomic
def confirm_hit(*, hit_id: int, actor: User, reason: str) -> Hit:
    """Confirm that the client is the listed person: the account is frozen, the MLRO is notified, the rating becomes high.

    Where the brand's policy wants a second person, it is proposed, and the match stays open until they decide.
    Who: `compliance.decide_hit` in reach. Raises: NotAllowed, WrongState, DomainError without a reason.
    """
    hit = locked(hit_id)
    require_decidable(hit, actor)
    if not reason.strip():
        raise DomainError(_("Explain why this is a true match. Auditors read this."))
    if not _propose(hit, HitState.CONFIRMED, actor, reason):
        _confirm(hit, actor, reason.strip())
    return hit


def _confirm(hit: Hit, actor: User, reason: str) -> None:
    _decide(hit, HitState.CONFIRMED, actor, reason, None)
    restriction = Restriction.objects.create(
        client=hit.client,
        kind=holds.blocked_by(hit),
        cause=RestrictionCause.CONFIRMED_MATCH,
        hit=hit,
        placed_by=actor,
        placed_at=timezone.now(),
        reason=localize(
            joined(
                [
                    str(hit.party or ""),
                    phrase("True match with %(name)s (%(list)s): %(reason)s")
                    % {"name": hit.entry.primary_name, "list": hit.entry.source.name, "reason": reason},
                ]
            )
        ),
    )
    holds.note_placed(restriction, actor=actor)
    holds.release_hold(hit=hit, actor=actor, reason=localize(phrase("True match confirmed: the restriction stays")))
    assess(client_id=hit.client_id)
    notify(
        people_with("compliance.decide_hit", brand_id=hit.client.brand_id),
        kind=ComplianceNotice.MATCH_CONFIRMED,
        title=phrase("True watchlist match: %(client)s") % {"client": hit.client},
        body=hit.entry.primary_name,
        url=hit.get_absolute_url(),
        dedupe_key=f"compliance.match_confirmed:{hit.pk}",
    )


def contradiction_of(hit: Hit, code: str) -> str:
    """Return a sentence where the comparison with an entry under review contradicts a chosen reason; "" where none does."""
    return next(filter(None, (_contradiction(one, code) for one in (hit, *parts_of(hit)))), "")


def _contradiction(hit: Hit, code: str) -> str:
    why = hit.explanation
    if code == ClearReason.BIRTH_DATE and why.get("birth") in AGREEING_BIRTHS:
        return _("You chose “Different date of birth”, but the client's date of birth matches the list.")
    if code == ClearReason.NATIONALITY and why.get("country") == "same":
        return _("You chose “Different nationality or country”, but the country matches the list.")
    if code == ClearReason.DOCUMENT and why.get("identifier_points", 0) > 0:
        return _("You chose “Identity document checked”, but a number of the client is the listed one.")
    is_same_name = why.get("pairs") and all(pair.get("how") == "equal" for pair in why["pairs"])
    if (
        code == ClearReason.NAME
        and is_same_name
        and not why.get("left_over_client")
        and not why.get("left_over_listed")
    ):
        return _("You chose “Different name”, but the names match.")
    return ""


def parts_of(hit: Hit) -> list[Hit]:
    """List the open matches that are decided with this one."""
    return [part for part in hit.parts.all() if part.state == HitState.OPEN]


def locked(hit_id: int) -> Hit:
    """Lock a match and, before it, its client: of its parts nothing changes without the client's lock."""
    client_id = Hit.objects.values_list("client_id", flat=True).get(pk=hit_id)
    client = lock(Client, client_id, "brand", no_key=True)
    hit = lock(Hit, hit_id, "entry__source", "party")
    hit.client = client
    return hit


def _require_open(hit: Hit) -> None:
    if hit.state != HitState.OPEN:
        raise WrongState(_("This match has already been reviewed: %(state)s.") % {"state": hit.get_state_display()})


def require_decidable(hit: Hit, actor: User) -> None:
    """Raise WrongState where a match isn't open any more, NotAllowed where this person may not decide it."""
    _require_open(hit)
    require(policies.can_decide(actor, hit))


def _propose(hit: Hit, outcome: HitState, actor: User, reason: str, **given: str) -> bool:
    """Propose an outcome where it needs a second person; False where the first one decides alone."""
    if not work.needs_second_person(hit, outcome):
        return False
    work.propose(hit, actor=actor, outcome=outcome, reason=reason, given=given)
    return True


def _decide(
    hit: Hit, state: HitState, actor: User, reason: str, code: ClearReason | None, *, contradiction: str = ""
) -> None:
    parts = list(hit.parts.filter(state=HitState.OPEN).select_related("entry__source").order_by("pk"))
    proposed_by = hit.work.proposed_by_id if hit.work else None
    for one in (hit, *parts):
        _settle(one, state, actor, reason, code)
    work.decide(hit, actor=actor, outcome=state, reason=reason)
    audit.record_many(
        {
            "actor": actor,
            "action": ComplianceAction.HIT_CLEARED
            if state == HitState.FALSE_POSITIVE
            else ComplianceAction.HIT_CONFIRMED,
            "target": one,
            "client_id": hit.client_id,
            "brand_id": hit.client.brand_id,
            "before": {"state": HitState.OPEN.value},
            "after": {"state": state.value, "reason_code": one.reason_code},
            "reason": reason,
            "evidence": {
                "entry": one.entry.external_id,
                "list": one.entry.source.code,
                "score": str(one.score),
                "client_hash": one.client_hash,
                "entry_hash": one.entry_hash,
                "is_contradicted": bool(contradiction),
                "proposed_by": proposed_by,
                "reviewed_with": one.part_of_id,
            },
        }
        for one in (hit, *parts)
    )
    timeline.add_entry(
        client_id=hit.client_id,
        kind=TimelineKind.COMPLIANCE,
        actor=actor,
        url=hit.get_absolute_url(),
        title=phrase("Possible match dismissed")
        if state == HitState.FALSE_POSITIVE
        else phrase("True match confirmed"),
        dedupe_key=f"hit:{hit.pk}",
        needs=NOT_FOR_SALES,
    )


def _settle(hit: Hit, state: HitState, actor: User, reason: str, code: ClearReason | None) -> None:
    hit.move_to(state)
    hit.decided_by, hit.decided_at = actor, timezone.now()
    hit.reason, hit.reason_code = reason, code.value if code else ""
    hit.save(update_fields=["state", "decided_by", "decided_at", "reason", "reason_code"])
