"""Between a wallet and a trading account of the same client: a saga over a balance operation on the platform.

To the platform the wallet's money is reserved first, and posted when the platform has confirmed. From the platform it is
credited when the platform has confirmed. The operation is sent once; when its answer is lost, `trading` looks it up by its
reference, and the transfer stays `unknown` until that is settled.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from crm import audit
from crm.errors import DomainError, IdempotencyConflict, WrongState
from crm.events import TransferSettled, publish
from crm.policies import require
from crm.sweep import each
from trading.choices import AccountState, OperationKind, OperationState
from trading.models import BalanceOperation, TradingAccount
from trading.operations import reserve_operation
from wallet import ledger, policies
from wallet.amounts import minor_of
from wallet.choices import TRANSFER_TRANSITIONS, Direction, JournalKind, TransferState
from wallet.ledger import Entry, Line
from wallet.models import Transfer
from wallet.references import new_reference

MIRRORED_AFTER = dt.timedelta(seconds=5)


@transaction.atomic
def start_transfer(
    *,
    client_id: int,
    trading_account_id: int,
    direction: Direction,
    amount: Decimal,
    request_key: str,
    actor: Any,
) -> Transfer:
    """The client moves money between the wallet and one of their trading accounts, in that account's currency.

    The same request_key with the same wish is the same transfer. Who: the client.
    Raises: NotAllowed, DomainError (amount, account), InsufficientFunds, IdempotencyConflict.
    """
    client = Client.objects.select_for_update(of=["self"]).select_related("brand").get(pk=client_id)
    require(policies.can_transfer(actor, client, to_trading=direction == Direction.TO_TRADING))
    account = TradingAccount.objects.select_related("server").filter(pk=trading_account_id, client=client).first()
    if account is None or account.is_demo or account.state != AccountState.OPEN:
        raise DomainError(_("Choose one of your open trading accounts."))
    amount_minor = minor_of(amount, account.currency)
    known = Transfer.objects.filter(client=client, request_key=request_key).first()
    if known is not None:
        if (known.trading_account_id, known.direction, known.amount_minor) != (account.pk, direction, amount_minor):
            raise IdempotencyConflict(_("This form was already sent with another wish. Start again."))
        return known
    wallet = ledger.wallet_of(client, account.currency)
    transfer = Transfer(
        client=client, brand=client.brand, wallet=wallet, trading_account_id=account.pk,
        trading_account_label=str(account)[:80], direction=direction, reference=new_reference("T"),
        request_key=request_key, amount_minor=amount_minor, currency=account.currency, requested_by=actor,
        created_at=timezone.now(),
    )  # fmt: skip
    inward = direction == Direction.TO_TRADING
    if inward:
        transfer.reservation_id = _reserve(transfer, account).journal_id
    operation = reserve_operation(
        account_id=account.pk,
        kind=OperationKind.DEPOSIT if inward else OperationKind.WITHDRAWAL,
        amount=amount if inward else -amount,
        idempotency_key=f"transfer:{transfer.reference}",
        actor=actor,
        reason=transfer.reference,
    )
    transfer.operation_id = operation.pk
    transfer.save()
    _audit(
        transfer, "wallet.transfer_started", actor=actor,
        after={"amount": str(transfer.money), "direction": direction, "account": transfer.trading_account_label},
    )  # fmt: skip
    return transfer


def _clearing(transfer: Transfer, server_id: int) -> ledger.Account:
    return ledger.platform_clearing(brand_id=transfer.brand_id, server_id=server_id, currency=transfer.currency)


def _reserve(transfer: Transfer, account: TradingAccount) -> ledger.Posted:
    return ledger.reserve(
        Entry(
            key=f"transfer:{transfer.reference}:reserve",
            kind=JournalKind.TRANSFER,
            brand_id=transfer.brand_id,
            lines=(
                Line(transfer.wallet, -transfer.amount_minor),
                Line(_clearing(transfer, account.server_id), transfer.amount_minor),
            ),
            description=f"{transfer.reference} → {transfer.trading_account_label}",
        )
    )


@transaction.atomic
def finish_transfer(*, operation_id: int, confirmed: bool) -> Transfer | None:
    """The platform confirmed or refused: book it, or give the reserved money back. Twice is once."""
    transfer = (
        Transfer.objects.select_for_update(of=["self"])
        .select_related("wallet", "reservation")
        .filter(operation_id=operation_id)
        .first()
    )
    if transfer is None or transfer.state in (TransferState.SETTLED, TransferState.FAILED):
        return transfer
    operation = BalanceOperation.objects.get(pk=operation_id)
    transfer.finished_at = timezone.now()
    if confirmed:
        transfer.journal_id = _book(transfer, operation).journal_id
        _move(transfer, TransferState.SETTLED)
    else:
        if transfer.reservation is not None:
            posted = ledger.release(key=f"transfer:{transfer.reference}:release", reservation=transfer.reservation)
            transfer.journal_id = posted.journal_id
        transfer.failure = operation.error[:200]
        _move(transfer, TransferState.FAILED)
    transfer.save()
    _audit(transfer, f"wallet.transfer_{transfer.state}", reason=transfer.failure, after={"ticket": operation.ticket})
    if confirmed:
        publish(
            TransferSettled(
                client_id=transfer.client_id, brand_id=transfer.brand_id, transfer_id=transfer.pk,
                amount=transfer.amount, currency=transfer.currency, direction=transfer.direction,
            )
        )  # fmt: skip
    return transfer


def _book(transfer: Transfer, operation: BalanceOperation) -> ledger.Posted:
    if transfer.reservation is not None:
        return ledger.settle(key=f"transfer:{transfer.reference}:settle", reservation=transfer.reservation)
    return ledger.post(
        Entry(
            key=f"transfer:{transfer.reference}:settle",
            kind=JournalKind.TRANSFER,
            brand_id=transfer.brand_id,
            lines=(
                Line(_clearing(transfer, operation.server_id), -transfer.amount_minor),
                Line(transfer.wallet, transfer.amount_minor),
            ),
            description=f"{transfer.reference} ← {transfer.trading_account_label}",
        )
    )


def _move(transfer: Transfer, state: TransferState) -> None:
    if state not in TRANSFER_TRANSITIONS[transfer.state]:
        raise WrongState(_("This transfer is “%(state)s”.") % {"state": transfer.get_state_display()})
    transfer.state = state


def mirror_operations(*, limit: int = 200) -> int:
    """Open transfers follow their operation: shown as unknown while it is, finished should its event have gone astray."""
    ids = list(
        Transfer.objects.filter(
            state__in=[TransferState.SENDING, TransferState.UNKNOWN], created_at__lt=timezone.now() - MIRRORED_AFTER
        ).values_list("operation_id", flat=True)[:limit]
    )
    each(_mirror, BalanceOperation.objects.filter(pk__in=[pk for pk in ids if pk is not None]))
    return len(ids)


def _mirror(operation: BalanceOperation) -> None:
    if operation.is_settled:
        finish_transfer(operation_id=operation.pk, confirmed=operation.state == OperationState.CONFIRMED)
    elif operation.state == OperationState.UNKNOWN:
        _become_unknown(operation.pk)


@transaction.atomic
def _become_unknown(operation_id: int) -> None:
    transfer = Transfer.objects.select_for_update().get(operation_id=operation_id)
    if transfer.state == TransferState.SENDING:
        _move(transfer, TransferState.UNKNOWN)
        transfer.save(update_fields=["state", "updated_at"])
        _audit(transfer, "wallet.transfer_unknown")


def _audit(transfer: Transfer, action: str, *, actor: Any = None, reason: str = "", after: dict | None = None) -> None:
    audit.record(
        actor=actor, action=action, target=transfer, client_id=transfer.client_id, brand_id=transfer.brand_id,
        after={"reference": transfer.reference, "state": transfer.state, **(after or {})}, reason=reason,
    )  # fmt: skip
