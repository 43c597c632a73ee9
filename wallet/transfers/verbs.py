"""Transfers between a wallet and a trading account of the same client: a saga over a balance operation on the platform.

To the platform the wallet's money is reserved first, and posted when the platform has confirmed. From the platform it
is credited when the platform has confirmed. The operation is sent once; when its answer is lost, `trading` looks it up
by its reference, and the transfer stays `unknown` until that is settled.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from crm.audit_codes import AuditCode
from crm.db.locking import lock, lock_first
from crm.errors import DomainError, IdempotencyConflict
from crm.events import TransferSettled, publish
from crm.models import Actor
from crm.queue.for_each import for_each_isolated
from crm.security import audit
from crm.security.policies import require
from trading.accounts.balance_operations import reserve_operation
from trading.choices import AccountState, OperationKind, OperationState
from trading.models import BalanceOperation, TradingAccount
from wallet.audit_codes import WalletAction
from wallet.choices.ledger import JournalKind
from wallet.choices.transfers import Direction, TransferState
from wallet.core.amounts import minor_of
from wallet.core.references import new_reference
from wallet.ledger import posting
from wallet.ledger.fx_position import lines_of
from wallet.ledger.posting import Entry, Line
from wallet.models import Account, Quote, Transfer
from wallet.transfers import policies
from wallet.transfers.quotes import conversion_of, use_quote

MIRRORED_AFTER = dt.timedelta(seconds=5)


@transaction.atomic
def start_transfer(
    *,
    client_id: int,
    trading_account_id: int,
    direction: Direction,
    amount: Decimal | None = None,
    request_key: str,
    actor: Actor,
    quote_id: int | None = None,
) -> Transfer:
    """Transfer money between a client's wallet and one of their trading accounts.

    amount: in that account's currency; or quote_id: a quoted rate where the wallet is in another one. The same
    request_key with the same request is the same transfer. Who: the client.
    Raises: NotAllowed, DomainError (amount, account), QuoteExpired, InsufficientFunds, IdempotencyConflict.
    """
    client = lock(Client, client_id, "brand")
    require(policies.can_transfer(actor, client, to_trading=direction == Direction.TO_TRADING))
    account = TradingAccount.objects.select_related("server").filter(pk=trading_account_id, client=client).first()
    if account is None or account.is_demo or account.state != AccountState.OPEN:
        raise DomainError(_("Choose one of your open trading accounts."))
    amount_minor = None if amount is None else minor_of(amount, account.currency)
    known = Transfer.objects.filter(client=client, request_key=request_key).first()
    if known is not None:
        requested = (account.pk, direction, quote_id, amount_minor or known.amount_minor)
        if (known.trading_account_id, known.direction, known.quote_id, known.amount_minor) != requested:
            raise IdempotencyConflict(_("This form was already submitted with different details. Start again."))
        return known
    quote, wallet, amount_minor = _terms(client, account, direction, amount_minor, quote_id)
    inward = direction == Direction.TO_TRADING
    transfer = Transfer(
        client=client,
        brand=client.brand,
        wallet=wallet,
        trading_account_id=account.pk,
        trading_account_label=str(account)[:80],
        direction=direction,
        reference=new_reference("T"),
        request_key=request_key,
        amount_minor=amount_minor,
        currency=account.currency,
        requested_by=actor,
        created_at=timezone.now(),
        quote=quote,
        wallet_minor=None if quote is None else quote.given_minor if inward else quote.got_minor,
    )
    if inward:
        transfer.reservation_id = _reserve(transfer, account).journal_id
    operation = reserve_operation(
        account_id=account.pk,
        kind=OperationKind.DEPOSIT if inward else OperationKind.WITHDRAWAL,
        amount=transfer.amount if inward else -transfer.amount,
        idempotency_key=f"transfer:{transfer.reference}",
        actor=actor,
        reason=transfer.reference,
    )
    transfer.operation_id = operation.pk
    transfer.save()
    _audit(
        transfer,
        WalletAction.TRANSFER_STARTED,
        actor=actor,
        after={"amount": str(transfer.money), "direction": direction, "account": transfer.trading_account_label},
    )
    return transfer


def _terms(
    client: Client, account: TradingAccount, direction: Direction, amount_minor: int | None, quote_id: int | None
) -> tuple[Quote | None, Account, int]:
    """Return the quote if there is one, the wallet, and the amount in the trading account's currency."""
    if quote_id is None:
        if amount_minor is None:
            raise DomainError(_("Enter an amount above zero."))
        return None, posting.wallet_of(client, account.currency), amount_minor
    quote = use_quote(client=client, quote_id=quote_id, purpose=direction, trading_account_id=account.pk)
    if direction == Direction.TO_TRADING:
        return quote, posting.wallet_of(client, quote.given_currency), quote.got_minor
    return quote, posting.wallet_of(client, quote.got_currency), quote.given_minor


