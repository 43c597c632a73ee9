"""How far a partner's own agreement reaches: no sub-partner is offered more than it pays the partner who invites them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from crm.i18n import formats
from ib.agreements.cards import CARD, ComponentRow, CpaRow, RateCard, rate_card
from ib.brand_policies import SUB_PARTNER_SHARE
from ib.choices import FIXED, SHARES_OF_MONEY, Component, Network, VersionState
from ib.models import Partner, PartnerPlan, PlanVersion, SubPartnerOffer
from ib.models.plans import RATIO_MOST
from trading.choices import SymbolGroup

HUNDRED: Final = Decimal(100)
PLANS_MAX: Final = 30
OWN: Final = 1  # the level of a partner's own clients


@dataclass(frozen=True)
class Pay:
    """What a version pays for one's own clients at a personal ratio, in its highest rank."""

    version: PlanVersion
    card: RateCard
    percent: Decimal

    @property
    def factor(self) -> Decimal:
        top = max((tier.factor for tier in self.card.tiers.rows), default=Decimal(1))
        return max(top, Decimal(1)) * self.percent / HUNDRED

    def per_lot(self, group: str) -> Decimal:
        return (self.card.of_level(group, OWN) or Decimal(0)) * self.factor

    def of_row(self, row: ComponentRow) -> Decimal:
        """Return what level 1 gets by a row: of a pot the whole share, whatever the ratio and the rank."""
        return row.value * self.card.shares.get(OWN, Decimal(0)) * (1 if row.component in FIXED else self.factor)

    def of_cpa(self, row: CpaRow) -> Decimal:
        """Return what a CPA pays: the whole, whatever the ratio and the rank."""
        return row.amount * self.card.shares.get(OWN, Decimal(0))

    def like(self, row: ComponentRow) -> Decimal:
        """Return what this pays where another version pays a component: by the row that fits accounts and symbol group best."""
        fits = [
            own
            for own in self.card.components
            if own.component == row.component
            and own.markup == row.markup
            and own.accounts in ("", row.accounts)
            and own.group in ("", row.group)
        ]
        if fits:
            return self.of_row(max(fits, key=lambda own: (len(own.accounts), bool(own.group))))
        return self.per_lot(row.group) if row.component == Component.LOT and row.group else Decimal(0)


@dataclass(frozen=True)
class Excess:
    """Where an offer pays more than the agreement allows. most: the limit; is_scaled: whether a lower ratio mends it."""

    text: str
    most: Decimal
    asked: Decimal
    is_scaled: bool


@dataclass(frozen=True)
class Limits:
    """What a partner may offer: their own pay, and the part of its rates that the brand allows them to pass down."""

    own: Pay
    share: Decimal

    def excesses(self, offer: Pay) -> Iterator[Excess]:
        """List where an offer goes beyond the limits, in words with the limit."""
        currency = offer.version.currency
        if currency != self.own.version.currency:
            text = _("This plan pays in %(currency)s, your agreement in %(own)s. Choose a plan in %(own)s.")
            values = {"currency": currency, "own": self.own.version.currency}
            yield Excess(text % values, Decimal(0), Decimal(0), False)
            return
        part = self.share / HUNDRED
        for group in offer.card.groups():
            asked, most = offer.per_lot(group), self.own.per_lot(group) * part
            if asked > most:
                text = _("%(group)s: %(asked)s %(currency)s per lot, your agreement allows %(most)s at most.")
                yield Excess(text % _values(SymbolGroup(group).label, asked, most, currency), most, asked, True)
        for row in offer.card.components:
            asked, most = offer.of_row(row), self.own.like(row) * (1 if row.component in FIXED else part)
            if asked > most:
                yield Excess(_component_text(row, asked, most, currency), most, asked, row.component not in FIXED)
        yield from self._cpa(offer)
        yield from self._caps(offer)

    def _cpa(self, offer: Pay) -> Iterator[Excess]:
        for row in offer.card.cpa:
            fits = [own for own in self.own.card.cpa if own.countries == row.countries or not own.countries]
            own = next((one for one in fits if one.countries == row.countries), fits[0] if fits else None)
            most = self.own.of_cpa(own) if own else Decimal(0)
            where = ", ".join(row.countries) or _("any other country")
            if offer.of_cpa(row) > most:
                text = _("CPA for %(group)s: %(asked)s %(currency)s, your agreement allows %(most)s at most.")
                values = _values(where, offer.of_cpa(row), most, offer.version.currency)
                yield Excess(text % values, most, offer.of_cpa(row), False)
            elif own and (row.min_deposit < own.min_deposit or row.min_lots < own.min_lots):
                text = _("CPA for %(group)s is reached sooner than yours, which needs %(deposit)s and %(lots)s lots.")
                values = {
                    "group": where,
                    "deposit": formats.money(own.min_deposit, offer.version.plan.brand.base_currency),
                    "lots": formats.number(own.min_lots),
                }
                yield Excess(text % values, most, most, False)

    def _caps(self, offer: Pay) -> Iterator[Excess]:
        currency = offer.version.currency
        for text, name in (
            (_("This plan may pay more per day than yours, which is limited to %(most)s."), "cap_day"),
            (_("This plan may pay more per month than yours, which is limited to %(most)s."), "cap_month"),
        ):
            most, asked = getattr(self.own.version, name), getattr(offer.version, name)
            if most is not None and (asked is None or asked > most):
                yield Excess(text % {"most": formats.money(most, currency)}, most, asked or most, False)
        for text, name in (
            (
                _("This plan may pay a larger part of a month's revenue than yours, which is %(most)s %%."),
                "cap_revenue",
            ),
            (_("This plan may pay a larger part of a trade's revenue than yours, which is %(most)s %%."), "cap_upline"),
        ):
            most, asked = getattr(self.own.version, name), getattr(offer.version, name)
            if most is not None and (asked is None or asked > most):
                yield Excess(text % {"most": formats.number(most)}, most, asked or most, False)

    def most_percent(self, version: PlanVersion, card: RateCard) -> Decimal:
        """Find the highest ratio of a plan's rates that fits, to two decimals; 0 where none does."""
        most = RATIO_MOST
        for excess in self.excesses(Pay(version, card, RATIO_MOST)):
            if not excess.is_scaled:
                return Decimal(0)
            most = min(most, RATIO_MOST * excess.most / excess.asked)
        return most.quantize(Decimal("0.01"), rounding=ROUND_DOWN)

    def kept(self, offer: Pay, group: str) -> Decimal:
        """Return what the inviting partner earns per lot of a sub-partner's client, by how their plan pays for the network."""
        if self.own.version.network == Network.DIFFERENCE:
            return max(Decimal(0), self.own.per_lot(group) - offer.per_lot(group))
        of = self.own if self.own.version.network == Network.OWN else offer
        return (of.card.of_level(group, OWN + 1) or Decimal(0)) * of.factor


