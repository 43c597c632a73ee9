"""Providers of the sandbox as rows of ours: which adapter, which keys, which currencies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils import timezone

from sandbox.psp.characters import CHARACTERS
from sandbox.psp.dialects.bankwire import BANK, BIC, HOLDER, IBAN
from sandbox.psp.dialects.btcpay import STORE
from sandbox.psp.dialects.paypal import WEBHOOK_ID
from sandbox.psp.dialects.praxis import APPLICATION, MERCHANT
from tests.sandbox.psp.running import running_psp, webhook_catcher
from tests.wallet.conftest import Outside, load_rates
from tests.wallet.factories import make_psp
from wallet.deposits.verbs import DepositRequest, start_deposit
from wallet.models import Deposit, Psp
from wallet.psp import adapter_of
from wallet.psp.values import PayoutOrder, SentPayout

METHODS = {"paypal": "paypal", "btcpay": "btc", "praxis": "", "bankwire": "wire"}
KEYS: dict[str, dict[str, str]] = {
    "paypal": {"client_id": "client-paypal", "client_secret": CHARACTERS["paypal"].api_key, "webhook_id": WEBHOOK_ID},
    "btcpay": {
        "api_key": CHARACTERS["btcpay"].api_key,
        "store_id": STORE,
        "webhook_secret": CHARACTERS["btcpay"].webhook_secret,
    },
    "praxis": {
        "merchant_id": MERCHANT,
        "application_key": APPLICATION,
        "webhook_secret": CHARACTERS["praxis"].webhook_secret,
    },
    "bankwire": {
        "holder": HOLDER,
        "iban": IBAN,
        "bic": BIC,
        "bank": BANK,
        "fetch_token": CHARACTERS["bankwire"].api_key,
    },
}
ADAPTERS = {"bankwire": "bank_wire"}


def make_provider(brand: Any, code: str, base_url: str, **fields: Any) -> Psp:
    """A PSP with its keys and one way to pay: `code` and the other fields are the method's."""
    character = CHARACTERS[code]
    fields = {"currencies": list(character.currencies), "codes": (METHODS[code],), **fields}
    psp = make_psp(
        brand,
        code,
        base_url=f"{base_url}/{code}",
        adapter=ADAPTERS.get(code, code),
        kind=character.kind.value,
        **fields,
    )
    psp.name = character.name
    psp.seal_credentials(KEYS[code])
    psp.save()
    return psp


@contextmanager
def provider(cast: Any, tmp_path: Path, code: str, **fields: Any) -> Iterator[Outside]:
    """The sandbox runs, its webhooks are caught, and our brand has an account there."""
    load_rates()
    with webhook_catcher() as catcher, running_psp(tmp_path / "psp.sqlite", catcher.url) as running:
        yield Outside(running, catcher, make_provider(cast.brand, code, running.url, **fields))


def start(cast: Any, outside: Outside, amount: str = "500", *, key: str = "k1", currency: str = "EUR") -> Deposit:
    return start_deposit(
        client_id=cast.client.pk,
        request=DepositRequest(
            psp_id=outside.psp.pk, method=METHODS[outside.psp.code], amount=Decimal(amount), currency=currency
        ),
        request_key=key,
        return_url="http://room.example/deposits/{reference}/",
        actor=cast.client.user,
    )


def order(reference: str, minor: int = 20_000, currency: str = "EUR", **destination: str) -> PayoutOrder:
    return PayoutOrder(reference=reference, amount_minor=minor, currency=currency, destination=destination)


def sent_payout(reference: str) -> SentPayout:
    """A payout whose answer we never had."""
    return SentPayout(reference, psp_reference="", sent_at=None)


def judged(psp: Psp, headers: dict[str, str], body: bytes, *, later: dt.timedelta = dt.timedelta()) -> Any:
    return adapter_of(psp).judge_webhook(body, headers, now=timezone.now() + later)
