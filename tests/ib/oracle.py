"""What trades earn, by brute force: plain Python, one trade at a time, that knows nothing of SQL. The engine must agree."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal, localcontext

EIGHT = Decimal("0.00000001")
NOTHING = Decimal(0)


@dataclass
class Dated:
    value: object
    starts_at: dt.datetime
    ends_at: dt.datetime | None = None


def held_at(rows: list[Dated], at: dt.datetime):
    return next((row.value for row in rows if row.starts_at <= at and (row.ends_at is None or at < row.ends_at)), None)


@dataclass
class Part:
    """One row of a version: what a component pays for a symbol group ('' all) on accounts of a group ('' all, else its start)."""

    component: str
    group: str
    accounts: str
    value: Decimal
    cap: Decimal | None = None
    markup: Decimal | None = None


@dataclass
class Cpa:
    countries: tuple[str, ...]
    amount: Decimal
    lots: Decimal
    days: int
    deposit: Decimal = NOTHING


@dataclass
class Version:
    currency: str
    min_hold_seconds: int
    account_group: str
    rates: dict[str, Decimal]
    shares: dict[int, Decimal]
    overrides: dict[tuple[str, int], Decimal]
    network: str = "introducer"
    min_pips: Decimal = NOTHING
    excluded_symbols: tuple[str, ...] = ()
    excluded_countries: tuple[str, ...] = ()
    parts: list[Part] = field(default_factory=list)
    cpa: list[Cpa] = field(default_factory=list)
    # Lots and factor of each rank, lowest first; months that count, own clients' only, months of grace.
    tiers: list[tuple[Decimal, Decimal]] = field(default_factory=list)
    tier_months: int = 1
    tier_is_own: bool = True
    tier_grace: int = 0
    excluded_account: str = ""
    excluded_shared: tuple[str, ...] = ()
    excluded_trades: tuple[str, ...] = ()
    cap_day: Decimal | None = None
    cap_month: Decimal | None = None
    cap_revenue: Decimal | None = None
    is_capped_together: bool = False
    cap_upline: Decimal | None = None
    passed_percent: Decimal = NOTHING
    passed_per_lot: Decimal = NOTHING
    markup_pips: Decimal = NOTHING
    # The share of net revenue per client and month, and whether negative months count.
    monthly: Part | None = None
    # The pot of a month, divided by lots.
    pot: Part | None = None
    carries_negative: bool = True
    # What a sold challenge pays: a sum, or a part of its fee.
    sales: list[Part] = field(default_factory=list)

    def components(self) -> list[str]:
        is_per_lot = bool(self.rates or self.overrides)
        return sorted({*(["lot"] if is_per_lot else []), *(part.component for part in self.parts)})

    def cpa_for(self, country: str) -> Cpa | None:
        named = [row for row in self.cpa if country in row.countries]
        return next(iter([*named, *(row for row in self.cpa if not row.countries)]), None)

    def deepest(self) -> int:
        return max([*self.shares, *(level for _group, level in self.overrides)], default=1)

    def best(self, component: str, group: str, accounts: str) -> Part | None:
        rows = list(self.parts)
        if component == "lot":
            rows += [Part("lot", of, "", amount) for of, amount in self.rates.items()]
        fitting = [
            row
            for row in rows
            if row.component == component and row.group in ("", group) and accounts.startswith(row.accounts)
        ]
        return max(fitting, key=lambda row: (len(row.accounts), row.group != ""), default=None)


@dataclass
class Position:
    client: int
    account: int
    symbol: str
    side: int
    units: Decimal
    opened_at: dt.datetime
    ended_at: dt.datetime


@dataclass
class Fact:
    """What the broker earned from a client at an instant: charged and lost in a currency, or the worth of a pip in another."""

    client: int
    at: dt.datetime
    currency: str
    charged: Decimal = NOTHING
    swaps: Decimal = NOTHING
    lost: Decimal = NOTHING
    booked: Decimal = NOTHING
    quote_currency: str = ""
    pip_value: Decimal = NOTHING
    lots: Decimal = NOTHING


@dataclass
class Scoped:
    """An agreement beside the usual one: its place, what it takes, and when it pays which plan, and how much of it."""

    priority: int
    platforms: tuple[str, ...]
    accounts: str
    links: tuple[int, ...]
    plan: Dated
    percent: Decimal


@dataclass
class World:
    parents: dict[int, list[Dated]] = field(default_factory=dict)
    plans: dict[int, list[Dated]] = field(default_factory=dict)
    client_plans: dict[tuple[int, int], list[Dated]] = field(default_factory=dict)
    link_plans: dict[int, list[Dated]] = field(default_factory=dict)
    scoped: dict[int, list[Scoped]] = field(default_factory=dict)
    versions: dict[int, list[Dated]] = field(default_factory=dict)
    # What agreements pay of their plan's rates, by what they are of: (partner,), (partner, client) or (partner, 0, link).
    percents: dict[tuple[int, ...], list[Dated]] = field(default_factory=dict)
    active: dict[int, list[Dated]] = field(default_factory=dict)
    currency: dict[int, str] = field(default_factory=dict)
    introducers: dict[int, list[Dated]] = field(default_factory=dict)
    links: dict[int, list[Dated]] = field(default_factory=dict)
    per_eur: dict[str, Decimal] = field(default_factory=dict)
    # Per partner and plan: tier from each month's start on.
    ranks: dict[tuple[int, int], dict[dt.datetime, int]] = field(default_factory=dict)
    # Per client and partner: kind and since when both have used the same.
    shared: dict[tuple[int, int], list[tuple[str, dt.datetime]]] = field(default_factory=dict)
    # Every position that there was, by its closing deal; what was booked on accounts: when, whether as credit, how much.
    positions: dict[int, Position] = field(default_factory=dict)
    booked: dict[int, list[tuple[dt.datetime, bool, Decimal]]] = field(default_factory=dict)
    missed: dict[tuple[int, int], list[bool]] = field(default_factory=dict)
    link_owner: dict[int, int] = field(default_factory=dict)
    # The client record of a partner who trades, too.
    own_client: dict[int, int] = field(default_factory=dict)
    # Per client: when how much was paid in, in the brand's currency.
    paid_in: dict[int, list[tuple[dt.datetime, Decimal]]] = field(default_factory=dict)
    # By deal, or any other name of what happened.
    facts: dict[object, Fact] = field(default_factory=dict)
    country: dict[int, str] = field(default_factory=dict)
    # Per client: (closed at, deal, lots).
    closes: dict[int, list[tuple[dt.datetime, int, Decimal]]] = field(default_factory=dict)

    def rate(self, base: str, quote: str) -> Decimal:
        return round(self.per_eur[quote] / self.per_eur[base], 10)


@dataclass
class Trade:
    deal: int
    client: int
    opened_at: dt.datetime
    closed_at: dt.datetime
    # The symbol's group, the account's and our lots: as they held when the deal was executed.
    group: str
    account_group: str
    lots: Decimal
    symbol: str = ""
    country: str = ""
    platform: str = "mt5"
    account_currency: str = "EUR"
    quote_currency: str = "USD"
    # Of the closed volume: what a pip is worth, what part of one a point is, how many pips the price moved, what the platform
    # charged, profit and swap.
    pip_value: Decimal = NOTHING
    point: Decimal = Decimal(1)
    pips: Decimal = NOTHING
    charged: Decimal = NOTHING
    result: Decimal = NOTHING
    swap: Decimal = NOTHING


@dataclass
class Sale:
    """A sold challenge, by the number that stands for a deal's."""

    number: int
    client: int
    at: dt.datetime
    price: Decimal
    currency: str
    is_returned: bool = False


