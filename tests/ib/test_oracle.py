"""The set-based engine against a brute force in plain Python, on random trees that move, plans that change, odd trades."""

import datetime as dt
import itertools
import random
from collections import Counter, defaultdict
from decimal import ROUND_DOWN, Decimal, localcontext

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from clients.models import Client, Identifier
from crm.models import User
from ib import engine, plans, rollup, tree
from ib.agreements import cards, ranks
from ib.calculation import monthly
from ib.models import (
    Accrual,
    Attribution,
    CappedDay,
    Partner,
    PartnerLink,
    PartnerPlan,
    PartnerSpell,
    Plan,
    PlanComponent,
    PlanCpa,
    PlanLevel,
    PlanOverride,
    PlanRate,
    PlanTier,
    PlanVersion,
    ReferralLink,
    RevenueMonth,
)
from tests.examples import examples
from tests.ib import factories, oracle
from tests.ib.test_settlement import arrived
from trading.models import PastAccountGroup, PastSymbolMapping, SymbolInfo, TradingAccount

pytestmark = pytest.mark.django_db
START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
DAYS = 60
NOTHING = Decimal(0)
MONTHS = [dt.datetime(2026, month, 1, tzinfo=dt.UTC) for month in (3, 4, 5)]
MONTH_SPANS = [
    monthly.Span(since.date(), since, until)
    for since, until in itertools.pairwise([*MONTHS, MONTHS[-1].replace(month=6)])
]
GROUPS = ["fx_majors", "metals", "indices", ""]
SYMBOL_OF = {"fx_majors": "EURUSD", "metals": "XAUUSD", "indices": "DE40", "": "XAUUSD.m"}
CURRENCIES = ["EUR", "USD", "GBP"]
PER_EUR = {"EUR": Decimal(1), "USD": Decimal("1.25"), "GBP": Decimal("0.80")}
ACCOUNT_GROUPS = ["real\\standard-EUR", "real\\raw_ecn", "demo%"]


NUMBERS = itertools.count(1)


class Undo(Exception):
    pass


