"""What a version of a plan says: rates, levels, fixed amounts, components and terms; read, checked and written as one thing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.i18n import formats
from ib.calculation.excluded import MIRROR_SECONDS
from ib.choices import MONTHLY, OF_REVENUE, OF_SALES, SHARES_OF_MONEY, Component, ExcludedTrade, Network, TierBasis
from ib.models import PlanComponent, PlanCpa, PlanLevel, PlanOverride, PlanRate, PlanTier, PlanVersion
from trading.choices import SymbolGroup

CPA_DECIMALS: Final = ("amount", "min_deposit", "min_lots")


@dataclass(frozen=True, order=True)
class ComponentRow:
    """What a component pays for a symbol group ('' for all) on accounts of a platform group ('' for all).

    value: money per lot or pips, or a share of money (0 to 1). cap: the most a trade, or a client's month, pays for all levels,
    in the version's currency. markup: pips added to the spread, for a share of it only.
    """

    component: str
    group: str
    accounts: str
    value: Decimal
    cap: Decimal | None = None
    markup: Decimal | None = None

    def sentence(self, currency: str) -> str:
        """Say what the row pays, as a sentence."""
        words = {
            "value": formats.number(self.value * 100 if self.component in SHARES_OF_MONEY else self.value),
            "currency": currency,
            "markup": formats.number(self.markup or Decimal(0)),
            "group": SymbolGroup(self.group).label if self.group else _("all symbol groups"),
        }
        text = {
            Component.LOT: _("%(value)s %(currency)s per lot on %(group)s"),
            Component.PIP: _("%(value)s pips of the closed volume on %(group)s"),
            Component.POINT: _(
                "%(value)s points of the closed volume on %(group)s; a point is the last digit of the price"
            ),
            Component.SPREAD: _("%(value)s %% of the spread mark-up of %(markup)s pips on %(group)s"),
            Component.COMMISSION: _("%(value)s %% of the commission that the platform charges on %(group)s"),
            Component.LOSS: _("%(value)s %% of the client's net loss on %(group)s; a client's gain counts against it"),
            Component.REVENUE: _(
                "%(value)s %% of the net revenue from each client per month: mark-up, commission, swaps and fees, less bonuses"
            ),
            Component.NET_RESULT: _(
                "%(value)s %% of the net revenue from each client per month: what the client lost, commission, swaps and fees,"
                " less bonuses"
            ),
            Component.POT: _(
                "A pot of %(value)s %(currency)s per month, divided by the lots that all clients under the plan close in it"
            ),
            Component.SALE: _(
                "%(value)s %(currency)s for each challenge that a client buys, unless its fee is returned"
            ),
            Component.SALE_SHARE: _(
                "%(value)s %% of the fee of each challenge that a client buys, unless it is returned"
            ),
        }[Component(self.component)] % words
        if self.accounts:
            text = _("%(text)s, accounts %(accounts)s") % {"text": text, "accounts": self.accounts}
        if self.cap is not None:
            most = _("%(text)s, at most %(cap)s per trade")
            if self.component in MONTHLY:
                most = _("%(text)s, at most %(cap)s per client and month")
            if self.component in OF_SALES:
                most = _("%(text)s, at most %(cap)s per challenge")
            text = most % {"text": text, "cap": formats.money(self.cap, currency)}
        return text


@dataclass(frozen=True)
class CpaRow:
    """What is paid once for a client of these countries (none: all others) who qualifies.

    amount: in the version's currency. min_deposit: in the brand's. min_lots: closed, in the broker's lots. Both within the days
    since the client's first referral.
    """

    countries: tuple[str, ...]
    amount: Decimal
    min_deposit: Decimal = Decimal(0)
    min_lots: Decimal = Decimal(0)
    within_days: int = 90

    def sentence(self, currency: str, base_currency: str) -> str:
        """Say what the row pays and what for, as a sentence."""
        return _(
            "%(amount)s once for a client from %(countries)s who pays in %(deposit)s and closes %(lots)s lots within %(days)s days"
        ) % {
            "amount": formats.money(self.amount, currency),
            "countries": ", ".join(self.countries) or _("any other country"),
            "deposit": formats.money(self.min_deposit, base_currency),
            "lots": formats.number(self.min_lots),
            "days": self.within_days,
        }


@dataclass(frozen=True)
class TierRow:
    """A rank from so many lots on, which is paid `factor` × the version's rates (1.2: 120 %)."""

    name: str
    lots: Decimal
    factor: Decimal


