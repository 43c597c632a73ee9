"""The ledger's front door. `post` (and its relatives below) is the only way to move money.

A call hands one batch of journals to the database function `ledger_post`, which locks bounded accounts in id order,
stamps the time after the locks, checks, and writes. The caller's transaction decides whether it is committed.

    ledger.post(Entry(
        key=f"deposit:{deposit.pk}:settle", kind=JournalKind.DEPOSIT, brand_id=deposit.brand_id,
        lines=(Line(psp_clearing, -50_000), Line(client_wallet, 50_000)),
    ))

Amounts are minor units; above zero credits (the broker owes more), below zero debits. Sums are zero per currency.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from typing import Any

import psycopg
from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext as _

from clients.models import Client
from crm.db.prepared import ByKey
from crm.errors import DomainError, IdempotencyConflict, WrongState
from crm.models import Actor
from wallet.choices.ledger import BOUNDED_KINDS, AccountKind, JournalKind, Layer, Phase
from wallet.models import Account, Journal, Posting, Psp


class InsufficientFunds(DomainError):
    """A bounded account would go below zero after holds."""

    code = "insufficient_funds"


class InvalidJournal(DomainError):
    """The body can't be a journal: it does not sum to zero, or names an account of another brand or currency."""

    code = "invalid_journal"


@dataclass(frozen=True, slots=True)
class Line:
    """One posting: an account and signed minor units of its currency."""

    account: Account
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal to be. `key` is its idempotency key, e.g. 'withdrawal:17:reserve'."""

    key: str
    kind: JournalKind
    brand_id: int
    lines: Sequence[Line] = ()
    phase: Phase = Phase.POSTED
    description: str = ""
    business_on: dt.date | None = None
    reverses_id: int | None = None
    resolves_id: int | None = None
    rate: Decimal | None = None
    rate_on: dt.date | None = None
    # Of a reservation: released by then when nobody has resolved it.
    expires_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """Result of a call: the journal, and whether this call wrote it or an earlier one with the same key and body."""

    journal_id: int
    is_new: bool


@dataclass(slots=True)
class _Arrays:
    """A batch as the parallel arrays that the database function takes."""

    no: list[int] = field(default_factory=list)
    accounts: list[int] = field(default_factory=list)
    currencies: list[str] = field(default_factory=list)
    amounts: list[int] = field(default_factory=list)


CALL = """
SELECT journal_id, is_new FROM ledger_post(
  %s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::date[], %s::bigint[], %s::bigint[], %s::numeric[],
  %s::date[], %s::timestamptz[], %s::bigint, %s::int[], %s::bigint[], %s::text[], %s::bigint[], %s::timestamptz[])
