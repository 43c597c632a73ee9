"""What a version of a plan says: rates, levels, fixed amounts, components and terms; read, checked and written as one thing."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.choices import Jurisdiction
from crm.errors import DomainError
from crm.i18n import formats
from crm.i18n.territories import country_names
from ib.calculation.excluded import MIRROR_SECONDS
from ib.choices import (
    MONTHLY,
    OF_LOSSES,
    OF_REVENUE,
    OF_SALES,
    SHARES_OF_MONEY,
    Component,
    ExcludedTrade,
    Network,
    TierBasis,
)
from ib.models import PlanComponent, PlanCpa, PlanLevel, PlanOverride, PlanRate, PlanTier, PlanVersion
from trading.choices import SymbolGroup

COMPONENTS_MAX: Final = 16
CPA_MAX: Final = 6
TIERS_MAX: Final = 8
CPA_DECIMALS: Final = ("amount", "min_deposit", "min_lots")
# No payment to retail clients beside what their trades bring: ESMA Decision (EU) 2018/796 art. 2(d) (https://eur-lex.europa.eu/eli/
# dec/2018/796/oj), kept by CySEC in DI87-09; FCA COBS 22.5 (https://handbook.fca.org.uk/handbook/COBS/22/5.html); ASIC Instrument
# 2020/986 section 6 (https://www.legislation.gov.au/F2020L01338). What was found about them: docs/domain/ib.md.
NO_REBATES: Final = frozenset({Jurisdiction.CY, Jurisdiction.UK, Jurisdiction.AU})
# Who is paid for a client's losses has an interest in them: MiFID II art. 23 and 24(9), FCA COBS 2.3A, ASIC RG 246.
NO_LOSS_SHARES: Final = frozenset({Jurisdiction.CY, Jurisdiction.UK, Jurisdiction.AU})


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
    these trades in the month, in which the mark-up counts as stated (markup_pips). cap_upline: of all levels together, as a
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
    caps = [
        (_("A partner earns at most %(cap)s per day by this plan"), version.cap_day),
        (_("A partner earns at most %(cap)s per month by this plan"), version.cap_month),
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
            [revenue % {"percent": formats.number(version.cap_revenue), "markup": formats.number(version.markup_pips)}]
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


def check_card(
    card: RateCard,
    *,
    is_pool: bool,
    network: str,
    jurisdiction: str,
    passed: Decimal = Decimal(0),
    passed_per_lot: Decimal = Decimal(0),
    cap_revenue: Decimal | None = None,
) -> None:
    """Raise DomainError, in words, for a rate card that can't be meant, or that the brand's licence forbids."""
    problems = card_problems(
        card,
        is_pool=is_pool,
        network=network,
        jurisdiction=jurisdiction,
        passed=passed,
        passed_per_lot=passed_per_lot,
        cap_revenue=cap_revenue,
    )
    if problems:
        raise DomainError(problems[0])


def card_problems(
    card: RateCard,
    *,
    is_pool: bool,
    network: str,
    jurisdiction: str,
    passed: Decimal,
    passed_per_lot: Decimal,
    cap_revenue: Decimal | None,
) -> list[str]:
    """List everything that makes a rate card impossible, in words; empty for a good one. passed: `passed_percent`."""
    if not card.levels() or not (card.groups() or card.components or card.cpa):
        return [_("Enter at least one rate per lot or component, and one level share.")]
    problems = component_problems(card, network=network, jurisdiction=jurisdiction)
    problems += monthly_problems(card, network=network, cap_revenue=cap_revenue)
    if any(value < 0 for value in [*card.rates.values(), *card.overrides.values()]):
        problems.append(_("A rate can't be negative."))
    problems += passed_problems(card, passed=passed, per_lot=passed_per_lot, jurisdiction=jurisdiction)
    if any(not 0 <= share <= 1 for share in card.shares.values()):
        problems.append(_("A level's share must be between 0 and 100 %."))
    if is_pool:
        problems += [
            _("%(group)s: the levels add up to %(total)s per lot, which exceeds the total of %(pot)s.")
            % {"group": SymbolGroup(group).label, "total": formats.money(total), "pot": formats.money(pot)}
            for group, (total, pot) in card.overspent().items()
        ]
    return problems


def passed_problems(card: RateCard, *, passed: Decimal, per_lot: Decimal, jurisdiction: str) -> list[str]:
    """List what is wrong with what goes to the client: a percentage of the rebates, or an amount per lot."""
    problems = []
    if (passed or per_lot) and jurisdiction in NO_REBATES:
        problems.append(
            _("%(jurisdiction)s doesn't allow passing rebates on to clients.")
            % {"jurisdiction": Jurisdiction(jurisdiction).label}
        )
    if not 0 <= passed <= 100:
        problems.append(_("Between 0 and 100 % of a rebate can be passed on to the client."))
    if per_lot < 0:
        problems.append(_("What is passed on per lot can't be negative."))
    if passed and per_lot:
        problems.append(_("Pass on a percentage of the rebates or an amount per lot, not both."))
    if per_lot and not (card.groups() or any(row.component == Component.LOT for row in card.components)):
        problems.append(_("The plan pays no rebate per lot of which a part could be passed on."))
    return problems


def component_problems(card: RateCard, *, network: str, jurisdiction: str) -> list[str]:
    """List what is wrong with a card's components."""
    problems = []
    places = [(row.component, row.group, row.accounts.lower()) for row in card.components]
    places += [(Component.LOT, group, "") for group in card.rates]
    if len(places) != len(set(places)):
        problems.append(_("Two rows pay the same component for the same symbol group and accounts: keep one of them."))
    if len(card.components) > COMPONENTS_MAX:
        problems.append(_("A version can have %(most)s component rows at most.") % {"most": COMPONENTS_MAX})
    problems += cpa_problems(card)
    problems += tier_problems(card)
    if (card.components or card.cpa) and not card.shares:
        problems.append(_("Components are paid by level share: enter the share of at least one level."))
    if any(row.value < 0 or (row.component in SHARES_OF_MONEY and row.value > 1) for row in card.components):
        problems.append(_("A share of money must be between 0 and 100 %."))
    if any((row.component == Component.SPREAD) != bool(row.markup) for row in card.components):
        problems.append(_("A share of the spread mark-up, and nothing else, needs the mark-up in pips."))
    if any(row.cap is not None and row.cap <= 0 for row in card.components):
        problems.append(_("The most that a trade pays must be more than 0. Leave it empty for no limit."))
    if any(row.component == Component.LOSS for row in card.components) and network == Network.DIFFERENCE:
        problems.append(_("A share of losses can't be paid as a difference to partners below."))
    if any(row.component in OF_LOSSES for row in card.components) and jurisdiction in NO_LOSS_SHARES:
        problems.append(
            _("%(jurisdiction)s doesn't allow paying partners a share of client losses.")
            % {"jurisdiction": Jurisdiction(jurisdiction).label}
        )
    if card.cpa and network == Network.DIFFERENCE:
        problems.append(_("A CPA can't be paid as a difference to partners below."))
    if network == Network.DIFFERENCE and 1 not in card.shares and not any(level == 1 for _g, level in card.overrides):
        problems.append(_("A difference is taken from the share of level 1: enter it."))
    return problems


