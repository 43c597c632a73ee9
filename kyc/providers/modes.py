"""Who checks identity at a brand today: the built-in checks, its KYC provider, or both."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from crm.models import Brand
from kyc.brand_policies import KYC_PROVIDER_FALLBACK_HOURS, KYC_VERIFIED_BY
from kyc.models import KycProvider
from kyc.providers.choices import VerifiedBy


def provider_of(brand: Brand) -> KycProvider | None:
    """Find the provider that a brand uses; None where none is set up and in use."""
    return KycProvider.objects.filter(brand=brand, is_enabled=True).first()


def verified_by(brand: Brand) -> VerifiedBy:
    """Return who decides at a brand now. No query where the policy says built-in.

    A provider that hasn't answered for the hours of the fallback policy is replaced by the built-in checks until it does.
    """
    wanted = VerifiedBy(KYC_VERIFIED_BY.of(brand))
    if wanted == VerifiedBy.BUILT_IN:
        return wanted
    provider = provider_of(brand)
    return VerifiedBy.BUILT_IN if provider is not None and is_replaced(provider, brand) else wanted


def is_provider_alone(brand: Brand) -> bool:
    """Tell whether clients of a brand verify through its provider only: there is one in use, and the built-in checks don't decide.

    No query where the policy says built-in.
    """
    return verified_by(brand) == VerifiedBy.PROVIDER and provider_of(brand) is not None


def is_replaced(provider: KycProvider, brand: Brand) -> bool:
    """Tell whether the built-in checks decide meanwhile, because the provider hasn't answered for so long."""
    hours = KYC_PROVIDER_FALLBACK_HOURS.of(brand)
    if not hours or provider.failing_since is None:
        return False
    return provider.failing_since + dt.timedelta(hours=hours) <= timezone.now()
