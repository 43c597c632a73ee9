"""Replays on the oracle's random worlds: no difference after a run, and after a correction exactly what brute force says."""

import datetime as dt
import itertools
import random
from collections import defaultdict
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from clients.models import Client, Identifier
from crm import approvals
from crm.models import FxRate
from ib import engine, rollup, tree
from ib.agreements import ranks
from ib.calculation import monthly
from ib.choices import DifferenceCause as Cause
from ib.models import Accrual, Attribution, PartnerLink, PartnerPlan, PartnerSpell, Replay, ReplayLine, ReplayProposal
from ib.replay import replays
from ib.replay.proposals import propose_replay
from tests.examples import examples
from tests.ib import factories, oracle
from tests.ib.test_oracle import DAYS, MONTH_SPANS, MONTHS, START, Builder, Undo, numbers_of_months
from trading.models import Deal, DealEdit, PastAccountGroup, PastSymbolMapping, SymbolInfo

pytestmark = pytest.mark.django_db
END = START + dt.timedelta(days=DAYS + 1)
# What a correction changes elsewhere: caps fill otherwise, differences depend on what is earned below, CPAs move, positions
# hedge others; a client's month is made of all their trades, and a pot is shared by the lots of all.
FOLLOWS = {Cause.CAP, Cause.BELOW, Cause.CPA, Cause.EXCLUSION, Cause.REVENUE, Cause.POT}