def monthly_problems(card: RateCard, *, network: str, cap_revenue: Decimal | None) -> list[str]:
    """List what is wrong with a card's shares of net revenue, and with its pot."""
    rows = [row for row in card.components if row.component in OF_REVENUE]
    problems = pot_problems(card, network=network, cap_revenue=cap_revenue)
    problems += sale_problems(card, network=network, cap_revenue=cap_revenue)
    if rows and network == Network.DIFFERENCE:
        problems.append(_("A share of net revenue can't be paid as a difference to partners below."))
    if rows and cap_revenue is not None:
        problems.append(_("A share of net revenue can't be limited to a part of the revenue: lower the share."))
    if len({row.component for row in rows}) > 1:
        problems.append(_("A version pays a share of net revenue with client losses or without them, not both."))
    if any(row.group or row.accounts for row in rows):
        problems.append(_("A share of net revenue is of all symbols and accounts of the client."))
    return problems


def pot_problems(card: RateCard, *, network: str, cap_revenue: Decimal | None) -> list[str]:
    """List what is wrong with a card's monthly pot: the levels can't get more than there is in it."""
    rows, problems = [row for row in card.components if row.component == Component.POT], []
    if rows and network == Network.DIFFERENCE:
        problems.append(_("A monthly pot can't be paid as a difference to partners below."))
    if rows and cap_revenue is not None:
        problems.append(_("A monthly pot can't be limited to a part of the revenue: lower the pot."))
    if rows and sum(card.shares.values()) > 1:
        problems.append(_("The levels share the monthly pot: their shares add up to 100 % at most."))
    if any(row.group or row.accounts for row in rows):
        problems.append(_("A monthly pot counts all symbols and accounts."))
    return problems


