"""Detectors that need no quotes: how long trades are held, around which hours, and how large they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from risk.abuse.book import DAY, HOUR, MINUTE, SECOND, Book
from risk.abuse.choices import Abuse
from risk.abuse.findings import Finding, Judgement, Limits, finding

ROLLOVER_NEAR_MS: Final = 30 * MINUTE
ROLLOVER_TRADES: Final = 5
ROLLOVER_SHARE: Final = 0.4
GAP_TRADES: Final = 3
GAP_SHARE: Final = 0.3
# From Friday evening to the first hour of Monday, whichever zone the platform's clock is in.
WEEKEND_HOLD_MS: Final = (44 * HOUR, 56 * HOUR)
FRIDAY: Final = 4
EARLIER_TRADES: Final = 20


def scalping(book: Book, limits: Limits, _so_far: Judgement) -> Iterator[Finding]:
    """Find accounts that mostly hold for less than the minimum of the terms of business, and win with it."""
    for account, rows in enumerate(book.rows_of):
        closed = rows[book.closed[rows]]
        if len(closed) < limits.scalp_trades:
            continue
        seconds = limits.of(account).scalp_seconds
        chosen = closed[book.hold_ms[closed] < seconds * SECOND]
        share = len(chosen) / len(closed)
        if share < limits.scalp_share or book.net_of(chosen) <= 0:
            continue
        yield finding(
            book,
            Abuse.SCALPING,
            (account,),
            0.5 + 0.5 * (share - limits.scalp_share) / max(1 - limits.scalp_share, 0.01),
            chosen[np.argsort(-book.profit[chosen], kind="stable")],
            judged=len(closed),
            share=round(share, 3),
            seconds=seconds,
            usual_seconds=round(float(np.median(book.hold_ms[closed])) / SECOND),
        )


def swap(book: Book, limits: Limits, _so_far: Judgement) -> Iterator[Finding]:
    """Find accounts that hold over the rollover and hardly longer, for the swap that it pays."""
    rollover = limits.rollover_minute * MINUTE
    before = (rollover - book.open_ms) % DAY
    after = (book.close_ms - rollover) % DAY
    near = book.closed & (book.swap > 0) & (before <= ROLLOVER_NEAR_MS) & (after <= ROLLOVER_NEAR_MS)
    near &= book.hold_ms <= 2 * ROLLOVER_NEAR_MS
    for account, rows in enumerate(book.rows_of):
        chosen = rows[near[rows]]
        share = len(chosen) / len(rows) if len(rows) else 0.0
        if len(chosen) >= ROLLOVER_TRADES and share >= ROLLOVER_SHARE:
            paid = int(book.swap[chosen].sum())
            yield finding(book, Abuse.SWAP, (account,), 0.5 + 0.5 * share, chosen, stake=paid, share=round(share, 3))


def gap(book: Book, _limits: Limits, _so_far: Judgement) -> Iterator[Finding]:
    """Find accounts that open late on Friday and close when the market opens again, whatever else they trade."""
    friday = (book.open_ms // DAY + 3) % 7 == FRIDAY
    late = (book.open_ms % DAY) >= 18 * HOUR
    held = (book.hold_ms >= WEEKEND_HOLD_MS[0]) & (book.hold_ms <= WEEKEND_HOLD_MS[1])
    over = book.closed & friday & late & held
    for account, rows in enumerate(book.rows_of):
        chosen = rows[over[rows]]
        share = len(chosen) / len(rows) if len(rows) else 0.0
        if len(chosen) >= GAP_TRADES and share >= GAP_SHARE:
            weekends = len(np.unique(book.open_ms[chosen] // (7 * DAY)))
            yield finding(
                book, Abuse.GAP, (account,), 0.5 + 0.5 * share, chosen, share=round(share, 3), weekends=weekends
            )


def size(book: Book, limits: Limits, _so_far: Judgement) -> Iterator[Finding]:
    """Find trades many times larger than all that an account had traded before."""
    for account, rows in enumerate(book.rows_of):
        if len(rows) <= EARLIER_TRADES:
            continue
        lots = book.lots[rows]
        largest = np.maximum.accumulate(lots)
        chosen, least = [], limits.of(account).size_times
        for n in np.flatnonzero(lots[EARLIER_TRADES:] >= 2 * largest[EARLIER_TRADES - 1 : -1]) + EARLIER_TRADES:
            usual = float(np.median(lots[:n]))
            if usual > 0 and lots[n] >= least * usual:
                chosen.append((int(rows[n]), lots[n] / usual, usual))
        if chosen:
            row, times, usual = max(chosen, key=lambda item: item[1])
            yield finding(
                book,
                Abuse.SIZE,
                (account,),
                0.5 + 0.5 * min(times / least - 1, 4) / 4,
                [item[0] for item in chosen],
                stake=max(int(book.profit[row]), 0),
                times=round(float(times), 1),
                usual=round(usual, 2),
                lots=round(float(book.lots[row]), 2),
            )
