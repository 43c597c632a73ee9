"""Proves the ledger: every hash, sum, version, balance, checkpoint and seal is recomputed from the rows.

Memory is bounded: journals go by ranges of ids, accounts by ranges too. The first wrong row is named first.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from django.db import connection

from crm.security import keys
from wallet.ledger.journal_proofs import OTHER_ACCOUNTS, PROBLEMS_MAX, broken_chain, rows, steps, wrong_journals
from wallet.ledger.row_digests import is_comparable, rows_digest
from wallet.ledger.seal_digests import SealDigests
from wallet.ledger.seals import merkle_root, seal_digest
from wallet.ledger.verify_closings import wrong_closings
from wallet.models import LedgerSeal

ACCOUNTS_PER_STEP = 20_000
READERS_MAX = 8  # connections beside our own

# What a bounded account's postings add up to: those that were added up with their digests, and those after them. That each
# has a version and follows the one before it is proved when they are sealed.
COUNTERS = """
SELECT a.id, b.version, s.version, b.credits_posted, s.credits, b.debits_posted, s.debits, b.credits_pending,
  s.credits_held, b.debits_pending, s.debits_held
FROM wallet_account a LEFT JOIN wallet_balance b ON b.account_id = a.id
LEFT JOIN unnest(%(ids)s::bigint[], %(version)s::bigint[], %(credits)s::bigint[], %(debits)s::bigint[],
    %(credits_held)s::bigint[], %(debits_held)s::bigint[]) k (account_id, version, credits, debits, credits_held, debits_held)
  ON k.account_id = a.id