def _values(group: object, asked: Decimal, most: Decimal, currency: str) -> dict[str, str]:
    return {"group": str(group), "asked": formats.number(asked), "most": formats.number(most), "currency": currency}


def _component_text(row: ComponentRow, asked: Decimal, most: Decimal, currency: str) -> str:
    where = SymbolGroup(row.group).label if row.group else _("all symbol groups")
    values = {"component": Component(row.component).label, "group": where}
    if row.component in SHARES_OF_MONEY:
        text = _("%(component)s on %(group)s: %(asked)s %%, your agreement allows %(most)s %% at most.")
        amounts = {"asked": formats.number(asked * HUNDRED), "most": formats.number(most * HUNDRED)}
        return text % {**values, **amounts}
    text = _("%(component)s on %(group)s: %(asked)s, your agreement allows %(most)s at most.")
    return text % {**values, "asked": formats.number(asked), "most": formats.number(most)}


def limits_of(partner: Partner) -> Limits | None:
    """Read the limits of a partner's usual agreement; None where no plan pays them anything now. Eight queries."""
    held = PartnerPlan.usual.filter(partner=partner, ends_at__isnull=True).first()
    if held is None:
        return None
    version = _versions(Q(plan_id=held.plan_id)).first()
    if version is None:
        return None
    return Limits(Pay(version, rate_card(version), held.percent), Decimal(SUB_PARTNER_SHARE.of(partner.brand)))


def offered_plans(partner: Partner, limits: Limits) -> list[tuple[PlanVersion, RateCard, Decimal]]:
    """List the plans that a partner may offer with the highest ratio of each: their own, and those opened to sub-partners."""
    own = Q(plan_id=limits.own.version.plan_id)
    rows = _versions(own | Q(plan__brand_id=partner.brand_id, plan__is_for_sub_partners=True))[:PLANS_MAX]
    found = [(version, card, limits.most_percent(version, card)) for version in rows if (card := rate_card(version))]
    return [row for row in found if row[2] > 0]


def pay_of(plan_id: int, percent: Decimal) -> Pay | None:
    """Read what a plan pays today at a ratio; None without a version in force."""
    version = _versions(Q(plan_id=plan_id)).first()
    return Pay(version, rate_card(version), percent) if version else None


@dataclass(frozen=True)
class OfferedRates:
    """What an offer pays for own clients: money per lot by symbol group, and what comes beside it."""

    currency: str
    rows: list[tuple[str, Decimal]]
    components: list[str]


def rates_offered(offer: SubPartnerOffer) -> OfferedRates | None:
    """Say what an applicant is offered, before ranks; None where its plan has no version in force."""
    pay = pay_of(offer.plan_id, offer.percent)
    if pay is None:
        return None
    part, currency = offer.percent / HUNDRED, pay.version.currency
    rows = [(str(SymbolGroup(group).label), pay.card.of_level(group, OWN)) for group in pay.card.groups()]
    texts = pay.card.sentences(currency, pay.version.plan.brand.base_currency)
    if texts and offer.percent != HUNDRED:
        texts.append(_("%(percent)s %% of these rates") % {"percent": formats.number(offer.percent)})
    return OfferedRates(currency, [(label, amount * part) for label, amount in rows if amount is not None], texts)


def _versions(which: Q) -> QuerySet[PlanVersion]:
    return (
        PlanVersion.objects.filter(which, state=VersionState.ACTIVE, ends_at__isnull=True)
        .select_related("plan__brand")
        .prefetch_related(*CARD)
        .order_by("plan__name")
    )
