"""Refunds of deposits by staff: of a settled one out of the client's wallet, in full or in part.

A held one out of suspense.
A refund is processed like a withdrawal: reserved at once, approved by somebody other than the requester (by two above
the brand's limit), sent to the PSP once, looked up when its answer is lost.
"""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from crm.db.locking import lock
from crm.errors import DomainError, IdempotencyConflict
from crm.events import WithdrawalRequested, publish
from crm.i18n import formats
from crm.models import Actor
from crm.money.amounts import Money
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.choices.deposits import DepositState
from wallet.choices.ledger import AccountKind
from wallet.choices.withdrawals import Purpose, WithdrawalRoute
from wallet.core.amounts import minor_of
from wallet.core.limits import exceeds, in_base
from wallet.core.references import new_reference
from wallet.deposits import policies
from wallet.deposits.screened_payers import require_clear_payer
from wallet.deposits.verbs import lock_deposit
from wallet.ledger import posting
from wallet.ledger.posting import InsufficientFunds
from wallet.models import Balance, Deposit, PspMovement, Withdrawal
from wallet.withdrawals.destinations import hash_destination, hash_of, seal
from wallet.withdrawals.payout_results import audit_withdrawal, reserve
from wallet.withdrawals.refundable_deposits import left_of, takes_refunds


@transaction.atomic
def start_refund(*, deposit_id: int, amount: Decimal, reason: str, request_key: str, actor: Actor) -> Withdrawal:
    """Request the refund of a deposit, in full or in part. Somebody else approves it.

    amount: in the currency that arrived; a held deposit is refunded whole. The same request_key is the same refund.
    Who: `wallet.refund_deposit` in reach. Raises: NotAllowed, DomainError (amount, PSP), InsufficientFunds,
    IdempotencyConflict.
    """
    deposit = lock_deposit(pk=deposit_id)
    require(policies.can_refund_deposit(actor, deposit))
    if not reason.strip():
        raise DomainError(_("Enter a reason for the refund."))
    client = lock(Client, deposit.client_id, "brand")
    currency = deposit.received_currency
    amount_minor = minor_of(amount, currency)
    request_hash = hash_of("refund", deposit.pk, amount_minor)
    known = Withdrawal.objects.filter(client=client, request_key=request_key).first()
    if known is not None:
        if known.request_hash != request_hash:
            raise IdempotencyConflict(_("This form was already submitted with different details. Start again."))
        return known
    _check(deposit, amount_minor)
    require_clear_payer(deposit)
    withdrawal = _reserved(
        deposit, client, amount_minor, request_hash=request_hash, request_key=request_key, actor=actor
    )
    audit_withdrawal(
        withdrawal,
        WalletAction.REFUND_REQUESTED,
        actor=actor,
        reason=reason,
        after={"amount": str(withdrawal.money), "deposit": deposit.reference, "psp": deposit.psp.code},
    )
    publish(
        WithdrawalRequested(
            client_id=client.pk,
            brand_id=client.brand_id,
            withdrawal_id=withdrawal.pk,
            amount=withdrawal.amount,
            currency=currency,
            needs_review=True,
        ),
        actor=actor,
    )
    return withdrawal


def _check(deposit: Deposit, amount_minor: int) -> None:
    """Refuse an amount that can't be refunded, and a PSP that makes no refunds."""
    left, currency = left_of(deposit), deposit.received_currency
    if amount_minor > left:
        raise DomainError(
            _("Only %(left)s of %(deposit)s can still be refunded.")
            % {"left": formats.money(Money.of_minor(max(left, 0), currency)), "deposit": deposit.reference}
        )
    if not (takes_refunds(deposit.psp) and deposit.psp_reference):
        raise DomainError(_("%(psp)s can't refund this payment from the CRM. Contact the PSP.") % {"psp": deposit.psp})
    if deposit.state == DepositState.HELD:
        if amount_minor != left:
            raise DomainError(
                _("A held deposit can only be refunded in full: %(left)s.")
                % {"left": formats.money(Money.of_minor(left, currency))}
            )
        if not PspMovement.objects.filter(psp=deposit.psp, reference=deposit.reference).exists():
            raise DomainError(_("The payment isn't in the ledger. Ask the PSP to refund it."))
    elif currency != deposit.wallet.currency:
        raise DomainError(
            _(
                "The deposit arrived in %(arrived)s and was converted. Ask the client to convert the "
                "money back, then contact the PSP."
            )
            % {"arrived": currency}
        )


def _reserved(
    deposit: Deposit, client: Client, amount_minor: int, *, request_hash: str, request_key: str, actor: Actor
) -> Withdrawal:
    is_held, currency, brand = deposit.state == DepositState.HELD, deposit.received_currency, client.brand
    money = Money.of_minor(amount_minor, currency)
    if is_held:
        account = posting.house(AccountKind.SUSPENSE, brand_id=brand.pk, currency=currency)
    else:
        account = deposit.wallet
        available = Balance.objects.get(pk=account.pk).available_minor
        if available < amount_minor:
            raise InsufficientFunds(
                _("The client's wallet has only %(available)s available.")
                % {"available": formats.money(Money.of_minor(max(available, 0), currency))}
            )
    base, reference = in_base(brand, money.amount, currency), new_reference("W")
    destination = {"payment": deposit.reference}
    withdrawal = Withdrawal(
        client=client,
        brand=brand,
        psp=deposit.psp,
        wallet=account,
        reference=reference,
        request_reference=reference,
        request_key=request_key,
        request_hash=request_hash,
        purpose=Purpose.REFUND,
        way=WithdrawalRoute.REFUND,
        source_deposit=deposit,
        from_suspense=is_held,
        amount_minor=amount_minor,
        request_minor=amount_minor,
        return_minor=amount_minor,
        currency=currency,
        base_amount=base,
        needs_second=exceeds(brand, base, "withdrawal_four_eyes_minor"),
        destination_label=(deposit.instrument or str(deposit.psp))[:80],
        destination_hash=hash_destination(destination),
        sealed_destination=seal(client.pk, destination),
        requested_by=actor,
        requested_at=timezone.now(),
    )
    reserve(withdrawal, actor=actor)
    withdrawal.save(force_insert=True)
    return withdrawal
