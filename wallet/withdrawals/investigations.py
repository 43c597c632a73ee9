"""Payouts whose result no message settles: one person enters what the PSP or the bank reported, another one books it.

A payout that stays unknown, one that a bank sent back weeks after it was paid, one that failed here and was paid there: each
is looked up once more by its reference before anything is booked, and nothing is ever sent again.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change
from crm.choices import ApprovalState
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, joined, label_of, localize, phrase
from crm.models import Actor, User
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.bonuses import restoring
from wallet.choices.bank import OrderState
from wallet.choices.ledger import AccountKind
from wallet.choices.notices import WalletNotice
from wallet.choices.withdrawals import FindingKind, WithdrawalRoute, WithdrawalState
from wallet.core.amounts import minor_of
from wallet.ledger import posting
from wallet.ledger.posting import Entry, InsufficientFunds, Line
from wallet.models import BankOrder, PayoutFinding, Withdrawal
from wallet.psp.values import TransferStatus, TransferView
from wallet.withdrawals import payout_results, returned_payouts, sending
from wallet.withdrawals import policies as withdrawals_policies
from wallet.withdrawals.returned_payouts import BRAND_DEFAULT, ReturnTerms

# The results that are possible, by the payout's state.
POSSIBLE: Final[dict[str, tuple[FindingKind, ...]]] = {
    WithdrawalState.UNKNOWN: (FindingKind.PAID, FindingKind.NOT_PAID),
    WithdrawalState.SENT: (FindingKind.PAID, FindingKind.NOT_PAID),
    WithdrawalState.SETTLED: (FindingKind.CAME_BACK,),
    WithdrawalState.FAILED: (FindingKind.PAID,),
}
# The PSP may still be processing it: before this time nobody may enter that it was never paid.
NOT_PAID_AFTER: Final = dt.timedelta(hours=1)
DECIDES: Final = "wallet.approve_withdrawal"


def possible(withdrawal: Withdrawal) -> tuple[FindingKind, ...]:
    """List the results that a person may enter now; none while one waits for its second approval."""
    if withdrawal.findings.filter(state=ApprovalState.PENDING).exists():
        return ()
    return POSSIBLE.get(withdrawal.state, ())


@transaction.atomic
def propose_outcome(
    *,
    withdrawal_id: int,
    kind: str,
    reason: str,
    actor: User,
    psp_reference: str = "",
    amount: Decimal | None = None,
    terms: ReturnTerms = BRAND_DEFAULT,
) -> PayoutFinding:
    """Propose how a payout ended, as the PSP or the bank reported it. Nothing is booked before another person approves.

    psp_reference: its number there (of the return, when it came back). amount: what came back, when not all of it did.
    terms: what becomes of our fee and of the bonus that it cost, when it came back.
    Who: `wallet.approve_withdrawal` in reach. Raises: NotAllowed, WrongState, DomainError.
    """
    withdrawal = payout_results.lock_withdrawal(withdrawal_id)
    require(withdrawals_policies.can_propose_outcome(actor, withdrawal))
    if kind not in possible(withdrawal):
        raise WrongState(_("That outcome isn't possible in the payment's current state."))
    psp_reference = psp_reference.strip()
    if kind == FindingKind.NOT_PAID:
        _require_time(withdrawal)
        _require_no_file(withdrawal)
    elif not psp_reference:
        raise DomainError(_("Enter the PSP's or bank's reference. Reports are matched by it."))
    elif kind == FindingKind.CAME_BACK and psp_reference == withdrawal.psp_reference:
        raise DomainError(_("This is the reference of the payment itself. Enter the reference of the return."))
    amount_minor, decided = _amount(withdrawal, kind, amount), {}
    if kind == FindingKind.CAME_BACK:
        decided = returned_payouts.chosen(returned_payouts.terms_of(withdrawal, amount_minor), terms)
    finding = PayoutFinding(
        withdrawal=withdrawal,
        kind=kind,
        psp_reference=psp_reference[:100],
        reason=reason,
        amount_minor=amount_minor,
        **decided,
    )
    return approvals.propose(finding, actor=actor)


def _amount(withdrawal: Withdrawal, kind: str, amount: Decimal | None) -> int:
    whole = withdrawal.payout_minor
    if kind != FindingKind.CAME_BACK or amount is None:
        return whole
    minor = minor_of(amount, withdrawal.currency)
    if minor > whole:
        raise DomainError(
            _("The amount returned can't exceed the amount paid: %(money)s.")
            % {"money": formats.money(withdrawal.payout_money)}
        )
    if minor < whole and withdrawal.way == WithdrawalRoute.REFUND:
        raise DomainError(_("A refund is returned in full. Any difference is the PSP's fee and appears in its report."))
    return minor


def _require_time(withdrawal: Withdrawal) -> None:
    if withdrawal.sent_at is not None and timezone.now() - withdrawal.sent_at < NOT_PAID_AFTER:
        raise DomainError(_("It was sent less than an hour ago. The PSP may still pay it."))


def _require_no_file(withdrawal: Withdrawal) -> None:
    order = BankOrder.objects.filter(psp_id=withdrawal.psp_id, reference=withdrawal.reference).first()
    if order is not None and order.state == OrderState.IN_FILE:
        raise DomainError(_("It is in payment file %(file)s, which may still be sent.") % {"file": order.batch})


# ── the second person ────────────────────────────────────────────────────────────────────────────────────────────────


class FindingApproval(approvals.ApprovalKind[PayoutFinding]):
    """The result of a payout, booked when a second person approves it.

    An open payout is looked up once more before: where the PSP reports another result, that one counts.
    """

    model = PayoutFinding
    code = "payout-finding"
    label = gettext_lazy("Payout result")
    asks = decides = DECIDES
    proposed, approved = WalletAction.PAYOUT_FINDING_WRITTEN, WalletAction.PAYOUT_FINDING_BOOKED
    rejected, withdrawn = WalletAction.PAYOUT_FINDING_REFUSED, WalletAction.PAYOUT_FINDING_WITHDRAWN
    notice = WalletNotice.PAYOUT_FINDING
    client_path = "withdrawal__client"
    related = ("withdrawal__client",)
    one_open = ("withdrawal",)
    confirm = gettext_lazy("Book this result? The PSP is queried once more first.")
    done = gettext_lazy("Result booked.")

    def lock(self, pk: int) -> PayoutFinding:
        """Lock the withdrawal, then its finding: the order of every verb that moves a withdrawal."""
        withdrawal = payout_results.lock_withdrawal(
            PayoutFinding.objects.values_list("withdrawal_id", flat=True).get(pk=pk)
        )
        finding = super().lock(pk)
        finding.withdrawal = withdrawal
        return finding

    def ask_outside(self, item: PayoutFinding, **given: Any) -> None:
        if item.withdrawal.state in (WithdrawalState.UNKNOWN, WithdrawalState.SENT):
            sending.look_up_payout(item.withdrawal_id)

    def apply(self, item: PayoutFinding, actor: User, **given: Any) -> None:
        """Book the result. Raises: WrongState (ended otherwise meanwhile), DomainError (the wallet doesn't hold it)."""
        withdrawal = item.withdrawal
        if item.kind not in POSSIBLE.get(withdrawal.state, ()):
            raise WrongState(
                _("This payment is now “%(state)s”. Reject the proposed result.")
                % {"state": withdrawal.get_state_display()}
            )
        if item.kind == FindingKind.CAME_BACK:
            item.journal_id = returned_payouts.book(item, withdrawal, actor)
        elif item.kind == FindingKind.NOT_PAID:
            item.journal_id = _not_paid(item, withdrawal)
        else:
            item.journal_id = _paid(item, withdrawal, actor)

    def title(self, item: PayoutFinding) -> LocalizedText:
        return joined([item.withdrawal.reference, label_of(item, "kind")], ": ")

    def url(self, item: PayoutFinding) -> str:
        return f"/money/withdrawals/{item.withdrawal_id}/"

    def changes(self, item: PayoutFinding) -> list[Change]:
        rows = [Change(_("Result"), item.get_kind_display()), Change(_("Amount"), formats.money(item.money))]
        if item.kind == FindingKind.CAME_BACK and item.withdrawal.fee_minor:
            rows.append(Change(_("Fee returned"), formats.money(item.fee_returned)))
        if item.restores_bonus:
            lost = restoring.restorable(item.withdrawal, item.amount_minor).lost
            grants = ", ".join(f"{loss.grant} {formats.money(loss.money)}" for loss in lost)
            rows.append(Change(_("Bonus restored"), grants or _("None: no longer possible")))
        if item.terms_reason:
            rows.append(Change(_("Reason for the terms"), item.terms_reason))
        return [*rows, Change(_("PSP reference"), item.psp_reference)] if item.psp_reference else rows

    def target(self, item: PayoutFinding) -> Withdrawal:
        return item.withdrawal

    def after(self, item: PayoutFinding) -> dict[str, Any]:
        return {
            "reference": item.withdrawal.reference,
            "found": item.kind,
            "amount": str(item.money),
            "psp_reference": item.psp_reference,
            "fee_returned_minor": item.fee_returned_minor,
            "restores_bonus": item.restores_bonus,
            "terms_reason": item.terms_reason,
        }


# ── booking ───────────────────────────────────────────────────────────────────────────────────────────────────


def _view(finding: PayoutFinding, withdrawal: Withdrawal, status: TransferStatus) -> TransferView:
    return TransferView(
        reference=withdrawal.reference,
        psp_reference=finding.psp_reference,
        status=status,
        amount_minor=withdrawal.payout_minor,
        currency=withdrawal.currency,
    )


def _paid(finding: PayoutFinding, withdrawal: Withdrawal, actor: Actor) -> int:
    withdrawal.psp_reference = finding.psp_reference
    view = _view(finding, withdrawal, TransferStatus.PAID)
    if withdrawal.state != WithdrawalState.FAILED:
        payout_results.settle(withdrawal, view)
    else:
        try:
            with transaction.atomic():
                posted = posting.post(_payout_entry(finding, withdrawal), actor=actor)
        except InsufficientFunds as short:
            raise DomainError(
                _(
                    "The wallet no longer holds %(money)s. Move the missing amount from “Chargeback losses” "
                    "with a manual journal first: it is the broker's loss until the client repays it."
                )
                % {"money": formats.money(withdrawal.money)}
            ) from short
        withdrawal.reason = ""
        payout_results.settle(withdrawal, view, posted=posted)
    assert withdrawal.journal_id is not None
    return withdrawal.journal_id


def _payout_entry(finding: PayoutFinding, withdrawal: Withdrawal) -> Entry:
    """Build the entry that pays out what its reservation held, which was released when the payout failed."""
    lines = [
        Line(withdrawal.wallet, -withdrawal.amount_minor),
        Line(posting.psp_clearing(withdrawal.psp, withdrawal.currency), withdrawal.payout_minor),
    ]
    if withdrawal.fee_minor:
        fees = posting.house(AccountKind.FEES, brand_id=withdrawal.brand_id, currency=withdrawal.currency)
        lines.append(Line(fees, withdrawal.fee_minor))
    return Entry(
        key=f"withdrawal:{withdrawal.reference}:paid-after-all:{finding.pk}",
        kind=payout_results.ledger_kind(withdrawal),
        brand_id=withdrawal.brand_id,
        lines=lines,
        description=f"{withdrawal.reference} {withdrawal.psp}",
    )


def _not_paid(finding: PayoutFinding, withdrawal: Withdrawal) -> int:
    _require_no_file(withdrawal)
    BankOrder.objects.filter(psp_id=withdrawal.psp_id, reference=withdrawal.reference).exclude(
        state__in=[OrderState.SETTLED, OrderState.RETURNED]
    ).update(state=OrderState.RETURNED, failure=finding.reason[:200], finished_at=timezone.now())
    payout_results.fail(withdrawal, reason=localize(phrase("It was not paid out, and will not be")))
    assert withdrawal.journal_id is not None
    return withdrawal.journal_id