class Corrections:
    """What may be corrected later, in the database and in the oracle's world; each returns the causes that it may have."""

    def __init__(self, builder: Builder) -> None:
        self.builder, self.world, self.random = builder, builder.world, builder.random

    def any_trade(self) -> oracle.Trade:
        return self.random.choice(list(self.builder.trades.values()))

    def plain_deal(self) -> Deal:
        """A trade of a position that was neither added to nor turned round, whose end is found by its one opening."""
        deals = Deal.every.filter(pk__in=list(self.builder.trades)).exclude(position_id__in=self.builder.netted)
        return self.random.choice(list(deals.order_by("pk")))

    def mapping(self):
        info = self.random.choice(list(SymbolInfo.objects.order_by("pk")))
        if not info.symbol_group:
            SymbolInfo.objects.filter(pk=info.pk).update(symbol_group="metals")
            self.builder.mappings[info.name] = [oracle.Dated(("metals", None), factories.LONG_AGO)]
        else:
            PastSymbolMapping.objects.filter(info=info).update(corrected_at=timezone.now())
            self.builder.mappings[info.name] = [oracle.Dated((info.symbol_group, None), factories.LONG_AGO)]
        lots = {}
        for trade in self.builder.trades.values():
            if trade.symbol == info.name:
                trade.group = oracle.held_at(self.builder.mappings[info.name], trade.closed_at)[0]
                lots[trade.deal] = trade.lots = Deal.every.get(pk=trade.deal).closed_lots
        self.close_anew(lots)
        return {Cause.MAPPING}

    def close_anew(self, lots):
        for client, closes in self.world.closes.items():
            self.world.closes[client] = [(at, deal, lots.get(deal, closed)) for at, deal, closed in closes]
        for deal, closed in lots.items():
            self.world.facts[deal].lots = closed

    def account_group(self):
        account = self.random.choice(self.builder.accounts)
        PastAccountGroup.objects.filter(account=account).update(corrected_at=timezone.now())
        deals = set(Deal.every.filter(account=account).values_list("pk", flat=True))
        for trade in self.builder.trades.values():
            if trade.deal in deals:
                trade.account_group = account.group
        return {Cause.ACCOUNT_TYPE}

    def agreement(self):
        trade = self.any_trade()
        partner = oracle.held_at(self.world.introducers.get(trade.client, []), trade.closed_at)
        if partner is None or (partner, trade.client) in self.world.client_plans:
            return set()
        plan = self.random.choice(self.builder.plans)
        PartnerPlan.objects.create(partner_id=partner, plan=plan, client_id=trade.client, starts_at=factories.LONG_AGO)
        self.world.client_plans[partner, trade.client] = [oracle.Dated(plan.pk, factories.LONG_AGO)]
        return {Cause.AGREEMENT, Cause.VERSION, Cause.TREE}

    def fx(self):
        for currency, rate in (("USD", "1.3"), ("GBP", "0.77")):
            FxRate.objects.create(on=START.date() - dt.timedelta(days=1), currency=currency, rate=Decimal(rate))
        self.world.per_eur = {"EUR": Decimal(1), "USD": Decimal("1.3"), "GBP": Decimal("0.77")}
        return {Cause.FX}

    def edited(self):
        deal = self.plain_deal()
        trade = self.builder.trades[deal.pk]
        Deal.every.filter(pk=deal.pk).update(
            lots=deal.lots * 2, closed_lots=deal.closed_lots * 2, profit=Decimal("-12.34"), revision=1
        )
        DealEdit.objects.create(server_id=deal.server_id, ticket=deal.ticket, before={}, after={}, at=timezone.now())
        was, trade.result = trade.result, trade.swap - Decimal("12.34")
        trade.lots, trade.pip_value = trade.lots * 2, trade.pip_value * 2
        trade.charged = -deal.commission + (trade.charged + deal.commission) * 2
        fact = self.world.facts[trade.deal]
        fact.lost, fact.pip_value = Decimal("12.34"), trade.pip_value
        self.rebook(trade, was + deal.commission, trade.result + deal.commission)
        self.end_anew(deal)
        self.close_anew({trade.deal: trade.lots})
        return {Cause.DEAL_EDITED}

    def rebook(self, trade, was, now):
        booked = self.world.booked[self.world.positions[trade.deal].account]
        booked[booked.index((trade.closed_at, False, was))] = (trade.closed_at, False, now)

    def end_anew(self, deal):
        """A position ends with its last close, where as much was closed as was opened."""
        deals = Deal.every.filter(account_id=deal.account_id, position_id=deal.position_id, deleted_at=None)
        closes = [(row.executed_at, row.closed_lots) for row in deals.exclude(entry=0)]
        is_ended = sum(closed for _at, closed in closes) >= deals.get(entry=0).lots
        never = dt.datetime.max.replace(tzinfo=dt.UTC)
        self.world.positions[deal.pk].ended_at = max(closes)[0] if is_ended else never

    def deleted(self):
        deal = self.plain_deal()
        trade = self.builder.trades[deal.pk]
        self.rebook(trade, trade.result + deal.commission, oracle.NOTHING)
        Deal.every.filter(pk=trade.deal).update(deleted_at=timezone.now())
        self.end_anew(deal)
        del self.builder.trades[trade.deal], self.world.facts[trade.deal]
        for client, closes in self.world.closes.items():
            self.world.closes[client] = [close for close in closes if close[1] != trade.deal]
        return {Cause.DEAL_DELETED}

    def late(self):
        self.builder.make_trades(2)
        return {Cause.DEAL_LATE}

    def status(self):
        spell = self.random.choice(list(PartnerSpell.objects.filter(ends_at=None).order_by("pk")) or [None])
        if spell is None:
            return set()
        spell.ends_at = self.builder.instant()
        spell.save(update_fields=["ends_at"])
        self.world.active[spell.partner_id] = [oracle.Dated(True, spell.starts_at, spell.ends_at)]
        return {Cause.STATUS}

    def moved(self):
        links = list(PartnerLink.objects.filter(ends_at=None).order_by("pk"))
        if not links:
            return set()
        link = self.random.choice(links)
        order = [partner.pk for partner in self.builder.partners]
        parent = self.random.choice(order[: order.index(link.partner_id)])
        link.ends_at = max(self.builder.instant(), link.starts_at + dt.timedelta(seconds=1))
        link.save(update_fields=["ends_at"])
        PartnerLink.objects.create(partner_id=link.partner_id, parent_id=parent, starts_at=link.ends_at)
        rows = self.world.parents[link.partner_id]
        rows[-1].ends_at = link.ends_at
        rows.append(oracle.Dated(parent, link.ends_at))
        tree.rebuild_brand(self.builder.cast.brand.pk)
        return {Cause.TREE, Cause.AGREEMENT, Cause.VERSION}

    def introducer(self):
        row = self.random.choice(list(Attribution.objects.filter(ends_at=None).order_by("pk")) or [None])
        if row is None:
            return set()
        partner = self.random.choice(self.builder.partners)
        row.ends_at = max(self.builder.instant(), row.starts_at + dt.timedelta(seconds=1))
        row.save(update_fields=["ends_at"])
        Attribution.objects.create(client_id=row.client_id, partner=partner, method="manual", starts_at=row.ends_at)
        self.world.introducers[row.client_id][-1].ends_at = row.ends_at
        self.world.introducers[row.client_id].append(oracle.Dated(partner.pk, row.ends_at))
        self.world.links[row.client_id][-1].ends_at = row.ends_at
        same = row.partner_id == partner.pk
        return {Cause.INTRODUCER} | ({Cause.AGREEMENT, Cause.VERSION, Cause.TREE} if same else set())

    def country(self):
        trade = self.any_trade()
        country = {"DE": "FR", "FR": "", "": "DE"}[trade.country]
        Client.objects.filter(pk=trade.client).update(country=country)
        for other in self.builder.trades.values():
            if other.client == trade.client:
                other.country = country
        self.world.country[trade.client] = country
        return {Cause.COUNTRY}

    def shared(self):
        trade, partner = self.any_trade(), self.random.choice(self.builder.partners)
        for about in ({"client_id": trade.client}, {"user_id": partner.user_id}):
            Identifier.objects.create(kind="device", mark=b"x" * 32, first_seen=START, last_seen=START, **about)
        self.world.shared.setdefault((trade.client, partner.pk), []).append(("device", START))
        return {Cause.EXCLUSION}


