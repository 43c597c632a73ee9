"""Figures of `bench ib` about links: a click counted and led on, and the funnel of 90 days by source.

Clicks come to one link, so that every one of them adds to the same row of the day: the worst case for its lock.
"""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from bench.harness import Figure, analyze, at_least, at_most, in_processes, p95, say
from clients.models import Client
from crm.models import Book
from ib.models import Partner, ReferralDay, ReferralLink
from ib.partner_pages import sources
from ib.partner_pages.date_ranges import date_range
from ib.tracking import source_days

# Clicks one by one, clicks of each of the processes; links of the partner, their sub-ids and countries a day, clients who came.
SIZES = {
    "tiny": (20, 10, 3, 2, 2, 20),
    "quick": (500, 500, 20, 20, 5, 5_000),
    "full": (2_000, 5_000, 50, 40, 10, 50_000),
}
PROCESSES = 2
FUNNEL_DAYS = 90
ADDRESS = "/r/bench-hot/?sub_id=video-12&utm_source=telegram&click_id=C1"
FILL = """
INSERT INTO ib_referralday (link_id, day, sub_id, country, clicks, registrations)
SELECT l.id, %(today)s::date - d, 's' || s, (ARRAY['DE','AT','ES','FR','IT','PL','CZ','NL','BE','CH'])[1 + c], 1 + d %% 7, d %% 2
FROM ib_referrallink l, generate_series(0, %(days)s) d, generate_series(1, %(subs)s) s, generate_series(0, %(countries)s - 1) c
WHERE l.partner_id = %(partner)s AND l.code <> 'bench-hot'
"""
CAME = """
INSERT INTO ib_attribution (client_id, partner_id, link_id, method, sub_id, click_id, starts_at, reason)
SELECT c.id, %(partner)s, l.ids[1 + c.id %% array_length(l.ids, 1)], 'link', 's' || 1 + c.id %% %(subs)s, '',
  now() - make_interval(days => (c.id %% %(days)s)::int), ''
FROM clients_client c, (SELECT array_agg(id) AS ids FROM ib_referrallink WHERE partner_id = %(partner)s) l
WHERE c.last_name = 'Came'
"""


def links(size: str) -> list[Figure]:
    """Measure clicks and the funnel of the first partner."""
    partner = Partner.objects.select_related("user").get(code="p1")
    ReferralLink.objects.create(partner=partner, code="bench-hot", campaign="Hot")
    return [*_clicks(size), *funnel(partner, size)]


def _clicks(size: str) -> list[Figure]:
    say("clicks")
    single, each, *_rest = SIZES[size]
    browser = Browser()
    for _round in range(5):
        answer = browser.get(ADDRESS)
    assert answer.status_code == 302, answer.status_code
    before, samples = _counted(), []
    for _number in range(single):
        started = time.perf_counter()
        browser.get(ADDRESS)
        samples.append((time.perf_counter() - started) * 1000)
    took = in_processes(PROCESSES, lambda _number: _click(each))
    lost = before + single + PROCESSES * each - _counted()
    return [
        at_most(Figure("click recorded and redirected, p95", p95(samples), "ms"), 20),
        at_least(Figure(f"clicks of one link, {PROCESSES} processes", PROCESSES * each / took, "1/s"), 500),
        at_most(Figure("clicks lost", lost, ""), 0),
    ]


def _click(count: int) -> None:
    browser = Browser()
    for _number in range(count):
        browser.get(ADDRESS)


def _counted() -> int:
    return sum(ReferralDay.objects.filter(link__code="bench-hot").values_list("clicks", flat=True))


def funnel(partner: Partner, size: str) -> list[Figure]:
    """Fill 90 days of clicks and registrations of a partner's links, and add them up by each kind of source."""
    say("funnel")
    _single, _each, count, subs, countries, came = SIZES[size]
    ReferralLink.objects.bulk_create(
        [ReferralLink(partner=partner, code=f"bench-{number}", campaign=f"C{number}") for number in range(count)]
    )
    book, now = Book.objects.get(brand=partner.brand_id), timezone.now()
    clients = [
        Client(
            brand_id=partner.brand_id,
            book=book,
            first_name=f"C{number}",
            last_name="Came",
            country=("DE", "AT", "ES")[number % 3],
            kyc_level=number % 2,
            first_deposit_at=now if number % 4 == 1 else None,
            last_trade_at=now if number % 8 == 1 else None,
            created_at=now,
        )
        for number in range(came)
    ]
    Client.objects.bulk_create(clients, batch_size=5_000)
    given: dict[str, Any] = {
        "partner": partner.pk,
        "today": timezone.now().date(),
        "days": FUNNEL_DAYS - 1,
        "subs": subs,
        "countries": countries,
    }
    with connection.cursor() as cursor:
        cursor.execute(FILL, given)
        rows = cursor.rowcount
        cursor.execute(CAME, given)
    source_days.keep_days(partner.brand)  # as each night
    analyze()
    span = date_range("90")
    assert span.last - span.first >= dt.timedelta(days=FUNNEL_DAYS - 1)
    samples: dict[str, list[float]] = {kind: [] for kind in sources.KINDS}
    for _round in range(20):
        for kind in sources.KINDS:
            started = time.perf_counter()
            sources.sources(partner, span, kind)
            samples[kind].append((time.perf_counter() - started) * 1000)
    slowest = max(p95(times) for times in samples.values())
    return [
        at_most(Figure(f"funnel of {FUNNEL_DAYS} days, {rows:,} rows and {came:,} clients, p95", slowest, "ms"), 200)
    ]
