"""What makes a rate card impossible, or forbidden by the brand's licence, in words."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _

from crm.choices import Jurisdiction
from crm.errors import DomainError
from crm.i18n import formats
from crm.i18n.territories import country_names
from ib.agreements.cards import RateCard
from ib.choices import OF_LOSSES, OF_REVENUE, OF_SALES, SHARES_OF_MONEY, Component, Network
from trading.choices import SymbolGroup

COMPONENTS_MAX: Final = 16
CPA_MAX: Final = 6
TIERS_MAX: Final = 8
# No payment to retail clients beside what their trades bring: ESMA Decision (EU) 2018/796 art. 2(d) (https://eur-lex.europa.eu/eli/
# dec/2018/796/oj), kept by CySEC in DI87-09; FCA COBS 22.5 (https://handbook.fca.org.uk/handbook/COBS/22/5.html); ASIC Instrument
# 2020/986 section 6 (https://www.legislation.gov.au/F2020L01338). What was found about them: docs/domain/ib.md.
NO_REBATES: Final = frozenset({Jurisdiction.CY, Jurisdiction.UK, Jurisdiction.AU})
# Who is paid for a client's losses has an interest in them: MiFID II art. 23 and 24(9), FCA COBS 2.3A, ASIC RG 246.
NO_LOSS_SHARES: Final = frozenset({Jurisdiction.CY, Jurisdiction.UK, Jurisdiction.AU})


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
        total = sum(card.shares.values(), Decimal(0))
        if total > 1 and (card.components or card.cpa) and network != Network.DIFFERENCE:
            problems.append(
                _("The level shares add up to %(percent)s %% of each component: more than the rate that they share.")
                % {"percent": formats.number(total * 100)}
            )
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
