"""Proving the ledger: every hash, sum, version, balance, checkpoint and seal is computed again from the rows.

Memory is bounded: journals go by ranges of ids, accounts by ranges too. The first wrong row is named first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from django.db import connection

from crm import crypto
from wallet.models import LedgerSeal
from wallet.seals import merkle_root, seal_digest

JOURNALS_PER_STEP = 20_000
ACCOUNTS_PER_STEP = 2_000
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
VERSIONS = """
SELECT journal_id, line, account_id, version, place, balance_after, running, available_after, free, posted_at < before
FROM (
  SELECT p.*, row_number() OVER w AS place, lag(p.posted_at) OVER w AS before,
    coalesce(sum(p.amount_minor) FILTER (WHERE p.layer = 0) OVER w, 0) AS running,
    sum(CASE WHEN p.layer = 0 OR (p.layer = 1 AND p.amount_minor < 0) OR (p.layer = 2 AND p.amount_minor > 0)
      THEN p.amount_minor ELSE 0 END) OVER w AS free
  FROM wallet_posting p JOIN wallet_account a ON a.id = p.account_id AND a.is_bounded
  WHERE a.id > %(after)s AND a.id <= %(through)s
  WINDOW w AS (PARTITION BY p.account_id ORDER BY p.version NULLS FIRST)
) v
WHERE version IS DISTINCT FROM place OR balance_after IS DISTINCT FROM running
   OR available_after IS DISTINCT FROM free OR posted_at < before OR free < 0
ORDER BY account_id, place
"""
COUNTERS = """
SELECT a.id, b.version, s.version, b.credits_posted, s.credits, b.debits_posted, s.debits, b.credits_pending,
  s.credits_held, b.debits_pending, s.debits_held
FROM wallet_account a LEFT JOIN wallet_balance b ON b.account_id = a.id
LEFT JOIN LATERAL (
  SELECT count(*) AS version,
    coalesce(sum(amount_minor) FILTER (WHERE layer = 0 AND amount_minor > 0), 0) AS credits,
    coalesce(-sum(amount_minor) FILTER (WHERE layer = 0 AND amount_minor < 0), 0) AS debits,
    coalesce(sum(amount_minor) FILTER (WHERE (layer = 1 AND amount_minor > 0) OR (layer = 2 AND amount_minor < 0)), 0)
      AS credits_held,
    coalesce(-sum(amount_minor) FILTER (WHERE (layer = 1 AND amount_minor < 0) OR (layer = 2 AND amount_minor > 0)), 0)
      AS debits_held
  FROM wallet_posting p WHERE p.account_id = a.id
) s ON true
WHERE a.is_bounded AND a.id > %(after)s AND a.id <= %(through)s
  AND (b.version, b.credits_posted, b.debits_posted, b.credits_pending, b.debits_pending)
    IS DISTINCT FROM (s.version, s.credits, s.debits, s.credits_held, s.debits_held)
ORDER BY a.id
"""
CHECKPOINTS = """
SELECT k.account_id, k.at, k.balance_minor, s.total FROM wallet_checkpoint k
LEFT JOIN LATERAL (
  SELECT e.at, e.balance_minor FROM wallet_checkpoint e WHERE e.account_id = k.account_id AND e.at < k.at
  ORDER BY e.at DESC LIMIT 1
) c ON true
JOIN LATERAL (
  SELECT coalesce(c.balance_minor, 0) + coalesce(sum(p.amount_minor), 0) AS total FROM wallet_posting p
  WHERE p.account_id = k.account_id AND p.layer = 0 AND p.posted_at <= k.at
    AND p.posted_at > coalesce(c.at, '-infinity')
) s ON true
WHERE k.balance_minor <> s.total ORDER BY k.account_id, k.at
"""
# A checkpoint is made with a seal, at its instant.
AFTER_THE_LAST_SEAL = """
SELECT k.account_id, k.at FROM wallet_checkpoint k
WHERE k.at > coalesce((SELECT max(s.through_at) FROM wallet_ledgerseal s), '-infinity') ORDER BY k.account_id, k.at
"""
RESOLVED_TWICE = """
SELECT resolves_id FROM wallet_journal WHERE resolves_id IS NOT NULL GROUP BY 1 HAVING count(*) > 1 ORDER BY 1
"""
# What the movements say is what the ledger booked: a settled deposit credited its wallet with what it says.
MOVEMENTS = """
SELECT 'deposit ' || d.reference FROM wallet_deposit d
LEFT JOIN wallet_posting p ON p.journal_id = d.journal_id AND p.account_id = d.wallet_id AND p.layer = 0
WHERE d.settled_at IS NOT NULL AND p.amount_minor IS DISTINCT FROM d.credited_minor
UNION ALL
SELECT 'withdrawal ' || w.reference FROM wallet_withdrawal w
LEFT JOIN wallet_posting p ON p.journal_id = w.journal_id AND p.account_id = w.wallet_id AND p.layer = 0
WHERE w.state = 'settled' AND p.amount_minor IS DISTINCT FROM -w.amount_minor
UNION ALL
SELECT 'withdrawal ' || w.reference || ' (what the PSP paid)' FROM wallet_withdrawal w
LEFT JOIN wallet_pspmovement m ON m.journal_id = w.journal_id
LEFT JOIN LATERAL (
  SELECT sum(p.amount_minor) FILTER (WHERE a.kind = 'psp_clearing' AND a.psp_id = w.psp_id) AS paid,
    coalesce(sum(p.amount_minor) FILTER (WHERE a.kind = 'fees'), 0) AS fee
  FROM wallet_posting p JOIN wallet_account a ON a.id = p.account_id WHERE p.journal_id = w.journal_id AND p.layer = 0
) b ON true
WHERE w.state = 'settled' AND (b.paid, b.fee, -m.amount_minor, m.kind::text)
  IS DISTINCT FROM (w.amount_minor - w.fee_minor, w.fee_minor, w.amount_minor - w.fee_minor, w.way::text)
