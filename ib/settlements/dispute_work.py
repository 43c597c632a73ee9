"""Disputes as work: claimed, answered within the brand's hours, and adjusted by two people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import work
from crm.approvals import Change
from crm.db.locking import lock
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, User
from crm.notices.notify import notify
from crm.security import audit, policies
from crm.security.policies import Decision
from ib import periods
from ib.audit_codes import IbAction
from ib.brand_policies import COMMISSION_DISPUTE_HOURS
from ib.choices import DisputeState, IbNotice, PartnerRight
from ib.models import CommissionDispute
from ib.policies import can_manage_partners, can_settle
from ib.queries import partners_visible_to
from ib.settlements.adjustments import adjust
from ib.team.rights import team_with

ANSWERED, ADJUSTED = "answered", "adjusted"
AMOUNT = "amount"


class DisputeReview(work.WorkKind[CommissionDispute]):
    """The queue of disputes about deals: a claim keeps colleagues out; nobody has to claim."""

    model = CommissionDispute
    code, label = "ib.dispute", gettext_lazy("Commission disputes")
    right = "ib.settle_commissions"
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        ANSWERED: work.Outcome(gettext_lazy("Answered"), needs_reason=True),
        ADJUSTED: work.Outcome(gettext_lazy("Commission adjusted"), needs_reason=True, second_person=True),
    }
    hours = COMMISSION_DISPUTE_HOURS
    needs_claim, by_client = False, False
    queue_url = "ib_disputes"

    def visible_to(self, user: Actor) -> QuerySet[CommissionDispute]:
        if user is None or not user.has_perm("ib.view_settlement"):
            return CommissionDispute.objects.none()
        return CommissionDispute.objects.filter(partner__in=partners_visible_to(user, reads_grants=False))

    def may_work(self, user: Actor, subject: CommissionDispute) -> Decision:
        """Who settles, and who manages partners: they know the case, and may propose an adjustment that finance approves."""
        allowed = can_settle(user, subject.partner.brand_id)
        return allowed or can_manage_partners(user, subject.partner.brand_id)

    def rows(self) -> QuerySet[CommissionDispute]:
        return CommissionDispute.objects.select_related("partner__brand")

    def lock(self, subject_id: int) -> CommissionDispute:
        return locked(subject_id)

    def title(self, subject: CommissionDispute) -> LocalizedText:
        return phrase("Commission dispute of %(partner)s") % {"partner": subject.partner.name}

    def url(self, subject: CommissionDispute) -> str:
        return f"/ib/disputes/{subject.pk}/"

    def described(self, subject: CommissionDispute, given: Mapping[str, Any]) -> Sequence[Change]:
        amount = formats.money(Decimal(given[AMOUNT]), subject.partner.currency, sign=True)
        return [Change(_("Adjustment"), amount)]

    def carry_out(
        self, subject: CommissionDispute, outcome: str, *, actor: User, reason: str, given: Mapping[str, Any]
    ) -> None:
        policies.require(can_settle(actor, subject.partner.brand_id))
        conclude(subject, actor=actor, answer=reason, amount=Decimal(given[AMOUNT]))


DISPUTE = work.register(DisputeReview)


def locked(dispute_id: int) -> CommissionDispute:
    """Lock a dispute and, before it, the brand's commissions, so that no settlement takes its lines meanwhile."""
    brand_id = CommissionDispute.objects.values_list("partner__brand_id", flat=True).get(pk=dispute_id)
    periods.lock_commissions(brand_id)
    return lock(CommissionDispute, dispute_id, "partner__brand")


def conclude(dispute: CommissionDispute, *, actor: Actor, answer: str, amount: Decimal | None = None) -> None:
    """Resolve a locked dispute with an answer that the partner reads, and the adjustment that two people agreed on."""
    line = adjust(dispute, amount, actor.pk if actor else None) if amount is not None else None
    dispute.move_to(DisputeState.RESOLVED)
    dispute.answer, dispute.resolved_by, dispute.resolved_at = answer[:300], actor, timezone.now()
    dispute.adjustment_id = line.pk if line else None
    dispute.save(update_fields=["state", "answer", "resolved_by", "resolved_at", "adjustment_id"])
    if dispute.work_id is not None and actor is not None:
        work.decide(dispute, actor=actor, outcome=ADJUSTED if line else ANSWERED, reason=answer)
    elif dispute.work_id is not None:
        work.close_items([dispute.work_id])
    audit.record(
        actor=actor,
        action=IbAction.DISPUTE_ADJUSTED if line else IbAction.DISPUTE_RESOLVED,
        target=dispute.partner,
        brand_id=dispute.partner.brand_id,
        client_id=line.client_id if line else None,
        before={"state": str(DisputeState.OPEN)},
        after={
            "state": str(dispute.state),
            "dispute": dispute.pk,
            "deal": dispute.deal_id,
            **({"accrual": line.pk, "amount": str(line.amount), "currency": line.currency} if line else {}),
        },
        reason=dispute.answer,
    )
    notify(
        team_with(dispute.partner, PartnerRight.DISPUTE),
        kind=IbNotice.DISPUTE_CHANGED,
        title=phrase("Your dispute was resolved") if dispute.deal_id else phrase("Your settlements continue"),
        body=dispute.answer,
        url=f"/partners/disputes/{dispute.pk}/" if dispute.deal_id else "/partners/payouts/",
        dedupe_key=f"ib.dispute:{dispute.pk}:resolved",
    )
