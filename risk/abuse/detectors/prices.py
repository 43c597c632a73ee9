"""Detectors that compare fills with quotes: latency arbitrage and stale prices, toxic flow, news trading.

Markout curves follow Cartea, Duran-Martin and Sánchez-Betancourt, "Detecting Toxic Flow" (arXiv 2312.05827): what an opening
has gained so long after it, here in spreads. A fair fill starts at -0.5 and stays there on average, whoever the trader is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from risk.abuse.book import MINUTE, SECOND, Book, Flags, Floats, Whole
from risk.abuse.choices import Abuse
from risk.abuse.findings import Finding, Judgement, Limits, Unjudged, finding

CURVE_MS: Final = (0, 250, SECOND, 5 * SECOND, 30 * SECOND, 60 * SECOND)
# Fewer of an account's trades with quotes say too little of the others.
COVERED_MIN: Final = 0.5
SIGMAS: Final = 6.0
TOXIC_TRADES: Final = 30
TOXIC_SIGMAS: Final = 4.5
TOXIC_SPREADS: Final = 0.25
NEWS_TIMES: Final = 8.0
NEWS_BEFORE_MS: Final = 90 * SECOND
NEWS_AFTER_MS: Final = 10 * SECOND
CHANCE_MAX: Final = 1e-6


def markout_curve(book: Book, rows: list[int]) -> list[float | None]:
    """Average the markouts of trades at the points of `CURVE_MS`, in spreads; None where quotes are missing."""
    curve = []
    for delay in CURVE_MS:
        values = book.markout(delay)[rows]
        known = values[~np.isnan(values)]
        curve.append(round(float(known.mean()), 3) if len(known) else None)
    return curve


def _covered(book: Book, kind: Abuse, values: Floats, least: int) -> Iterator[tuple[int, Whole] | Unjudged]:
    """Give the judged trades of each account that has enough of them, or say that quotes are missing."""
    known = ~np.isnan(values)
    for account, rows in enumerate(book.rows_of):
        if len(rows) < least:
            continue
        judged = rows[known[rows]]
        if len(judged) < least or len(judged) < COVERED_MIN * len(rows):
            yield Unjudged(kind, account, len(rows), len(rows) - len(judged))
        else:
            yield account, judged


def _usual_share(book: Book, hits: Flags, known: Flags) -> Floats:
    """Return each trade's chance of a hit, by its symbol: the median account's share, so that abusers don't set it."""
    chance = np.full(len(book), 0.05)
    for symbol in range(len(book.symbols)):
        of_symbol = (book.symbol == symbol) & known
        if not of_symbol.any():
            continue
        tried = np.bincount(book.account[of_symbol], minlength=len(book.accounts))
        hit = np.bincount(book.account[of_symbol & hits], minlength=len(book.accounts))
        enough = tried >= 5
        share = float(np.median(hit[enough] / tried[enough])) if enough.sum() >= 5 else 0.08
        chance[book.symbol == symbol] = min(max(share, 0.03), 0.35)
    return chance


def latency(book: Book, limits: Limits, _so_far: Judgement) -> Iterator[Finding | Unjudged]:
    """Find accounts whose fills were better than the market within a second, far more often than anyone else's.

    Speed alone is no proof, and neither is winning: a good scalper's fills are fair, and gain later.
    """
    edge = book.markout(SECOND)
    known = ~np.isnan(edge)
    hits = known & (np.nan_to_num(edge) > 0)
    chance = _usual_share(book, hits, known)
    for part in _covered(book, Abuse.LATENCY, edge, limits.latency_trades):
        if isinstance(part, Unjudged):
            yield part
            continue
        account, rows = part
        count, expected = int(hits[rows].sum()), float(chance[rows].sum())
        deviation = float(np.sqrt((chance[rows] * (1 - chance[rows])).sum()))
        share = count / len(rows)
        if share < 0.3 or count < expected + SIGMAS * deviation:
            continue
        late = rows[hits[rows]]
        # What a fair fill wins later doesn't count: the edge has to be there within the second.
        gained = float(np.nanmean(edge[late]))
        score = 0.5 + 0.35 * min((share - 0.3) / 0.4, 1.0) + 0.15 * min(gained, 1.0)
        order = late[np.argsort(-edge[late], kind="stable")]
        yield finding(
            book,
            Abuse.LATENCY,
            (account,),
            score,
            order,
            judged=len(rows),
            share=round(share, 3),
            usual=round(expected / len(rows), 3),
            gained=round(gained, 2),
            curve=markout_curve(book, [int(row) for row in rows]),
        )