@dataclass(frozen=True)
class Tiers:
    """The ranks of a version, lowest first, and how one is decided on the first of each month.

    basis: whose trades count. months: full months before it, together. grace: reviews that a rank outlasts below its volume.
    """

    rows: tuple[TierRow, ...] = ()
    basis: str = TierBasis.OWN
    months: int = 1
    grace: int = 0

    def sentences(self) -> list[str]:
        """Say what each rank pays and how it is reached and lost."""
        if not self.rows:
            return []
        rules = ngettext(
            "Ranks are decided on the first of each month by the lots closed in the last full month. %(basis)s count.",
            "Ranks are decided on the first of each month by the lots closed in the last %(months)s full months. %(basis)s count.",
            self.months,
        ) % {"months": self.months, "basis": TierBasis(self.basis).label}
        grace = _("A rank is lost in the first month below its volume")
        if self.grace:
            grace = ngettext(
                "A rank is kept for %(months)s month below its volume",
                "A rank is kept for %(months)s months below its volume",
                self.grace,
            ) % {"months": self.grace}
        return [
            *[
                _("Rank %(name)s, from %(lots)s lots: %(percent)s %% of the rates")
                % {"name": row.name, "lots": formats.number(row.lots), "percent": formats.number(row.factor * 100)}
                for row in self.rows
            ],
            f"{rules} {grace}",
        ]

    def settings(self) -> dict[str, Any]:
        """List the values of the version's own row."""
        return {"tier_basis": self.basis, "tier_months": self.months, "tier_grace": self.grace}


@dataclass(frozen=True)
class RateCard:
    """What a version pays: money per lot by symbol group, shares by level, fixed amounts for single cells, and components.

    The matrix of the first three is the rebate per lot for all accounts; `components` come beside it. `tiers` pay a part of all
    of it, or more, by volume.
    """

    rates: dict[str, Decimal]
    shares: dict[int, Decimal]
    overrides: dict[tuple[str, int], Decimal]
    components: tuple[ComponentRow, ...] = ()
    cpa: tuple[CpaRow, ...] = ()
    tiers: Tiers = Tiers()

    def of_level(self, group: str, level: int) -> Decimal | None:
        """Money per lot for a level; None where the plan pays nothing there."""
        fixed = self.overrides.get((group, level))
        if fixed is not None:
            return fixed
        if group not in self.rates or level not in self.shares:
            return None
        return self.rates[group] * self.shares[level]

    def sentences(self, currency: str, base_currency: str) -> list[str]:
        """Say what each component, each CPA and each rank pays."""
        cpa = [row.sentence(currency, base_currency) for row in self.cpa]
        return [row.sentence(currency) for row in self.components] + cpa + self.tiers.sentences()

    def levels(self) -> list[int]:
        return sorted({*self.shares, *(level for _group, level in self.overrides)})

    def groups(self) -> list[str]:
        return sorted({*self.rates, *(group for group, _level in self.overrides)})

    def overspent(self) -> dict[str, tuple[Decimal, Decimal]]:
        """List groups whose levels together get more than the pot: {group: (sum of levels, pot)}."""
        wrong = {}
        for group in self.groups():
            total = sum((self.of_level(group, level) or Decimal(0) for level in self.levels()), Decimal(0))
            pot = self.rates.get(group, Decimal(0))
            if total > pot:
                wrong[group] = (total, pot)
        return wrong


