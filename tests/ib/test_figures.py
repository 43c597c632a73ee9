"""Figures of one partner hold nothing of another, nothing that has ended, and end with their last day."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from ib import attribution, figures, settlement, tree
from ib.links import create_link
from ib.models import Accrual, PartnerDay, ReferralDay, ReferralLink, SettlementPeriod
from ib.partner_pages import figures as partner_figures
from ib.partner_pages.date_ranges import date_range
from tests.ib.factories import NOON, make_partner, refer
from tests.ib.test_settlement import accrue

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def earned(found: list[figures.Earned]) -> list[tuple[str, Decimal]]:
    return [(one.currency, one.amount) for one in found]


def test_a_summary_counts_the_network_below_and_what_is_there_now(network, cast):
    """The client of the sub is nobody's own client above; who was moved away counts no more."""
    accrue(network)
    refer(cast.other_client, network.master)
    rows = [figures.summary(partner) for partner in (network.top, network.master, network.sub)]
    assert [(row.clients, row.network, row.network_clients) for row in rows] == [(0, 2, 2), (1, 1, 1), (1, 0, 0)]
    assert [earned(row.open) for row in rows] == [[("EUR", n)] for n in (1, 3, 6)]
    tree.move_partner(partner_id=network.sub.pk, parent_id=None, actor=cast.ib_manager, reason="own")
    attribution.attribute_client(client_id=cast.other_client.pk, partner_id=None, actor=cast.ib_manager)
    rows = [figures.summary(partner) for partner in (network.top, network.master, network.sub)]
    assert [(row.clients, row.network, row.network_clients) for row in rows] == [(0, 1, 0), (0, 0, 0), (1, 0, 0)]


def test_another_tree_of_the_brand_changes_no_figure(network, cast):
    """Its partners, clients, plans, links and earnings count there and nowhere else."""
    accrue(network)
    link = ReferralLink.objects.filter(partner=network.sub)[0]
    ReferralDay.objects.create(link=link, day=dt.datetime.now(dt.UTC).date(), clicks=5, registrations=2)

    def figures_of(partner) -> tuple[object, ...]:
        (node,) = figures.nodes([partner], brand_id=cast.brand.pk, level=1)
        below = figures.children(partner.pk, brand_id=cast.brand.pk)
        return figures.summary(partner), partner_figures.funnel(partner, date_range("30")), node, below

    before = [figures_of(partner) for partner in (network.top, network.master, network.sub)]
    top = make_partner(cast.brand)
    sub = make_partner(cast.brand, parent=top)
    under = make_partner(cast.brand, parent=sub)
    refer(cast.other_client, under)
    for partner in (top, sub, under):
        link = ReferralLink.objects.filter(partner=partner).first() or create_link(
            partner_id=partner.pk, campaign="", actor=None
        )
        ReferralDay.objects.create(link=link, day=dt.datetime.now(dt.UTC).date(), clicks=70, registrations=20)
    assert [figures_of(partner) for partner in (network.top, network.master, network.sub)] == before
    summary, referred, node, below = figures_of(top)
    assert (summary.clients, summary.network, summary.network_clients, summary.open) == (0, 2, 1, [])
    assert (referred.clicks, referred.registered, node.partners, len(below)) == (70, 0, 1, 1)