@dataclass
class Row:
    """One line: `full` is what it comes to in the plan's currency before what is earned below is taken off."""

    version: Version | None
    reason: str
    full: Decimal
    is_difference: bool = False


def review(world: World, month: dt.datetime) -> None:
    """Decide the ranks from a month's start on, by counting every trade."""
    for (partner, plan), tiers in _holders(world, month).items():
        version = held_at(world.versions[plan], month)
        first = month
        for _n in range(version.tier_months):
            first = (first - dt.timedelta(days=1)).replace(day=1)
        lots = NOTHING
        for client, closes in world.closes.items():
            for at, _deal, closed in closes:
                introducer = held_at(world.introducers.get(client, []), at)
                if first <= at < month and introducer is not None:
                    above = [introducer] if version.tier_is_own else _upline(world, introducer, at)
                    is_own_trading = world.own_client.get(partner) == client
                    lots += closed if partner in above and not is_own_trading else NOTHING
        reached = len([1 for least, _factor in version.tiers if lots >= least])
        held = min(tiers[-1], len(version.tiers)) if tiers else 0
        kept_before = world.missed.setdefault((partner, plan), [])
        missed = len(list(itertools.takewhile(bool, reversed(kept_before))))
        is_kept = reached < held and missed < version.tier_grace
        kept_before.append(is_kept)
        world.ranks.setdefault((partner, plan), {})[month] = held if is_kept else reached


