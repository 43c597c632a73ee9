"""All detectors in their order: those that others build on come first. To add one, write it and name it here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from risk.abuse.book import Book
from risk.abuse.choices import Abuse
from risk.abuse.detectors import money, pairs, prices, timing
from risk.abuse.findings import Detector, Finding, Judgement, Limits

DETECTORS: Final[Mapping[Abuse, Detector]] = {
    Abuse.LATENCY: prices.latency,
    Abuse.TOXIC: prices.toxic,
    Abuse.NEWS: prices.news,
    Abuse.SCALPING: timing.scalping,
    Abuse.SWAP: timing.swap,
    Abuse.GAP: timing.gap,
    Abuse.SIZE: timing.size,
    Abuse.HEDGE: pairs.hedge,
    Abuse.COPY: pairs.copy,
    Abuse.BONUS: money.bonus,
    Abuse.LAUNDERING: money.laundering,
    Abuse.MULTI: money.multi,
}


def judge(book: Book, limits: Limits | None = None) -> Judgement:
    """Run every detector over a book. Findings below the score of the limits are left out; the strongest come first."""
    limits = limits or Limits()
    judgement = Judgement()
    if not len(book) and not book.cash and not book.marks:
        return judgement
    for detector in DETECTORS.values():
        if not len(book) and detector not in (money.laundering, money.multi):
            continue
        for row in detector(book, limits, judgement):
            if isinstance(row, Finding):
                judgement.findings.append(row)
            else:
                judgement.unjudged.append(row)
    judgement.findings = sorted(
        (row for row in judgement.findings if row.score >= limits.strictest("score", row.accounts).score),
        key=lambda row: -row.score,
    )
    return judgement
