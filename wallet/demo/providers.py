"""Providers with protocols of their own in the demo, all played by the sandbox; and how the last calls to each PSP went."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass

from clients.vocabulary import VERIFIED
from crm.conditions import all_of
from crm.db.bulk import copy_models
from crm.demo import Demo
from wallet.choices.psp import CallOutcome
from wallet.models import PaymentMethod, Psp, PspCall
from wallet.psp import adapter_of

CALLS = 60
BANK_IBAN = "DE89370400440532013000"
BEHIND = 10  # after the methods that the history uses


@dataclass(frozen=True, slots=True)
class Provider:
    """A PSP as the demo sets it up; methods by their code, with the group in which they stand in for others."""

    brand: str
    code: str
    name: str
    keys: Mapping[str, str]
    methods: Mapping[str, str]
    currencies: tuple[str, ...] = ("EUR", "USD", "GBP")
    kind: str = "card"
    adapter: str = ""


def _secret(code: str) -> str:
    return f"sandbox-webhook-secret-{code}"


PROVIDERS = (
    Provider(
        "meridian",
        "stripe",
        "Stripe",
        {"api_key": "sandbox-api-key-stripe", "webhook_secret": _secret("stripe"), "account": "acct_sandboxstripe"},
        {"card": "cards", "sepa_debit": ""},
    ),
    Provider(
        "southern",
        "adyen",
        "Adyen",
        {
            "api_key": "sandbox-api-key-adyen",
            "merchant": "SandboxMerchantECOM",
            "webhook_secret": hashlib.sha256(_secret("adyen").encode()).hexdigest().upper(),
            "payout_key": "sandbox-api-key-adyen-payout-submit",
            "payout_review_key": "sandbox-api-key-adyen-payout-review",
            "payout_email": "payouts@southern.example",
            "report_user": "report@Company.SandboxCompany",
            "report_password": "sandbox-api-key-adyen-report",
        },
        {"scheme": "cards", "sepadirectdebit": ""},
    ),
    Provider(
        "meridian",
        "paypal",
        "PayPal",
        {"client_id": "client-paypal", "client_secret": "sandbox-api-key-paypal", "webhook_id": "WH-SANDBOX-0001"},
        {"paypal": ""},
        kind="wallet",
    ),
    Provider(
        "meridian",
        "bankwire",
        "First Bank of Sand",
        {
            "holder": "Keelson Markets Ltd",
            "iban": BANK_IBAN,
            "bic": "COBADEFFXXX",
            "bank": "First Bank of Sand",
            "fetch_token": "sandbox-api-key-bankwire",
        },
        {"wire": ""},
        kind="bank",
        adapter="bank_wire",
    ),
    Provider(
        "southern",
        "btcpay",
        "BTCPay Server",
        {"api_key": "sandbox-api-key-btcpay", "store_id": "store-btcpay", "webhook_secret": _secret("btcpay")},
        {"btc": ""},
        kind="crypto",
    ),
    Provider(
        "southern",
        "praxis",
        "Local methods",
        {"merchant_id": "API-Sandbox", "application_key": "sandbox-application", "webhook_secret": _secret("praxis")},
        {"blik": "", "pix": ""},
        ("EUR", "USD", "PLN", "BRL"),
        kind="cashier",
    ),
)


def make_providers(demo: Demo) -> list[Psp]:
    brands = {brand.code: brand for brand in demo.brands}
    psps, position = [], BEHIND
    for provider in PROVIDERS:
        if provider.brand not in brands:
            continue
        psp = Psp(
            brand=brands[provider.brand],
            code=provider.code,
            name=provider.name,
            adapter=provider.adapter or provider.code,
            base_url=f"sandbox:{provider.code}",
            kind=provider.kind,
        )
        psp.seal_credentials(dict(provider.keys))
        psp.save()
        adapter = adapter_of(psp)
        for method in adapter.methods:
            if method.code not in provider.methods:
                continue
            in_euro = method.code.startswith("sepa")
            PaymentMethod.objects.create(
                psp=psp,
                code=method.code,
                label=str(method.label),
                kind=method.kind,
                condition=all_of(VERIFIED),
                currencies=["EUR"] if in_euro else list(provider.currencies),
                pays_out=bool(method.payout_fields),
                minutes=method.minutes,
                position=position,
                fallback_group=provider.methods[method.code],
                deposit_maximum_minor=5_000_000,
                payout_maximum_minor=5_000_000,
            )
            position += 1
        psps.append(psp)
    return psps


def write_calls(demo: Demo, psps: list[Psp]) -> None:
    """The last hours at each PSP: quick ones and slow ones, one that once gave no answer."""
    rng = random.Random(CALLS)
    calls = []
    for psp in psps:
        usual = rng.randint(60, 320)
        for number in range(CALLS):
            is_lost = rng.random() < 0.01
            calls.append(
                PspCall(
                    psp=psp,
                    at=demo.now - dt.timedelta(minutes=7 * (CALLS - number)),
                    operation=f"POST /{psp.code}/v1/payments",
                    outcome=CallOutcome.UNKNOWN if is_lost else CallOutcome.ANSWERED,
                    status=0 if is_lost else 201,
                    milliseconds=10_000 if is_lost else int(usual * rng.uniform(0.6, 1.9)),
                )
            )
    copy_models(calls)