def _holders(world: World, at: dt.datetime) -> dict[tuple[int, int], list[int]]:
    """Who is on a plan that has ranks, with the ranks they had so far."""
    pairs = {(partner, held_at(rows, at)) for partner, rows in world.plans.items()}
    pairs |= {(partner, held_at(rows, at)) for (partner, _client), rows in world.client_plans.items()}
    pairs |= {(world.link_owner[link], held_at(rows, at)) for link, rows in world.link_plans.items()}
    pairs |= {(partner, held_at([row.plan], at)) for partner, rows in world.scoped.items() for row in rows}
    return {
        pair: list(world.ranks.get(pair, {}).values())
        for pair in pairs
        if pair[1] and (version := held_at(world.versions[pair[1]], at)) and version.tiers
    }


def _upline(world: World, partner: int, at: dt.datetime) -> list[int]:
    found = []
    while partner is not None:
        found.append(partner)
        partner = held_at(world.parents.get(partner, []), at)
    return found


def _factor(world: World, version: Version, plan: int, holder: int, at: dt.datetime) -> Decimal:
    """What the rank makes of a rate: the last one decided before the trade, or the highest that the version has below it."""
    decided = [tier for month, tier in sorted(world.ranks.get((holder, plan), {}).items()) if month <= at]
    tier = min(decided[-1], len(version.tiers)) if decided else 0
    return version.tiers[tier - 1][1] if tier else Decimal(1)


def all_earnings(
    world: World,
    trades: list[Trade],
    numbers: dict[tuple[int, int, str], int] | None = None,
    sales: list[Sale] | None = None,
) -> dict[tuple[int, int, int, str], tuple[str, Decimal]]:
    """{(deal, partner, level, component): (why not, amount)}: trade by trade, each filling what the caps have left.

    numbers: of clients' months, by client, partner and month; they stand for the deal.
    """
    paid, done, revenue = {}, {}, {}
    every = [(trade, earnings(world, trade)) for trade in trades]
    volumes = pot_volumes(world, numbers or {})
    every += [month_earnings(world, number, *key, volumes) for key, number in (numbers or {}).items()]
    every += [sale_earnings(world, sale) for sale in sales or []]
    for trade, lines in every:
        asked = {
            (_holder(key[0], line[3]), id(line[3])): line[3]
            for key, line in lines.items()
            if key[2] != "cpa" and line[3]
        }
        for (partner, _version), version in asked.items():
            month = partner, id(version), trade.closed_at.strftime("%Y-%m")
            revenue[month] = revenue.get(month, NOTHING) + _revenue(world, trade, version)
    for trade, lines in sorted(every, key=lambda pair: (pair[0].closed_at, pair[0].deal)):
        for (partner, level, component), (reason, ours, amount, version) in sorted(
            lines.items(), key=lambda item: item[0][1:]
        ):
            left, whole = ours, amount
            holder = _holder(partner, version)
            month = holder, id(version), trade.closed_at.strftime("%Y-%m")
            caps = {} if version is None else {"%Y-%m-%d": version.cap_day, "%Y-%m": version.cap_month}
            if version is not None and version.cap_revenue is not None:
                part = version.cap_revenue / 100 * revenue.get(month, NOTHING)
                caps["revenue %Y-%m"] = max(NOTHING, part.quantize(EIGHT, ROUND_DOWN))
            for span, cap in caps.items():
                if cap is not None:
                    at = holder, id(version), trade.closed_at.strftime(span)
                    spent = done.get(at, NOTHING)
                    done[at] = spent + left
                    left = min(cap, spent + left) - min(cap, spent)
            if left != ours:
                with localcontext(prec=80):
                    amount = (left * world.rate(version.currency, world.currency[partner])).quantize(EIGHT, ROUND_DOWN)
            if level == 1 and component in ("lot", "pip", "point", "spread", "commission") and version is not None:
                with localcontext(prec=80):
                    part = amount * version.passed_percent / 100
                    if version.passed_per_lot:
                        fx = world.rate(version.currency, world.currency[partner])
                        agreed = (trade.lots * version.passed_per_lot * fx).quantize(EIGHT, ROUND_DOWN)
                        part = min(whole, agreed) * amount / whole if component == "lot" and whole else NOTHING
                    amount -= part.quantize(EIGHT, ROUND_DOWN)
            paid[trade.deal, partner, level, component] = reason, amount
    return paid


