"""Decides which payment methods a client is offered, in which order, and why each of the others is not.

Each method is judged separately: brand, currency, country, amount, verification, risk. While its PSP is down, the next
one of the same fallback group takes its place; while it is up, the others of the group wait behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.choices import Gate
from clients.country_rules.gates import may
from clients.models import Client
from clients.vocabulary import CLIENT
from crm.conditions import readable
from crm.errors import DomainError
from crm.i18n import formats
from crm.money.amounts import Money, from_minor, to_minor
from crm.rates import fx
from wallet.core.fees import Fee, FromBase
from wallet.deposits import unverified
from wallet.models import PaymentMethod, Psp

FREE = Fee(0, 0)


class Direction(StrEnum):
    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Offer:
    """One method for one client and currency. `refusal` is empty when it is offered. Amounts in that currency."""

    method: PaymentMethod
    currency: str
    refusal: str = ""
    stands_in_for: PaymentMethod | None = None
    minimum_minor: int = 0
    maximum_minor: int = 0
    fee: Fee = FREE

    @property
    def is_offered(self) -> bool:
        return not self.refusal

    @property
    def minimum(self) -> Money:
        return Money.of_minor(self.minimum_minor, self.currency)

    @property
    def maximum(self) -> Money:
        return Money.of_minor(self.maximum_minor, self.currency)

    @property
    def fee_percent(self) -> Decimal:
        return Decimal(self.fee.basis_points) / 100

    @property
    def fee_fixed(self) -> Decimal:
        return from_minor(self.fee.fixed_minor, self.currency)

    @property
    def is_free(self) -> bool:
        return not self.fee.basis_points and not self.fee.fixed_minor


def methods_of(brand_id: int) -> QuerySet[PaymentMethod]:
    """List the brand's methods with their PSPs, in the brand's order."""
    return (
        PaymentMethod.objects.filter(psp__brand_id=brand_id)
        .select_related("psp")
        .defer("psp__sealed_credentials")
        .order_by("position", "pk")
    )


def judge(
    client: Client, currency: str, *, way: Direction = Direction.IN, amount: Decimal | None = None
) -> list[Offer]:
    """Judge every method of the client's brand: offered, or the reason why not. One query."""
    return judge_methods(list(methods_of(client.brand_id)), client, currency, way=way, amount=amount)


def judge_methods(
    methods: list[PaymentMethod],
    client: Client,
    currency: str,
    *,
    way: Direction = Direction.IN,
    amount: Decimal | None = None,
) -> list[Offer]:
    """Judge methods that were read already, as `judge` does: no query but for exchange rates."""
    worth = FromBase(client.brand, currency)
    rule = unverified.rule_for(client) if way == Direction.IN else None
    offers = [_judged(method, client, worth, way, amount) for method in methods]
    if way == Direction.IN and not may(client, Gate.DEPOSIT):
        closed = _("The brand's country and age rules don't let the client deposit.")
        offers = [replace(offer, refusal=closed) if offer.is_offered else offer for offer in offers]
    if rule is not None and rule.kinds:
        offers = [
            replace(offer, refusal=_("Not allowed before verification (%(source)s).") % {"source": rule.source})
            if offer.is_offered and offer.method.kind not in rule.kinds
            else offer
            for offer in offers
        ]
    offers = [
        replace(offer, refusal=_("Not available at this verification level."))
        if offer.is_offered and not unverified.allows_method(client, offer.method.kind)
        else offer
        for offer in offers
    ]
    return _in_groups(offers)


def offered(
    client: Client, currency: str, *, way: Direction = Direction.IN, amount: Decimal | None = None
) -> list[Offer]:
    """List the methods that are offered to a client in a currency, in the brand's order."""
    return [offer for offer in judge(client, currency, way=way, amount=amount) if offer.is_offered]


def deposit_currencies(client: Client) -> list[str]:
    """List the currencies in which some method is offered to the client, the brand's own first."""
    methods, base = list(methods_of(client.brand_id)), client.brand.base_currency
    known = sorted({code for method in methods if method.is_enabled for code in method.currencies})
    currencies = [code for code in known if any(not _refusal(method, client, code, Direction.IN) for method in methods)]
    return sorted(currencies, key=lambda code: (code != base, code)) or [base]


def require_offer(
    method: PaymentMethod, client: Client, currency: str, amount: Decimal, *, way: Direction = Direction.IN
) -> Offer:
    """Return the offer behind a client's choice. Raises DomainError with a sentence for the client."""
    for offer in judge(client, currency, way=way, amount=amount):
        if offer.method.pk == method.pk:
            if offer.refusal:
                raise DomainError(_words_for_client(offer, client, amount))
            return offer
    raise DomainError(_("%(method)s isn't available to you.") % {"method": method})


