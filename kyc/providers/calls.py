"""Providers that don't answer, which the fallback policy counts from: without a call nobody would know that one is back."""

from __future__ import annotations

from crm.connections.http import probe
from crm.errors import outcome_of
from kyc.models import KycProvider
from kyc.providers.adapters import adapter_of


def probe_failing() -> int:
    """Ask every provider that doesn't answer whether it does again; return how many do."""
    back = 0
    for provider in KycProvider.objects.filter(is_enabled=True, failing_since__isnull=False):
        outcome_of(lambda provider=provider: probe(provider, adapter_of(provider)))  # type: ignore[misc]
        back += provider.failing_since is None
    return back