def _holder(partner: int, version: Version | None) -> int:
    """Whose caps a version's are: the partner's, or those of all together."""
    return 0 if version is not None and version.is_capped_together else partner


def earnings(world: World, trade: Trade) -> dict[tuple[int, int, str], tuple[str, Decimal, Decimal, Version | None]]:
    """{(partner, level, component): (why not, amount in the plan's currency and in the partner's, version)}."""
    rows: dict[tuple[int, int, str], Row] = {}
    introducer = held_at(world.introducers.get(trade.client, []), trade.closed_at)
    if introducer is None:
        return {}
    first = held_at(world.versions.get(_agreed(world, introducer, trade, trade.closed_at)[0], []), trade.closed_at)
    partner, level = introducer, 1
    while partner is not None:
        own = _own_version(world, partner, trade, trade.closed_at) if level > 1 else None
        version = own or first
        is_difference = own is not None and own.network == "difference"
        if is_difference or level <= (version.deepest() if version else 1):
            for component in version.components() if version else ["lot"]:
                at_level = 1 if is_difference else level
                whose = partner if own else introducer
                paying, percent = (_standing if own else _agreed)(world, whose, trade, trade.closed_at)
                factor = _factor(world, version, paying, whose, trade.closed_at) if version else Decimal(1)
                factor *= (percent or Decimal(100)) / 100
                reason, full = _one(world, trade, version, partner, at_level, component, factor)
                rows[partner, level, component] = Row(version, reason, full, is_difference)
        acquired = _cpa_version(world, trade, introducer, partner)
        if acquired and level <= acquired.deepest() and qualifying_deal(world, acquired, trade) == trade.deal:
            reason, full = _one(world, trade, acquired, partner, level, "cpa")
            rows[partner, level, "cpa"] = Row(acquired, reason, full)
        partner, level = held_at(world.parents.get(partner, []), trade.closed_at), level + 1
    return _of_upline(world, trade, {key: _paid(world, rows, key) for key in rows})


def _of_upline(world, trade, lines):
    """What all levels together get of a trade by a version with that limit, level after level."""
    kept, spent = dict(lines), {}
    for key, (reason, ours, _amount, version) in sorted(lines.items(), key=lambda item: item[0][1:]):
        if reason or key[2] == "cpa" or version is None or version.cap_upline is None:
            continue
        part = version.cap_upline / 100 * _revenue(world, trade, version)
        most, before = max(NOTHING, part.quantize(EIGHT, ROUND_DOWN)), spent.get(id(version), NOTHING)
        spent[id(version)] = before + ours
        left = min(most, before + ours) - min(most, before)
        if left != ours:
            with localcontext(prec=80):
                amount = (left * world.rate(version.currency, world.currency[key[0]])).quantize(EIGHT, ROUND_DOWN)
            kept[key] = ("" if left else "cap_upline", left, amount, version)
    return kept