"""
CALL_PAIR = """
SELECT ledger_post_pair(%s, %s, %s::bigint, %s, %s::date, %s::bigint, %s::bigint, %s, %s::bigint, %s::bigint, %s::bigint)
"""


def post(entry: Entry, *, actor: Actor = None) -> Posted:
    """Post one journal. The same key with the same body returns the first result.

    Raises InsufficientFunds, IdempotencyConflict, InvalidJournal, WrongState; the transaction must then be rolled back.
    """
    if not _is_pair(entry):
        return post_many([entry], actor=actor)[0]
    first, second = entry.lines
    parameters = [
        entry.key,
        str(entry.kind),
        entry.brand_id,
        entry.description[:200],
        entry.business_on,
        entry.reverses_id,
        actor.pk if actor else None,
        first.account.currency,
        first.account.pk,
        second.account.pk,
        first.amount_minor,
    ]
    ((number,),) = _call(CALL_PAIR, parameters)
    return Posted(abs(number), number > 0)  # below zero: the key was there already


def _is_pair(entry: Entry) -> bool:
    """Tell whether an entry is two final postings of one currency: the database has a fast path for these."""
    if len(entry.lines) != 2 or entry.phase != Phase.POSTED or (entry.resolves_id, entry.rate) != (None, None):
        return False
    first, second = entry.lines
    return (
        first.account.pk != second.account.pk
        and first.account.currency == second.account.currency
        and first.amount_minor == -second.amount_minor
        and entry.expires_at is None
    )


def post_many(
    entries: Sequence[Entry], *, actor: Actor = None, posted_at: Sequence[dt.datetime] | None = None
) -> list[Posted]:
    """Post a batch in one round trip, all or nothing, in the order given.

    posted_at: times of their own, for history imported from elsewhere. They must not be before the last posting of a
    client's wallet, nor in a sealed time.
    """
    if not entries:
        return []
    for entry in entries:
        if any(line.amount_minor == 0 for line in entry.lines):
            raise InvalidJournal(f"journal {entry.key}: a posting moves something")
    arrays = _Arrays()
    for number, entry in enumerate(entries, start=1):
        for line in entry.lines:
            arrays.no.append(number)
            arrays.accounts.append(line.account.pk)
            arrays.currencies.append(line.account.currency)
            arrays.amounts.append(line.amount_minor)
    parameters = [
        [entry.key for entry in entries],
        [str(entry.kind) for entry in entries],
        [str(entry.phase) for entry in entries],
        [entry.brand_id for entry in entries],
        [entry.description[:200] for entry in entries],
        [entry.business_on for entry in entries],
        [entry.reverses_id for entry in entries],
        [entry.resolves_id for entry in entries],
        [entry.rate for entry in entries],
        [entry.rate_on for entry in entries],
        [entry.expires_at for entry in entries],
        actor.pk if actor else None,
        arrays.no,
        arrays.accounts,
        arrays.currencies,
        arrays.amounts,
        list(posted_at) if posted_at is not None else None,
    ]
    return [Posted(*row) for row in _call(CALL, parameters)]


def _call(statement: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    if not connection.in_atomic_block:
        raise RuntimeError("post() outside a transaction: money moves together with its reason, or not at all")
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows
    except DatabaseError as error:
        raise _in_words(error) from error


def _in_words(error: DatabaseError) -> Exception:
    """Translate the database's refusal into an error that a person can act on; anything unexpected stays what it is."""
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error):
        return error
    constraint = cause.diag.constraint_name or ""
    if constraint in ("client_money_never_goes_below_zero_after_holds", "no_posting_overdraws_a_bounded_account"):
        return InsufficientFunds(_("The wallet's available balance isn't enough."))
    if cause.sqlstate == "KL409":
        return IdempotencyConflict(cause.diag.message_primary or "")
    if cause.sqlstate == "KL410":
        return WrongState(_("This reservation has expired; the money is available again."))
    if cause.sqlstate == "KL404" or "resolves_id" in constraint:
        return WrongState(_("This reservation was already posted or released."))
    if "reverses_id" in constraint:
        return WrongState(_("This journal was already reversed."))
    if cause.sqlstate == "KL400" or constraint in ("posting_moves_something", "journal_sums_to_zero_per_currency"):
        return InvalidJournal(cause.diag.message_primary or "")
    return error


# Two-phase money


def reserve(entry: Entry, *, actor: Actor = None) -> Posted:
    """Reserve money: it leaves the available balance, not the balance. Resolve it once with `settle` or `release`."""
    return post(replace(entry, phase=Phase.PENDING), actor=actor)


def settle(
    *, key: str, reservation: Journal, lines: Sequence[Line] = (), description: str = "", actor: Actor = None
) -> Posted:
    """Post a reservation: in full, or with `lines` only that part; the rest is released."""
    return post(_resolving(key, reservation, Phase.POST, lines, description), actor=actor)


def release(*, key: str, reservation: Journal, description: str = "", actor: Actor = None) -> Posted:
    """Release reserved money."""
    return post(_resolving(key, reservation, Phase.VOID, (), description), actor=actor)