class Builder:
    """Writes a random brokerage twice: into the database, and as the oracle's world."""

    def __init__(self, cast, random):
        self.cast, self.random = cast, random
        self.world = oracle.World(per_eur=PER_EUR)
        self.partners, self.accounts, self.trades = [], [], {}
        self.groups, self.mappings, self.links, self.plans = {}, {}, {}, []
        # Of their own, so that a world's other trades are what they were without these.
        self.netting, self.netted = type(random)(repr(random.getstate())), set()

    def instant(self):
        return START + dt.timedelta(seconds=self.random.randrange(1, DAYS * 86400))

    def build(self, partners, clients, trades):
        self.make_partners(partners)
        self.make_tree()
        self.make_plans()
        self.make_clients(clients)
        self.make_own_clients()
        self.make_shared()
        self.make_mappings()
        self.make_money()
        self.make_ledger()
        self.make_deposits()
        self.make_trades(trades)
        self.make_netted()

    def make_partners(self, count):
        users = User.objects.bulk_create(
            [User(username=f"p{n}", email=f"p{n}@e.com", kind="partner", brand=self.cast.brand) for n in range(count)]
        )
        self.partners = Partner.objects.bulk_create(
            [
                Partner(
                    brand=self.cast.brand,
                    user=user,
                    code=f"p{n}",
                    name=f"P{n}",
                    state="active",
                    currency=self.random.choice(CURRENCIES),
                    joined_at=START,
                )
                for n, user in enumerate(users)
            ]
        )
        for partner in self.partners:
            self.world.currency[partner.pk] = partner.currency
            ends_at = self.instant() if self.random.random() < 0.15 else None
            spell = PartnerSpell.objects.create(partner=partner, starts_at=factories.LONG_AGO, ends_at=ends_at)
            self.world.active[partner.pk] = [oracle.Dated(True, spell.starts_at, spell.ends_at)]

    def make_tree(self):
        """Parents come from earlier partners, so no circle; some move once."""
        for n, partner in enumerate(self.partners[1:], start=1):
            first, second = self.random.choice(self.partners[:n]), self.random.choice(self.partners[:n])
            moved = self.instant() if self.random.random() < 0.3 else None
            spans = [(first, factories.LONG_AGO, moved)] + ([(second, moved, None)] if moved else [])
            for parent, starts_at, ends_at in spans:
                PartnerLink.objects.create(partner=partner, parent=parent, starts_at=starts_at, ends_at=ends_at)
            self.world.parents[partner.pk] = [oracle.Dated(p.pk, a, b) for p, a, b in spans]
        tree.rebuild_brand(self.cast.brand.pk)

    def make_plans(self):
        made = self.plans = [self.make_plan(n) for n in range(4)]
        self.per_trade = [self.make_plan(n, is_per_trade=True) for n in (4, 5)]
        for n, partner in enumerate(self.partners):
            link = ReferralLink.objects.create(partner=partner, code=f"link-{n}")
            self.links[partner.pk] = link
            self.world.link_owner[link.pk] = partner.pk
            if self.random.random() < 0.15:
                plan, percent = self.random.choice(made), self.percent()
                PartnerPlan.objects.create(
                    partner=partner, plan=plan, link=link, starts_at=factories.LONG_AGO, percent=percent
                )
                self.world.percents[partner.pk, 0, link.pk] = [oracle.Dated(percent, factories.LONG_AGO)]
                self.world.link_plans[link.pk] = [oracle.Dated(plan.pk, factories.LONG_AGO)]
            self.make_scoped(partner, link)
            if self.random.random() < 0.1:
                continue
            moved = self.instant() if self.random.random() < 0.2 else None
            spans = [(self.random.choice(made), factories.LONG_AGO, moved)]
            if moved:
                spans.append((self.random.choice(made), moved, None))
            for plan, starts_at, ends_at in spans:
                percent = self.percent()
                PartnerPlan.objects.create(
                    partner=partner, plan=plan, starts_at=starts_at, ends_at=ends_at, percent=percent
                )
                held = self.world.percents.setdefault((partner.pk,), [])
                held.append(oracle.Dated(percent, starts_at, ends_at))
            self.world.plans[partner.pk] = [oracle.Dated(p.pk, a, b) for p, a, b in spans]

    def make_scoped(self, partner, link):
        """None to three agreements beside the usual one, for some time each; what they take may overlap."""
        pick = self.random
        for priority in sorted(pick.sample([1, 2, 50], pick.choice([0, 0, 1, 2, 3]))):
            platforms, accounts, links = pick.choice(
                [
                    (["mt5", "ctrader"], "", []),
                    (["mt4"], "", []),
                    ([], "real\\raw", []),
                    ([], "", [link.pk]),
                    (["mt5"], "real", []),
                    ([], "real\\standard", [link.pk]),
                    ([], "", [link.pk + 10**9]),
                ]
            )
            # What is paid per client can't be limited to a platform or account type.
            plan = pick.choice(self.per_trade if platforms or accounts else self.plans)
            percent = self.percent()
            starts_at, ends_at = sorted([factories.LONG_AGO, self.instant()]) if pick.random() < 0.3 else (START, None)
            PartnerPlan.objects.create(
                partner=partner,
                plan=plan,
                percent=percent,
                priority=priority,
                platforms=platforms,
                account_groups=[f"{accounts}*"] if accounts else [],
                link_ids=links,
                starts_at=starts_at,
                ends_at=ends_at,
            )
            held = oracle.Dated(plan.pk, starts_at, ends_at)
            row = oracle.Scoped(priority, tuple(platforms), accounts, tuple(links), held, percent)
            self.world.scoped.setdefault(partner.pk, []).append(row)

    def make_plan(self, n, *, is_per_trade=False):
        plan = Plan.objects.create(brand=self.cast.brand, name=f"Plan {n}")
        changed = self.instant()
        self.world.versions[plan.pk] = [
            oracle.Dated(self.make_version(plan, n, since, until, is_per_trade), since, until)
            for n, (since, until) in enumerate([(factories.LONG_AGO, changed), (changed, None)], start=1)
        ]
        return plan

    def percent(self):
        return Decimal(self.random.choice(["100", "100", "50", "133.33"]))

    def cents(self):
        return Decimal(self.random.randrange(0, 1500)) / 100

    def make_version(self, plan, number, starts_at, ends_at, is_per_trade):
        pick = self.random
        version = oracle.Version(
            currency=pick.choice(CURRENCIES),
            min_hold_seconds=pick.choice([0, 60, 180]),
            account_group=pick.choice(["", "real", "real\\raw_"]),
            rates={group: self.cents() for group in pick.sample(GROUPS[:3], pick.randint(1, 3))},
            shares={level: Decimal(pick.randrange(0, 10**7)) / 10**8 for level in range(1, pick.randint(2, 6))},
            overrides={},
        )
        if pick.random() < 0.5:
            version.overrides[pick.choice(GROUPS[:3]), pick.randint(1, 6)] = self.cents()
        version.network = pick.choice(["introducer", "introducer", "own", "difference"])
        version.min_pips = pick.choice([Decimal(0), Decimal(0), Decimal("2.5")])
        version.excluded_symbols = pick.choice([(), (), ("XAU",), ("DE40",)])
        version.excluded_countries = pick.choice([(), (), ("US", "DE")])
        version.parts = self.make_parts(version)
        version.cpa = [
            oracle.Cpa(
                countries,
                self.cents() + 1,
                Decimal(pick.choice(["0", "1", "3.5"])),
                pick.choice([10, 365]),
                Decimal(pick.choice(["0", "0", "100"])),
            )
            for countries in pick.choice([(), (), ((),), (("DE",), ()), (("FR", "DE"),)])
            if version.network != "difference"
        ]
        if pick.random() < 0.4:
            lots = sorted(
                pick.sample([Decimal("0.05"), Decimal("0.5"), Decimal(1), Decimal(2), Decimal(4)], pick.randint(1, 3))
            )
            version.tiers = [(least, Decimal(pick.randrange(8_000, 25_000)) / 10_000) for least in lots]
            version.tier_months, version.tier_grace = pick.choice([1, 1, 2]), pick.choice([0, 0, 1])
            version.tier_is_own = pick.random() < 0.5
        if pick.random() < 0.3:
            version.cap_day = pick.choice([None, Decimal("0.5"), Decimal(3)])
            version.cap_month = pick.choice([None, Decimal(1), Decimal("7.77")])
        if pick.random() < 0.3:
            version.cap_revenue = Decimal(pick.choice(["12.5", "60", "100"]))
            version.markup_pips = Decimal(pick.choice(["0", "0.7", "0.125"]))
        has_cap = (version.cap_day, version.cap_month, version.cap_revenue) != (None, None, None)
        version.is_capped_together = has_cap and pick.random() < 0.5
        if pick.random() < 0.3:
            version.cap_upline = Decimal(pick.choice(["5", "33.33", "80"]))
            version.markup_pips = version.markup_pips or Decimal("0.7")
        if version.network != "difference" and version.cap_revenue is None and pick.random() < 0.5:
            most = pick.choice([None, Decimal("0.5"), Decimal(20)])
            version.monthly = oracle.Part(
                pick.choice(["revenue", "net_result"]), "", "", Decimal(pick.randrange(1, 10**6)) / 10**6, most
            )
            version.carries_negative = pick.random() < 0.5
            version.markup_pips = Decimal(pick.choice(["0", "0.7", "0.125"]))
        version.passed_percent = Decimal(pick.choice(["0", "0", "0", "33.33", "100"]))
        if version.network != "difference" and version.cap_revenue is None and pick.random() < 0.4:
            most = pick.choice([None, None, Decimal(3)])
            version.pot = oracle.Part("pot", "", "", self.cents() + Decimal("0.01"), most)
        if is_per_trade:
            version.cpa, version.monthly, version.pot = [], None, None
        if not version.passed_percent and pick.random() < 0.4:
            version.passed_per_lot = Decimal(pick.choice(["0.5", "1.23456789", "100"]))
        version.excluded_account = pick.choice(["", "", "", "real\\raw"])
        version.excluded_shared = pick.choice([(), (), ("device",), ("ip_prefix", "device")])
        version.excluded_trades = pick.choice(
            [(), (), ("hedged",), ("mirrored", "bonus_funded"), ("hedged", "mirrored")]
        )
        version.sales = self.make_sales(version) if not is_per_trade else []
        row = PlanVersion.objects.create(
            excluded_accounts=[f"{version.excluded_account}*"] if version.excluded_account else [],
            excluded_shared=list(version.excluded_shared),
            excluded_trades=list(version.excluded_trades),
            cap_day=version.cap_day,
            cap_month=version.cap_month,
            cap_revenue=version.cap_revenue,
            is_capped_together=version.is_capped_together,
            cap_upline=version.cap_upline,
            passed_percent=version.passed_percent,
            passed_per_lot=version.passed_per_lot,
            markup_pips=version.markup_pips,
            carries_negative=version.carries_negative,
            tier_basis="own" if version.tier_is_own else "network",
            tier_months=version.tier_months,
            tier_grace=version.tier_grace,
            plan=plan,
            network=version.network,
            min_pips=version.min_pips,
            excluded_symbols=[f"{start}*" for start in version.excluded_symbols],
            excluded_countries=list(version.excluded_countries),
            number=number,
            starts_at=starts_at,
            ends_at=ends_at,
            currency=version.currency,
            min_hold_seconds=version.min_hold_seconds,
            is_pool=False,
            made_by=self.cast.ib_manager,
            account_groups=[f"{version.account_group}*"] if version.account_group else [],
        )
        PlanRate.objects.bulk_create(
            [PlanRate(version=row, group=g, amount_per_lot=a) for g, a in version.rates.items()]
        )
        PlanLevel.objects.bulk_create([PlanLevel(version=row, level=k, share=s) for k, s in version.shares.items()])
        PlanOverride.objects.bulk_create(
            [PlanOverride(version=row, group=g, level=k, amount_per_lot=a) for (g, k), a in version.overrides.items()]
        )
        PlanComponent.objects.bulk_create(
            [
                PlanComponent(
                    version=row,
                    component=part.component,
                    group=part.group,
                    accounts=f"{part.accounts}*" if part.accounts else "",
                    value=part.value,
                    cap=part.cap,
                    markup=part.markup,
                )
                for part in [*version.parts, *version.sales, *filter(None, (version.monthly, version.pot))]
            ]
        )
        PlanTier.objects.bulk_create(
            [
                PlanTier(version=row, number=n, name=f"Rank {n}", lots=least, factor=factor)
                for n, (least, factor) in enumerate(version.tiers, start=1)
            ]
        )
        PlanCpa.objects.bulk_create(
            [
                PlanCpa(
                    version=row,
                    countries=list(cpa.countries),
                    amount=cpa.amount,
                    min_lots=cpa.lots,
                    min_deposit=cpa.deposit,
                    within_days=cpa.days,
                )
                for cpa in version.cpa
            ]
        )
        PlanVersion.objects.filter(pk=row.pk).update(state="active", decided_by=self.cast.finance, decided_at=START)
        return version

    def make_sales(self, _version):
        """Nothing for sold challenges: `test_sold_worlds.py` has worlds with some."""
        return []

    def make_parts(self, version):
        """None to four rows beside the rates: other components, and other rates for a type of account."""
        pick, parts = self.random, {}
        kinds = ["lot", "pip", "point", "spread", "commission", *(["loss"] if version.network != "difference" else [])]
        for _n in range(pick.choice([0, 0, 1, 2, 4])):
            kind = pick.choice(kinds)
            value = Decimal(pick.randrange(1, 10**6)) / (10**6 if kind in ("spread", "commission", "loss") else 10**5)
            key = kind, pick.choice(["", "fx_majors", "metals"]), pick.choice(["", "real", "real\\raw_"])
            if key[0] == "lot" and not key[2] and key[1] in version.rates:
                continue  # the editor refuses a second row for the same place
            parts[key] = oracle.Part(*key, value, pick.choice([None, None, Decimal("0.5"), Decimal(20)]))
            if kind == "spread":
                parts[key].markup = pick.choice([Decimal("0.8"), Decimal("1.333")])
        return list(parts.values())

    def make_clients(self, count):
        clients = [
            Client(
                brand=self.cast.brand,
                book=self.cast.book,
                email=f"c{n}@e.com",
                created_at=START,
                country=self.random.choice(["DE", "FR", ""]),
            )
            for n in range(count)
        ]
        Client.objects.bulk_create(clients)
        for client in clients:
            self.world.country[client.pk] = client.country
            if self.random.random() < 0.9:
                moved = self.instant() if self.random.random() < 0.25 else None
                spans = [(self.random.choice(self.partners), START, moved)]
                if moved:
                    spans.append((self.random.choice(self.partners), moved, None))
                for partner, starts_at, ends_at in spans:
                    link = self.links[partner.pk] if self.random.random() < 0.5 else None
                    Attribution.objects.create(
                        client=client, partner=partner, link=link, method="link", starts_at=starts_at, ends_at=ends_at
                    )
                    linked = oracle.Dated(link.pk if link else None, starts_at, ends_at)
                    self.world.links.setdefault(client.pk, []).append(linked)
                if self.random.random() < 0.2:
                    plan, at, percent = self.random.choice(self.plans), self.instant(), self.percent()
                    PartnerPlan.objects.create(
                        partner=spans[0][0], plan=plan, client=client, starts_at=at, percent=percent
                    )
                    self.world.percents[spans[0][0].pk, client.pk] = [oracle.Dated(percent, at)]
                    self.world.client_plans[spans[0][0].pk, client.pk] = [oracle.Dated(plan.pk, at)]
                self.world.introducers[client.pk] = [oracle.Dated(p.pk, a, b) for p, a, b in spans]
            account = factories.make_account(client, group=self.random.choice(ACCOUNT_GROUPS))
            account.currency = self.random.choice(CURRENCIES)
            account.save(update_fields=["currency"])
            self.accounts.append(account)
            self.groups[account.pk] = self.make_past(
                PastAccountGroup,
                lambda past, account=account: {"account": account, "group": past},
                account.group,
                lambda: self.random.choice(ACCOUNT_GROUPS),
            )

    def make_own_clients(self):
        """Some partners trade, too, perhaps below themselves."""
        clients = sorted({account.client_id for account in self.accounts})
        for partner in self.partners:
            if clients and self.random.random() < 0.15:
                client = clients.pop(self.random.randrange(len(clients)))
                Partner.objects.filter(pk=partner.pk).update(client_id=client)
                self.world.own_client[partner.pk] = client

    def make_deposits(self):
        for account in self.accounts:
            for _n in range(self.random.choice([0, 1, 2])):
                at, minor = self.instant(), self.random.choice([1, 60_00, 99_99, 250_00])
                arrived(self.cast, minor, at, f"world-{next(NUMBERS)}", client=account.client)
                self.world.paid_in.setdefault(account.client_id, []).append((at, Decimal(minor) / 100))

    def make_shared(self):
        """Some clients and partners have used one device or network, each since some instant."""
        for n, client in enumerate({account.client_id for account in self.accounts}):
            if self.random.random() < 0.6:
                continue
            partner, kind = self.random.choice(self.partners), self.random.choice(["device", "ip_prefix"])
            seen = [self.instant(), self.instant()]
            for about, at in zip(({"client_id": client}, {"user_id": partner.user_id}), seen, strict=True):
                Identifier.objects.create(kind=kind, mark=bytes([n]) * 32, first_seen=at, last_seen=at, **about)
            self.world.shared.setdefault((client, partner.pk), []).append((kind, max(seen)))

    def make_past(self, model, columns, now, pick):
        """None to two earlier values of random spans, as the database keeps them, and the one of today."""
        spans, start = [], None
        for until in sorted(self.instant() for _n in range(self.random.choice([0, 0, 1, 2]))):
            value = pick()
            spans.append(oracle.Dated(value, start or factories.LONG_AGO, until))
            model.objects.create(starts_at=start, ends_at=until, **columns(value))
            start = until
        return [*spans, oracle.Dated(now, start or factories.LONG_AGO)]

    def make_mappings(self):
        """A symbol's group and the broker's lot as they were; a symbol without a mapping never had one."""
        SymbolInfo.objects.update(currency_profit="USD")
        SymbolInfo.objects.filter(name="XAUUSD").update(digits=2, currency_profit="GBP")
        for info in SymbolInfo.objects.exclude(symbol_group=""):
            self.mappings[info.name] = self.make_past(
                PastSymbolMapping,
                lambda past, info=info: {"info": info, "symbol_group": past[0], "house_contract_size": past[1]},
                (info.symbol_group, None),
                lambda: (self.random.choice(GROUPS[:3]), self.random.choice([None, 1_000_000, 30_000])),
            )

    def make_money(self):
        """Some accounts have credit beside their balance, in whatever order."""
        for account in self.accounts:
            for action in self.random.sample([2, 3, 6, 2, 3], self.random.choice([0, 0, 1, 2, 4])):
                at, amount = self.instant(), Decimal(self.random.choice([-20, 5, 100, 250]))
                factories.make_deal(
                    account, at=at, entry=0, lots="0", position=0, symbol="", action=action, profit=amount
                )
                self.world.booked.setdefault(account.pk, []).append((at, action != 2, amount))

    def make_ledger(self):
        """Some clients were charged fees and granted bonuses, as the ledger has it."""
        for client in Client.objects.filter(pk__in={account.client_id for account in self.accounts}).order_by("pk"):
            times = sorted(self.instant() for _n in range(self.random.choice([0, 0, 1, 2])))
            for n, at in enumerate(times):
                currency = self.random.choice(CURRENCIES)
                fee, bonus = self.random.choice([(0, 777), (123, 0), (55, 200)])
                factories.book(client, at, fee=fee, bonus=bonus, currency=currency)
                self.world.facts[client.pk, "booked", n] = oracle.Fact(
                    client.pk, at, currency, booked=Decimal(fee - bonus) / 100
                )

    def make_trades(self, count):
        for _n in range(count):
            account: TradingAccount = self.random.choice(self.accounts)
            at, held = self.instant(), self.random.choice([1, 59, 60, 179, 180, 3600, 90_000])
            symbol, side = SYMBOL_OF[self.random.choice(GROUPS)], self.random.choice([0, 1])
            if self.trades and self.random.random() < 0.4:  # beside another one, perhaps against it
                other = self.world.positions[self.random.choice(list(self.trades))]
                symbol, side = other.symbol, self.random.choice([1 - other.side, 1 - other.side, other.side])
                at = other.opened_at + dt.timedelta(seconds=self.random.choice([-10, -3, 0, 7, 11, 59]) + held)
                account = next(a for a in self.accounts if a.pk == other.account) if side and held < 3600 else account
            self.make_trade(account, at, held, symbol, side)

    def make_trade(self, account, at, held, symbol, side):
        """Opened, and closed as a whole or in two parts, some by an opposite position (OUT_BY)."""
        lots = Decimal(self.random.choice(["0.01", "0.07", "1", "2.35", "0.12345678"]))
        opening, opened = self.random.choice(["0", "-1.11"]), at - dt.timedelta(seconds=held)
        number = factories.open_position(
            account, at=opened, lots=str(lots), symbol=symbol, commission=opening, action=side
        )
        self.world.booked.setdefault(account.pk, []).append((opened, False, Decimal(opening)))
        closes = [(at, lots)]
        later = at + dt.timedelta(seconds=self.random.choice([1, 600, 90_000]))
        if self.random.random() < 0.25 and later < START + dt.timedelta(days=DAYS):
            part = (lots / 3).quantize(oracle.EIGHT, ROUND_DOWN)
            closes = [(at, part), (later, lots - part)]
        position = oracle.Position(account.client_id, account.pk, symbol, side, lots, opened, closes[-1][0])
        for closed_at, part in closes:
            with localcontext(prec=80):
                charged = -Decimal(opening) * part / lots
            deal = self.close(account, number, position, closed_at, part, charged)
        about = account.client_id, opened, account.currency
        self.world.facts[deal, "opened"] = oracle.Fact(*about, charged=-Decimal(opening))

    def make_netted(self):
        """Some positions of netting accounts: added to, closed in part, and turned round (INOUT), each life on its other side."""
        pick, ends = self.netting, START + dt.timedelta(days=DAYS)
        for _n in range(pick.choice([0, 1, 2, 3])):
            account, symbol = pick.choice(self.accounts), SYMBOL_OF[pick.choice(GROUPS)]
            at, lives = START + dt.timedelta(seconds=pick.randrange(1, DAYS * 86400)), []
            for _life in range(pick.choice([1, 2, 2, 3])):
                steps = [(at, self.lots_of(pick), True)]
                for _step in range(pick.choice([0, 0, 1, 2])):
                    at += dt.timedelta(seconds=pick.choice([1, 59, 200, 5000, 90_000]))
                    left = sum((lots if is_opening else -lots for _at, lots, is_opening in steps), NOTHING)
                    part = (left / pick.choice([2, 3])).quantize(oracle.EIGHT, ROUND_DOWN)
                    steps.append((at, part, False) if pick.random() < 0.5 else (at, self.lots_of(pick), True))
                at += dt.timedelta(seconds=pick.choice([1, 59, 200, 5000, 90_000]))
                left = sum((lots if is_opening else -lots for _at, lots, is_opening in steps), NOTHING)
                lives.append([*steps, (at, left, False)])
            if at < ends:
                self.write_netted(account, symbol, pick.choice([0, 1]), lives)

    def lots_of(self, pick):
        return Decimal(pick.choice(["0.01", "0.07", "1", "2.35", "0.12345678"]))

    def write_netted(self, account, symbol, side, lives):
        """Write the deals of a position's lives: [(at, lots, is opening)] of each, whose last close is the next one's opening."""
        number, opened_by = next(factories._numbers), NOTHING
        self.netted.add(number)
        for place, steps in enumerate(lives):
            openings = [(at, lots) for at, lots, is_opening in steps if is_opening]
            units = sum((lots for _at, lots in openings), NOTHING)
            position = oracle.Position(account.client_id, account.pk, symbol, side, units, steps[0][0], steps[-1][0])
            charged = opened_by
            for at, lots in openings[place > 0 :]:
                commission = self.netting.choice(["0", "-1.11", "-3"])
                about = {"lots": str(lots), "symbol": symbol, "commission": commission, "action": side}
                deal = factories.make_deal(account, at=at, entry=0, position=number, **about)
                self.world.booked.setdefault(account.pk, []).append((at, False, Decimal(commission)))
                opened = oracle.Fact(account.client_id, at, account.currency, charged=-Decimal(commission))
                self.world.facts[deal, "opened"] = opened
                charged -= Decimal(commission)
            for at, lots, is_opening in steps:
                if not is_opening:
                    is_turn = at == steps[-1][0] and place + 1 < len(lives)
                    more = lives[place + 1][0][1] if is_turn else NOTHING
                    with localcontext(prec=80):
                        deal = self.close(account, number, position, at, lots, charged * lots / units, more)
                        opened_by = self.world.facts[deal].charged * more / (lots + more)
            side = 1 - side

    def close(self, account, number, position, at, lots, opening_charged, turned=NOTHING):
        """Close a part of a position; turned: lots that the same deal opens on the other side (INOUT)."""
        pick = self.netting if number in self.netted else self.random
        money = {name: pick.choice(["0", "3.21", "-7.5", "-0.03"]) for name in ("profit", "commission")}
        money["swap"] = pick.choice(["0", "0", "-0.55", "0.31"])
        price, symbol = pick.choice(["1", "1.0002", "1.005", "0.9"]), position.symbol
        deal = factories.make_deal(
            account,
            at=at,
            entry=2 if turned else pick.choice([1, 1, 1, 3]),
            lots=f"{lots + turned:f}",
            closed=f"{lots:f}",
            position=number,
            symbol=symbol,
            price=price,
            action=1 - position.side,
            **money,
        )
        group, size = oracle.held_at(self.mappings.get(symbol, []), at) or ("", None)
        ours = round(lots * Decimal(100_000) / size, 8) if size else lots
        pip = Decimal("0.01") if symbol == "XAUUSD" else Decimal("0.0001")
        money = {name: Decimal(amount) for name, amount in money.items()}
        self.world.closes.setdefault(account.client_id, []).append((at, deal, ours))
        self.world.positions[deal] = position
        self.world.booked[account.pk].append((at, False, sum(money.values())))
        quote, worth = "GBP" if symbol == "XAUUSD" else "USD", lots * 100_000 * pip
        self.world.facts[deal] = oracle.Fact(
            account.client_id,
            at,
            account.currency,
            charged=-money["commission"],
            swaps=-money["swap"],
            lost=-money["profit"],
            quote_currency=quote,
            pip_value=worth,
            lots=ours,
        )
        self.trades[deal] = oracle.Trade(
            deal,
            account.client_id,
            position.opened_at,
            at,
            group,
            oracle.held_at(self.groups[account.pk], at),
            ours,
            symbol=symbol,
            country=account.client.country,
            account_currency=account.currency,
            quote_currency=quote,
            pip_value=worth,
            point=Decimal(1) if symbol == "XAUUSD" else Decimal("0.1"),
            pips=abs(Decimal(price) - 1) / pip,
            charged=-money["commission"] * lots / (lots + turned) + opening_charged,
            result=money["profit"] + money["swap"],
            swap=money["swap"],
        )
        return deal