@dataclass(frozen=True)
class VersionTerms:
    """What a version of a plan says: from when, in which currency, what it pays, and for which trades.

    min_hold_seconds, min_pips: shorter trades earn nothing. account_groups: masks of the platform's groups, none means all.
    is_pool: the levels together may not get more than the rate. clawback_days: a reversed deposit
    takes back the commissions of so many days.
    cap_day, cap_month: the most that a partner earns by it. cap_revenue: the same as a percentage of the broker's revenue from
    these trades in the month, in which the mark-up counts as stated (markup_pips). is_capped_together: these three are of all
    partners together. cap_upline: of all levels together, as a
    percentage of the revenue from the trade.
    carries_negative: whether a client's month of negative net revenue takes from what the partner earns otherwise.
    network: how the plan's holder is paid for clients of partners below.
    passed_percent: the part of level 1's rebates that goes to the client. passed_per_lot: money per lot of level 1's rebate per
    lot instead, at most all of it.
    """

    starts_at: dt.datetime
    currency: str
    card: RateCard
    min_hold_seconds: int = 180
    account_groups: Sequence[str] = ()
    is_pool: bool = True
    clawback_days: int = 90
    note: str = ""
    network: str = Network.INTRODUCER
    min_pips: Decimal = Decimal(0)
    excluded_symbols: Sequence[str] = ()
    excluded_countries: Sequence[str] = ()
    cap_day: Decimal | None = None
    cap_month: Decimal | None = None
    cap_revenue: Decimal | None = None
    is_capped_together: bool = False
    cap_upline: Decimal | None = None
    markup_pips: Decimal = Decimal(0)
    excluded_accounts: Sequence[str] = ()
    excluded_shared: Sequence[str] = ()
    excluded_trades: Sequence[str] = ()
    passed_percent: Decimal = Decimal(0)
    passed_per_lot: Decimal = Decimal(0)
    carries_negative: bool = True

    def settings(self) -> dict[str, Any]:
        """List the values of the version's own row; the card has its own tables."""
        values = {name: getattr(self, name) for name in SETTINGS}
        lists = {name: list(value) for name, value in values.items() if isinstance(value, (list, tuple))}
        return {**values, **lists, **self.card.tiers.settings()}


# Each is a column of the version, a field of its form and, where a file says it, a key of the file.
SETTINGS: Final = [field.name for field in fields(VersionTerms) if field.name != "card"]


def limit_sentences(version: PlanVersion, card: RateCard | None = None) -> list[str]:
    """Say what a partner earns by a version at most, and which trades it leaves out. card: the version's, where it is known."""
    is_together = version.is_capped_together
    caps = [
        (
            _("All partners together earn at most %(cap)s per day by this plan; earlier trades are paid first")
            if is_together
            else _("A partner earns at most %(cap)s per day by this plan"),
            version.cap_day,
        ),
        (
            _("All partners together earn at most %(cap)s per month by this plan; earlier trades are paid first")
            if is_together
            else _("A partner earns at most %(cap)s per month by this plan"),
            version.cap_month,
        ),
    ]
    left_out = {
        ExcludedTrade.HEDGED: _("No commission on trades while the client held an opposite position on the symbol"),
        ExcludedTrade.MIRRORED: _(
            "No commission where another client of the same partner opened the opposite position,"
            " of at least half the volume, within %(seconds)s seconds"
        )
        % {"seconds": MIRROR_SECONDS},
        ExcludedTrade.BONUS: _("No commission on positions that were opened with more bonus credit than balance"),
    }
    together = _(
        "All partners together earn at most %(percent)s %% per month of what the broker earned on the plan's trades: a mark-up of"
        " %(markup)s pips, the platform's commission and swaps. Earlier trades are paid first"
    )
    revenue = _(
        "A partner earns at most %(percent)s %% per month of what the broker earned on these trades:"
        " a mark-up of %(markup)s pips, the platform's commission and swaps"
    )
    upline = _(
        "All levels together earn at most %(percent)s %% of what the broker earned on a trade: a mark-up of %(markup)s pips,"
        " the platform's commission and swaps. Level 1 is paid first"
    )
    passed = _(
        "%(percent)s %% of what a client's own partner earns in rebates by this plan goes to the client's wallet"
    )
    per_lot = _(
        "%(amount)s per lot of what a client's own partner earns per lot by this plan, at most all of it,"
        " goes to the client's wallet"
    )
    components = card.components if card else version.components.all()
    is_monthly = any(row.component in OF_REVENUE for row in components)
    kept = _("A client's month of negative net revenue pays nothing, and takes nothing from other earnings")
    return [
        *([kept] if is_monthly and not version.carries_negative else []),
        *([passed % {"percent": formats.number(version.passed_percent)}] if version.passed_percent else []),
        *(
            [per_lot % {"amount": formats.money(version.passed_per_lot, version.currency)}]
            if version.passed_per_lot
            else []
        ),
        *(
            [
                (together if is_together else revenue)
                % {"percent": formats.number(version.cap_revenue), "markup": formats.number(version.markup_pips)}
            ]
            if version.cap_revenue is not None
            else []
        ),
        *(
            [upline % {"percent": formats.number(version.cap_upline), "markup": formats.number(version.markup_pips)}]
            if version.cap_upline is not None
            else []
        ),
        *(text % {"cap": formats.money(cap, version.currency)} for text, cap in caps if cap is not None),
        *(text for kind, text in left_out.items() if kind in version.excluded_trades),
    ]


