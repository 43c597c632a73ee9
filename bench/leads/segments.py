"""A segment of twenty conditions, counted exactly as while somebody edits it; beside a count of everybody in reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.utils import timezone

from bench.harness import Figure, analyze, at_most, interleaved, p95, say
from clients.queries import clients_visible_to
from clients.vocabulary import CLIENT
from crm.conditions import all_of, read
from crm.db.counting import count_matching
from crm.models import User

ROUNDS = {"tiny": 2, "quick": 20, "full": 10}
CALLS = {"tiny": 500, "quick": 10_000, "full": 500_000}
COUNT_MS_MAX = 1_000
# What the wallet knows of every client, and calls of every third person within some two months.
BESIDE = """
INSERT INTO wallet_walletfacts (client_id, deposits_count, last_deposit_at)
SELECT id, id % 5, CASE WHEN id % 5 > 0 THEN now() - make_interval(days => (id % 100)::int) END
FROM clients_client WHERE stage <> 'lead';
INSERT INTO clients_call (client_id, agent_id, direction, outcome, started_at, duration_seconds, notes, created_at)
SELECT id, owner_id, 'outbound', 'reached', now() - make_interval(mins => (id % 90000)::int), 60, '', now()
FROM clients_client WHERE id % 3 = 0 AND stage = 'lead' ORDER BY id DESC LIMIT {count}
"""


def _is(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "is": operator, "value": value}


def _empty(field: str) -> dict[str, Any]:
    return {"field": field, "is": "empty"}


# Conditions that most people meet, so that no statement ends early.
BROAD: list[dict[str, Any]] = [
    _is("stage", "in", ["lead", "registered", "active"]),
    _is("country", "in", ["DE", "AT", "CH", "ES", "IT", "FR"]),
    {"not": _is("country", "in", ["US", "CA"])},
    {"not": _is("language", "is", "es")},
    {"field": "marketing_consent", "is": "yes"},
    _is("score", "ge", 5),
    _is("score", "le", 98),
    _is("sales_status", "in", ["new", "contacted", "interested", "call_back", "no_answer"]),
    {"not": _is("campaign", "is", "c3")},
    {"not": _is("source", "is", "affiliate")},
    _is("kyc_level", "lt", 3),
    {"not": _is("risk_rating", "in", ["high"])},
    {"not": _is("created_at", "within", 2)},
    {"not": _is("last_contact_at", "within", 3)},
    _is("net_deposits", "lt", 8_900),
    _is("net_deposits", "ge", 5),
    {"not": _is("last_trade_at", "within", 1)},
    {"any": [_empty("first_deposit_at"), _is("deposits_count", "ge", 1)]},
    {"not": _is("last_deposit_at", "within", 1)},
    {"not": {"happened": "call", "within_days": 2}},
]
RARE: list[dict[str, Any]] = [
    *(_is("campaign", "is", f"c{number}") for number in (1, 5, 9, 13)),
    *(_is("score", "eq", number) for number in (3, 33, 66, 99)),
    *(_is("country", "in", [code]) for code in ("AU", "GB")),
    *(_is("net_deposits", "ge", number) for number in (8_990, 8_900)),
    _is("source", "is", "organic"),
    _is("sales_status", "in", ["call_back"]),
    _is("deposits_count", "ge", 4),
    _is("last_deposit_at", "within", 5),
    _is("first_deposit_at", "within", 20),
    _is("last_trade_at", "within", 5),
    _is("language", "is", "fr"),
    {"happened": "call", "within_days": 7},
]
SEGMENTS: dict[str, dict[str, Any]] = {
    "all of twenty, which many meet": all_of(*BROAD),
    "any of twenty": all_of({"any": RARE}),
    "five groups of four": all_of({"any": [{"all": RARE[n::5]} for n in range(5)]}),
}


def measure(user: User, size: str) -> list[Figure]:
    """Count each segment in turns with everybody."""
    say("segments of twenty conditions")
    with connection.cursor() as cursor:
        cursor.execute(BESIDE.format(count=CALLS[size]))
    analyze()
    runs = {name: _count(user, stored) for name, stored in SEGMENTS.items()}
    runs["everybody"] = _count(user, all_of())
    samples = interleaved(runs, times=ROUNDS[size], warm_up=1)
    bare = p95(samples["everybody"])
    return [
        at_most(Figure(f"exact count: {name}", p95(samples[name]), "ms", bare, "count of everybody"), COUNT_MS_MAX)
        for name in SEGMENTS
    ]


def _count(user: User, stored: dict[str, Any]) -> Callable[[], int]:
    return lambda: count_matching(clients_visible_to(user).filter(read(stored, CLIENT).q(timezone.now())))
