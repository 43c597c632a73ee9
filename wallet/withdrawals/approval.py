"""Withdrawals above the limit in the list of second approvals; they are decided by their own verbs."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import User
from crm.security.policies import Decision
from wallet.choices.withdrawals import WithdrawalState
from wallet.models import Withdrawal
from wallet.withdrawals import policies
from wallet.withdrawals.verbs import approve_withdrawal, reject_withdrawal


class WithdrawalApproval(approvals.ListedApproval[Withdrawal]):
    """A withdrawal above the limit, for its second approval. The maker gave the first one.

    The requester doesn't count.
    """

    model = Withdrawal
    code = "withdrawal"
    label = gettext_lazy("Withdrawal")
    asks = decides = "wallet.approve_withdrawal"
    client_path = "client"
    related = ("client__brand", "psp", "requested_by")
    maker, asked_at, reason, note = "reviewed_by", "reviewed_at", "reason", "reason"
    pending = {"state": WithdrawalState.AWAITING_SECOND_APPROVAL}
    done = gettext_lazy("Withdrawal approved. Payout queued.")

    def in_reach(self, rows: QuerySet[Withdrawal], user: User) -> QuerySet[Withdrawal]:
        """Keep one row for each request: its parts are decided together."""
        return super().in_reach(rows, user).filter(part=1).exclude(requested_by=user)

    def can_decide(self, user: User, item: Withdrawal) -> Decision:
        return policies.can_approve(user, item)

    def approve(self, pk: int, actor: User, note: str) -> Withdrawal:
        return approve_withdrawal(withdrawal_id=pk, actor=actor, reason=note)

    def reject(self, pk: int, actor: User, note: str) -> Withdrawal:
        return reject_withdrawal(withdrawal_id=pk, actor=actor, reason=note)

    def title(self, item: Withdrawal) -> LocalizedText:
        return phrase("Withdrawal %(reference)s of %(client)s") % {"reference": item.reference, "client": item.client}

    def url(self, item: Withdrawal) -> str:
        return f"/money/withdrawals/{item.pk}/"

    def changes(self, item: Withdrawal) -> list[Change]:
        return [
            Change(_("Amount"), formats.money(item.money)),
            Change(_("To"), item.destination_label),
            Change(_("PSP"), item.psp),
        ]
