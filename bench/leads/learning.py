"""The learned score: trained on nine of the months, then open leads scored again as each night does.

Some leads deposit 25 days after they came, Germans twice as often, so that there is something to learn. Yardsticks: one plain pass
over the leads of those months with their clients; a bare UPDATE of as many scores.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import connection, transaction

from bench.harness import Figure, analyze, at_least, at_most, say
from leads.learned import training
from leads.learned.scoring import open_leads
from leads.scores.rescoring import rescore
from leads.tasks import SCORED_AT_ONCE

# One lead in so many deposits.
DEPOSITS = {"tiny": 2, "quick": 10, "full": 24}
SCORED = {"tiny": 100, "quick": 1_000, "full": 20_000}
TRAINING_SECONDS_MAX, SCORED_MIN = 60, 1_000
PAID = """
UPDATE clients_client SET first_deposit_at = created_at + interval '25 days'
WHERE stage = 'lead' AND created_at < now() - interval '26 days'
  AND id % (%(one_in)s / CASE country WHEN 'DE' THEN 2 ELSE 1 END) = 0
"""
READ = """
SELECT count(*), sum(length(row_to_json(l)::text) + length(c.email)) FROM leads_lead l JOIN clients_client c ON c.id = l.client_id
WHERE l.captured_at > now() - interval '300 days' AND l.captured_at <= now() - interval '30 days'
"""
BARE = "UPDATE leads_lead SET score = score WHERE client_id = ANY(%s)"


def measure(size: str) -> list[Figure]:
    """Train a version, then score open leads with it."""
    say("the learned score")
    with connection.cursor() as cursor:
        cursor.execute(PAID.replace(" % (", " %% ("), {"one_in": DEPOSITS[size]})
    analyze()
    read = _seconds(lambda: _run(READ))
    began = time.perf_counter()
    model = training.train()
    trained = time.perf_counter() - began
    if model is None:
        raise RuntimeError("too few leads deposited to learn from")
    ids = open_leads()
    some = ids[: SCORED[size]]
    spent = _seconds(lambda: [rescore(some[n : n + SCORED_AT_ONCE]) for n in range(0, len(some), SCORED_AT_ONCE)])
    bare = len(some) / _seconds(lambda: _bare(some))
    return [
        at_most(
            Figure(
                "a version trained on the months that are over", trained, "s", read, "one plain pass over their leads"
            ),
            TRAINING_SECONDS_MAX,
        ),
        Figure("its AUC on months held back", model.auc, "", model.yardstick_auc, "points of the same leads"),
        at_least(Figure("open leads scored again", len(some) / spent, "leads/s", bare, "bare UPDATE"), SCORED_MIN),
        Figure("leads that each night scores again", len(ids), "leads"),
    ]


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        cursor.fetchall()


def _bare(ids: list[int]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(BARE, [ids])
        transaction.set_rollback(True)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
