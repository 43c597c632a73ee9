"""Country rules of the demo's brands: what each decided before its launch, a change to come, and one that waits."""

from __future__ import annotations

import datetime as dt
from typing import Final

from clients.choices import CountryBand, Gate, Product
from clients.country_rules.changes import propose_country_rules, write_rules
from clients.country_rules.groups import EEA
from clients.country_rules.rules import NO_LIMITS, Limits
from crm.brand_policies.registry import today
from crm.choices import Role
from crm.demo import Demo
from crm.models import Brand, User

ALL: Final = tuple(Gate)
LEADS_AND_MONEY_OUT: Final = (Gate.LEAD, Gate.LOGIN, Gate.WITHDRAWAL)
NO_NEW_MONEY: Final = (Gate.LOGIN, Gate.WITHDRAWAL)
# Brand → (countries, band, gates, reason).
RULES: Final = {
    "meridian": (
        (tuple(sorted(EEA - {"BE"})), CountryBand.LOW, ALL, "EEA passport of the licence"),
        (("BE",), CountryBand.PROHIBITED, NO_NEW_MONEY, "Belgian ban on retail CFDs (FSMA, 2016)"),
        (("NG", "PK", "VN"), CountryBand.HIGH, ALL, "FATF increased monitoring: enhanced due diligence"),
        (("CA", "JP"), CountryBand.PROHIBITED, NO_NEW_MONEY, "No licence in the country"),
    ),
    "southern": (
        (("AU", "NZ"), CountryBand.LOW, ALL, "Home markets of the licence"),
        (("PH", "VN"), CountryBand.HIGH, LEADS_AND_MONEY_OUT, "Payments can't be screened reliably"),
        ((*sorted(EEA), "GB"), CountryBand.PROHIBITED, NO_NEW_MONEY, "No licence in Europe: clients go to Meridian"),
    ),
}

RETAIL_LIMITS: Final[dict[tuple[str, ...], Limits]] = {
    ("BE",): Limits(not_for_retail=frozenset({Product.CFD, Product.CRYPTO_CFD, Product.BONUS}))
}


def write_rules_of_brands(demo: Demo) -> None:
    since = demo.since.date()
    for brand in demo.brands:
        for countries, band, gates, reason in RULES.get(brand.code, ()):
            limits = RETAIL_LIMITS.get(countries, NO_LIMITS)
            write_rules(brand, countries, band, gates, since, actor=None, reason=reason, limits=limits)
        _plan(brand)


def _plan(brand: Brand) -> None:
    """Plan one change for next month, and propose another as the brand's MLRO."""
    day = today(brand)
    write_rules(
        brand,
        ["TR"],
        CountryBand.HIGH,
        ALL,
        day + dt.timedelta(days=30),
        actor=None,
        reason="Group risk assessment of this year",
    )
    mlro = User.objects.filter(brand=brand, is_active=True, groups__name=Role.MLRO).order_by("pk").first()
    if mlro is not None:
        propose_country_rules(
            brand_id=brand.pk,
            countries=["IN"],
            band=CountryBand.HIGH,
            accepted=[Gate.LEAD, Gate.REGISTRATION, Gate.LOGIN, Gate.WITHDRAWAL],
            effective_on=day,
            actor=mlro,
            reason="Local rules on leveraged products under review",
        )