def test_a_branch_shows_what_stands_directly_below(network, cast):
    accrue(network)
    (top,) = figures.children(None, brand_id=cast.brand.pk)
    (master,) = figures.children(network.top.pk, brand_id=cast.brand.pk, level=2)
    (sub,) = figures.children(network.master.pk, brand_id=cast.brand.pk, level=3)
    assert [node.partner for node in (top, master, sub)] == [network.top, network.master, network.sub]
    assert [(node.level, node.clients, node.partners) for node in (top, master, sub)] == [
        (1, 0, 1),
        (2, 0, 1),
        (3, 1, 0),
    ]
    assert [earned(node.earned) for node in (top, master, sub)] == [[("EUR", n)] for n in (1, 3, 6)]
    assert sub.plan == network.version.plan.name
    tree.move_partner(partner_id=network.sub.pk, parent_id=None, actor=cast.ib_manager, reason="own")
    attribution.attribute_client(client_id=cast.client.pk, partner_id=None, actor=cast.ib_manager)
    assert figures.children(network.master.pk, brand_id=cast.brand.pk) == []
    tops = {node.partner: node for node in figures.children(None, brand_id=cast.brand.pk)}
    assert set(tops) == {network.top, network.sub} and tops[network.sub].clients == 0
    assert figures.nodes([network.master], brand_id=cast.brand.pk, level=1)[0].partners == 0


@time_machine.travel(NOON, tick=False)
def test_earnings_of_thirty_days_begin_with_the_first_of_them(network):
    """The day before the first isn't there; each amount is at its own day."""
    accrue(network)
    row = PartnerDay.objects.get(partner=network.sub)
    for back in (29, 30):
        PartnerDay.objects.filter(pk=row.pk).update(day=NOON.date() - back * DAY)
        days, series = figures.daily_earnings(network.sub)
        assert (days[0], days[-1], len(days)) == (NOON.date() - 29 * DAY, NOON.date(), 30)
        assert series == ({"EUR": [Decimal(6), *[Decimal(0)] * 29]} if back == 29 else {})
    PartnerDay.objects.filter(pk=row.pk).update(day=NOON.date() + DAY)
    assert figures.daily_earnings(network.sub)[1] == {}


def test_only_open_periods_of_the_brand_are_open(network, cast):
    accrue(network)
    mine = figures.open_period_ids(cast.brand.pk)
    assert mine and figures.open_period_ids(cast.other_brand.pk) == []
    assert earned(figures.earned_in([network.sub.pk], mine)) == [("EUR", Decimal(6))]
    assert figures.earned_in([network.sub.pk], []) == figures.earned_in([], mine) == []
    first = SettlementPeriod.objects.filter(pk__in=mine).earliest("starts_at")
    settlement.settle_period(period_id=first.pk, actor=cast.finance)
    assert first.pk not in figures.open_period_ids(cast.brand.pk)


@pytest.mark.parametrize(("days", "rows"), [(1, 1), (0, 0)])
def test_trades_that_paid_nothing_are_counted_by_reason(network, cast, days, rows):
    accrue(network, held_seconds=100)
    with time_machine.travel(Accrual.objects.latest("pk").closed_at + DAY, tick=False):
        since = timezone.now() - days * DAY
        found = figures.exclusions([cast.brand.pk], since=since).answer
        assert figures.exclusions([cast.other_brand.pk], since=since).answer == []
        assert figures.exclusions([cast.brand.pk], since=since, until=since).answer == []
        of_one = figures.exclusions([cast.brand.pk], since=since, code=network.sub.code).answer
        assert [(row.reason, row.rows) for row in of_one] == [("held_too_short", 1)] * rows
    assert [(row.reason, row.rows, row.deals, row.symbol) for row in found] == [
        ("held_too_short", 3, 1, "EURUSD")
    ] * rows


def test_what_a_client_earned_whom(network, cast):
    accrue(network)
    accrue(network, held_seconds=100)
    rows = figures.earned_from(cast.client)
    assert [(row["level"], row["total"], row["trades"], row["unpaid"]) for row in rows] == [
        (1, 6, 1, 1),
        (2, 3, 1, 1),
        (3, 1, 1, 1),
    ]
    assert figures.earned_from(cast.other_client) == []
    refer(cast.other_client, network.sub)
    mine = network.sub.attributions.order_by("client_id")
    assert {row.client: row.earned for row in figures.with_earnings(mine, network.sub)} == {
        cast.client: 6,
        cast.other_client: 0,
    }