UNION ALL
SELECT 'deposit ' || d.reference || ' (what went back)' FROM wallet_deposit d
LEFT JOIN LATERAL (
  SELECT coalesce(sum(amount), 0) AS gone FROM (
    SELECT w.amount_minor AS amount FROM wallet_withdrawal w WHERE w.source_deposit_id = d.id AND w.state = 'settled'
    UNION ALL
    SELECT -m.amount_minor FROM wallet_pspmovement m
    WHERE m.psp_id = d.psp_id AND m.reference = d.reference AND m.kind = 'refund'
  ) went
) g ON true
WHERE d.received_minor IS NOT NULL AND d.refunded_minor <> g.gone
UNION ALL
SELECT 'request ' || w.request_reference FROM wallet_withdrawal w
WHERE w.part = 1 AND w.request_minor <>
  (SELECT sum(o.amount_minor) FROM wallet_withdrawal o WHERE o.request_reference = w.request_reference)
UNION ALL
SELECT 'transfer ' || t.reference FROM wallet_transfer t
LEFT JOIN wallet_posting p ON p.journal_id = t.journal_id AND p.account_id = t.wallet_id AND p.layer = 0
WHERE t.state = 'settled' AND p.amount_minor IS DISTINCT FROM
  (CASE t.direction WHEN 'to_trading' THEN -t.amount_minor ELSE t.amount_minor END)
UNION ALL
SELECT 'credit of client ' || client_id || ' in ' || currency
FROM (SELECT c.client_id, c.currency, b.credits_posted - b.debits_posted AS minor
      FROM wallet_account c JOIN wallet_balance b ON b.account_id = c.id WHERE c.kind = 'bonus') a
FULL JOIN (SELECT client_id, currency, sum(amount_minor - released_minor - burned_minor) AS minor
           FROM wallet_bonusgrant WHERE state = 'active' GROUP BY 1, 2) g USING (client_id, currency)