def sale_problems(card: RateCard, *, network: str, cap_revenue: Decimal | None) -> list[str]:
    """List what is wrong with what a card pays for sold challenges."""
    rows, problems = [row for row in card.components if row.component in OF_SALES], []
    if rows and network == Network.DIFFERENCE:
        problems.append(_("What is paid per challenge can't be paid as a difference to partners below."))
    if rows and cap_revenue is not None:
        problems.append(_("What is paid per challenge can't be limited to a part of the revenue."))
    if any(row.group or row.accounts for row in rows):
        problems.append(_("What is paid per challenge has no symbols or accounts."))
    if any(row.value <= 0 for row in rows):
        problems.append(_("What is paid per challenge must be more than 0."))
    return problems


def cpa_problems(card: RateCard) -> list[str]:
    """List what is wrong with a card's CPA rows."""
    problems = []
    named = [code for row in card.cpa for code in row.countries]
    if len(named) != len(set(named)) or sum(not row.countries for row in card.cpa) > 1:
        problems.append(_("Two CPA rows are for the same countries: keep one of them."))
    if len(card.cpa) > CPA_MAX:
        problems.append(_("A version can have %(most)s CPA rows at most.") % {"most": CPA_MAX})
    if any(row.amount <= 0 for row in card.cpa):
        problems.append(_("A CPA must be more than 0."))
    if any(not 1 <= row.within_days <= 365 for row in card.cpa):
        problems.append(_("A client has between 1 and 365 days to qualify."))
    return problems


def tier_problems(card: RateCard) -> list[str]:
    """List what is wrong with a card's ranks."""
    rows, problems = card.tiers.rows, []
    if len(rows) > TIERS_MAX:
        problems.append(_("A version can have %(most)s ranks at most.") % {"most": TIERS_MAX})
    if any(row.lots <= 0 or row.factor <= 0 or not row.name.strip() for row in rows):
        problems.append(_("A rank needs a name, lots and a percentage of more than 0."))
    if any(above.lots <= below.lots for below, above in itertools.pairwise(rows)):
        problems.append(_("Each rank needs more lots than the one before it."))
    if not (1 <= card.tiers.months <= 12 and 0 <= card.tiers.grace <= 12):
        problems.append(_("Ranks look back 1 to 12 months, and are kept for 12 months below their volume at most."))
    most = max((row.factor for row in rows), default=Decimal(1))
    if any(row.component in SHARES_OF_MONEY and row.value <= 1 < row.value * most for row in card.components):
        problems.append(_("With the highest rank's percentage a share of money exceeds 100 %."))
    return problems


def unknown_countries(codes: Sequence[str]) -> list[str]:
    """List what is no two-letter code of a country."""
    return [code for code in codes if code not in country_names()]


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