def month_earnings(world: World, number: int, client: int, introducer: int, month: str, volumes):
    """A client's month while a partner referred them, as the trade that it stands for, and its lines; fact by fact."""
    trade, facts = _month_of(world, number, client, introducer, month)
    return trade, _month_lines(world, trade, introducer, facts, month, volumes) if facts else {}


def sale_earnings(world: World, sale: Sale):
    """A sold challenge as the trade that it stands for, and its lines: once, of the agreements at that instant."""
    trade = Trade(
        sale.number, sale.client, sale.at, sale.at, "", "", NOTHING, country=world.country.get(sale.client, "")
    )
    introducer, lines = held_at(world.introducers.get(sale.client, []), sale.at), {}
    for partner, level, version, factor in _month_placed(world, trade, introducer) if introducer else []:
        for part in version.sales:
            reason, ours = _of_sale(world, trade, sale, version, part, partner, level, factor)
            with localcontext(prec=80):
                amount = (ours * world.rate(version.currency, world.currency[partner])).quantize(EIGHT, ROUND_DOWN)
            lines[partner, level, part.component] = reason, ours, amount, version
    return trade, lines


def _of_sale(world, trade, sale, version, part, partner, level, factor) -> tuple[str, Decimal]:
    reason = _no_month(world, trade, version, partner, level)
    if sale.is_returned and reason in ("", "beyond_levels"):
        reason = "fee_returned"
    if reason:
        return reason, NOTHING
    with localcontext(prec=80):
        if part.component == "sale":
            pot = part.value
        else:
            rate = (part.value * factor).quantize(EIGHT, ROUND_DOWN)
            pot = sale.price * world.rate(sale.currency, version.currency) * rate
        pot = pot if part.cap is None else min(pot, part.cap)
        return "", (pot * version.shares[level]).quantize(EIGHT, ROUND_DOWN)


def pot_volumes(world: World, numbers) -> dict[tuple[int, str], Decimal]:
    """{(version, month): lots of the clients for whom it pays somebody of its pot}."""
    found: dict[tuple[int, str], Decimal] = {}
    for (client, introducer, month), number in numbers.items():
        trade, facts = _month_of(world, number, client, introducer, month)
        placed = _month_placed(world, trade, introducer) if facts else []
        counting = {
            id(version)
            for partner, level, version, _factor in placed
            if version.pot and not _no_month(world, trade, version, partner, level)
        }
        for version in counting:
            found[version, month] = found.get((version, month), NOTHING) + sum((fact.lots for fact in facts), NOTHING)
    return found


def _month_of(world: World, number: int, client: int, introducer: int, month: str):
    spells = [row for row in world.introducers.get(client, []) if row.value == introducer]
    start = dt.datetime.strptime(month, "%Y-%m").replace(tzinfo=dt.UTC)
    following = (start + dt.timedelta(days=32)).replace(day=1)
    within = [(max(start, row.starts_at), min(following, row.ends_at or following)) for row in spells]
    within = [(since, until) for since, until in within if since < until]
    facts = [
        fact for fact in world.facts.values() if fact.client == client and any(a <= fact.at < b for a, b in within)
    ]
    at = max([until for _since, until in within], default=start) - dt.timedelta(microseconds=1)
    trade = Trade(number, client, at, at, "", "", NOTHING, country=world.country.get(client, ""))
    return trade, facts


def _month_lines(world, trade, introducer, facts, month, volumes):
    lines = {}
    for partner, level, version, factor in _month_placed(world, trade, introducer):
        paid = {}
        if version.monthly:
            paid[version.monthly.component] = _of_month(world, trade, version, partner, level, factor, facts)
        if version.pot:
            paid["pot"] = _of_pot(world, trade, version, partner, level, facts, volumes.get((id(version), month)))
        for component, (reason, ours) in paid.items():
            with localcontext(prec=80):
                amount = (ours * world.rate(version.currency, world.currency[partner])).quantize(EIGHT, ROUND_DOWN)
            lines[partner, level, component] = reason, ours, amount, version
    return lines


