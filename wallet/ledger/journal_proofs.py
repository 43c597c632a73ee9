"""Proves journals one by one, by their own hashes, sums, accounts and chains of versions.

A journal's hashes show which row is wrong, but computing them costs more than adding the rows up. So the sealer
computes them once, when it seals, and signs a digest over the rows (`row_digests`); from then on an equal digest
proves that no row of the seal was changed, and only where it differs the journals are checked one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection

JOURNALS_PER_STEP = 20_000
PROBLEMS_MAX = 20

JOURNALS = """
WITH lines AS (
  SELECT n.journal_id, string_agg(n.account_id || ':' || n.currency || ':' || n.layer || ':' || n.amount_minor, ','
      ORDER BY n.line) AS body,
    bool_and(n.line = n.place) AS unbroken, min(n.posted_at) AS first_at, max(n.posted_at) AS last_at
  FROM (SELECT *, row_number() OVER (PARTITION BY journal_id ORDER BY line) AS place FROM wallet_posting
        WHERE journal_id > %(after)s AND journal_id <= %(through)s) n
  GROUP BY n.journal_id
)
SELECT j.id, j.idempotency_key, CASE
    WHEN l.body IS NULL THEN 'has no postings'
    WHEN NOT l.unbroken THEN 'lacks a posting'
    WHEN l.first_at <> j.posted_at OR l.last_at <> j.posted_at THEN 'and its postings differ in time'
    WHEN j.request_hash <> ledger_request_hash(j.kind, j.phase, j.brand_id, j.reverses_id, j.resolves_id, j.fx_rate,
      j.fx_rate_on, l.body) THEN 'or a posting of it was changed: its body does not give its hash'
    ELSE 'was changed: its content does not give its hash' END
FROM wallet_journal j LEFT JOIN lines l ON l.journal_id = j.id
WHERE j.id > %(after)s AND j.id <= %(through)s AND (
  l.body IS NULL OR NOT l.unbroken OR l.first_at <> j.posted_at OR l.last_at <> j.posted_at
  OR j.request_hash <> ledger_request_hash(j.kind, j.phase, j.brand_id, j.reverses_id, j.resolves_id, j.fx_rate,
    j.fx_rate_on, l.body)
  OR j.content_hash <> ledger_content_hash(j.id, j.idempotency_key, j.posted_at, j.business_on, j.description, j.actor_id,
    j.request_hash, j.expires_at))
ORDER BY j.id
"""
SUMS = """
SELECT journal_id, currency, layer, sum(amount_minor) FROM wallet_posting
WHERE journal_id > %(after)s AND journal_id <= %(through)s
GROUP BY journal_id, currency, layer HAVING sum(amount_minor) <> 0 ORDER BY journal_id
"""
ORPHANS = """
SELECT p.journal_id, p.line FROM wallet_posting p
LEFT JOIN wallet_journal j ON j.id = p.journal_id
LEFT JOIN wallet_account a ON a.id = p.account_id AND a.currency = p.currency
WHERE p.journal_id > %(after)s AND p.journal_id <= %(through)s AND (j.id IS NULL OR a.id IS NULL)
ORDER BY p.journal_id, p.line
"""
# Bounded accounts on which a posting of these journals does not follow the one before it, here or in an earlier journal.
CHAINS = """
WITH p AS MATERIALIZED (
  SELECT p.account_id, p.layer, p.amount_minor, p.posted_at, p.version, p.balance_after, p.available_after,
    lag(p.version) OVER w AS version_0, lag(p.balance_after) OVER w AS balance_0, lag(p.available_after) OVER w AS free_0,
    lag(p.posted_at) OVER w AS at_0
  FROM wallet_posting p JOIN wallet_account o ON o.id = p.account_id AND o.is_bounded
  WHERE p.journal_id > %(after)s AND p.journal_id <= %(through)s
  WINDOW w AS (PARTITION BY p.account_id ORDER BY p.version NULLS FIRST)
)
SELECT DISTINCT p.account_id FROM p LEFT JOIN LATERAL (
  SELECT e.version, e.balance_after, e.available_after, e.posted_at FROM wallet_posting e
  WHERE p.version_0 IS DISTINCT FROM p.version - 1 AND e.account_id = p.account_id AND e.version = p.version - 1
) e ON true
WHERE (p.version - 1 = CASE WHEN p.version_0 = p.version - 1 THEN p.version_0 WHEN p.version = 1 THEN 0 ELSE e.version END
  AND p.available_after >= 0
  AND coalesce(p.posted_at >= CASE WHEN p.version_0 = p.version - 1 THEN p.at_0 ELSE e.posted_at END, true)
  AND p.balance_after = CASE WHEN p.layer = 0 THEN p.amount_minor ELSE 0 END
    + CASE WHEN p.version_0 = p.version - 1 THEN p.balance_0 WHEN p.version = 1 THEN 0 ELSE e.balance_after END
  AND p.available_after = CASE WHEN p.layer = 0 OR (p.layer = 1) = (p.amount_minor < 0) THEN p.amount_minor ELSE 0 END
    + CASE WHEN p.version_0 = p.version - 1 THEN p.free_0 WHEN p.version = 1 THEN 0 ELSE e.available_after END
) IS NOT TRUE
ORDER BY p.account_id
"""
# Each posting of one bounded account against the one before it: versions without a gap, balances that follow, time forward.
VERSIONS = """
SELECT journal_id, line, version, place, balance_after, running, available_after, free, posted_at < before
FROM (
  SELECT p.journal_id, p.line, p.version, p.balance_after, p.available_after, p.posted_at,
    1 + lag(p.version, 1, 0::bigint) OVER w AS place, lag(p.posted_at) OVER w AS before,
    lag(p.balance_after, 1, 0::bigint) OVER w + CASE p.layer WHEN 0 THEN p.amount_minor ELSE 0 END AS running,
    lag(p.available_after, 1, 0::bigint) OVER w + CASE WHEN p.layer = 0 OR (p.layer = 1) = (p.amount_minor < 0)
      THEN p.amount_minor ELSE 0 END AS free
  FROM (
    SELECT * FROM wallet_posting WHERE account_id = %(account)s AND version IS NULL
    UNION ALL SELECT * FROM wallet_posting WHERE account_id = %(account)s AND version IS NOT NULL
  ) p WINDOW w AS (ORDER BY p.version NULLS FIRST)
) v
WHERE version IS DISTINCT FROM place OR balance_after IS DISTINCT FROM running
   OR available_after IS DISTINCT FROM free OR posted_at < before OR free < 0
