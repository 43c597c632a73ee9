"""Payouts that came back: what the PSP holds again, and what becomes of our fee and of the bonus that the payout cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.events import DepositRestored, publish
from crm.i18n import formats
from crm.models import Actor
from crm.money.amounts import Money
from wallet.audit_codes import WalletAction
from wallet.bonuses import restoring
from wallet.choices.deposits import DepositState
from wallet.choices.ledger import AccountKind
from wallet.choices.reconciliation import MovementKind
from wallet.choices.withdrawals import Purpose, WithdrawalRoute, WithdrawalState
from wallet.core.limits import limit
from wallet.deposits.verbs import audit_deposit, lock_deposit
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.models import Deposit, PayoutFinding, PspMovement, Withdrawal
from wallet.withdrawals import payout_results


@dataclass(frozen=True, slots=True)
class ReturnTerms:
    """What finance decides about our fee and the lost bonus when a payment came back; None: as the brand does by default.

    reason: why, where they decide otherwise than the brand.
    """

    returns_fee: bool | None = None
    restores_bonus: bool | None = None
    reason: str = ""


BRAND_DEFAULT = ReturnTerms()


@dataclass(frozen=True, slots=True)
class ReturnOptions:
    """What there is to decide when a payment came back, and the brand's default."""

    fee: Money
    bonus: restoring.Restorable
    returns_fee: bool
    restores_bonus: bool


def terms_of(withdrawal: Withdrawal, amount_minor: int | None = None) -> ReturnOptions:
    """Compute what there is to decide about a returned payment. amount_minor: what came back; None: all of it."""
    bonus = restoring.restorable(withdrawal, amount_minor or withdrawal.payout_minor)
    return ReturnOptions(
        fee=Money.of_minor(withdrawal.fee_minor, withdrawal.currency),
        bonus=bonus,
        returns_fee=bool(withdrawal.fee_minor and limit(withdrawal.brand, "payout_came_back_returns_fee")),
        restores_bonus=bool(bonus.lost and limit(withdrawal.brand, "payout_came_back_restores_bonus")),
    )


def chosen(terms: ReturnOptions, decided: ReturnTerms) -> dict[str, Any]:
    """Compute the fields of a finding from what finance decided.

    Raises DomainError: nothing to return or restore, or no reason for deviating from the brand's default.
    """
    reason = decided.reason
    fee = terms.returns_fee if decided.returns_fee is None else decided.returns_fee
    bonus = terms.restores_bonus if decided.restores_bonus is None else decided.restores_bonus
    if fee and not terms.fee.amount:
        raise DomainError(_("The client paid no fee, so there is none to return."))
    if bonus and not terms.bonus.lost:
        raise DomainError(terms.bonus.refusal or _("No bonus was removed, so there is none to restore."))
    if (fee, bonus) != (terms.returns_fee, terms.restores_bonus) and not reason.strip():
        raise DomainError(_("Enter why fee or bonus differ from the brand's default."))
    return {
        "fee_returned_minor": terms.fee.minor if fee else 0,
        "restores_bonus": bonus,
        "terms_reason": reason.strip()[:300],
    }


def book(finding: PayoutFinding, withdrawal: Withdrawal, actor: Actor) -> int:
    """Book a returned payment: the client gets what came back and, where so decided, our fee; what banks kept is lost.

    The PSP holds the money again. Returns the journal's id. Locks: withdrawal (the caller's), deposit, client.
    """
    deposit = lock_deposit(pk=withdrawal.source_deposit_id) if withdrawal.source_deposit_id else None
    restoring.take_first(withdrawal)
    posted = posting.post(_entry(finding, withdrawal), actor=actor)
    withdrawal.move_to(WithdrawalState.CAME_BACK)
    withdrawal.reason = _reason_text(finding)
    withdrawal.save()
    PspMovement.objects.create(
        psp=withdrawal.psp,
        kind=MovementKind.REFUND if withdrawal.way == WithdrawalRoute.REFUND else MovementKind.PAYOUT,
        reference=withdrawal.reference,
        psp_reference=finding.psp_reference,
        client_id=withdrawal.client_id,
        journal_id=posted.journal_id,
        amount_minor=finding.amount_minor,
        currency=withdrawal.currency,
        occurred_at=timezone.now(),
    )
    if deposit is not None:
        _undo_refund(withdrawal, deposit)
    restored = restoring.restore(finding, actor=actor) if finding.restores_bonus else []
    payout_results.audit_withdrawal(
        withdrawal,
        WalletAction.WITHDRAWAL_CAME_BACK,
        actor=actor,
        reason=finding.reason,
        after={
            "amount": str(finding.money),
            "fee_returned": str(finding.fee_returned),
            "bonus_restored": [str(loss.money) for loss in restored],
            "terms_reason": finding.terms_reason,
        },
    )
    payout_results.tell_refused(
        [withdrawal], withdrawal.reason, amount_minor=finding.amount_minor + finding.fee_returned_minor
    )
    return posted.journal_id


def _entry(finding: PayoutFinding, withdrawal: Withdrawal) -> Entry:
    fee = finding.fee_returned_minor
    lines = [
        Line(posting.psp_clearing(withdrawal.psp, withdrawal.currency), -finding.amount_minor),
        Line(withdrawal.wallet, finding.amount_minor + fee),
    ]
    if fee:
        fees = posting.house(AccountKind.FEES, brand_id=withdrawal.brand_id, currency=withdrawal.currency)
        lines.append(Line(fees, -fee))
    return Entry(
        key=f"withdrawal:{withdrawal.reference}:came-back",
        kind=payout_results.ledger_kind(withdrawal),
        brand_id=withdrawal.brand_id,
        description=f"{withdrawal.reference} {finding.psp_reference}",
        lines=lines,
    )


def _reason_text(finding: PayoutFinding) -> str:
    """Write the withdrawal's reason, which the client reads too."""
    if finding.fee_returned_minor:
        return _("%(money)s was returned, and our fee of %(fee)s is refunded") % {
            "money": formats.money(finding.money),
            "fee": formats.money(finding.fee_returned),
        }
    return _("%(money)s was returned") % {"money": formats.money(finding.money)}


def _undo_refund(withdrawal: Withdrawal, deposit: Deposit) -> None:
    """Put a deposit back to where it was before its refund, which didn't reach the payer."""
    deposit.refunded_minor -= withdrawal.amount_minor
    if deposit.state == DepositState.REFUNDED:
        deposit.move_to(DepositState.SETTLED)
    elif deposit.state == DepositState.RETURNED:
        deposit.move_to(DepositState.HELD)
    deposit.save()
    audit_deposit(deposit, WalletAction.DEPOSIT_REFUND_CAME_BACK, after={"by": withdrawal.reference})
    if withdrawal.purpose == Purpose.REFUND and not withdrawal.from_suspense:
        publish(
            DepositRestored(
                client_id=deposit.client_id,
                brand_id=deposit.brand_id,
                deposit_id=deposit.pk,
                dispute_id=None,
                amount=withdrawal.amount,
                currency=withdrawal.currency,
                reference=withdrawal.reference,
            )
        )
