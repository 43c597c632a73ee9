"""bench conditions: typical segments over 1.2 million leads and their clients: the first page, and the exact count.

Each condition is one statement through the reader's reach. The yardstick of the page is the same page without a condition,
that of the count a count of everybody in reach.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.db.models.expressions import RawSQL
from django.utils import timezone

from bench.harness import Figure, analyze, at_most, interleaved, own_database, p95, say
from bench.web import fill, make_house
from clients.models import Client
from clients.queries import clients_visible_to
from clients.segments import verbs
from clients.segments.refreshing import refresh
from clients.vocabulary import CLIENT
from crm.conditions import all_of, read
from crm.db import partitions
from crm.models import User

# Leads; one client to 25 leads comes on top.
SIZES = {"tiny": 2_000, "quick": 100_000, "full": 1_200_000}
AGENTS = {"tiny": 20, "quick": 200, "full": 200}
ROUNDS = {"tiny": 2, "quick": 10, "full": 10}
PAGE = 51
PAGE_MS_MAX, COUNT_MS_MAX, SEGMENT_MS_MAX = 200, 1_000, 30_000

# What the wallet knows of every client: from none to four deposits, up to a hundred days ago.
SIDE_FACTS = """
INSERT INTO wallet_walletfacts (client_id, deposits_count, last_deposit_at)
SELECT id, id % 5, CASE WHEN id % 5 > 0 THEN now() - make_interval(days => (id % 100)::int) END
FROM clients_client WHERE stage <> 'lead'
"""


def _is(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "is": operator, "value": value}


SEGMENTS: dict[str, dict[str, Any]] = {
    "German leads": all_of(_is("stage", "in", ["lead"]), _is("country", "in", ["DE", "AT", "CH"])),
    "best scores": all_of(_is("score", "ge", 95)),
    "new and never called": all_of(_is("sales_status", "in", ["new"]), {"field": "last_contact_at", "is": "empty"}),
    "not called for a month": all_of(_is("stage", "in", ["lead"]), {"not": _is("last_contact_at", "within", 30)}),
    "depositors": all_of({"not": {"field": "first_deposit_at", "is": "empty"}}),
    "big and quiet": all_of(_is("net_deposits", "ge", 5_000), {"not": _is("last_trade_at", "within", 7)}),
    "one campaign": all_of(_is("campaign", "in", ["c7"])),
    "nobody": all_of(_is("campaign", "in", ["nobody"])),
    "either": all_of({"any": [_is("score", "ge", 99), _is("net_deposits", "ge", 8_500)]}),
    "three deposits": all_of(_is("deposits_count", "ge", 3)),
    "one deposit, months ago": all_of(_is("deposits_count", "lt", 2), _is("last_deposit_at", "ago", 60)),
    "called this week": all_of({"happened": "call", "within_days": 7}),
}


def run(size: str) -> list[Figure]:
    figures: list[Figure] = []
    with own_database("conditions"):
        partitions.ensure_upcoming()
        people = make_house(AGENTS[size])
        say(f"filling up to {SIZES[size]:,} leads")
        fill(1, SIZES[size])
        with connection.cursor() as cursor:
            cursor.execute(SIDE_FACTS)
        analyze()
        user = people["whole brand"]
        pages: dict[str, Callable[[], object]] = {name: _page(user, stored) for name, stored in SEGMENTS.items()}
        counts: dict[str, Callable[[], object]] = {name: _count(user, stored) for name, stored in SEGMENTS.items()}
        for runs, what, limit in ((pages, "first page", PAGE_MS_MAX), (counts, "exact count", COUNT_MS_MAX)):
            runs["everybody"] = _page(user, all_of()) if runs is pages else _count(user, all_of())
            samples = interleaved(runs, times=ROUNDS[size], warm_up=1)
            bare = p95(samples["everybody"])
            for name in SEGMENTS:
                figure = Figure(f"{what}: {name}", p95(samples[name]), "ms", bare, f"{what} of everybody in reach")
                figures.append(at_most(figure, limit))
        figures += _segments(user, samples["everybody"])
    return figures


def _segments(user: User, everybody: list[float]) -> list[Figure]:
    """Fill a segment of half the brand's leads, refresh it unchanged, and after one record in a hundred changed."""
    brand_id = user.brand_id or 0
    condition = all_of({"any": [_is("country", "in", ["DE", "AT", "CH"]), _is("score", "ge", 50)]})
    with transaction.atomic():
        segment = verbs.create_segment(brand_id=brand_id, name="bench", condition=condition, actor=None)
    figures, yardstick = [], (p95(everybody), "exact count of everybody in reach")
    for what in ("filled", "refreshed, nothing changed", "refreshed, one in a hundred changed"):
        if what.endswith("hundred changed"):
            Client.objects.filter(
                brand_id=brand_id, pk__in=RawSQL("SELECT id FROM clients_client WHERE mod(id, 100) = 0", ())
            ).update(country="FR", score=0)
        began = time.perf_counter()
        done = refresh(segment.pk)
        spent = (time.perf_counter() - began) * 1_000
        say(f"segment {what}: {done}")
        figures.append(at_most(Figure(f"segment {what}", spent, "ms", *yardstick), SEGMENT_MS_MAX))
    return figures


def _found(user: User, stored: dict[str, Any]) -> Any:
    return clients_visible_to(user).filter(read(stored, CLIENT).q(timezone.now())).order_by()


def _page(user: User, stored: dict[str, Any]) -> Callable[[], list[Client]]:
    return lambda: list(_found(user, stored).order_by("-id").only("id", "first_name", "last_name")[:PAGE])


def _count(user: User, stored: dict[str, Any]) -> Callable[[], int]:
    return lambda: int(_found(user, stored).count())