# Beat runs it every few seconds, so it looks no further back than an outage lasts: an older one is refused all the same.
EXPIRED = """
SELECT j.id FROM wallet_journal j LEFT JOIN wallet_journal r ON r.resolves_id = j.id
WHERE j.expires_at > clock_timestamp() - interval '30 days' AND j.expires_at <= clock_timestamp() AND r.id IS NULL
ORDER BY j.expires_at LIMIT %s
"""


@transaction.atomic
def release_expired(*, limit: int = 500) -> int:
    """Release reservations whose time is over; run by the scheduler. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(EXPIRED, [limit])
        ids = [row[0] for row in cursor.fetchall()]
    reservations = Journal.objects.in_bulk(ids)
    entries = [
        _resolving(f"journal:{pk}:expire", reservations[pk], Phase.VOID, (), f"Expired: {reservations[pk].description}")
        for pk in ids
    ]
    return sum(done.is_new for done in post_many(entries))


def _resolving(key: str, reservation: Journal, phase: Phase, lines: Sequence[Line], description: str) -> Entry:
    return Entry(
        key=key,
        kind=JournalKind(reservation.kind),
        brand_id=reservation.brand_id,
        lines=lines,
        phase=phase,
        description=description or reservation.description,
        resolves_id=reservation.pk,
    )


def reverse(*, key: str, journal: Journal, description: str, actor: Actor = None) -> Posted:
    """Reverse a posted journal with one that mirrors it and points at it. A journal is reversed at most once."""
    if journal.phase not in (Phase.POSTED, Phase.POST):
        raise WrongState(_("Only posted journals can be reversed. Release the reservation instead."))
    lines = [
        Line(posting.account, -posting.amount_minor)
        for posting in Posting.objects.filter(journal=journal, layer=Layer.MONEY).select_related("account")
    ]
    entry = Entry(
        key=key,
        kind=JournalKind.REVERSAL,
        brand_id=journal.brand_id,
        lines=lines,
        description=description,
        reverses_id=journal.pk,
    )
    return post(entry, actor=actor)


# Accounts


@cache
def _accounts(*unset: str) -> ByKey[Account]:
    """Write once a process how an account is found that has no such owners: each verb that moves money asks for several."""
    names = {"brand_id", "kind", "currency", "client_id", "psp_id", "subject"} - set(unset)
    return ByKey(lambda: Account.objects.filter(**dict.fromkeys(unset)).order_by(), *names)


def account_for(
    kind: AccountKind,
    *,
    brand_id: int,
    currency: str,
    client_id: int | None = None,
    psp_id: int | None = None,
    subject: str = "",
) -> Account:
    """Return the account of that owner, kind and currency, opened when it is first needed. Two at once open one."""
    identity: dict[str, Any] = {
        "brand_id": brand_id,
        "kind": str(kind),
        "currency": currency,
        "client_id": client_id,
        "psp_id": psp_id,
        "subject": subject,
    }
    unset = [name for name in ("client_id", "psp_id") if identity[name] is None]
    account = _accounts(*unset).find(**{name: identity[name] for name in identity if name not in unset})
    if account is None:
        Account.objects.bulk_create([Account(**identity, is_bounded=kind in BOUNDED_KINDS)], ignore_conflicts=True)
        account = Account.objects.get(**identity)
    return account


def wallet_of(client: Client, currency: str) -> Account:
    """Return the client's wallet in a currency."""
    return account_for(AccountKind.CLIENT_WALLET, brand_id=client.brand_id, currency=currency, client_id=client.pk)


def psp_clearing(psp: Psp, currency: str) -> Account:
    """Return the account of what a PSP holds for us in a currency."""
    return account_for(AccountKind.PSP_CLEARING, brand_id=psp.brand_id, currency=currency, psp_id=psp.pk)