def _month_placed(world, trade, introducer):
    """Who is above the client at the month's end, by which version, and how much of its rates."""
    found, at = [], trade.closed_at
    first = held_at(world.versions.get(_agreed(world, introducer, trade, at, False)[0], []), at)
    partner, level = introducer, 1
    while partner is not None:
        own = _own_version(world, partner, trade, at, False) if level > 1 else None
        version = own or first
        if version and level <= version.deepest():
            whose = partner if own else introducer
            paying, percent = (_standing if own else _agreed)(world, whose, trade, at, False)
            factor = _factor(world, version, paying, whose, at) * (percent or Decimal(100)) / 100
            found.append((partner, level, version, factor))
        partner, level = held_at(world.parents.get(partner, []), at), level + 1
    return found


def _no_month(world, trade, version, partner, level) -> str:
    if world.own_client.get(partner) == trade.client:
        return "self_trade"
    if not held_at(world.active.get(partner, []), trade.closed_at):
        return "partner_not_active"
    if trade.country in version.excluded_countries:
        return "country_excluded"
    if _is_shared(world, trade, version, partner):
        return "shared_device"
    return "" if level in version.shares else "beyond_levels"


def _of_pot(world, trade, version, partner, level, facts, volume) -> tuple[str, Decimal]:
    """So much of the pot as the client's lots are of everybody's, by what that makes per lot."""
    if reason := _no_month(world, trade, version, partner, level):
        return reason, NOTHING
    lots = sum((fact.lots for fact in facts), NOTHING)
    if not lots:
        return "nothing_closed", NOTHING
    with localcontext(prec=80):
        money = lots * (version.pot.value / volume).quantize(EIGHT, ROUND_DOWN)
        money = money if version.pot.cap is None else min(money, version.pot.cap)
        return "", (money * version.shares[level]).quantize(EIGHT, ROUND_DOWN)


def _of_month(world, trade, version, partner, level, factor, facts) -> tuple[str, Decimal]:
    if reason := _no_month(world, trade, version, partner, level):
        return reason, NOTHING
    with localcontext(prec=80):
        revenue = _net_revenue(world, version, facts)
        if revenue == 0 or (revenue < 0 and not version.carries_negative):
            return "no_revenue", NOTHING
        rate = (version.monthly.value * factor).quantize(EIGHT, ROUND_DOWN)
        pot = revenue * world.rate("EUR", version.currency) * rate
        pot = pot if version.monthly.cap is None else min(pot, version.monthly.cap)
        return "", (pot * version.shares[level]).quantize(EIGHT, ROUND_DOWN)


def _net_revenue(world, version, facts) -> Decimal:
    """In euros, the base currency: each part summed up exactly, then cut."""

    def total(of, currency="currency") -> Decimal:
        euros = (of(fact) * world.rate(getattr(fact, currency), "EUR") for fact in facts if of(fact))
        return sum(euros, NOTHING).quantize(EIGHT, ROUND_DOWN)

    traded = total(lambda fact: fact.lost)
    if version.monthly.component == "revenue":
        pips = total(lambda fact: round(fact.pip_value, 8), "quote_currency")
        traded = (pips * version.markup_pips).quantize(EIGHT, ROUND_DOWN)
    others = total(lambda fact: fact.charged) + total(lambda fact: fact.swaps) + total(lambda fact: fact.booked)
    return traded + others


def _agreed(world: World, introducer: int, trade: Trade, at: dt.datetime, of_trade=True):
    """The plan of the introducer's agreement that takes a trade, and how much of it; a CPA or month is no trade of an account."""
    link = held_at(world.links.get(trade.client, []), trade.closed_at)
    for rows, key in (
        (world.client_plans.get((introducer, trade.client), []), (introducer, trade.client)),
        (world.link_plans.get(link, []), (introducer, 0, link)),
    ):
        if plan := held_at(rows, at):
            return plan, held_at(world.percents.get(key, []), at)
    return _standing(world, introducer, trade, at, of_trade)


