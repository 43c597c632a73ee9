"""Rules of single trades: news, weekend, lots and leverage; and what is open after each deal."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from prop.judge.days import ServerDays
from prop.judge.inputs import Deal, NewsEvent
from prop.judge.rules import LOT_UNITS, RuleCode, Rules
from prop.judge.state import State

MINUTE_MSC = 60_000


def move_position(positions: dict[str, list[int | None]], deal: Deal) -> None:
    """Open, add to, reduce or close the deal's position: its lots and what they are worth, None where that isn't known."""
    lots, worth = positions.get(deal.position, [0, 0])
    assert lots is not None
    if deal.is_opening:
        known = None if worth is None or deal.notional is None else worth + deal.notional
        positions[deal.position] = [lots + deal.lots, known]
    elif deal.lots >= lots:
        positions.pop(deal.position, None)
    else:
        left = lots - deal.lots
        positions[deal.position] = [left, None if worth is None else worth * left // lots]


@dataclass(frozen=True, slots=True)
class TradeRules:
    """What a single trade may break; `news` in the order of time."""

    rules: Rules
    days: ServerDays
    news: tuple[NewsEvent, ...]

    def broken(self, deal: Deal, state: State) -> Iterator[tuple[RuleCode, int, int]]:
        """Name each rule that a deal breaks, what it did, and what was allowed. `state` already holds the deal."""
        minutes = self.rules.news_minutes
        if minutes is not None and (event := self._news_at(deal, minutes * MINUTE_MSC)):
            yield RuleCode.NEWS, abs(deal.at - event.at), minutes * MINUTE_MSC
        if not deal.is_opening:
            return
        if not self.rules.weekend_holding and self.days.is_weekend(deal.at, self.rules.weekend_close):
            yield RuleCode.WEEKEND, 1, 0
        yield from self._too_large(deal, state)

    def _too_large(self, deal: Deal, state: State) -> Iterator[tuple[RuleCode, int, int]]:
        rules, open_positions = self.rules, state.positions.values()
        if rules.trade_lots_max is not None and deal.lots > (most := int(rules.trade_lots_max * LOT_UNITS)):
            yield RuleCode.TRADE_LOTS, deal.lots, most
        lots = sum(lots or 0 for lots, _worth in open_positions)
        if rules.lots_max is not None and lots > (most := int(rules.lots_max * LOT_UNITS)):
            yield RuleCode.LOTS, lots, most
        if rules.leverage_max is not None:
            # Of the equity of the last sample; a position whose worth isn't known can't be counted.
            equity = state.last.adjusted + state.since_sample if state.last else state.balance
            worth = sum(worth or 0 for _lots, worth in open_positions)
            most = int(rules.leverage_max * 100)
            if worth * 100 > most * equity:
                yield RuleCode.LEVERAGE, worth * 100 // equity if equity > 0 else worth, most

    def _news_at(self, deal: Deal, within: int) -> NewsEvent | None:
        first = bisect_left(self.news, deal.at - within, key=lambda event: event.at)
        for event in self.news[first:]:
            if event.at > deal.at + within:
                return None
            if event.concerns(deal.symbol):
                return event
        return None