ORDER BY place
"""
# Whether accounts still agree with their postings: each account that has postings, by its first one with a
# version and without (that all of an account's postings are in one currency is proved journal by journal, when they are sealed).
OTHER_ACCOUNTS = """
WITH RECURSIVE bounded AS (
  (SELECT account_id, currency FROM wallet_posting WHERE version IS NOT NULL ORDER BY account_id LIMIT 1)
  UNION ALL
  SELECT n.account_id, n.currency FROM bounded f, LATERAL (
    SELECT p.account_id, p.currency FROM wallet_posting p WHERE p.account_id > f.account_id AND p.version IS NOT NULL
    ORDER BY p.account_id LIMIT 1) n
), house AS (
  (SELECT account_id, currency FROM wallet_posting WHERE version IS NULL ORDER BY account_id LIMIT 1)
  UNION ALL
  SELECT n.account_id, n.currency FROM house f, LATERAL (
    SELECT p.account_id, p.currency FROM wallet_posting p WHERE p.account_id > f.account_id AND p.version IS NULL
    ORDER BY p.account_id LIMIT 1) n
)
SELECT f.account_id, f.currency FROM (SELECT * FROM bounded UNION SELECT * FROM house) f
LEFT JOIN wallet_account a ON a.id = f.account_id AND a.currency = f.currency
WHERE a.id IS NULL ORDER BY f.account_id
"""


def rows(sql: str, **values: int | str) -> list[tuple[Any, ...]]:
    """Run a check's SQL and return the first problems that it finds."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        problems: list[tuple[Any, ...]] = cursor.fetchmany(PROBLEMS_MAX)
        return problems


def steps(first: int, last: int, size: int) -> Iterator[tuple[int, int]]:
    """Split an id range into ranges (after, through) of a size."""
    for after in range(first - 1, last, size):
        yield after, min(after + size, last)


def wrong_journals(first: int, last: int) -> Iterator[tuple[int, str]]:
    """Yield the wrong journals of an id range, by hashes, sums, accounts and version chains: id and text, in order."""
    for after, through in steps(first, last, JOURNALS_PER_STEP):
        wrong: dict[int, str] = {}
        for pk, key, what in rows(JOURNALS, after=after, through=through):
            wrong[pk] = f"journal {pk} ({key}) {what}"
        for pk, line in rows(ORPHANS, after=after, through=through):
            wrong.setdefault(pk, f"posting {line} of journal {pk} belongs to no journal or no account of its currency")
        for (account,) in rows(CHAINS, after=after, through=through):
            for pk, what in broken_chain(account):
                wrong.setdefault(pk, what)
        for pk, currency, _layer, total in rows(SUMS, after=after, through=through):
            wrong[pk] = f"journal {pk} does not sum to zero in {currency}: {total} minor units too many"
        yield from sorted(wrong.items())


def broken_chain(account: int) -> Iterator[tuple[int, str]]:
    """Yield postings of a bounded account that don't follow the one before them: journal and text."""
    for journal, line, version, place, stored, sum_, free, sum_free, back in rows(VERSIONS, account=account):
        where = f"posting {line} of journal {journal} on account {account}"
        if version != place:
            yield journal, f"{where} has version {version}, {place} was due: a posting is missing or was added"
        elif back:
            yield journal, f"{where} is dated before the posting that precedes it"
        else:
            yield journal, f"{where}: balance {stored}/{free} kept, {sum_}/{sum_free} recomputed"
