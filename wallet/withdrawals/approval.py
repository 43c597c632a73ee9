"""Withdrawals above the limit in the list of second approvals; they are decided by their own verbs."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change, kind_of, require_withdrawable
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import User
from crm.security.policies import Decision
from wallet.audit_codes import WalletAction
from wallet.choices.withdrawals import WithdrawalState
from wallet.models import Withdrawal
from wallet.withdrawals import policies
from wallet.withdrawals.payout_results import audit_withdrawal, lock_parts
from wallet.withdrawals.verbs import approve_withdrawal, reject_withdrawal


@transaction.atomic
def withdraw_approval(*, withdrawal_id: int, actor: User, note: str = "") -> Withdrawal:
    """Who gave the first approval takes it back: the whole request awaits its first approval again.

    Who: who gave it, with `wallet.approve_withdrawal` in reach. Raises: NotAllowed, WrongState.
    """
    parts = lock_parts(withdrawal_id)
    kind = kind_of(Withdrawal)
    for withdrawal in parts:
        require_withdrawable(kind, withdrawal, actor)
    for withdrawal in parts:
        withdrawal.move_to(WithdrawalState.REQUESTED)
        withdrawal.reviewed_by = withdrawal.reviewed_at = None
        withdrawal.save(update_fields=["state", "reviewed_by", "reviewed_at", "updated_at"])
        audit_withdrawal(withdrawal, WalletAction.WITHDRAWAL_APPROVAL_WITHDRAWN, actor=actor, reason=note.strip()[:300])
    return parts[0]


class WithdrawalApproval(approvals.ListedApproval[Withdrawal]):
    """A withdrawal above the limit, for its second approval. The maker gave the first one.

    The requester doesn't count.
    """

    model = Withdrawal
    code = "withdrawal"
    label = gettext_lazy("Withdrawal")
    asks = decides = "wallet.approve_withdrawal"
    withdrawn = WalletAction.WITHDRAWAL_APPROVAL_WITHDRAWN
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

    def withdraw(self, pk: int, actor: User, note: str) -> Withdrawal:
        return withdraw_approval(withdrawal_id=pk, actor=actor, note=note)

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