WHERE coalesce(a.minor, 0) <> coalesce(g.minor, 0)
ORDER BY 1
"""


@dataclass
class Verdict:
    """What was read, and what did not hold."""

    journals: int = 0
    postings: int = 0
    accounts: int = 0
    seals: int = 0
    unsealed: int = 0
    head: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.problems


def verify(progress: Callable[[str], None] = lambda _text: None, *, head: str = "") -> Verdict:
    """Check everything; stops collecting after `PROBLEMS_MAX` problems.

    head: a head noted earlier (hex) and kept elsewhere; it must still be in the chain of seals.
    """
    verdict = Verdict()
    checks = (
        ("journals and postings", _journals),
        ("wallets", _accounts),
        ("seals", lambda verdict: _seals(verdict, head.lower())),
        ("checkpoints", _checkpoints),
        ("deposits, withdrawals and transfers", _movements),
    )
    for name, check in checks:
        progress(name)
        for problem in check(verdict):
            verdict.problems.append(problem)
            if len(verdict.problems) >= PROBLEMS_MAX:
                return verdict
    return verdict


def _rows(sql: str, **values: int) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchmany(PROBLEMS_MAX)


def _ranges(table: str, step: int) -> Iterator[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(min(id), 1), coalesce(max(id), 0) FROM {table}")  # noqa: S608 (our own names)
        first, last = cursor.fetchone()
    for after in range(first - 1, last, step):
        yield after, min(after + step, last)


def _journals(verdict: Verdict) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), max(id) FROM wallet_journal")
        verdict.journals, last = cursor.fetchone()
        cursor.execute("SELECT count(*), max(journal_id) FROM wallet_posting")
        verdict.postings, last_of_postings = cursor.fetchone()
    if (last_of_postings or 0) > (last or 0):
        yield f"postings of journal {last_of_postings} are there, the journal is not"
    for after, through in _ranges("wallet_journal", JOURNALS_PER_STEP):
        values = {"after": after, "through": through}
        wrong: dict[int, str] = {}
        for pk, currency, _layer, total in _rows(SUMS, **values):
            wrong[pk] = f"journal {pk} does not sum to zero in {currency}: {total} minor units too many"
        for pk, key, what in _rows(JOURNALS, **values):
            wrong.setdefault(pk, f"journal {pk} ({key}) {what}")
        for pk, line in _rows(ORPHANS, **values):
            wrong.setdefault(pk, f"posting {line} of journal {pk} belongs to no journal or no account of its currency")
        yield from (wrong[pk] for pk in sorted(wrong))
    for (pk,) in _rows(RESOLVED_TWICE):
        yield f"reservation {pk} was resolved twice"


def _accounts(verdict: Verdict) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM wallet_account")
        verdict.accounts = cursor.fetchone()[0]
    for after, through in _ranges("wallet_account", ACCOUNTS_PER_STEP):
        values = {"after": after, "through": through}
        for journal, line, account, version, place, kept, sum_, free, sum_free, back in _rows(VERSIONS, **values):
            where = f"posting {line} of journal {journal} on account {account}"
            if version != place:
                yield f"{where} has version {version}, {place} was due: a posting is missing or was added"
            elif back:
                yield f"{where} is dated before the posting that precedes it"
            else:
                yield f"{where}: balance {kept}/{free} kept, {sum_}/{sum_free} recomputed"
        for account, *counters in _rows(COUNTERS, **values):
            kept, summed = counters[::2], counters[1::2]
            yield f"balance of account {account} counts {kept}, its postings give {[int(n) for n in summed]}"


def _seals(verdict: Verdict, head: str) -> Iterator[str]:
    previous: LedgerSeal | None = None
    seen_head = not head
    public_key = crypto.signing_key().public_key()
    for seal in LedgerSeal.objects.order_by("id").iterator():
        verdict.seals += 1
        if seal.previous_id != (previous.pk if previous else None):
            yield f"ledger seal {seal.pk} does not follow seal {previous.pk if previous else None}: one is missing"
        root_hash, journals = merkle_root(seal.first_journal_id, seal.last_journal_id)
        if root_hash != bytes(seal.root) or journals != seal.journal_count:
            yield (
                f"ledger seal {seal.pk}: journals {seal.first_journal_id} to {seal.last_journal_id} are not those that "
                f"were sealed ({journals} now, {seal.journal_count} then)"
            )
        digest = seal_digest(
            previous=bytes(previous.seal_hash) if previous else b"",
            root_hash=bytes(seal.root), journals=seal.journal_count, first=seal.first_journal_id,
            last=seal.last_journal_id, through=seal.through_at,
        )  # fmt: skip
        if digest != bytes(seal.seal_hash):
            yield f"ledger seal {seal.pk} was changed: its hash does not chain"
        try:
            public_key.verify(bytes(seal.signature), bytes(seal.seal_hash))
        except InvalidSignature:
            yield f"ledger seal {seal.pk} is not signed by this instance"
        previous = seal
        seen_head = seen_head or bytes(seal.seal_hash).hex() == head
    if not seen_head:
        yield f"the head {head} is not in the chain of ledger seals: seals were cut off or made anew"
    for account, at in _rows(AFTER_THE_LAST_SEAL):
        yield f"checkpoint of account {account} at {at.isoformat()} belongs to a ledger seal that is gone"
    verdict.head = bytes(previous.seal_hash).hex() if previous else ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM wallet_journal WHERE id > %s", [previous.last_journal_id if previous else 0]
        )
        verdict.unsealed = cursor.fetchone()[0]


def _checkpoints(_verdict: Verdict) -> Iterator[str]:
    for account, at, kept, total in _rows(CHECKPOINTS):
        yield f"checkpoint of account {account} at {at.isoformat()} says {kept}, its postings give {total}"


def _movements(_verdict: Verdict) -> Iterator[str]:
    for (what,) in _rows(MOVEMENTS):
        yield f"{what} and its journal differ in the amount"
