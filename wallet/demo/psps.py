"""The demo's six PSPs: three per brand, all played by the sandbox."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from clients.vocabulary import NOT_HIGH_RISK, VERIFIED
from crm.conditions import all_of, always
from crm.demo import Demo
from wallet.choices.psp import PspKind
from wallet.choices.reconciliation import RowType
from wallet.models import PaymentMethod, Psp, PspCost


@dataclass(frozen=True, slots=True)
class Offer:
    """A PSP as the demo sets it up, and what it charges (so that both sides of the history agree)."""

    brand: str
    code: str
    name: str
    kind: PspKind
    currencies: tuple[str, ...]
    weight: int
    basis_points: int
    fixed_minor: int
    payout_minor: int
    minutes: int

    def fee(self, minor: int) -> int:
        return min((minor * self.basis_points + 5_000) // 10_000 + self.fixed_minor, minor)


OFFERS = (
    Offer("meridian", "northpay", "Northpay", PspKind.CARD, ("EUR", "USD", "GBP", "CHF"), 6, 190, 25, 100, 2),
    Offer("meridian", "sepalink", "SEPA Link", PspKind.BANK, ("EUR",), 3, 0, 35, 35, 1440),
    Offer("meridian", "kassa", "Kassa Local", PspKind.CASHIER, ("EUR", "USD"), 1, 320, 10, 200, 10),
    Offer("southern", "cardinal", "Cardinal Acquiring", PspKind.CARD, ("USD", "EUR", "GBP"), 5, 240, 30, 150, 2),
    Offer("southern", "quickpurse", "QuickPurse", PspKind.WALLET, ("USD", "EUR", "GBP"), 3, 290, 0, 50, 2),
    Offer("southern", "coinharbor", "Coin Harbor", PspKind.CRYPTO, ("USD", "EUR"), 2, 100, 0, 0, 30),
)
OFFER = {offer.code: offer for offer in OFFERS}
LATE = "kassa"  # whose report of the last days is not here yet


def make_psps(demo: Demo) -> list[Psp]:
    brands = {brand.code: brand for brand in demo.brands}
    psps = []
    for position, offer in enumerate(OFFERS):
        psp = Psp(brand=brands[offer.brand], code=offer.code, name=offer.name, kind=offer.kind)
        psp.seal_credentials(
            {
                "api_key": f"sandbox-api-key-{offer.code}",
                "webhook_secret": f"sandbox-webhook-secret-{offer.code}",
                "merchant": f"merchant-{offer.code}",
            }
        )
        psp.save()
        PaymentMethod.objects.create(
            psp=psp,
            label=offer.name,
            kind=offer.kind,
            currencies=list(offer.currencies),
            position=position,
            deposit_minimum_minor=1_000,
            deposit_maximum_minor=5_000_000,
            payout_minimum_minor=1,
            payout_maximum_minor=5_000_000,
            condition=all_of(VERIFIED, NOT_HIGH_RISK) if offer.kind == PspKind.CRYPTO else always(),
            minutes=offer.minutes,
            fallback_group="cards" if offer.kind == PspKind.CARD else "",
            deposit_fee_basis_points=50 if offer.kind == PspKind.CASHIER else 0,
        )
        psps.append(psp)
    return psps


def make_costs(demo: Demo) -> None:
    """What was agreed with the PSP whose fees are fixed: a row with another fee becomes a break."""
    offer = OFFER["sepalink"]
    psp = Psp.objects.filter(code=offer.code).first()
    if psp is not None:
        PspCost.objects.bulk_create(
            PspCost(
                psp=psp,
                type=type,
                currency=currency,
                basis_points=offer.basis_points,
                fixed_minor=fixed,
                valid_from=demo.since.date() - dt.timedelta(days=30),
            )
            for currency in offer.currencies
            for type, fixed in ((RowType.PAYMENT, offer.fixed_minor), (RowType.PAYOUT, offer.payout_minor))
        )
