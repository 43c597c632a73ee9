"""Which providers there are."""

from __future__ import annotations

from typing import Final

from kyc.models import KycProvider
from kyc.providers.protocol import KycAdapter
from kyc.providers.sumsub.adapter import SumsubAdapter

ADAPTERS: Final[dict[str, type[SumsubAdapter]]] = {"sumsub": SumsubAdapter}


def adapter_of(provider: KycProvider) -> KycAdapter:
    """Make the adapter that speaks to a provider with its keys."""
    return ADAPTERS[provider.adapter](provider)
