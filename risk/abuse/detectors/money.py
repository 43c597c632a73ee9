"""Detectors over money and identity: bonus abuse, deposit and withdrawal with little trading, several accounts of one person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Final

import numpy as np

from risk.abuse.book import DAY, MONEY_UNITS, Book, CashKind
from risk.abuse.choices import Abuse
from risk.abuse.findings import Finding, Judgement, Limits, finding
from risk.links.weights import NEEDED, SHARED_MAX, Shared, strength

HEDGED_MIN: Final = 0.4
WITHDRAWN_MIN: Final = 0.25
RETURNED_MIN: Final = 0.8
LOST_MAX: Final = 0.1
REGISTERED_TOGETHER_MS: Final = 2 * DAY
TRADED_TOGETHER: Final = 4.0
BONUS_EACH: Final = 1.0
OPENED_TOGETHER: Final = 2.0


def _sum(book: Book, accounts: Iterable[int], kind: CashKind, since: int = 0, until: int | None = None) -> int:
    return sum(
        row.amount
        for account in accounts
        for row in book.cash.get(account, ())
        if row.kind == kind and row.at_ms >= since and (until is None or row.at_ms <= until)
    )


def _first(book: Book, accounts: Iterable[int], kind: CashKind) -> int | None:
    times = [row.at_ms for account in accounts for row in book.cash.get(account, ()) if row.kind == kind]
    return min(times, default=None)


def bonus(book: Book, limits: Limits, so_far: Judgement) -> Iterator[Finding]:
    """Find bonuses whose risk a hedge took away, and whose winner withdrew.

    Judged for the accounts that hedge each other together: one of them loses the bonus, the other one wins real money.
    """
    for pair in [row for row in so_far.findings if row.kind == Abuse.HEDGE]:
        given = _first(book, pair.accounts, CashKind.BONUS)
        if given is None:
            continue
        days = limits.strictest("bonus_days", pair.accounts).bonus_days
        until = given + days * DAY
        withdrawn = _sum(book, pair.accounts, CashKind.WITHDRAWAL, given, until)
        deposited = _sum(book, pair.accounts, CashKind.DEPOSIT)
        amount = _sum(book, pair.accounts, CashKind.BONUS)
        rows = np.concatenate([book.rows_of[account] for account in pair.accounts])
        after = rows[(book.open_ms[rows] >= given) & (book.open_ms[rows] <= until)]
        if not len(after) or withdrawn < WITHDRAWN_MIN * max(deposited, 1):
            continue
        among = np.asarray(pair.rows)
        hedged = among[(book.open_ms[among] >= given) & (book.open_ms[among] <= until)]
        share = min(float(book.lots[hedged].sum() / max(book.lots[after].sum(), 1e-9)), 1.0)
        if share < HEDGED_MIN and pair.facts["share"] < HEDGED_MIN:
            continue
        yield finding(
            book,
            Abuse.BONUS,
            pair.accounts,
            0.6 + 0.25 * pair.facts["share"] + 0.15 * min(withdrawn / max(deposited, 1), 1.0),
            hedged if len(hedged) else after,
            stake=amount,
            bonus=amount,
            withdrawn=withdrawn,
            share=pair.facts["share"],
            days=days,
        )


def laundering(book: Book, limits: Limits, _so_far: Judgement) -> Iterator[Finding]:
    """Find deposits that were withdrawn again soon, with next to no trading between: what the AML officer wants to see."""
    for account, movements in book.cash.items():
        deposits = [row for row in movements if row.kind == CashKind.DEPOSIT]
        total = sum(row.amount for row in deposits)
        if total < limits.of(account).laundering_amount * MONEY_UNITS:
            continue
        until = deposits[-1].at_ms + limits.laundering_days * DAY
        back = _sum(book, [account], CashKind.WITHDRAWAL, deposits[0].at_ms, until)
        rows = book.rows_of[account]
        lost = -book.net_of(rows)
        if back < RETURNED_MIN * total or len(rows) > limits.laundering_trades or abs(lost) > LOST_MAX * total:
            continue
        yield finding(
            book,
            Abuse.LAUNDERING,
            (account,),
            0.6 + 0.4 * (1 - len(rows) / (limits.laundering_trades + 1)),
            rows,
            stake=back,
            deposited=total,
            withdrawn=back,
            days=limits.laundering_days,
        )


def _opened(book: Book, client: str) -> int | None:
    times = [book.accounts[n].opened_ms for n in book.by_client.get(client, ())]
    return min((time for time in times if time is not None), default=None)


def shared_marks(book: Book) -> dict[tuple[str, str], list[Shared]]:
    """List what each two clients share; what more than `SHARED_MAX` people share says nothing of any two of them."""
    users: dict[tuple[str, str], set[str]] = defaultdict(set)
    for mark in book.marks:
        users[mark.kind, mark.value].add(mark.client)
    found: dict[tuple[str, str], list[Shared]] = defaultdict(list)
    for (kind, _value), clients in users.items():
        if 2 <= len(clients) <= SHARED_MAX:
            for pair in combinations(sorted(clients), 2):
                found[pair].append(Shared(kind, len(clients)))
    return found


def multi(book: Book, _limits: Limits, so_far: Judgement) -> Iterator[Finding]:
    """Find clients who are likely one person: by what they share, and by trading as one.

    What a household or an office shares (network, device, card) isn't enough, however much of it they share.
    """
    together: set[tuple[str, str]] = set()
    for row in so_far.findings:
        if row.kind in (Abuse.HEDGE, Abuse.COPY):
            clients = sorted({book.accounts[n].client for n in row.accounts})
            together.update(combinations(clients, 2))
    strong: list[tuple[float, str, str, list[str]]] = []
    for (first, second), shared in shared_marks(book).items():
        if (first, second) in book.known:
            continue
        extra = TRADED_TOGETHER if (first, second) in together else 0.0
        accounts = [book.by_client.get(client, []) for client in (first, second)]
        extra += BONUS_EACH if all(_first(book, part, CashKind.BONUS) is not None for part in accounts) else 0.0
        opened = [_opened(book, client) for client in (first, second)]
        if opened[0] is not None and opened[1] is not None and abs(opened[0] - opened[1]) <= REGISTERED_TOGETHER_MS:
            extra += OPENED_TOGETHER
        weight = strength(shared) + extra
        if weight >= NEEDED:
            strong.append((weight, first, second, sorted({row.kind for row in shared})))
    yield from _people(book, strong)


def _people(book: Book, strong: list[tuple[float, str, str, list[str]]]) -> Iterator[Finding]:
    """Put clients who are likely one person together."""
    root: dict[str, str] = {}

    def find(client: str) -> str:
        while root.setdefault(client, client) != client:
            root[client] = root[root[client]]
            client = root[client]
        return client

    for _weight, first, second, _kinds in strong:
        root[find(first)] = find(second)
    edges: dict[str, list[tuple[float, str, str, list[str]]]] = defaultdict(list)
    for edge in strong:
        edges[find(edge[1])].append(edge)
    for top, among in edges.items():
        clients = sorted(client for client in root if find(client) == top)
        accounts = tuple(sorted(n for client in clients for n in book.by_client.get(client, ())))
        rows = np.concatenate([book.rows_of[n] for n in accounts]) if accounts else np.empty(0, dtype=np.int64)
        weakest = min(weight for weight, *_rest in among)
        yield finding(
            book,
            Abuse.MULTI,
            accounts,
            weakest / (weakest + NEEDED),
            rows[-20:],
            stake=_sum(book, accounts, CashKind.BONUS),
            clients=len(clients),
            kinds=sorted({kind for *_rest, kinds in among for kind in kinds}),
        )