def toxic(book: Book, _limits: Limits, so_far: Judgement) -> Iterator[Finding | Unjudged]:
    """Find accounts whose trades on average gain on the market within half a minute: no abuse, but dear to hold."""
    gain = book.markout(30 * SECOND)
    known_abuse = {row.accounts[0] for row in so_far.findings if row.kind == Abuse.LATENCY}
    for part in _covered(book, Abuse.TOXIC, gain, TOXIC_TRADES):
        if isinstance(part, Unjudged):
            yield part
            continue
        account, rows = part
        if account in known_abuse:
            continue
        mean, spread = float(gain[rows].mean()), float(gain[rows].std(ddof=1))
        sigmas = mean / (spread / np.sqrt(len(rows))) if spread else 0.0
        if mean < TOXIC_SPREADS or sigmas < TOXIC_SIGMAS:
            continue
        order = rows[np.argsort(-gain[rows], kind="stable")]
        yield finding(
            book,
            Abuse.TOXIC,
            (account,),
            0.5 + 0.5 * min((sigmas - TOXIC_SIGMAS) / 10, 1.0),
            order,
            stake=max(book.net_of(rows), 0),
            judged=len(rows),
            gained=round(mean, 2),
            curve=markout_curve(book, [int(row) for row in rows]),
        )


def news_times(book: Book, symbol: int) -> Whole:
    """Find the minutes in which a symbol jumped: many times its usual minute, and more than a few spreads."""
    series = book.quotes.series.get(book.symbols[symbol])
    if series is None or len(series[0]) < 100:
        return np.empty(0, dtype=np.int64)
    at, bid, ask = series
    edges = np.arange(at[0] // MINUTE, at[-1] // MINUTE + 2) * MINUTE
    place = np.clip(np.searchsorted(at, edges, side="right") - 1, 0, None)
    mid = (bid[place] + ask[place]) / 2
    moves = np.abs(np.diff(mid))
    moved = moves[moves > 0]
    if not len(moved):
        return np.empty(0, dtype=np.int64)
    # A Monday's first minute is a gap, not news.
    ticking = np.diff(at[place]) < 5 * MINUTE
    jump = (moves >= NEWS_TIMES * np.median(moved)) & (moves >= 3 * float(np.median(ask - bid))) & ticking
    minutes: Whole = edges[:-1][jump]
    return minutes


def news(book: Book, limits: Limits, _so_far: Judgement) -> Iterator[Finding | Unjudged]:
    """Find accounts that open just before or in the minute of a jump, far more often than its share of time."""
    from scipy import stats

    near = np.zeros(len(book), dtype=bool)
    chance = np.zeros(len(book))
    known = ~np.isnan(book.mid_after(0)[0])
    for symbol in range(len(book.symbols)):
        jumps = news_times(book, symbol)
        rows = np.flatnonzero(book.symbol == symbol)
        if not len(jumps) or not len(rows):
            continue
        after = np.clip(np.searchsorted(jumps, book.open_ms[rows] - MINUTE - NEWS_AFTER_MS), 0, len(jumps) - 1)
        gap = jumps[after] - book.open_ms[rows]
        near[rows] = (gap <= NEWS_BEFORE_MS) & (gap >= -MINUTE - NEWS_AFTER_MS)
        at = book.quotes.series[book.symbols[symbol]][0]
        whole = len(np.unique(at // MINUTE)) * MINUTE
        chance[rows] = min(len(jumps) * (NEWS_BEFORE_MS + NEWS_AFTER_MS + MINUTE) / max(whole, 1), 0.5)
    for part in _covered(book, Abuse.NEWS, np.where(known, 0.0, np.nan), limits.news_trades):
        if isinstance(part, Unjudged):
            yield part
            continue
        account, rows = part
        chosen = rows[near[rows]]
        share = len(chosen) / len(rows)
        if len(chosen) < limits.news_trades or share < 0.3:
            continue
        if stats.binom.sf(len(chosen) - 1, len(rows), float(chance[rows].mean())) > CHANCE_MAX:
            continue
        yield finding(
            book,
            Abuse.NEWS,
            (account,),
            0.5 + 0.5 * min((share - 0.3) / 0.5, 1.0),
            chosen,
            judged=len(rows),
            share=round(share, 3),
            usual=round(float(chance[rows].mean()), 3),
        )
