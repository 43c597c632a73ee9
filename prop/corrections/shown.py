"""Corrections as people read them: verdicts before and after, and the deals that changed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _

from crm.money.amounts import from_minor
from prop.judge.days import to_time
from prop.judge.live import RULES, threshold_of
from prop.judge.state import Verdict, VerdictKind
from prop.sentences import limit_text

GAPS_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class ShownVerdict:
    """A verdict of the judge, amounts in the challenge's currency; limit is empty where there is none."""

    label: str
    at: dt.datetime
    balance: Decimal
    equity: Decimal
    limit: str


@dataclass(frozen=True, slots=True)
class ShownDeal:
    """A deal as it was judged and as it is; None where there was none."""

    ticket: int
    at: dt.datetime
    was: Decimal | None
    now: Decimal | None


def shown_verdict(values: dict[str, Any] | None, currency: str) -> ShownVerdict | None:
    """Read a stored verdict; None where the phase runs."""
    if values is None:
        return None
    verdict = Verdict.from_json(values)
    limit = ""
    if verdict.rule in RULES:
        limit = limit_text(RULES[verdict.rule], threshold_of(verdict, currency), currency)
    balance, equity = (from_minor(figure, currency) for figure in (verdict.balance, verdict.equity))
    return ShownVerdict(_label(verdict), to_time(verdict.at), balance, equity, limit)


def _label(verdict: Verdict) -> str:
    if verdict.kind == VerdictKind.PASSED or verdict.rule not in RULES:
        return _("Target reached")
    return _("Breach: %(rule)s") % {"rule": RULES[verdict.rule].label}


def verdict_text(values: dict[str, Any] | None, currency: str) -> str:
    """Name a stored verdict in one line."""
    return _label(Verdict.from_json(values)) if values else _("No breach, target not reached")


def shown_deals(evidence: dict[str, Any], currency: str) -> list[ShownDeal]:
    """List the changed deals of a correction's evidence."""
    return [
        ShownDeal(
            each["ticket"],
            dt.datetime.fromisoformat(each["at"]),
            *(None if each[name] is None else from_minor(each[name], currency) for name in ("was", "now")),
        )
        for each in evidence["changed_deals"]
    ]


def read_between(evidence: dict[str, Any]) -> tuple[dt.datetime, dt.datetime]:
    """Return the instants between which the account was judged again."""
    return dt.datetime.fromisoformat(evidence["since"]), dt.datetime.fromisoformat(evidence["until"])


def shown_gaps(evidence: dict[str, Any]) -> list[tuple[dt.datetime, dt.datetime]]:
    """List from when until when the account wasn't seen, the longest first, a few at most."""
    gaps = [tuple(dt.datetime.fromisoformat(gap[name]) for name in ("from", "until")) for gap in evidence["gaps"]]
    longest = sorted(gaps, key=lambda gap: gap[0] - gap[1])[:GAPS_SHOWN]
    return [(begin, end) for begin, end in longest]
