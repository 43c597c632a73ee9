"""Payouts that a second person releases: those above the limit of the partner's settlement terms."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change
from crm.db.locking import lock
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import User
from crm.money.amounts import Money
from crm.security.policies import Decision
from ib.audit_codes import IbAction
from ib.choices import IbNotice, PartnerRight, PayoutTo
from ib.models import Partner, PayoutRequest
from ib.payouts import pay_request
from ib.settlement import balances_of
from ib.settlements.terms import terms_of
from ib.team.rights import can_act_for


class PayoutApproval(approvals.ApprovalKind[PayoutRequest]):
    """A payout above the limit of the partner's terms. The partner asks, finance releases it."""

    model = PayoutRequest
    code = "commission-payout"
    label = gettext_lazy("Commission payout")
    asks = decides = "ib.settle_commissions"
    proposed, approved = IbAction.PAYOUT_REQUESTED, IbAction.PAYOUT_APPROVED
    rejected, withdrawn = IbAction.PAYOUT_REJECTED, IbAction.PAYOUT_WITHDRAWN
    notice = IbNotice.PAYOUT_REQUESTED
    brand_path = "partner__brand_id"
    related = ("partner__brand", "partner__user")
    one_open = ("partner",)
    done = gettext_lazy("Payout approved and paid.")

    def can_propose(self, user: User, item: PayoutRequest) -> Decision:
        return self._is_own(user, item)

    def can_withdraw(self, user: User, item: PayoutRequest) -> Decision:
        allowed = self._is_own(user, item)
        return self.still_waits(item) if allowed else allowed

    def _is_own(self, user: User, item: PayoutRequest) -> Decision:
        return can_act_for(user, item.partner, PartnerRight.PAY_OUT)

    def lock(self, pk: int) -> PayoutRequest:
        lock(Partner, PayoutRequest.objects.values_list("partner_id", flat=True).get(pk=pk))
        return super().lock(pk)

    def apply(self, item: PayoutRequest, actor: User, **given: Any) -> None:
        pay_request(item, actor)

    def title(self, item: PayoutRequest) -> LocalizedText:
        return phrase("Commission payout of %(money)s to %(partner)s") % {
            "money": Money(item.amount, item.currency),
            "partner": item.partner.name,
        }

    def url(self, item: PayoutRequest) -> str:
        return f"/approvals/{self.code}/{item.pk}/"

    def maker_url(self, item: PayoutRequest) -> str:
        return "/partners/payouts/"

    def target(self, item: PayoutRequest) -> Partner:
        return item.partner

    def changes(self, item: PayoutRequest) -> Sequence[Change]:
        limit = terms_of(item.partner).approval_above
        return [
            Change(_("Amount"), formats.money(item.amount, item.currency)),
            Change(_("Paid to"), str(PayoutTo(item.destination.partition(":")[0]).label)),
            Change(
                _("Balance"), formats.money(balances_of(item.partner).get(item.currency, Decimal(0)), item.currency)
            ),
            Change(
                _("Second approval of payouts above"),
                formats.money(limit, item.partner.currency) if limit is not None else _("Never"),
            ),
        ]

    def after(self, item: PayoutRequest) -> dict[str, Any]:
        return {"amount": str(item.amount), "currency": item.currency, "to": item.destination}