def psp_reserve(psp: Psp, currency: str) -> Account:
    """Return the account of what a PSP holds back (rolling reserve) in a currency, to be released later."""
    return account_for(AccountKind.PSP_RESERVE, brand_id=psp.brand_id, currency=currency, psp_id=psp.pk)


def platform_clearing(*, brand_id: int, server_id: int, currency: str) -> Account:
    """Return the account of client money on a trading server."""
    return account_for(
        AccountKind.PLATFORM_CLEARING, brand_id=brand_id, currency=currency, subject=f"server:{server_id}"
    )


def partner_payable(*, brand_id: int, partner_id: int, currency: str) -> Account:
    """Return the account of what is owed to a partner.

    Not bounded: a clawback may carry it below zero into the next period.
    """
    return account_for(AccountKind.IB_PAYABLE, brand_id=brand_id, currency=currency, subject=f"partner:{partner_id}")


def house(kind: AccountKind, *, brand_id: int, currency: str) -> Account:
    """Return a house account without a further owner: fees, suspense, rounding, commissions (cost), banks …"""
    return account_for(kind, brand_id=brand_id, currency=currency)


# Balances


NOW = """
SELECT a.id, CASE WHEN a.is_bounded THEN b.credits_posted - b.debits_posted ELSE
  coalesce(c.balance_minor, 0) + coalesce((
    SELECT sum(p.amount_minor) FROM wallet_posting p
    WHERE p.account_id = a.id AND p.version IS NULL AND p.layer = 0 AND p.posted_at > coalesce(c.at, '-infinity')
  ), 0) END::bigint
FROM wallet_account a
LEFT JOIN wallet_balance b ON b.account_id = a.id
LEFT JOIN LATERAL (
  SELECT k.at, k.balance_minor FROM wallet_checkpoint k WHERE k.account_id = a.id ORDER BY k.at DESC LIMIT 1
) c ON NOT a.is_bounded
WHERE a.id = ANY(%s)
"""
AS_OF = """
SELECT a.id, CASE WHEN b.last_posted_at <= %(at)s THEN b.credits_posted - b.debits_posted
  WHEN a.is_bounded THEN coalesce((
    SELECT p.balance_after FROM wallet_posting p
    WHERE p.account_id = a.id AND p.version = ledger_version_at(a.id, %(at)s)), 0)
  ELSE coalesce(c.balance_minor, 0) + coalesce((
    SELECT sum(p.amount_minor) FROM wallet_posting p
    WHERE p.account_id = a.id AND p.version IS NULL AND p.layer = 0 AND p.posted_at > coalesce(c.at, '-infinity')
      AND p.posted_at <= %(at)s
  ), 0) END::bigint
FROM wallet_account a
LEFT JOIN wallet_balance b ON b.account_id = a.id
LEFT JOIN LATERAL (
  SELECT k.at, k.balance_minor FROM wallet_checkpoint k
  WHERE k.account_id = a.id AND k.at <= %(at)s ORDER BY k.at DESC LIMIT 1
) c ON NOT a.is_bounded
WHERE a.id = ANY(%(ids)s)
"""


def balances(account_ids: Iterable[int], *, at: dt.datetime | None = None) -> dict[int, int]:
    """Read posted balances in minor units, now or as of an instant (inclusive): account id → balance."""
    ids = list(account_ids)
    with connection.cursor() as cursor:
        if at is None:
            cursor.execute(NOW, [ids])
        else:
            cursor.execute(AS_OF, {"ids": ids, "at": at})
        return dict(cursor.fetchall())


def version_at(account: Account, at: dt.datetime) -> int:
    """Count the postings that a bounded account had at an instant (inclusive): its version then."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_version_at(%s, %s)", [account.pk, at])
        return int(cursor.fetchone()[0])


def balance(account: Account, *, at: dt.datetime | None = None) -> int:
    """Read an account's posted balance in minor units, now or as of an instant (inclusive)."""
    return balances([account.pk], at=at)[account.pk]
