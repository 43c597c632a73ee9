"""Leads shared among 200 agents in a batch, and from capture to assigned at 50 a second.

A batch decides and counts 1,000 leads per transaction, as an import reserves them; its yardstick is as many rows of the
same table by one INSERT … SELECT. Captures come in at 50 a second from four processes, the whole `capture_lead` with dedupe,
score, routing, audit, timeline and events; what one waits for its turn counts. Shares are compared with the exact ones.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import connection, transaction
from django.utils import timezone

from bench.harness import Figure, at_least, at_most, in_processes
from crm.conditions import all_of, always
from crm.models import Brand, Desk
from leads.capture import Capture, capture_lead
from leads.choices import Channel, Strategy
from leads.models import Lead, RoutingRule
from leads.routing import Candidate, Router

BATCH = {"tiny": 2_000, "quick": 20_000, "full": 100_000}
SECONDS = {"tiny": 2, "quick": 20, "full": 60}
WORKERS, PER_SECOND, AT_ONCE = 4, 50, 1_000
RATE_MIN, P99_MS_MAX = 5_000, 1_000
BARE = """
INSERT INTO leads_lead (client_id, brand_id, book_id, channel, captured_at, source, medium, utm, click_id, referral_code, sub_id,
  landing_url, referrer, user_agent_hash, country_guess, language, message, consents, typed, is_duplicate, match_reasons,
  idempotency_key, body_hash, score, score_reasons, assigned_to_id, assigned_at, routing_reasons, tried_agents, sla_missed, refusal,
  learned_reasons)
SELECT client_id, brand_id, book_id, channel, captured_at, source, medium, utm, click_id, referral_code, sub_id, landing_url,
  referrer, user_agent_hash, country_guess, language, message, consents, typed, true, match_reasons, '',
  '', score, score_reasons, assigned_to_id, assigned_at, routing_reasons, tried_agents, sla_missed, refusal,
  learned_reasons
FROM leads_lead ORDER BY id LIMIT %s
"""


def measure(brand: Brand, size: str) -> list[Figure]:
    """Decide in batches, then take captures in."""
    figures = _batch(brand, BATCH[size])
    with TemporaryDirectory() as folder:
        return figures + _captures(brand, SECONDS[size], Path(folder))


def add_rules(brand: Brand) -> None:
    """A rule per desk and country, then one for the rest: three conditions are looked at on average."""
    desks = Desk.objects.filter(brand=brand).order_by("pk")
    for number, (desk, country) in enumerate(zip(desks, ["DE", "AT", "CH", "ES"], strict=False)):
        condition = all_of({"field": "country", "is": "in", "value": [country]})
        RoutingRule.objects.create(brand=brand, name=country, position=number, desk=desk, condition=condition)
    rest = desks.reverse()[0]
    RoutingRule.objects.create(
        brand=brand, name="rest", position=9, desk=rest, condition=always(), strategy=Strategy.WEIGHTED
    )


def _batch(brand: Brand, number: int) -> list[Figure]:
    countries = ["DE", "AT", "CH", "ES", "FR"]
    leads = [Candidate(language="de", country=countries[n % 5], source="google", score=n % 100) for n in range(number)]
    given: Counter[int | None] = Counter()
    started = time.perf_counter()
    for first in range(0, number, AT_ONCE):
        with transaction.atomic():
            router = Router(brand, timezone.now())
            router.hold()
            given.update(router.decide(lead).agent_id for lead in leads[first : first + AT_ONCE])
            router.save()
    rate = number / (time.perf_counter() - started)
    started = time.perf_counter()
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute(BARE, [number])
        bare = cursor.rowcount / (time.perf_counter() - started)
        transaction.set_rollback(True)
    spread = max(given.values()) - min(given.values())
    return [
        at_least(Figure("leads routed in batches", rate, "leads/s", bare, "rows by INSERT … SELECT"), RATE_MIN),
        at_most(Figure("difference of shares that should be equal", spread, "leads"), 1),
    ]


def _captures(brand: Brand, seconds: int, folder: Path) -> list[Figure]:
    each = seconds * PER_SECOND // WORKERS

    def work(worker: int) -> None:
        samples, began = [], time.perf_counter()
        for number in range(each):
            due = began + (number + worker / WORKERS) * WORKERS / PER_SECOND
            time.sleep(max(0.0, due - time.perf_counter()))
            capture_lead(brand=brand, capture=_someone(worker, number))
            samples.append((time.perf_counter() - due) * 1000)
        (folder / str(worker)).write_text("\n".join(map(str, samples)))

    newest = Lead.objects.order_by("-pk").values_list("pk", flat=True)[0]
    in_processes(WORKERS, work)
    samples = sorted(float(line) for path in folder.iterdir() for line in path.read_text().splitlines())
    fresh = Lead.objects.filter(pk__gt=newest)
    given = Counter(fresh.values_list("assigned_to", flat=True))
    figures = [
        Figure("capture to assigned, p50", samples[len(samples) // 2], "ms"),
        at_most(Figure("capture to assigned, p99", samples[int(len(samples) * 0.99)], "ms"), P99_MS_MAX),
        at_most(Figure("captures without an agent", given.pop(None, 0), "leads"), 0),
    ]
    return [
        *figures,
        at_most(Figure("difference of live shares", max(given.values()) - min(given.values()), "leads"), 1),
    ]


def _someone(worker: int, number: int) -> Capture:
    return Capture(
        channel=Channel.API,
        first_name="Anna",
        last_name=f"Bench{worker}",
        email=f"bench{worker}x{number}@example.com",
        phone=f"+49 1512 {worker}{number:06d}",
        country="DE",
        language="de",
        source="google",
    )
