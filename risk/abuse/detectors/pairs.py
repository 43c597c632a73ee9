"""Detectors over two accounts and more: opposite hedging, and clusters that copy each other.

Openings on one symbol within seconds of each other are coincidences that happen by chance; a pair counts when it has far more of
them than two traders of their activity would (a Poisson tail), and when they are a good part of all that one of them does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from risk.abuse.book import DAY, SECOND, Book, Whole
from risk.abuse.choices import Abuse
from risk.abuse.findings import Finding, Judgement, Limits, finding

# Behind so many openings in one window nobody can be told from the crowd.
NEIGHBOURS_MAX: Final = 60
# Trading clusters in some hours: chance meets more often than over a flat day.
BURSTS: Final = 4.0
CHANCE_MAX: Final = 1e-7
HEDGE_SHARE: Final = 0.35
OVERLAP_MIN: Final = 0.5
COPY_SHARE: Final = 0.5
CLOSE_SECONDS: Final = 15
CLOSED_TOGETHER_MIN: Final = 0.5
RATIO_SPREAD_MAX: Final = 0.25


@dataclass(frozen=True)
class Matches:
    """Trades of two accounts that belong together, row by row."""

    first: int
    second: int
    rows: Whole
    others: Whole

    def count(self) -> int:
        """Count them so that no trade counts twice."""
        return min(len(np.unique(self.rows)), len(np.unique(self.others)))


def coincidences(book: Book, within_ms: Whole, *, opposite: bool) -> tuple[Whole, Whole]:
    """Find openings of different accounts on one symbol soon after each other, on the same or the opposite side.

    within_ms: of each account; of two accounts the longer one counts.
    """
    order, longest = np.lexsort((book.open_ms, book.symbol)), int(within_ms.max(initial=0))
    found_left, found_right = [], []
    for step in range(1, NEIGHBOURS_MAX + 1):
        left, right = order[:-step], order[step:]
        apart = book.open_ms[right] - book.open_ms[left]
        near = (book.symbol[left] == book.symbol[right]) & (apart <= longest)
        if not near.any():
            break
        chosen = near & (book.account[left] != book.account[right])
        chosen &= apart <= np.maximum(within_ms[book.account[left]], within_ms[book.account[right]])
        chosen &= (book.side[left] != book.side[right]) if opposite else (book.side[left] == book.side[right])
        found_left.append(left[chosen])
        found_right.append(right[chosen])
    none: Whole = np.empty(0, dtype=np.int64)
    if not found_left:
        return none, none
    return np.concatenate(found_left), np.concatenate(found_right)


def grouped(book: Book, left: Whole, right: Whole, least: int) -> Iterator[Matches]:
    """Gather coincidences by the two accounts; pairs with fewer than `least` are left out."""
    swapped = book.account[left] > book.account[right]
    first, second = np.where(swapped, right, left), np.where(swapped, left, right)
    key = book.account[first] * len(book.accounts) + book.account[second]
    order = np.argsort(key, kind="stable")
    keys, starts, counts = np.unique(key[order], return_index=True, return_counts=True)
    for pair, start, count in zip(keys, starts, counts, strict=True):
        if count >= least:
            rows = order[start : start + count]
            yield Matches(int(pair // len(book.accounts)), int(pair % len(book.accounts)), first[rows], second[rows])


def chance_of(book: Book, first: int, second: int, seconds: int, count: int) -> float:
    """Return how likely two independent traders of this activity meet so often on one side."""
    from scipy import stats

    mine, theirs = book.rows_of[first], book.rows_of[second]
    span = max(int(book.open_ms[-1] - book.open_ms[0]), DAY)
    expected = 0.0
    here = np.bincount(book.symbol[mine], minlength=len(book.symbols))
    there = np.bincount(book.symbol[theirs], minlength=len(book.symbols))
    expected = float((here * there).sum()) * 2 * seconds * SECOND / span * 0.5 * BURSTS
    return float(stats.poisson.sf(count - 1, expected))


def _seconds(within_ms: Whole, pair: Matches) -> int:
    return int(max(within_ms[pair.first], within_ms[pair.second])) // SECOND


def hedged_pairs(book: Book, limits: Limits) -> Iterator[tuple[Matches, float, float]]:
    """Find pairs of accounts on opposite sides of the same trades, with the share of the quieter one and the chance."""
    within_ms = limits.seconds("hedge_seconds", len(book.accounts))
    left, right = coincidences(book, within_ms, opposite=True)
    small, large = np.minimum(book.lots[left], book.lots[right]), np.maximum(book.lots[left], book.lots[right])
    alike = small >= (1 - limits.hedge_lots) * large
    # A hedge is held together: trades that only met at the start are two opinions.
    end = np.int64(book.close_ms.max() if len(book) else 0) + 1
    closes = np.where(book.closed, book.close_ms, end)
    longest = np.maximum(closes[left] - book.open_ms[left], closes[right] - book.open_ms[right])
    together = np.minimum(closes[left], closes[right]) - np.maximum(book.open_ms[left], book.open_ms[right])
    alike &= together >= OVERLAP_MIN * np.maximum(longest, 1)
    for pair in grouped(book, left[alike], right[alike], limits.matches):
        count = pair.count()
        share = count / min(len(book.rows_of[pair.first]), len(book.rows_of[pair.second]))
        if count < limits.matches or share < HEDGE_SHARE:
            continue
        chance = chance_of(book, pair.first, pair.second, _seconds(within_ms, pair), count)
        if chance <= CHANCE_MAX:
            yield pair, share, chance


def hedge(book: Book, limits: Limits, _so_far: Judgement) -> Iterator[Finding]:
    """Find accounts that hold opposite sides of the same trades: together they risk nothing but the broker's money."""
    for pair, share, _chance in hedged_pairs(book, limits):
        rows = np.unique(np.concatenate([pair.rows, pair.others]))
        won = {account: book.net_of(rows[book.account[rows] == account]) for account in (pair.first, pair.second)}
        same_client = book.accounts[pair.first].client == book.accounts[pair.second].client
        yield finding(
            book,
            Abuse.HEDGE,
            (pair.first, pair.second),
            0.5 + 0.4 * min((share - HEDGE_SHARE) / 0.5, 1.0) + 0.1 * min(pair.count() / 20, 1.0),
            rows,
            stake=max(*won.values(), 0),
            matches=pair.count(),
            share=round(share, 3),
            seconds=limits.strictest("hedge_seconds", (pair.first, pair.second)).hedge_seconds,
            same_client=same_client,
        )


