"""What leaves today in the demo: exchanges, a withdrawal in parts, and a refund that waits for a second person."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from crm.choices import Role
from crm.demo import Demo
from crm.errors import DomainError
from crm.money.amounts import from_minor, quantize
from wallet.choices.deposits import DepositState
from wallet.choices.ledger import AccountKind
from wallet.choices.psp import PspKind
from wallet.deposits import policies
from wallet.disputes.refunds import start_refund
from wallet.models import Balance, Deposit
from wallet.transfers.exchanges import exchange
from wallet.transfers.quotes import ask_quote
from wallet.withdrawals.payout_methods import PayoutMethod, payout_methods
from wallet.withdrawals.refundable_deposits import sources_of
from wallet.withdrawals.verbs import WithdrawalRequest, request_withdrawal

LOOKED_AT_MAX = 60
ENOUGH_MINOR = 10_000
EXCHANGES, IN_PARTS, REFUNDS = 3, 2, 2


def tell(demo: Demo) -> None:
    """A few by the verbs that clients and staff use; what a client can't do today is left out."""
    purses = list(
        Balance.objects.filter(
            account__kind=AccountKind.CLIENT_WALLET,
            account__client__user__isnull=False,
            account__client__kyc_level__gt=1,
            account__client__restrictions=[],
        )
        .select_related("account__client__brand", "account__client__user")
        .order_by("-account_id")[:LOOKED_AT_MAX]
    )
    purses = [purse for purse in purses if purse.available_minor >= ENOUGH_MINOR]
    _some(EXCHANGES, (_exchange(purse) for purse in purses))
    _some(IN_PARTS, (_in_parts(purse) for purse in reversed(purses)))
    _some(REFUNDS, _refunds(demo))


def _some(count: int, tries: Iterator[bool]) -> None:
    for done in tries:
        count -= done
        if count <= 0:
            return


def _exchange(purse: Balance) -> bool:
    """A fifth of the wallet into dollars, or euros."""
    client, given = purse.account.client, purse.account.currency
    assert client is not None
    amount = quantize(from_minor(purse.available_minor, given) / 5, given)
    try:
        quote = ask_quote(
            client_id=client.pk, given=given, got="EUR" if given != "EUR" else "USD", amount=amount, actor=client.user
        )
        exchange(client_id=client.pk, quote_id=quote.pk, request_key=f"demo:exchange:{client.pk}", actor=client.user)
    except DomainError:
        return False
    return True


def _in_parts(purse: Balance) -> bool:
    """More than the oldest card payment brought: it goes back there first, the rest by another way."""
    client, currency = purse.account.client, purse.account.currency
    assert client is not None
    source = next(iter(sources_of(client, currency)), None)
    purse.refresh_from_db()
    if source is None or not source.is_refundable or source.kind != PspKind.CARD or source.left_minor < 2_000:
        return False
    wanted = min(purse.available_minor, source.left_minor + 4_000)
    others = [one for one in payout_methods(client, currency) if one.psp.pk != source.deposit.psp_id]
    if not others or wanted <= source.left_minor:
        return False
    try:
        request_withdrawal(
            client_id=client.pk,
            request=WithdrawalRequest(
                psp_id=others[0].psp.pk,
                method=others[0].code,
                amount=from_minor(wanted, currency),
                currency=currency,
                destination=_somewhere(client.pk, client.full_name, others[0]),
            ),
            request_key=f"demo:parts:{client.pk}",
            actor=client.user,
        )
    except DomainError:
        return False
    return True


def _somewhere(number: int, name: str, method: PayoutMethod) -> dict[str, str]:
    known = {
        "iban": f"DE02 5001 0517 {number:08d}00",
        "holder": name,
        "account": f"client{number}@example.com",
        "address": f"0x{number:040x}",
        "card": "•••• 4242",
        "email": f"client{number}@example.com",
    }
    return {field: known.get(field, name) for field in method.fields}


def _refunds(demo: Demo) -> Iterator[bool]:
    """Half of a deposit, asked for by finance."""
    people = demo.by_role.get(Role.FINANCE.value, [])
    paid = (
        Deposit.objects.filter(state=DepositState.SETTLED, refunded_minor=0)
        .exclude(psp_reference="")
        .select_related("client__brand", "psp", "wallet")
        .order_by("-settled_at", "-pk")[:LOOKED_AT_MAX]
    )
    for deposit in paid:
        person = next((one for one in people if policies.can_refund_deposit(one, deposit)), None)
        if person is None or Balance.objects.get(pk=deposit.wallet_id).available_minor < deposit.amount_minor:
            continue
        currency = deposit.received_currency
        half = quantize(from_minor(deposit.amount_minor, currency) / Decimal(2), currency)
        try:
            start_refund(
                deposit_id=deposit.pk,
                amount=half,
                reason="Paid twice by mistake, as the client wrote",
                request_key=f"demo:refund:{deposit.pk}",
                actor=person,
            )
        except DomainError:
            continue
        yield True
