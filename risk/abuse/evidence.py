"""What an episode's page shows: evidence trades as they are now, and a chart of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db import connection
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from clients.models import Client
from clients.queries import clients_visible_to
from crm.i18n import formats
from crm.models import User
from crm.money.amounts import Money
from crm.rates.fx import rates_of_days
from crm.ui.charts import area_chart
from risk.abuse.detectors.prices import CURVE_MS
from risk.abuse.models import AbuseEpisode, EpisodeParty

TRADES: Final = """
SELECT d.account_id, d.ticket, d.symbol, d.action, d.lots, d.price, d.executed_at, c.closed_at, c.price, c.result,
  d.id IS NULL OR d.deleted_at IS NOT NULL, d.revision <> t.revision
FROM risk_episodetrade t
LEFT JOIN trading_deal d ON d.id = t.deal_id AND d.executed_at = t.opened_at
LEFT JOIN LATERAL (
  SELECT max(x.executed_at) FILTER (WHERE x.entry <> 0) AS closed_at,
    (array_agg(x.price ORDER BY x.executed_at DESC) FILTER (WHERE x.entry <> 0))[1] AS price,
    sum(x.profit + x.commission + x.swap + x.fee) AS result
  FROM trading_deal x WHERE x.account_id = d.account_id AND x.position_id = d.position_id AND d.position_id <> 0
    AND x.deleted_at IS NULL AND x.executed_at >= d.executed_at
) c ON true
WHERE t.episode_id = %s ORDER BY d.executed_at, t.place
"""


@dataclass(frozen=True)
class Party:
    """An account of the episode; `client` is None for one out of the reader's reach."""

    account_id: int
    login: str
    currency: str
    client: Client | None


@dataclass(frozen=True)
class EvidenceTrade:
    """A trade as the platform reports it now. `party` is None where the client is out of the reader's reach."""

    party: Party | None
    ticket: int | None
    symbol: str
    is_buy: bool
    lots: Decimal | None
    price: Decimal | None
    opened_at: dt.datetime | None
    closed_at: dt.datetime | None
    close_price: Decimal | None
    result: Decimal | None
    is_deleted: bool
    is_edited: bool

    @property
    def held(self) -> float | None:
        """Seconds from the opening to the last closing."""
        return (self.closed_at - self.opened_at).total_seconds() if self.closed_at and self.opened_at else None


def parties_of(user: User, episode: AbuseEpisode) -> list[Party]:
    """List the accounts of an episode; whose they are is said where the reader reaches the client."""
    rows = list(EpisodeParty.objects.filter(episode=episode).select_related("account").order_by("account_id"))
    seen = clients_visible_to(user).select_related("brand").in_bulk({row.client_id for row in rows})
    return [Party(row.account_id, row.account.login, row.account.currency, seen.get(row.client_id)) for row in rows]


def trades_of(episode: AbuseEpisode, parties: Sequence[Party]) -> list[EvidenceTrade]:
    """List the evidence trades in their order of time, of accounts in reach with their details."""
    by_account = {party.account_id: party for party in parties if party.client}
    found = []
    with connection.cursor() as cursor:
        cursor.execute(TRADES, [episode.pk])
        for account, ticket, symbol, action, *rest in cursor:
            found.append(EvidenceTrade(by_account.get(account), ticket, symbol or "", action == 0, *rest))
    return found


@dataclass(frozen=True)
class Chart:
    """A drawing, and the figures to read beside it: what each is, and its value. note: what was converted or is missing."""

    drawing: SafeString
    marks: Sequence[tuple[str, str]] = ()
    note: str = ""


def chart_of(episode: AbuseEpisode, trades: Sequence[EvidenceTrade]) -> Chart:
    """Draw the markout curve where prices were judged, else what the evidence trades won one after another."""
    curve = episode.facts.get("curve")
    if curve and all(value is not None for value in curve):
        texts = [
            _("After %(time)s s: %(value)s spreads")
            % {"time": formats.number(delay / 1000), "value": formats.number(value)}
            for delay, value in zip(CURVE_MS, curve, strict=True)
        ]
        marks = [
            (_("%(time)s s") % {"time": formats.number(delay / 1000)}, formats.number(value))
            for delay, value in zip(CURVE_MS, curve, strict=True)
        ]
        return Chart(area_chart(curve, texts, label=_("Gain after the opening, in spreads")), marks)
    known = [trade for trade in trades if trade.result is not None and trade.party and trade.opened_at]
    results = _results(episode, known)
    if results is None:
        return Chart(SafeString(""), note=_("An exchange rate is missing, so the results can’t be added up."))
    currency, amounts, note = results
    total, values, texts = Decimal(0), [Decimal(0)], [_("Before the first trade")]
    for trade, amount in zip(known, amounts, strict=True):
        total += amount
        values.append(total)
        texts.append(f"{trade.symbol} {formats.number(trade.lots or 0)}: {formats.money(Money(total, currency))}")
    drawing = area_chart(values, texts, label=_("Result of the evidence trades, added up"))
    if not drawing:
        return Chart(drawing)
    figures = ((_("Lowest"), min(values)), (_("Highest"), max(values)), (_("After the last trade"), total))
    return Chart(drawing, [(name, formats.money(Money(value, currency))) for name, value in figures], note)


def _results(episode: AbuseEpisode, trades: Sequence[EvidenceTrade]) -> tuple[str, list[Decimal], str] | None:
    """Return trades' results in one currency with its code and a note: the accounts' own, else the brand's base currency.

    Each is converted at the reference rate of the day it closed, rounded to the smallest unit. None where a rate is missing.
    """
    rows = [
        (trade.result or Decimal(0), trade.party.currency, moment.date())
        for trade in trades
        if trade.party and (moment := trade.closed_at or trade.opened_at)
    ]
    base, currencies = episode.brand.base_currency, {currency for _result, currency, _day in rows}
    if len(currencies) <= 1:
        return next(iter(currencies), base), [result for result, _currency, _day in rows], ""
    rates = rates_of_days(currencies, [base], {day for _result, _currency, day in rows})
    if any((currency, base, day) not in rates for _result, currency, day in rows):
        return None
    amounts = [rates[currency, base, day].convert(result) for result, currency, day in rows]
    return (
        base,
        amounts,
        _("Converted to %(currency)s at the rates of the days the trades closed.") % {"currency": base},
    )
