"""The judge: one step per input, verdicts out. See docs/domain/prop-judging.md for each rule with its formula and an example.

Nothing here reads a clock, a table or a rate: the same inputs give the same verdicts, whenever they are judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from prop.judge.days import ServerDays
from prop.judge.inputs import Deal, Input, NewsEvent, Operation, OperationKind, Sample
from prop.judge.rules import WARN_AT_PERCENT, DailyLossBase, Limits, MaximumLoss, Operations, RuleCode, Rules
from prop.judge.state import Extreme, Point, Source, State, Status, Verdict, VerdictKind
from prop.judge.trades import TradeRules, move_position

GAP_MSC = 60_000


class LateInput(ValueError):
    """An input from before what was already judged: judge again from a checkpoint (`prop.judge.corrections`)."""


@dataclass(slots=True)
class Judge:
    """Judges accounts by one set of rules. `gap_msc`: two samples further apart leave a gap, which is stated."""

    rules: Rules
    news: tuple[NewsEvent, ...] = ()
    gap_msc: int = GAP_MSC
    limits: Limits = field(init=False)
    days: ServerDays = field(init=False)
    trades: TradeRules = field(init=False)

    def __post_init__(self) -> None:
        self.limits = Limits(self.rules)
        self.days = ServerDays(self.rules.zone, self.rules.cut_off)
        self.trades = TradeRules(self.rules, self.days, tuple(sorted(self.news, key=lambda event: event.at)))

    def start(self, at: int) -> State:
        """Begin a phase: balance and equity are the starting balance, no position is open."""
        day, start = self.days.day(at), self.limits.start
        state = State(
            at=at,
            rank=-1,
            started_day=day,
            day=day,
            base=start,
            day_balance=start,
            balance=start,
            peak=start,
            last_trade_day=day,
        )
        state.until, state.day_equity = self._next_instant(state, at), start
        return state

    def judge(self, state: State, inputs: Iterable[Input]) -> list[Verdict]:
        """Take all of the inputs, in their order."""
        return [verdict for each in inputs for verdict in self.step(state, each)]

    def step(self, state: State, each: Input) -> list[Verdict]:
        """Take one input and change the state. Raises: LateInput."""
        if (each.at, each.rank) < (state.at, state.rank):
            raise LateInput(f"{each.at} is before {state.at}")
        if state.status != Status.RUNNING:
            verdicts = self._complete(state, each)
        else:
            verdicts = list(self._advance(state, each.at))
            if state.status == Status.RUNNING:
                verdicts += self._take(state, each)
            elif isinstance(each, Sample):
                verdicts += self._complete(state, each)
        state.at, state.rank = each.at, each.rank
        return verdicts

    def _next_instant(self, state: State, at: int) -> int:
        cut_off = self.days.start(state.day + 1)
        if self.rules.weekend_holding:
            return cut_off
        return min(cut_off, self.days.weekend_after(at, self.rules.weekend_close))

    def loss_floors(self, state: State) -> Iterator[tuple[RuleCode, int, int]]:
        """Each loss limit as it is now: its rule, what the loss is counted from, how much may be lost."""
        if self.limits.maximum is not None:
            yield RuleCode.MAXIMUM_LOSS, self._reference(state, self.limits.maximum), self.limits.maximum
        daily = self.limits.daily_loss(state.base)
        if daily is not None:
            yield RuleCode.DAILY_LOSS, state.base, daily

    def _reference(self, state: State, loss: int) -> int:
        if self.rules.maximum_loss_kind == MaximumLoss.STATIC:
            return self.limits.start
        if self.rules.maximum_loss_locks:  # the floor rises no further than the starting balance
            return min(state.peak, self.limits.start + loss)
        return state.peak

    # Time

    def _advance(self, state: State, at: int) -> Iterator[Verdict]:
        while state.status == Status.RUNNING and (instant := state.until) <= at:
            if (
                not self.rules.weekend_holding
                and self.days.weekend_after(instant - 1, self.rules.weekend_close) == instant
            ):
                yield from self._begin_weekend(state, instant)
            if state.status == Status.RUNNING and instant == self.days.start(state.day + 1):
                yield from self._begin_day(state, instant)
            state.until = self._next_instant(state, instant)

    def _begin_weekend(self, state: State, at: int) -> Iterator[Verdict]:
        if state.positions:
            yield self._breach(state, at, rule=RuleCode.WEEKEND, value=len(state.positions), source=Source.CLOCK)

    def _begin_day(self, state: State, at: int) -> Iterator[Verdict]:
        self._count_unseen(state, at)
        yield self._close_day(state, at)
        self._keep_floor(state)
        equity = state.last.adjusted + state.since_sample if state.last else state.balance
        state.day += 1
        state.best_day = max(state.best_day, state.balance - state.day_balance)
        state.day_balance, state.day_equity, state.day_trades, state.unseen = state.balance, equity, 0, 0
        state.base, state.base_is_open = self._day_base(state, equity), state.last is not None
        state.low = state.high = None
        state.warned = [rule for rule in state.warned if rule in LASTING_WARNINGS]
        yield from self._count_days(state, at)

    def _keep_floor(self, state: State) -> None:
        """Keep the ending day's floor: between its last sample and the next day's first the kinder of both counts."""
        daily = self.limits.daily_loss(state.base)
        if daily is not None:
            floor = state.base - daily
            state.straddled = floor if state.straddled is None else min(state.straddled, floor)

    def _day_base(self, state: State, equity: int) -> int:
        match self.rules.daily_loss_base:
            case DailyLossBase.BALANCE:
                return state.day_balance
            case DailyLossBase.EQUITY:
                return equity
            case _:
                return max(state.day_balance, equity)

    def _close_day(self, state: State, at: int) -> Verdict:
        detail = {
            "base": state.base,
            "opened_with": state.day_balance,
            "opened_equity": state.day_equity,
            "profit": state.balance - state.day_balance,
            "trades": state.day_trades,
            "unseen_msc": state.unseen,
            "low": _as_detail(state.low),
            "high": _as_detail(state.high),
        }
        return self._verdict(state, VerdictKind.DAY, at, before=state.last, source=Source.CLOCK, detail=detail)

    def _count_days(self, state: State, at: int) -> Iterator[Verdict]:
        counted = (
            (RuleCode.MAXIMUM_DAYS, self.rules.maximum_days, state.day - state.started_day),
            (RuleCode.INACTIVITY, self.rules.inactive_days, state.day - state.last_trade_day - 1),
        )
        for rule, limit, days in counted:
            if limit is None:
                continue
            if days >= limit:
                yield self._breach(state, at, rule=rule, value=days, threshold=limit, source=Source.CLOCK)
                return
            if days * 100 >= limit * WARN_AT_PERCENT and rule not in state.warned:
                state.warned.append(rule)
                yield self._verdict(
                    state,
                    VerdictKind.WARNING,
                    at,
                    rule=rule,
                    value=days,
                    threshold=limit,
                    source=Source.CLOCK,
                    before=state.last,
                )

    def _count_unseen(self, state: State, at: int) -> None:
        if state.last and at - state.last.at > self.gap_msc:
            state.unseen += at - max(state.last.at, self.days.start(state.day))

    # Inputs

    def _take(self, state: State, each: Input) -> Iterator[Verdict]:
        match each:
            case Operation():
                self._take_operation(state, each)
            case Deal():
                yield from self._take_deal(state, each)
            case Sample():
                yield from self._take_sample(state, each)

    def _take_operation(self, state: State, operation: Operation) -> None:
        """Lower the day's base and the peak by a payout; set anything else aside, or count it as profit or loss."""
        amount = operation.amount
        is_counted = operation.kind in (OperationKind.PAYOUT, OperationKind.RESULT)
        if not is_counted and self.rules.operations == Operations.SET_ASIDE:
            state.aside += amount
            state.aside_low = min(state.aside_low, state.aside)
            return
        state.balance += amount
        state.since_sample += amount
        if operation.kind == OperationKind.PAYOUT:
            state.base += amount
            state.day_balance += amount
            state.peak = max(self.limits.start, state.peak + amount)
            state.straddled = None if state.straddled is None else state.straddled + amount
            state.best_day, state.deal_peak, state.implied = 0, None, []

    def _take_deal(self, state: State, deal: Deal) -> Iterator[Verdict]:
        state.balance += deal.net
        move_position(state.positions, deal)
        state.day_trades += 1
        state.last_trade_day = state.day
        if RuleCode.INACTIVITY in state.warned:
            state.warned.remove(RuleCode.INACTIVITY)
        if deal.is_opening and state.last_opening_day != state.day:
            state.last_opening_day = state.day
            state.days_traded += 1
        state.deal_peak = state.balance if state.deal_peak is None else max(state.deal_peak, state.balance)
        if not state.positions:
            self._imply(state, deal.at)
        for rule, value, threshold in self.trades.broken(deal, state):
            where = {"position": deal.position, "symbol": deal.symbol}
            yield self._breach(
                state, deal.at, rule=rule, value=value, threshold=threshold, source=Source.DEAL, detail=where
            )
            return

    def _imply(self, state: State, at: int) -> None:
        """Take the balance as equity, as nothing is open: the lowest of each day counts once a sample confirms it."""
        extreme = Extreme(at, state.balance, Source.DEAL)
        if not state.implied or state.implied[-1].at < self.days.start(state.day):
            state.implied.append(extreme)
        elif state.balance < state.implied[-1].equity:
            state.implied[-1] = extreme

    def _take_sample(self, state: State, sample: Sample) -> Iterator[Verdict]:
        point = Point(sample.at, sample.balance, sample.equity, state.aside)
        before = state.last
        has_gap = before is not None and sample.at - before.at > self.gap_msc
        if before and has_gap:
            self._count_unseen(state, sample.at)
            yield self._verdict(
                state,
                VerdictKind.GAP,
                sample.at,
                before=before,
                after=point,
                value=sample.at - before.at,
                threshold=self.gap_msc,
            )
        if state.base_is_open:
            self._settle_base(state, point, has_gap=has_gap)
        is_confirmed = state.balance == sample.balance - state.aside
        if state.implied and not is_confirmed:
            yield self._verdict(
                state,
                VerdictKind.UNCONFIRMED,
                sample.at,
                before=before,
                after=point,
                source=Source.DEAL,
                value=state.balance,
                threshold=sample.balance - state.aside,
            )
        for extreme, daily_floor in list(self._between_samples(state, sample, is_confirmed=is_confirmed)):
            yield from self._judge_losses(state, extreme, point, daily_floor)
        state.balance = sample.balance - state.aside
        if state.status == Status.RUNNING:
            if (
                is_confirmed
                and state.deal_peak is not None
                and self.rules.maximum_loss_kind == MaximumLoss.TRAILING_BALANCE
            ):
                state.peak = max(state.peak, state.deal_peak)
            yield from self._judge_losses(state, Extreme(sample.at, point.adjusted, Source.SAMPLED), point)
        state.last, state.implied, state.since_sample = point, [], 0
        state.aside_low, state.deal_peak, state.straddled = state.aside, None, None
        if state.status == Status.RUNNING:
            self._raise_peak(state, point)
            yield from self._judge_target(state, point, before)

    def _between_samples(
        self, state: State, sample: Sample, *, is_confirmed: bool
    ) -> Iterator[tuple[Extreme, int | None]]:
        """List what the equity was since the last sample, each with its daily floor where that isn't today's."""
        for extreme in state.implied if is_confirmed else []:
            yield extreme, state.straddled if extreme.at < self.days.start(state.day) else None
        if sample.worst is not None and sample.worst < sample.equity:
            floor = state.straddled
            daily = self.limits.daily_loss(state.base)
            if floor is not None and daily is not None:
                floor = min(floor, state.base - daily)
            yield Extreme(sample.at, sample.worst - state.aside_low, Source.REPORTED), floor

    def _settle_base(self, state: State, point: Point, *, has_gap: bool) -> None:
        """Settle the day's base: where the cut-off lay in a gap, the lower equity of both sides counts, so none is invented."""
        state.base_is_open = False
        if has_gap and state.last:
            state.base = min(state.base, self._day_base(state, min(state.last.adjusted, point.adjusted)))

    def _raise_peak(self, state: State, point: Point) -> None:
        trails_equity = self.rules.maximum_loss_kind == MaximumLoss.TRAILING_EQUITY
        state.peak = max(state.peak, point.adjusted if trails_equity else state.balance)

    def _judge_losses(
        self, state: State, extreme: Extreme, point: Point, daily_floor: int | None = None
    ) -> Iterator[Verdict]:
        if state.status != Status.RUNNING:
            return
        if state.low is None or extreme.equity < state.low.equity:
            state.low = extreme
        if state.high is None or extreme.equity > state.high.equity:
            state.high = extreme
        balance = extreme.equity if extreme.source == Source.DEAL else point.balance - point.aside
        losses = []
        for rule, base, most in self.loss_floors(state):
            floor = daily_floor if daily_floor is not None and rule == RuleCode.DAILY_LOSS else base - most
            losses.append((rule, floor, most, floor + most - extreme.equity))
        for rule, floor, most, lost in losses:
            if lost >= most:
                yield self._breach(state, extreme.at, after=point, **_evidence(extreme, rule, floor, balance))
                return
        for rule, floor, most, lost in losses:
            if lost * 100 >= most * WARN_AT_PERCENT and rule not in state.warned:
                state.warned.append(rule)
                found = _evidence(extreme, rule, floor, balance)
                yield self._verdict(state, VerdictKind.WARNING, extreme.at, before=state.last, after=point, **found)

    def _judge_target(self, state: State, point: Point, before: Point | None) -> Iterator[Verdict]:
        target = self.limits.target
        if target is None or state.balance < target or state.positions or point.adjusted != state.balance:
            return
        missing = self._withheld_by(state)
        if missing is None:
            state.status = Status.PASSED
            yield self._verdict(
                state,
                VerdictKind.PASSED,
                point.at,
                rule=RuleCode.PROFIT_TARGET,
                value=state.balance,
                threshold=target,
                before=before,
                after=point,
            )
        elif (mark := f"withheld:{missing[0]}") not in state.warned:
            state.warned.append(mark)
            rule, value, threshold = missing
            yield self._verdict(
                state,
                VerdictKind.WITHHELD,
                point.at,
                rule=rule,
                value=value,
                threshold=threshold,
                before=before,
                after=point,
            )

    def _withheld_by(self, state: State) -> tuple[RuleCode, int, int] | None:
        """Name what a phase with its target reached still lacks."""
        if self.rules.minimum_days is not None and state.days_traded < self.rules.minimum_days:
            return RuleCode.MINIMUM_DAYS, state.days_traded, self.rules.minimum_days
        if self.rules.largest_day is not None:
            best = max(state.best_day, state.balance - state.day_balance)
            profit = state.balance - self.limits.start
            share = int(self.rules.largest_day * 10_000)
            if best * 1_000_000 > share * profit:
                return RuleCode.CONSISTENCY, best, profit * share // 1_000_000
        return None

    # Verdicts

    def _complete(self, state: State, each: Input) -> list[Verdict]:
        """Add the first sample after a breach that had none to its evidence; a phase that has ended hears nothing else."""
        if not (state.awaits_sample and isinstance(each, Sample)):
            return []
        state.awaits_sample = False
        point = Point(each.at, each.balance, each.equity, state.aside)
        return [self._verdict(state, VerdictKind.EVIDENCE, each.at, before=state.last, after=point)]

    def _breach(self, state: State, at: int, **evidence: object) -> Verdict:
        state.status = Status.BREACHED
        state.awaits_sample = "after" not in evidence
        return self._verdict(state, VerdictKind.BREACH, at, before=state.last, **evidence)

    @staticmethod
    def _verdict(state: State, kind: VerdictKind, at: int, **evidence: Any) -> Verdict:
        point = evidence.get("after") or state.last
        values = {
            "equity": point.adjusted if point else state.balance,
            "balance": state.balance,
            "aside": state.aside,
            **evidence,
        }
        return Verdict(kind, at, state.day, **values)


LASTING_WARNINGS = (RuleCode.MAXIMUM_DAYS, RuleCode.INACTIVITY)


def _as_detail(extreme: Extreme | None) -> dict[str, object] | None:
    return None if extreme is None else {"at": extreme.at, "equity": extreme.equity, "source": str(extreme.source)}


def _evidence(extreme: Extreme, rule: RuleCode, floor: int, balance: int) -> dict[str, Any]:
    return {
        "rule": rule,
        "value": extreme.equity,
        "threshold": floor,
        "source": Source(extreme.source),
        "equity": extreme.equity,
        "balance": balance,
    }