LEFT JOIN (
  SELECT p.account_id, count(*) AS version,
    sum(p.amount_minor) FILTER (WHERE p.layer = 0 AND p.amount_minor > 0) AS credits,
    -sum(p.amount_minor) FILTER (WHERE p.layer = 0 AND p.amount_minor < 0) AS debits,
    sum(p.amount_minor) FILTER (WHERE (p.layer = 1 AND p.amount_minor > 0) OR (p.layer = 2 AND p.amount_minor < 0))
      AS credits_held,
    -sum(p.amount_minor) FILTER (WHERE (p.layer = 1 AND p.amount_minor < 0) OR (p.layer = 2 AND p.amount_minor > 0))
      AS debits_held
  FROM wallet_posting p
  WHERE p.journal_id > %(through_journal)s AND p.account_id > %(after)s AND p.account_id <= %(through)s
    AND p.version IS NOT NULL GROUP BY p.account_id
) t ON t.account_id = a.id
CROSS JOIN LATERAL (SELECT coalesce(k.version, 0) + coalesce(t.version, 0) AS version,
  coalesce(k.credits, 0) + coalesce(t.credits, 0) AS credits,
  coalesce(k.debits, 0) + coalesce(t.debits, 0) AS debits,
  coalesce(k.credits_held, 0) + coalesce(t.credits_held, 0) AS credits_held,
  coalesce(k.debits_held, 0) + coalesce(t.debits_held, 0) AS debits_held) s
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
  WHERE p.account_id = k.account_id AND p.version IS NULL AND p.layer = 0 AND p.posted_at <= k.at
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
# Movements agree with the ledger: e.g. a settled deposit credited its wallet with its amount.
MOVEMENTS = """
SELECT 'deposit ' || d.reference FROM wallet_deposit d
LEFT JOIN wallet_posting p ON p.journal_id = d.journal_id AND p.account_id = d.wallet_id AND p.layer = 0
WHERE d.settled_at IS NOT NULL AND p.amount_minor IS DISTINCT FROM d.credited_minor
UNION ALL
SELECT 'withdrawal ' || w.reference FROM wallet_withdrawal w
LEFT JOIN wallet_posting p ON p.journal_id = w.journal_id AND p.account_id = w.wallet_id AND p.layer = 0
WHERE w.state IN ('settled', 'came_back') AND p.amount_minor IS DISTINCT FROM -w.amount_minor
UNION ALL
SELECT 'withdrawal ' || w.reference || ' (what the PSP paid)' FROM wallet_withdrawal w
LEFT JOIN wallet_pspmovement m ON m.journal_id = w.journal_id
LEFT JOIN LATERAL (
  SELECT sum(p.amount_minor) FILTER (WHERE a.kind = 'psp_clearing' AND a.psp_id = w.psp_id) AS paid,
    coalesce(sum(p.amount_minor) FILTER (WHERE a.kind = 'fees'), 0) AS fee
  FROM wallet_posting p JOIN wallet_account a ON a.id = p.account_id WHERE p.journal_id = w.journal_id AND p.layer = 0
) b ON true
WHERE w.state IN ('settled', 'came_back') AND (b.paid, b.fee, -m.amount_minor, m.kind::text)
  IS DISTINCT FROM (w.amount_minor - w.fee_minor, w.fee_minor, w.amount_minor - w.fee_minor, w.way::text)
UNION ALL
SELECT 'withdrawal ' || w.reference || ' (what came back)' FROM wallet_withdrawal w
LEFT JOIN wallet_payoutfinding f ON f.withdrawal_id = w.id AND f.kind = 'came_back' AND f.state = 'approved'
LEFT JOIN LATERAL (
  SELECT sum(p.amount_minor) FILTER (WHERE p.account_id = w.wallet_id) AS got,
    sum(p.amount_minor) FILTER (WHERE a.kind = 'psp_clearing' AND a.psp_id = w.psp_id) AS back,
    coalesce(sum(p.amount_minor) FILTER (WHERE a.kind = 'fees'), 0) AS fee
  FROM wallet_posting p JOIN wallet_account a ON a.id = p.account_id WHERE p.journal_id = f.journal_id AND p.layer = 0
) b ON true
WHERE (w.state = 'came_back' OR f.id IS NOT NULL)
  AND ((w.state::text, b.got, b.back, b.fee) IS DISTINCT FROM
    ('came_back', f.amount_minor + f.fee_returned_minor, -f.amount_minor, -f.fee_returned_minor)
    OR f.fee_returned_minor NOT IN (0, w.fee_minor))
UNION ALL
SELECT 'bonus ' || g.reference || ' (restored when ' || w.reference || ' came back)' FROM wallet_bonusrestoration r
JOIN wallet_payoutfinding f ON f.id = r.finding_id JOIN wallet_withdrawal w ON w.id = f.withdrawal_id
JOIN wallet_bonusgrant g ON g.id = r.grant_id
LEFT JOIN wallet_posting p ON p.journal_id = r.journal_id AND p.account_id = g.account_id AND p.layer = 0
LEFT JOIN wallet_journal j ON j.idempotency_key = 'bonus:' || g.reference || ':burn:' || w.purpose || ':' || w.reference
LEFT JOIN wallet_posting b ON b.journal_id = j.id AND b.account_id = g.account_id AND b.layer = 0
WHERE f.state <> 'approved' OR NOT f.restores_bonus OR p.amount_minor IS DISTINCT FROM r.amount_minor
  OR r.amount_minor > coalesce(-b.amount_minor, 0)
UNION ALL
SELECT 'bonus ' || g.reference || ' (lost by dispute ' || d.psp_dispute_id || ')' FROM wallet_bonusloss l
JOIN wallet_bonusgrant g ON g.id = l.grant_id JOIN wallet_dispute d ON d.id = l.dispute_id
LEFT JOIN wallet_posting p ON p.journal_id = l.journal_id AND p.account_id = g.account_id AND p.layer = 0
LEFT JOIN wallet_bonusrestoration r ON r.loss_id = l.id
LEFT JOIN wallet_posting b ON b.journal_id = r.journal_id AND b.account_id = g.account_id AND b.layer = 0
WHERE d.deposit_id IS DISTINCT FROM g.deposit_id OR p.amount_minor IS DISTINCT FROM -l.amount_minor
  OR (r.id IS NOT NULL AND (r.amount_minor, r.grant_id, b.amount_minor)
    IS DISTINCT FROM (l.amount_minor, l.grant_id, l.amount_minor))
UNION ALL
SELECT 'what two people decided on bonus ' || g.reference FROM wallet_bonusproposal q
JOIN wallet_bonusloss l ON l.id = q.loss_id JOIN wallet_bonusgrant g ON g.id = l.grant_id
LEFT JOIN wallet_bonusrestoration r ON r.proposal_id = q.id
WHERE (r.id IS NOT NULL) <> (q.state = 'approved' AND q.restores)
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
  (CASE t.direction WHEN 'to_trading' THEN -1 ELSE 1 END * coalesce(t.wallet_minor, t.amount_minor))
UNION ALL
SELECT 'exchange ' || e.reference FROM wallet_exchange e
JOIN wallet_quote q ON q.id = e.quote_id
LEFT JOIN wallet_posting g ON g.journal_id = e.journal_id AND g.account_id = e.wallet_id AND g.layer = 0
LEFT JOIN wallet_posting p ON p.journal_id = e.journal_id AND p.account_id = e.target_id AND p.layer = 0
WHERE (g.amount_minor, p.amount_minor, q.given_minor, q.got_minor)
  IS DISTINCT FROM (-e.amount_minor, e.got_minor, e.amount_minor, e.got_minor)
UNION ALL
SELECT 'what was charged back of deposit ' || d.reference FROM wallet_deposit d
LEFT JOIN (SELECT deposit_id, sum(taken_minor) AS minor FROM wallet_dispute GROUP BY 1) t ON t.deposit_id = d.id
WHERE d.charged_back_minor <> coalesce(t.minor, 0)
UNION ALL
SELECT 'what PSP ' || psp_id || ' holds back in ' || currency
FROM (SELECT a.psp_id, a.currency, sum(p.amount_minor) AS minor FROM wallet_account a
      JOIN wallet_posting p ON p.account_id = a.id AND p.version IS NULL AND p.layer = 0
      WHERE a.kind = 'psp_reserve' GROUP BY 1, 2) a
FULL JOIN (SELECT psp_id, currency, sum(amount_minor - posted_minor) AS minor FROM wallet_reserveitem GROUP BY 1, 2) k
  USING (psp_id, currency)
WHERE coalesce(a.minor, 0) <> coalesce(k.minor, 0)
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
    """What was read, and what is wrong."""

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


def verify(progress: Callable[[str], None] = lambda _text: None, *, head: str = "", deep: bool = False) -> Verdict:
    """Check everything; stop collecting after `PROBLEMS_MAX` problems.

    head: a head noted earlier (hex) and stored elsewhere; it must still be in the chain of seals.
    deep: every journal by its own hashes, also where the digest of its seal is right.
    """
    verdict = Verdict()
    # Checks that need no digest run while the digests are read; problems are reported in the books' own order.
    checks: list[tuple[str, Callable[[], Iterator[str]]]] = [
        ("whole books", _whole),
        ("checkpoints", _checkpoints),
        ("deposits, withdrawals and transfers", _movements),
        ("closed months", wrong_closings),
    ]
    progress("digests of seals")
    digests = SealDigests(deep=deep)
    with _beside(digests.read) as finish:
        problems: dict[str, list[str]] = {}
        for name, check in checks:
            progress(name)
            problems[name] = list(islice(check(), PROBLEMS_MAX))
        digests.read()  # what is left of them, here too
        finish()
    progress("wallets")
    accounts = list(islice(_accounts(verdict, digests), PROBLEMS_MAX))
    verdict.journals, verdict.postings = _counted(digests)
    progress("journals and postings")
    wrong = islice(_journals(digests.in_doubt(), digests.through), PROBLEMS_MAX)
    seals = islice(_seals(verdict, head.lower(), digests.doubtful), PROBLEMS_MAX)
    in_order = chain(wrong, problems["whole books"], accounts, seals, *list(problems.values())[1:])
    verdict.problems = list(islice(in_order, PROBLEMS_MAX))
    return verdict


@contextlib.contextmanager
def _beside(work: Callable[[], Any]) -> Iterator[Callable[[], None]]:
    """Run work in the background, as often as there are other cores, each with a connection of its own.

    What is yielded waits for all of them. In a transaction, whose rows only its own connection sees, the work runs
    then.
    """
    if connection.in_atomic_block:
        yield work
        return

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    readers = min(max((os.cpu_count() or 1) - 1, 1), READERS_MAX)
    with ThreadPoolExecutor(readers) as pool:
        begun = [pool.submit(run) for _reader in range(readers)]

        def finish() -> None:
            for future in begun:
                future.result()

        yield finish


def _journals(doubtful: list[tuple[int, int]], sealed_through: int) -> Iterator[str]:
    """Check journals one by one where no digest proves them; the sealer checked the others in the same way."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(min(id), 1), coalesce(max(id), 0) FROM wallet_journal")
        first, last = cursor.fetchone()
    for begin, end in [*doubtful, (max(sealed_through + 1, first), last)]:
        yield from (what for _pk, what in wrong_journals(begin, end))


