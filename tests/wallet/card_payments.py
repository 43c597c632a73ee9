"""A card deposit through a provider's own page, for the tests of each provider: started, paid, settled."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx

from wallet.choices.deposits import DepositState
from wallet.deposits.verbs import DepositRequest, start_deposit
from wallet.ledger import posting
from wallet.models import Deposit
from wallet.psp.values import DepositIntent

CARD = {"payer_name": "Clara Weber", "card_number": "4242424242424242", "expiry": "12/39", "cvc": "123"}


def starter(method: str) -> Callable[..., Deposit]:
    """How the client begins one by this method."""

    def start(cast: Any, outside: Any, amount: str = "500", *, key: str = "k1") -> Deposit:
        return start_deposit(
            client_id=cast.client.pk,
            request=DepositRequest(psp_id=outside.psp.pk, method=method, amount=Decimal(amount), currency="EUR"),
            request_key=key,
            return_url="http://room.example/deposits/{reference}/",
            actor=cast.client.user,
        )

    return start


def settler(start: Callable[..., Deposit]) -> Callable[..., Deposit]:
    """One that is paid and in the wallet."""

    def settled(cast: Any, outside: Any) -> Deposit:
        deposit = start(cast, outside)
        pay(deposit)
        outside.deliver(wait_for=2)
        deposit.refresh_from_db()
        assert deposit.state == DepositState.SETTLED
        return deposit

    return settled


def pay(deposit: Deposit, **card: str) -> httpx.Response:
    return httpx.post(deposit.redirect_url, data={**CARD, "action": "pay", **card})


def wallet_balance(cast: Any) -> int:
    return posting.balance(posting.wallet_of(cast.client, "EUR"))


def intent(reference: str = "D-1", **fields: Any) -> DepositIntent:
    return DepositIntent(reference, 5_000, "EUR", "http://room.example/", "Meridian", **fields)