def _standing(world: World, partner: int, trade: Trade, at: dt.datetime, of_trade=True):
    """Of the agreements for no single link or client the first that fits, one by one; the usual one at the end."""
    link = held_at(world.links.get(trade.client, []), trade.closed_at)
    for row in sorted(world.scoped.get(partner, []), key=lambda row: row.priority):
        plan = held_at([row.plan], at)
        if plan is None or (row.links and link not in row.links):
            continue
        if row.platforms and not (of_trade and trade.platform in row.platforms):
            continue
        if row.accounts and not (of_trade and trade.account_group.startswith(row.accounts)):
            continue
        return plan, row.percent
    return held_at(world.plans.get(partner, []), at), held_at(world.percents.get((partner,), []), at)


def _cpa_version(world: World, trade: Trade, introducer: int, partner: int) -> Version | None:
    """What was agreed with a partner when the client was first referred."""
    since = min(row.starts_at for row in world.introducers[trade.client])
    own = _own_version(world, partner, trade, since, False) if partner != introducer else None
    version = own or held_at(world.versions.get(_agreed(world, introducer, trade, since, False)[0], []), since)
    return version if version and version.cpa else None


def qualifying_deal(world: World, version: Version, trade: Trade) -> int | None:
    """The first deal with which the client has closed and paid in enough, in time, while their first partner's."""
    row, first = version.cpa_for(trade.country), min(world.introducers[trade.client], key=lambda row: row.starts_at)
    if row is None:
        return None
    lots = NOTHING
    for at, deal, closed in sorted(world.closes[trade.client]):
        if at < first.starts_at or (first.ends_at and at >= first.ends_at):
            continue
        lots += closed
        came = [amount for on, amount in world.paid_in.get(trade.client, []) if first.starts_at <= on <= at]
        is_enough = lots >= row.lots and sum(came, NOTHING) >= row.deposit
        if at < first.starts_at + dt.timedelta(days=row.days) and is_enough:
            return deal
    return None


def _own_version(world: World, partner: int, trade: Trade, at: dt.datetime, of_trade=True) -> Version | None:
    version = held_at(world.versions.get(_standing(world, partner, trade, at, of_trade)[0], []), at)
    return version if version and version.network != "introducer" else None


def _one(world, trade, version, partner, level, component, factor=Decimal(1)) -> tuple[str, Decimal]:
    if world.own_client.get(partner) == trade.client:
        return "self_trade", NOTHING
    if not held_at(world.active.get(partner, []), trade.closed_at):
        return "partner_not_active", NOTHING
    if version is None:
        return "no_plan", NOTHING
    if component == "cpa":
        row = version.cpa_for(trade.country)
        if trade.country in version.excluded_countries:
            return "country_excluded", NOTHING
        if _is_shared(world, trade, version, partner):
            return "shared_device", NOTHING
        if level not in version.shares:
            return "beyond_levels", NOTHING
        return "", (row.amount * version.shares[level]).quantize(EIGHT, ROUND_DOWN)
    if version.account_group and not trade.account_group.startswith(version.account_group):
        return "account_group", NOTHING
    if version.excluded_account and trade.account_group.startswith(version.excluded_account):
        return "account_group", NOTHING
    if trade.country in version.excluded_countries:
        return "country_excluded", NOTHING
    if _is_shared(world, trade, version, partner):
        return "shared_device", NOTHING
    odd = [kind for kind in oddities(world, trade) if kind in version.excluded_trades]
    if odd:
        return min(odd), NOTHING
    if any(trade.symbol.startswith(start) for start in version.excluded_symbols):
        return "symbol_excluded", NOTHING
    if not trade.group:
        return "symbol_not_mapped", NOTHING
    fixed = version.overrides.get((trade.group, level)) if component == "lot" else None
    part = version.best(component, trade.group, trade.account_group)
    if part is None and fixed is None:
        return "no_rate", NOTHING
    if level not in version.shares and fixed is None:
        return "beyond_levels", NOTHING
    if trade.lots == 0:
        return "nothing_closed", NOTHING
    if (trade.closed_at - trade.opened_at).total_seconds() < version.min_hold_seconds:
        return "held_too_short", NOTHING
    if trade.pips < version.min_pips:
        return "too_few_pips", NOTHING
    if component == "commission" and trade.charged <= 0:
        return "nothing_charged", NOTHING
    with localcontext(prec=80):
        rate = ((part.value if fixed is None else fixed) * factor).quantize(EIGHT, ROUND_DOWN)
        if fixed is not None:
            return "", (trade.lots * rate).quantize(EIGHT, ROUND_DOWN)
        pot = _basis(world, trade, version, part) * rate
        return "", (min(pot, pot if part.cap is None else part.cap) * version.shares[level]).quantize(EIGHT, ROUND_DOWN)