def rate_card(version: PlanVersion) -> RateCard:
    """Read a version's rates, levels, overrides, components, CPA and tiers: six queries, or none where prefetched (`CARD`)."""
    return RateCard(
        rates={row.group: row.amount_per_lot for row in version.rates.all()},
        shares={row.level: row.share for row in version.levels.all()},
        overrides={(row.group, row.level): row.amount_per_lot for row in version.overrides.all()},
        components=tuple(
            ComponentRow(row.component, row.group, row.accounts, row.value, row.cap, row.markup)
            for row in version.components.all()
        ),
        cpa=tuple(
            CpaRow(tuple(row.countries), row.amount, row.min_deposit, row.min_lots, row.within_days)
            for row in version.cpa.all()
        ),
        tiers=Tiers(
            tuple(TierRow(row.name, row.lots, row.factor) for row in version.tiers.all()),
            version.tier_basis,
            version.tier_months,
            version.tier_grace,
        ),
    )


CARD: Final = ("rates", "levels", "overrides", "components", "cpa", "tiers")


def write_card(version: PlanVersion, card: RateCard) -> None:
    """Save a version's rates, levels, fixed amounts and components."""
    PlanRate.objects.bulk_create(
        [PlanRate(version=version, group=group, amount_per_lot=amount) for group, amount in card.rates.items()]
    )
    PlanLevel.objects.bulk_create(
        [PlanLevel(version=version, level=level, share=share) for level, share in card.shares.items()]
    )
    PlanOverride.objects.bulk_create(
        [
            PlanOverride(version=version, group=group, level=level, amount_per_lot=amount)
            for (group, level), amount in card.overrides.items()
        ]
    )
    PlanComponent.objects.bulk_create(
        [
            PlanComponent(
                version=version,
                component=row.component,
                group=row.group,
                accounts=row.accounts,
                value=row.value,
                cap=row.cap,
                markup=row.markup,
            )
            for row in card.components
        ]
    )
    PlanCpa.objects.bulk_create(
        [
            PlanCpa(
                version=version,
                countries=list(row.countries),
                amount=row.amount,
                min_deposit=row.min_deposit,
                min_lots=row.min_lots,
                within_days=row.within_days,
            )
            for row in card.cpa
        ]
    )
    _write_tiers(version, card.tiers)


def _write_tiers(version: PlanVersion, tiers: Tiers) -> None:
    PlanTier.objects.bulk_create(
        [
            PlanTier(version=version, number=number, name=row.name, lots=row.lots, factor=row.factor)
            for number, row in enumerate(tiers.rows, start=1)
        ]
    )


def described(version: PlanVersion, card: RateCard) -> dict[str, Any]:
    """List what a version says, for the audit log."""
    return {
        "version": version.number,
        **{name: _text(getattr(version, name)) for name in SETTINGS if name != "note"},
        "rates": {group: str(amount) for group, amount in card.rates.items()},
        "shares": {str(level): str(share) for level, share in card.shares.items()},
        "overrides": {f"{group}/{level}": str(amount) for (group, level), amount in card.overrides.items()},
        "components": [
            {name: None if value is None else str(value) for name, value in vars(row).items()}
            for row in card.components
        ],
        "cpa": [{**vars(row), **{name: str(getattr(row, name)) for name in CPA_DECIMALS}} for row in card.cpa],
        "tiers": [{name: str(value) for name, value in vars(row).items()} for row in card.tiers.rows],
        **card.tiers.settings(),
    }


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, (Decimal, dt.datetime)) else value
