"""Payment service providers: one small protocol (`base`), one module per kind of provider, one door (`adapter_of`)."""

from __future__ import annotations

from django.utils.module_loading import import_string

from wallet.models import Psp
from wallet.psp.base import BaseAdapter, PspAdapter

# By name, so that a provider's own library is loaded by those who use it.
ADAPTERS: dict[str, str] = {
    "sandbox": "wallet.psp.sandbox.SandboxAdapter",
    "stripe": "wallet.psp.stripe.StripeAdapter",
    "adyen": "wallet.psp.adyen.AdyenAdapter",
    "paypal": "wallet.psp.paypal.adapter.PayPalAdapter",
    "btcpay": "wallet.psp.btcpay.adapter.BtcPayAdapter",
    "praxis": "wallet.psp.praxis.adapter.PraxisAdapter",
    "bank_wire": "wallet.psp.bank_wire.adapter.BankWireAdapter",
}


def adapter_class(name: str) -> type[BaseAdapter]:
    """Load the class behind `Psp.adapter`."""
    adapter: type[BaseAdapter] = import_string(ADAPTERS[name])
    return adapter


def adapter_of(psp: Psp) -> PspAdapter:
    """Make the adapter that speaks this PSP's protocol, with its keys."""
    return adapter_class(psp.adapter)(psp)  # type: ignore[return-value]