def _revenue(world, trade, version) -> Decimal:
    """The stated mark-up, what was charged, and swaps, in the plan's currency."""
    with localcontext(prec=80):
        markup = (trade.pip_value * version.markup_pips).quantize(EIGHT, ROUND_DOWN)
        markup *= world.rate(trade.quote_currency, version.currency)
        charged = round(trade.charged - trade.swap, 8) * world.rate(trade.account_currency, version.currency)
        return (markup + charged).quantize(EIGHT, ROUND_DOWN)


def oddities(world, trade) -> set[str]:
    """What may lie beside a trade, by looking at every other position and at all that was booked on its account."""
    mine, found = world.positions[trade.deal], set()
    for deal, other in world.positions.items():
        is_opposite = other.symbol == mine.symbol and other.side != mine.side and deal != trade.deal
        if not is_opposite or other.opened_at >= trade.closed_at or other.ended_at <= mine.opened_at:
            continue
        introducers = {held_at(world.introducers.get(who, []), trade.closed_at) for who in (mine.client, other.client)}
        is_near = abs((other.opened_at - mine.opened_at).total_seconds()) <= 10 and other.units * 2 >= mine.units
        if other.client == mine.client:
            found.add("hedged")
        elif is_near and len(introducers) == 1:
            found.add("mirrored")
    held = [NOTHING, NOTHING]
    for at, is_credit, amount in world.booked.get(mine.account, []):
        held[is_credit] += amount if at < mine.opened_at else NOTHING
    return found | ({"bonus_funded"} if held[True] > max(NOTHING, held[False]) else set())


def _is_shared(world, trade, version, partner) -> bool:
    both = world.shared.get((trade.client, partner), [])
    return any(kind in version.excluded_shared and since <= trade.closed_at for kind, since in both)


def _basis(world, trade, version, part) -> Decimal:
    component = part.component
    if component == "lot":
        return trade.lots
    if component == "pip":
        return round(trade.pip_value, 8) * world.rate(trade.quote_currency, version.currency)
    if component == "point":
        return round(trade.pip_value * trade.point, 8) * world.rate(trade.quote_currency, version.currency)
    if component == "spread":
        return round(trade.pip_value * part.markup, 8) * world.rate(trade.quote_currency, version.currency)
    money = max(NOTHING, trade.charged) if component == "commission" else trade.charged - trade.result
    return round(money, 8) * world.rate(trade.account_currency, version.currency)


def _paid(world, rows, key) -> tuple[str, Decimal, Decimal, Version | None]:
    row, (partner, level, component) = rows[key], key
    if row.reason:
        return row.reason, NOTHING, NOTHING, row.version
    ours = row.full
    if row.is_difference:
        below = [
            (other.full * world.rate(other.version.currency, row.version.currency)).quantize(EIGHT, ROUND_DOWN)
            for (_partner, at, of), other in rows.items()
            if at < level and of == component and not other.reason and (at == 1 or other.is_difference)
        ]
        ours = max(NOTHING, row.full - max([NOTHING, *below]))
        if not ours:
            return "no_difference", NOTHING, NOTHING, row.version
    with localcontext(prec=80):
        amount = (ours * world.rate(row.version.currency, world.currency[partner])).quantize(EIGHT, ROUND_DOWN)
        return "", ours, amount, row.version