def _counted(digests: SealDigests) -> tuple[int, int]:
    """Count journals and postings: those that were read for their digests, and those after them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM wallet_journal WHERE id > %s", [digests.through])
        journals = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM wallet_posting WHERE journal_id > %s", [digests.through])
        return digests.journals + journals, digests.postings + cursor.fetchone()[0]


def _whole() -> Iterator[str]:
    """Find what no range of journals shows: postings beyond them, accounts that are not theirs."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT max(id) FROM wallet_journal), (SELECT min(id) FROM wallet_journal),"
            " (SELECT max(journal_id) FROM wallet_posting), (SELECT min(journal_id) FROM wallet_posting)"
        )
        last, first, last_of_postings, first_of_postings = cursor.fetchone()
    if (last_of_postings or 0) > (last or 0):
        yield f"postings of journal {last_of_postings} are there, the journal is not"
    if (earliest := min((pk for pk in (first, first_of_postings) if pk is not None), default=1)) < 1:
        yield f"journal {earliest} or postings of it are there, and journals count from 1"
    for account, currency in rows(OTHER_ACCOUNTS):
        yield f"account {account} has postings in {currency} and is no account in {currency}"
    for (pk,) in rows(RESOLVED_TWICE):
        yield f"reservation {pk} was resolved twice"


