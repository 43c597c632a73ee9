"""Calls to a provider, watched: since when has none been answered? Pages tell clients, and the fallback policy counts from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone

from crm.errors import outcome_of
from kyc.models import KycProvider
from kyc.providers.adapters import adapter_of
from kyc.providers.protocol import ProviderRefused, ProviderTemporary, ProviderUnknown


@contextmanager
def watched(provider: KycProvider) -> Iterator[None]:
    """Note whether a call was answered; a refusal is an answer, and so is being asked to slow down."""
    try:
        yield
    except ProviderRefused:
        _answered(provider)
        raise
    except (ProviderTemporary, ProviderUnknown) as error:
        if getattr(error, "is_answer", False):
            _answered(provider)
        elif provider.failing_since is None:
            KycProvider.objects.filter(pk=provider.pk, failing_since=None).update(failing_since=timezone.now())
        raise
    _answered(provider)


def _answered(provider: KycProvider) -> None:
    if provider.failing_since is not None:
        KycProvider.objects.filter(pk=provider.pk).update(failing_since=None)
        provider.failing_since = None


def probe_failing() -> int:
    """Ask every provider that doesn't answer whether it does again; return how many do. Without a call nobody would know."""
    back = 0
    for provider in KycProvider.objects.filter(is_enabled=True, failing_since__isnull=False):
        outcome_of(lambda provider=provider: _probe(provider))  # type: ignore[misc]
        back += provider.failing_since is None
    return back


def _probe(provider: KycProvider) -> None:
    with watched(provider):
        adapter_of(provider).check_connection()