def copy(book: Book, limits: Limits, _so_far: Judgement) -> Iterator[Finding]:
    """Find accounts that open and close the same trades in the same seconds, in a constant proportion of size.

    People who follow one signal by hand enter within minutes and leave when they like; a cluster doesn't.
    """
    within_ms = limits.seconds("copy_seconds", len(book.accounts))
    left, right = coincidences(book, within_ms, opposite=False)
    both = book.closed[left] & book.closed[right]
    joined: list[tuple[Matches, float]] = []
    for pair in grouped(book, left[both], right[both], limits.matches + 1):
        count = pair.count()
        share = count / min(len(book.rows_of[pair.first]), len(book.rows_of[pair.second]))
        if count <= limits.matches or share < COPY_SHARE:
            continue
        closed = np.abs(book.close_ms[pair.rows] - book.close_ms[pair.others]) <= CLOSE_SECONDS * SECOND
        ratio = np.log(book.lots[pair.others] / book.lots[pair.rows])
        if closed.mean() < CLOSED_TOGETHER_MIN or ratio.std() > RATIO_SPREAD_MAX:
            continue
        if chance_of(book, pair.first, pair.second, _seconds(within_ms, pair), count) <= CHANCE_MAX:
            joined.append((pair, share))
    for members, pairs in _clusters(joined):
        if len({book.accounts[n].client for n in members}) < 2:
            continue  # one person may trade two accounts alike
        rows = np.unique(np.concatenate([part for pair, _share in pairs for part in (pair.rows, pair.others)]))
        share = float(np.median([share for _pair, share in pairs]))
        yield finding(
            book,
            Abuse.COPY,
            members,
            0.5 + 0.3 * min((share - COPY_SHARE) / 0.4, 1.0) + 0.2 * min(len(members) / 5, 1.0),
            rows,
            members=len(members),
            matches=max(pair.count() for pair, _share in pairs),
            share=round(share, 3),
            seconds=limits.strictest("copy_seconds", members).copy_seconds,
        )


def _clusters(joined: list[tuple[Matches, float]]) -> Iterator[tuple[tuple[int, ...], list[tuple[Matches, float]]]]:
    """Put pairs that share an account into one cluster."""
    root: dict[int, int] = {}

    def find(account: int) -> int:
        while root.setdefault(account, account) != account:
            root[account] = root[root[account]]
            account = root[account]
        return account

    for pair, _share in joined:
        root[find(pair.first)] = find(pair.second)
    members: dict[int, set[int]] = defaultdict(set)
    pairs: dict[int, list[tuple[Matches, float]]] = defaultdict(list)
    for pair, share in joined:
        top = find(pair.first)
        members[top] |= {pair.first, pair.second}
        pairs[top].append((pair, share))
    for top in members:
        yield tuple(sorted(members[top])), pairs[top]