# A world is one number: shrinking it would only make another world.
@settings(
    max_examples=examples(12),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(seed=st.integers(0, 2**32), partners=st.integers(1, 14), trades=st.integers(1, 30))
@example(seed=278103, partners=11, trades=24)  # an opening's charge that isn't a whole part of its lots
def test_the_engine_agrees_with_brute_force_to_the_eighth_place(cast, seed, partners, trades):
    factories.load_rates()
    check_world(cast, seed, partners, trades)


def check_world(cast, seed, partners, trades):
    """Calculate a world in parts, with its ranks reviewed between them, and all of it again: always what the oracle says."""
    try:
        with transaction.atomic():
            builder = Builder(cast, random.Random(seed))
            builder.build(partners, 6, trades)
            ids = list(builder.trades)
            engine.run_for_deals(deal_ids=ids[::2])
            monthly.calculate(cast.brand, MONTH_SPANS)
            for month, following in itertools.pairwise(MONTHS):
                ranks.review_ranks(brand=cast.brand, at=following - dt.timedelta(seconds=1))
                oracle.review(builder.world, month)
            engine.run_for_deals(deal_ids=ids[1::2])
            monthly.calculate(cast.brand, MONTH_SPANS[1:])
            monthly.calculate(cast.brand, MONTH_SPANS)
            agree(builder)
            before = Accrual.objects.count()
            engine.run_for_deals(deal_ids=ids)
            scope, capped = engine.Scope(from_at=START, to_at=START + dt.timedelta(days=DAYS + 1)), sums_of_days()
            again = engine.run(brand=cast.brand, scope=scope, kind="replay", corrects=True)[1]
            again.add(monthly.calculate(cast.brand, MONTH_SPANS))
            assert again.rows == 0 and Accrual.objects.count() == before
            assert rollup.differences() == []
            assert capped == sums_of_days(), "counted again from the lines of whole months"
            lines = Accrual.objects.filter(kind="original").values_list("component", "reason")
            compared = Counter((component, reason or "paid") for component, reason in lines)
            compared["capped"] = Accrual.objects.filter(kind="capped").values("corrects").distinct().count()
            raise Undo
    except Undo:
        return compared


def sums_of_days():
    return set(CappedDay.objects.values_list("partner", "version", "day", "amount", "low", "high", "revenue"))


def numbers_of_months():
    rows = RevenueMonth.objects.values_list("client_id", "partner_id", "month", "pk")
    return {(client, partner, f"{month:%Y-%m}"): -pk for client, partner, month, pk in rows}


def agree(builder, sales=()):
    expected = oracle.all_earnings(builder.world, list(builder.trades.values()), numbers_of_months(), list(sales))
    found = {}
    for row in Accrual.objects.order_by("pk"):
        key = row.deal_id, row.partner_id, row.level, row.component
        assert (key in found) == (row.kind != "original")
        reason, amount = found.get(key, (row.reason, Decimal(0)))
        if row.kind == "delta":
            reason = "" if row.reason == "recalculated" else row.reason
        found[key] = reason, amount + row.amount
    assert found == expected


@settings(max_examples=examples(10), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shares=st.lists(st.decimals("0.00000001", "0.4", places=8), min_size=1, max_size=5),
    pot=st.decimals("0.00000001", "30", places=8),
    lots=st.lists(st.decimals("0.00000001", "50", places=8), min_size=1, max_size=8),
)
def test_the_levels_together_never_get_more_than_the_pot(cast, shares, pot, lots):
    total = sum(shares)
    if total > 1:
        shares = [(share / total).quantize(oracle.EIGHT, "ROUND_DOWN") for share in shares]
    factories.load_rates()
    card = cards.RateCard(rates={"fx_majors": pot}, shares=dict(enumerate(shares, start=1)), overrides={})
    try:
        with transaction.atomic():
            version = factories.make_version(cast.brand, cast.ib_manager, cast.finance, rate_card=card)
            chain = [factories.make_partner(cast.brand)]
            for _level in shares[1:]:
                chain.append(factories.make_partner(cast.brand, parent=chain[-1]))
            plans.assign_plan(partner_id=chain[-1].pk, plan_id=version.plan_id, actor=None, at=factories.LONG_AGO)
            factories.refer(cast.client, chain[-1])
            account = factories.make_account(cast.client)
            deals = {factories.make_trade(account, lots=f"{lot:f}"): lot for lot in lots}
            engine.run_for_deals(deal_ids=list(deals))
            paid = defaultdict(Decimal)
            for deal, amount in Accrual.objects.values_list("deal_id", "rate_amount"):
                paid[deal] += amount
            assert all(paid[deal] <= lot * pot for deal, lot in deals.items())
            raise Undo
    except Undo:
        connection.needs_rollback = False