def pays_out(psp: Psp, currency: str) -> bool:
    """Tell whether a PSP pays out in a currency by any of its methods."""
    return (
        psp.is_enabled
        and PaymentMethod.objects.filter(
            psp=psp, is_enabled=True, pays_out=True, currencies__contains=[currency]
        ).exists()
    )


# ── the judgement ────────────────────────────────────────────────────────────────────────────────────────────────────


def _judged(method: PaymentMethod, client: Client, worth: FromBase, way: Direction, amount: Decimal | None) -> Offer:
    currency = worth.currency
    offer = Offer(method, currency, _refusal(method, client, currency, way))
    if offer.refusal and currency not in method.currencies:
        return offer
    low, high = (
        (method.deposit_minimum_minor, method.deposit_maximum_minor)
        if way == Direction.IN
        else (method.payout_minimum_minor, method.payout_maximum_minor)
    )
    points, fixed = (
        (method.deposit_fee_basis_points, method.deposit_fee_fixed_minor)
        if way == Direction.IN
        else (method.payout_fee_basis_points, method.payout_fee_fixed_minor)
    )
    try:
        offer = replace(
            offer, minimum_minor=worth.least(low), maximum_minor=worth.most(high), fee=Fee(points, worth.fee(fixed))
        )
        if amount is None or offer.refusal:
            return offer
        in_brand = worth.in_base(amount)
    except fx.NoRate:
        return replace(offer, refusal=_("There is no exchange rate for %(currency)s.") % {"currency": currency})
    if in_brand < low:
        return replace(offer, refusal=_("Below the minimum of %(amount)s.") % {"amount": formats.money(offer.minimum)})
    if in_brand > high:
        return replace(offer, refusal=_("Above the maximum of %(amount)s.") % {"amount": formats.money(offer.maximum)})
    return offer


def _refusal(method: PaymentMethod, client: Client, currency: str, way: Direction) -> str:
    """Return the first reason that doesn't depend on the amount, as a sentence for staff; empty when there is none."""
    if not method.is_enabled:
        return _("This method is disabled.")
    if not method.psp.is_enabled:
        return _("%(psp)s is disabled.") % {"psp": method.psp}
    if not (method.takes_deposits if way == Direction.IN else method.pays_out):
        return (
            _("This method doesn't support deposits.")
            if way == Direction.IN
            else _("This method doesn't support withdrawals.")
        )
    if currency not in method.currencies:
        return _("%(currency)s isn't supported.") % {"currency": currency}
    if way == Direction.IN and not client.brand.offers_currency(currency):
        return _("The brand doesn't offer %(currency)s.") % {"currency": currency}
    for_whom = readable(method.condition, CLIENT)
    if for_whom is None:
        return _("The conditions of this method can't be read any more. Edit the method.")
    unmet = for_whom.failing(client, timezone.now())
    if unmet:
        return _("Only offered where %(condition)s.") % {"condition": unmet}
    if method.psp.is_down:
        return _("%(psp)s isn't responding.") % {"psp": method.psp}
    return ""


def _in_groups(offers: list[Offer]) -> list[Offer]:
    """Offer only the first possible method of each fallback group; it stands in for those before it that are down."""
    first: dict[str, PaymentMethod] = {}
    down: dict[str, PaymentMethod] = {}
    judged = []
    for offer in offers:
        group = offer.method.fallback_group
        if group and offer.is_offered:
            if group in first:
                offer = replace(offer, refusal=_("Fallback for %(method)s.") % {"method": first[group]})
            else:
                first[group] = offer.method
                offer = replace(offer, stands_in_for=down.get(group))
        elif group and offer.method.psp.is_down and offer.method.is_enabled:
            down.setdefault(group, offer.method)
        judged.append(offer)
    return judged


def _words_for_client(offer: Offer, client: Client, amount: Decimal) -> str:
    """Say what the client may know of the reason: limits and outages, not how they are rated."""
    method, currency = offer.method, offer.currency
    if method.psp.is_down:
        return _("%(method)s isn't responding right now. Choose another method.") % {"method": method}
    rule = unverified.rule_for(client)
    if rule is not None and rule.kinds and method.kind not in rule.kinds:
        return _("Until you're verified, you can only deposit by bank transfer from your own account.")
    if not unverified.allows_method(client, method.kind):
        return _("This payment method isn't available at your verification level.")
    if not _refusal(method, client, currency, Direction.IN) and offer.maximum_minor:
        minor = to_minor(amount, currency)
        if minor < offer.minimum_minor:
            return _("The minimum deposit is %(amount)s.") % {"amount": formats.money(offer.minimum)}
        if minor > offer.maximum_minor:
            return _("The maximum deposit is %(amount)s.") % {"amount": formats.money(offer.maximum)}
    return _("%(method)s isn't available to you in %(currency)s.") % {"method": method, "currency": currency}
