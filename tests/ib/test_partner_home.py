"""A partner's first page and links: one range of days for every figure, and each figure is the length of the list behind it."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from ib import engine
from ib.choices import AttributionMethod
from ib.links import create_link, switch_link
from ib.models import Attribution, PartnerDay, ReferralDay
from ib.partner_pages import figures as partner_figures
from ib.partner_pages.date_ranges import LABELS, date_range
from ib.partner_pages.figures import Funnel
from ib.tasks import renew_kept
from tests.cast import make_client
from tests.ib.factories import NOON, make_partner, make_trade, refer
from tests.ib.test_pages import text_of
from tests.ib.test_settlement import accrue

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
D = dt.date


@pytest.mark.parametrize(
    ("code", "today", "expected"),
    [
        ("7", D(2026, 3, 10), (D(2026, 3, 4), D(2026, 3, 10), D(2026, 2, 25), D(2026, 3, 3))),
        ("30", D(2026, 3, 10), (D(2026, 2, 9), D(2026, 3, 10), D(2026, 1, 10), D(2026, 2, 8))),
        ("month", D(2026, 3, 10), (D(2026, 3, 1), D(2026, 3, 10), D(2026, 2, 1), D(2026, 2, 10))),
        ("month", D(2026, 3, 31), (D(2026, 3, 1), D(2026, 3, 31), D(2026, 2, 1), D(2026, 2, 28))),
        ("month", D(2026, 1, 1), (D(2026, 1, 1), D(2026, 1, 1), D(2025, 12, 1), D(2025, 12, 1))),
        ("last-month", D(2026, 1, 5), (D(2025, 12, 1), D(2025, 12, 31), D(2025, 11, 1), D(2025, 11, 30))),
        ("no such", D(2026, 3, 10), (D(2026, 3, 1), D(2026, 3, 10), D(2026, 2, 1), D(2026, 2, 10))),
    ],
)
def test_a_range_and_what_it_is_compared_with(code, today, expected):
    span = date_range(code, today=today)
    assert (span.first, span.last, span.first_before, span.last_before) == expected
    assert str(span.label) and str(span.title) and str(span.versus)
    assert span.days[0] == span.first and span.days[-1] == span.last
    assert span.starts_at.date() == span.first and span.ends_at.date() == span.last + DAY


@time_machine.travel(NOON, tick=False)
def test_earnings_end_with_the_first_and_last_day(network):
    accrue(network)
    row = PartnerDay.objects.get(partner=network.sub)
    span = date_range("30")
    for back, amount in ((29, 6), (30, 0), (-1, 0)):
        PartnerDay.objects.filter(pk=row.pk).update(day=NOON.date() - back * DAY)
        found = partner_figures.earned_between(network.sub, span.days)
        assert (found.amount, found.trades, len(found.by_day)) == (amount, bool(amount), 30)
    PartnerDay.objects.filter(pk=row.pk).update(day=NOON.date() - 29 * DAY)
    found = partner_figures.earned_between(network.sub, span.days)
    assert found.by_day[0] == 6 and found.running == [Decimal(6)] * 30
    assert partner_figures.earned_between(network.master, span.days).amount == 3


def leaders(partner, span):
    return partner_figures.leaders(partner, span, partner_figures.earned_between(partner, span.days))


@time_machine.travel(NOON, tick=False)
def test_who_earned_most_and_why_others_were_not_paid(network):
    trades = [make_trade(network.account, lots="2"), make_trade(network.account, held_seconds=30)]
    engine.run_for_deals(deal_ids=trades)
    span = date_range("7")
    own = leaders(network.sub, span)
    assert [(row.client, row.amount, row.trades) for row in own.clients] == [(network.account.client, 12, 2)]
    assert own.partners == [] and [(row.reason, row.trades) for row in own.reasons] == [("held_too_short", 1)]
    above = leaders(network.top, span)
    assert above.clients == [] and [(row.partner, row.amount) for row in above.partners] == [(network.sub, 2)]
    later = date_range("7", today=NOON.date() + 10 * DAY)
    assert leaders(network.sub, later) == partner_figures.Leaders([], [], [])


def came(cast, partner, link, at, **fields):
    client = make_client(
        brand=cast.brand, book=cast.book, email=f"c{at.timestamp()}@x.example", login=False, first_name="C", **fields
    )
    return Attribution.objects.create(
        client=client, partner=partner, link=link, method=AttributionMethod.LINK, starts_at=at
    )


@pytest.fixture
def visited(network, cast):
    """Twelve clicks on two links, three registrations: one is trading, one is verified, one came through the inactive link."""
    first = network.sub.referral_links.get()
    second = create_link(partner_id=network.sub.pk, campaign="Old", actor=None)
    now = timezone.now()
    for link, back, clicks in ((first, 0, 7), (first, 29, 1), (first, 30, 50), (second, 3, 4)):
        ReferralDay.objects.create(link=link, day=now.date() - back * DAY, clicks=clicks, registrations=9)
    came(cast, network.sub, first, now, kyc_level=1, first_deposit_at=now, last_trade_at=now)
    came(cast, network.sub, first, now - 2 * DAY, kyc_level=1)
    came(cast, network.sub, second, now - 3 * DAY)
    came(cast, network.sub, first, now - 45 * DAY, kyc_level=1)
    switch_link(link_id=second.pk, is_active=False, actor=None)
    return network


def test_the_funnel_counts_those_who_came_in_the_range(visited):
    assert partner_figures.funnel(visited.sub, date_range("30")) == Funnel(12, 3, 2, 1, 1)
    assert partner_figures.funnel(visited.sub, date_range("90")) == Funnel(62, 4, 3, 1, 1)
    assert partner_figures.funnel(visited.master, date_range("90")) == Funnel(0, 0, 0, 0, 0)


def test_the_links_add_up_to_the_funnel_inactive_ones_too(visited):
    span = date_range("30")
    links = list(visited.sub.referral_links.order_by("pk"))
    rows = partner_figures.by_link(visited.sub, span, links)
    assert [(row.clicks, row.registered, row.verified) for row in rows] == [(8, 2, 2), (4, 1, 0)]
    total = partner_figures.funnel(visited.sub, span)
    assert (sum(row.clicks for row in rows), sum(row.registered for row in rows)) == (total.clicks, total.registered)


def test_each_step_opens_a_list_of_as_many_clients(visited, browse):
    browser = browse(visited.sub.user)
    page = browser.get(reverse("partner_home"), {"period": "30"})
    steps = {step["label"]: step for step in page.context["funnel"]}
    assert [step["rate"] for step in steps.values()] == ["", "25 %", "67 %", "50 %", "100 %"]
    for label in ("Registrations", "Verified", "First deposit", "Active"):
        rows = browser.get(steps[label]["url"]).context["table"].page.rows
        assert len(rows) == steps[label]["count"], label


@pytest.mark.parametrize("code", [*LABELS, "", "x' OR 1=1"])
def test_every_range_opens(visited, browse, code):
    browser = browse(visited.sub.user)
    for name in ("partner_home", "partner_links"):
        assert browser.get(reverse(name), {"period": code}).status_code == 200


def test_unpaid_trades_are_behind_a_tab_by_reason(network, browse):
    deals = [
        make_trade(network.account, at=timezone.now()),
        make_trade(network.account, at=timezone.now(), held_seconds=9),
    ]
    engine.run_for_deals(deal_ids=deals)
    browser = browse(network.sub.user)
    assert "minimum holding time" not in text_of(browser.get(reverse("partner_home")))
    page = browser.get(reverse("partner_home"), {"trades": "unpaid"})
    ((row, url, remedy),) = page.context["unpaid"]
    assert remedy == "Trades held at least as long as the plan states are paid."
    assert row.trades == 1 and "Closed before the plan's minimum holding time" in text_of(page).replace("&#x27;", "'")
    assert len(browser.get(url).context["table"].page.rows) == 1
    unpaid = reverse("partner_earnings") + "?view=unpaid"
    page = browser.get(unpaid)
    assert unpaid in browser.get(reverse("partner_earnings")).content.decode()
    assert [(row["trades"], row["share"], row["remedy"]) for row in page.context["rows"]] == [(1, "100 %", remedy)]
    assert len(browser.get(page.context["rows"][0]["url"]).context["table"].page.rows) == 1
    lines = browser.get(unpaid + "&export=csv").getvalue().decode().splitlines()
    assert len(lines) == 2 and remedy in lines[1]


@time_machine.travel(NOON, tick=False)
def test_many_trades_and_partners_are_counted_as_of_minutes_ago(network, monkeypatch):
    monkeypatch.setattr(partner_figures, "MANY_ROWS", 1)
    monkeypatch.setattr(partner_figures, "LARGE_NETWORK", 2)
    engine.run_for_deals(deal_ids=[make_trade(network.account, held_seconds=9)])
    span = date_range("7")
    assert leaders(network.top, span).reasons[0].trades == 1 and leaders(network.top, span).kept_at == NOON
    engine.run_for_deals(deal_ids=[make_trade(network.account, held_seconds=9)])
    assert leaders(network.top, span).reasons[0].trades == 1
    assert partner_figures.counts(network.top, span).network_clients == 1
    refer(make_client(brand=network.top.brand, book=network.account.client.book, email="x@x.example"), network.sub)
    assert partner_figures.counts(network.top, span).network_clients == 1
    assert partner_figures.counts(network.master, span).network_clients == 2, "a small network is counted now"
    renew_kept(f"{partner_figures.__name__}:network_size", network.top.pk)
    renew_kept("leaders", network.top.pk, span.starts_at.isoformat(), span.ends_at.isoformat())
    assert leaders(network.top, span).reasons[0].trades == 2
    assert partner_figures.counts(network.top, span).network_clients == 2


def test_links_are_downloaded_as_csv(visited, browse):
    answer = browse(visited.sub.user).get(reverse("partner_links"), {"period": "30", "export": "csv"})
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert answer["Content-Type"].startswith("text/csv") and lines[0].startswith("Campaign,Link")
    assert [line.split(",")[2:] for line in lines[1:]] == [
        ["Yes", "8", "2", "2", "1", "1"],
        ["No", "4", "1", "0", "0", "0"],
    ]


def test_a_partner_filters_by_own_links_only(visited, cast, browse):
    other = make_partner(cast.brand).referral_links.get()
    answer = browse(visited.sub.user).get(reverse("partner_clients"), {"link": other.pk})
    assert other.pk not in {link.pk for link in answer.context["table"].filters.form.fields["link"].queryset}