KINDS = [
    name
    for name in vars(Corrections)
    if not name.startswith("_") and name not in ("any_trade", "plain_deal", "close_anew", "end_anew", "rebook")
]


def replayed(cast) -> Replay:
    replay = replays.request_replay(
        brand=cast.brand, from_at=START, to_at=END, actor=cast.ib_manager, reason="A correction"
    )
    return replays.run_replay(replay_id=replay.pk)


def sums() -> dict:
    found = defaultdict(Decimal)
    for deal, partner, level, component, amount in Accrual.objects.values_list(
        "deal_id", "partner_id", "level", "component", "amount"
    ):
        found[deal, partner, level, component] += amount
    return found


def expected_of(builder) -> dict:
    every = oracle.all_earnings(builder.world, list(builder.trades.values()), numbers_of_months())
    return {key: amount for key, (_reason, amount) in every.items() if amount}


def paid(found) -> dict:
    return {key: amount for key, amount in found.items() if amount}


@settings(
    max_examples=examples(10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
# Another account type is another of the partner's agreements.
# The deal that qualified a client was deleted, and another one qualifies them in the same pass.
@example(seed=4018, partners=3, trades=19, kinds=["account_group", "country"])
@example(seed=232355, partners=10, trades=15, kinds=["deleted"])
@given(
    seed=st.integers(0, 2**32),
    partners=st.integers(1, 10),
    trades=st.integers(2, 24),
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=2, unique=True),
)
def test_a_replay_lists_what_brute_force_finds_and_applies_it(cast, monkeypatch, seed, partners, trades, kinds):
    monkeypatch.setattr(replays, "PIECE", dt.timedelta(days=31))
    factories.load_rates()
    check_world(cast, seed, partners, trades, kinds)


def check_world(cast, seed, partners, trades, kinds):
    try:
        with transaction.atomic():
            builder = Builder(cast, random.Random(seed))
            builder.build(partners, 5, trades)
            engine.run_for_deals(deal_ids=list(builder.trades))
            for month, following in itertools.pairwise(MONTHS):
                ranks.review_ranks(brand=cast.brand, at=following - dt.timedelta(seconds=1))
                oracle.review(builder.world, month)
            monthly.calculate(cast.brand, MONTH_SPANS[:2])
            assert replayed(cast).state == "same", "a replay right after a run"
            corrections = Corrections(builder)
            allowed = FOLLOWS.union(*(getattr(corrections, kind)() for kind in kinds))
            compare(cast, builder, allowed)
            raise Undo
    except Undo:
        pass


def compare(cast, builder, allowed):
    before, count = sums(), Accrual.objects.count()
    replay = replayed(cast)
    expected = expected_of(builder)
    lines = ReplayLine.objects.filter(replay=replay)
    found = before.copy()
    for line in lines:
        key = line.deal_id, line.partner_id, line.level, line.component
        assert line.before == before.get(key, 0) and line.difference == line.after - line.before
        found[key] += line.difference
    assert paid(found) == expected
    causes = set(lines.values_list("cause", flat=True))
    assert causes <= allowed, f"{causes - allowed} for {allowed}"
    assert Accrual.objects.count() == count, "only the shadow was written"
    assert sums() == before
    if replay.state == "same":
        return
    item = propose_replay(replay_id=replay.pk, actor=cast.ib_manager, reason="A correction")
    approvals.approve(ReplayProposal, item.pk, actor=cast.finance)
    assert paid(sums()) == expected and rollup.differences() == []
    assert replayed(cast).state == "same", "an applied replay leaves nothing"