def _accounts(verdict: Verdict, digests: SealDigests) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), coalesce(min(id), 1), coalesce(max(id), 0) FROM wallet_account")
        verdict.accounts, first, last = cursor.fetchone()
    highest = min(digests.turnovers.highest, last)
    for after, through in (*steps(first, highest, ACCOUNTS_PER_STEP), *steps(highest + 1, last, ACCOUNTS_PER_STEP)):
        known = digests.turnovers.known(after, through, read_through=digests.through)
        for account, *counters in rows(COUNTERS, after=after, through=through, **known._asdict()):
            yield from (what for _journal, what in broken_chain(account))
            stored, summed = counters[::2], [int(number) for number in counters[1::2]]
            yield f"balance of account {account} counts {stored}, its postings give {summed}"


def _seals(verdict: Verdict, head: str, doubtful: dict[int, tuple[int, int]]) -> Iterator[str]:
    previous: LedgerSeal | None = None
    seen_head = not head
    for seal in LedgerSeal.objects.order_by("id").iterator():
        verdict.seals += 1
        if seal.previous_id != (previous.pk if previous else None):
            yield f"ledger seal {seal.pk} does not follow seal {previous.pk if previous else None}: one is missing"
        if seal.pk in doubtful:
            yield from _other_rows(seal)
        digest = seal_digest(
            previous=bytes(previous.seal_hash) if previous else b"",
            root_hash=bytes(seal.root),
            journals=seal.journal_count,
            first=seal.first_journal_id,
            last=seal.last_journal_id,
            through=seal.through_at,
            rows=bytes(seal.rows_digest or b""),
        )
        if digest != bytes(seal.seal_hash):
            yield f"ledger seal {seal.pk} was changed: its hash does not chain"
        if not keys.is_signed_by_us(bytes(seal.signature), bytes(seal.seal_hash)):
            yield f"ledger seal {seal.pk} is not signed by this instance"
        previous = seal
        seen_head = seen_head or bytes(seal.seal_hash).hex() == head
    if not seen_head:
        yield f"the head {head} is not in the chain of ledger seals: seals were cut off or made anew"
    for account, at in rows(AFTER_THE_LAST_SEAL):
        yield f"checkpoint of account {account} at {at.isoformat()} belongs to a ledger seal that is gone"
    verdict.head = bytes(previous.seal_hash).hex() if previous else ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM wallet_journal WHERE id > %s", [previous.last_journal_id if previous else 0]
        )
        verdict.unsealed = cursor.fetchone()[0]


def _other_rows(seal: LedgerSeal) -> Iterator[str]:
    """Yield how the rows of a seal differ from those sealed: by the root over their hashes, then by every column."""
    what = f"ledger seal {seal.pk}: journals {seal.first_journal_id} to {seal.last_journal_id}"
    stored = bytes(seal.rows_digest or b"")
    root_hash, journals = merkle_root(seal.first_journal_id, seal.last_journal_id)
    if root_hash != bytes(seal.root) or journals != seal.journal_count:
        yield f"{what} are not those that were sealed ({journals} now, {seal.journal_count} then)"
    elif is_comparable(stored) and rows_digest(seal.first_journal_id, seal.last_journal_id).digest != stored:
        yield f"{what} or postings of them have changed since they were sealed"


def _checkpoints() -> Iterator[str]:
    for account, at, stored, total in rows(CHECKPOINTS):
        yield f"checkpoint of account {account} at {at.isoformat()} says {stored}, its postings give {total}"


def _movements() -> Iterator[str]:
    for (what,) in rows(MOVEMENTS):
        yield f"{what} and its journal differ in the amount"