def _lines(transfer: Transfer, server_id: int) -> tuple[Line, ...]:
    """Build the postings from the wallet to the platform or back; between currencies through the FX position."""
    clearing, inward = _clearing(transfer, server_id), transfer.direction == Direction.TO_TRADING
    source, target = (transfer.wallet, clearing) if inward else (clearing, transfer.wallet)
    if transfer.quote is not None:
        return lines_of(conversion_of(transfer.quote), source=source, target=target)
    return Line(source, -transfer.amount_minor), Line(target, transfer.amount_minor)


def _rate(transfer: Transfer) -> dict[str, Any]:
    return {} if transfer.quote is None else {"rate": transfer.quote.rate, "rate_on": transfer.quote.rate_on}


def _clearing(transfer: Transfer, server_id: int) -> Account:
    return posting.platform_clearing(brand_id=transfer.brand_id, server_id=server_id, currency=transfer.currency)


def _reserve(transfer: Transfer, account: TradingAccount) -> posting.Posted:
    return posting.reserve(
        Entry(
            key=f"transfer:{transfer.reference}:reserve",
            kind=JournalKind.TRANSFER,
            brand_id=transfer.brand_id,
            lines=_lines(transfer, account.server_id),
            description=f"{transfer.reference} → {transfer.trading_account_label}",
            **_rate(transfer),
        )
    )


@transaction.atomic
def finish_transfer(*, operation_id: int, confirmed: bool) -> Transfer | None:
    """Book a transfer that the platform confirmed, or release the money of a refused one. Twice is once."""
    transfer = lock_first(Transfer.objects.filter(operation_id=operation_id), "wallet", "reservation", "quote")
    if transfer is None or transfer.state in (TransferState.SETTLED, TransferState.FAILED):
        return transfer
    operation = BalanceOperation.objects.get(pk=operation_id)
    transfer.finished_at = timezone.now()
    if confirmed:
        transfer.journal_id = _book(transfer, operation).journal_id
        transfer.move_to(TransferState.SETTLED)
    else:
        if transfer.reservation is not None:
            posted = posting.release(key=f"transfer:{transfer.reference}:release", reservation=transfer.reservation)
            transfer.journal_id = posted.journal_id
        transfer.failure = operation.error[:200]
        transfer.move_to(TransferState.FAILED)
    transfer.save()
    _audit(
        transfer,
        WalletAction.of("transfer", transfer.state),
        reason=transfer.failure,
        after={"ticket": operation.ticket},
    )
    if confirmed:
        publish(
            TransferSettled(
                client_id=transfer.client_id,
                brand_id=transfer.brand_id,
                transfer_id=transfer.pk,
                amount=transfer.amount,
                currency=transfer.currency,
                direction=transfer.direction,
            )
        )
    return transfer


def _book(transfer: Transfer, operation: BalanceOperation) -> posting.Posted:
    if transfer.reservation is not None:
        return posting.settle(key=f"transfer:{transfer.reference}:settle", reservation=transfer.reservation)
    return posting.post(
        Entry(
            key=f"transfer:{transfer.reference}:settle",
            kind=JournalKind.TRANSFER,
            brand_id=transfer.brand_id,
            lines=_lines(transfer, operation.server_id),
            description=f"{transfer.reference} ← {transfer.trading_account_label}",
            **_rate(transfer),
        )
    )


def mirror_operations(*, limit: int = 200) -> int:
    """Let open transfers follow their operation: unknown while it is; finished should its event have been lost."""
    ids = list(
        Transfer.objects.filter(
            state__in=[TransferState.SENDING, TransferState.UNKNOWN], created_at__lt=timezone.now() - MIRRORED_AFTER
        ).values_list("operation_id", flat=True)[:limit]
    )
    for_each_isolated(_mirror, BalanceOperation.objects.filter(pk__in=[pk for pk in ids if pk is not None]))
    return len(ids)


def _mirror(operation: BalanceOperation) -> None:
    if operation.is_settled:
        finish_transfer(operation_id=operation.pk, confirmed=operation.state == OperationState.CONFIRMED)
    elif operation.state == OperationState.UNKNOWN:
        _become_unknown(operation.pk)


@transaction.atomic
def _become_unknown(operation_id: int) -> None:
    transfer = lock_first(Transfer.objects.filter(operation_id=operation_id))
    if transfer is not None and transfer.state == TransferState.SENDING:
        transfer.move_to(TransferState.UNKNOWN)
        transfer.save(update_fields=["state", "updated_at"])
        _audit(transfer, WalletAction.TRANSFER_UNKNOWN)


def _audit(
    transfer: Transfer, action: AuditCode, *, actor: Actor = None, reason: str = "", after: dict[str, Any] | None = None
) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=transfer,
        client_id=transfer.client_id,
        brand_id=transfer.brand_id,
        after={"reference": transfer.reference, "state": transfer.state, **(after or {})},
        reason=reason,
    )
