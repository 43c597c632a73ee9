"""The rules of a challenge once more, slow and obvious: every figure is computed from the whole history, each time."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from math import ceil, floor
from zoneinfo import ZoneInfo

from prop.judge.inputs import Deal, Operation, OperationKind, Sample
from prop.judge.rules import DailyLossBase, LossShare, MaximumLoss, Operations, Rules

MINUTE = 60_000


def local(rules: Rules, at: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(at / 1000, dt.UTC).astimezone(ZoneInfo(rules.zone))


def day_of(rules: Rules, at: int) -> dt.date:
    """The clock on the wall less the cut-off; the zones tried change their clocks at other times than the cut-off."""
    cut = dt.timedelta(hours=rules.cut_off.hour, minutes=rules.cut_off.minute)
    return (local(rules, at).replace(tzinfo=None) - cut).date()


def on_the_wall(rules: Rules, day: dt.date, time: dt.time) -> int:
    return int(dt.datetime.combine(day, time, tzinfo=ZoneInfo(rules.zone)).timestamp() * 1000)


class History:
    """What is known at an instant: inputs until then, and the rules. `instant` inclusive, samples until `samples_until`."""

    def __init__(self, rules: Rules, start_at: int, inputs: list, gap: int):
        self.rules, self.start_at, self.inputs, self.gap = rules, start_at, inputs, gap
        self.start = int(rules.starting_balance * 100)
        self.samples = [each for each in inputs if isinstance(each, Sample)]
        self.deals = [each for each in inputs if isinstance(each, Deal)]
        self.operations = [each for each in inputs if isinstance(each, Operation)]

    def is_aside(self, operation):
        counted = (OperationKind.PAYOUT, OperationKind.RESULT)
        return operation.kind not in counted and self.rules.operations == Operations.SET_ASIDE

    def aside(self, until: int) -> int:
        return sum(each.amount for each in self.operations if self.is_aside(each) and each.at <= until)

    def aside_low(self, since: int, until: int) -> int:
        at = [since] + [each.at for each in self.operations if since < each.at <= until]
        return min(self.aside(each) for each in at)

    def counted(self, since: int, until: int, before: bool = False) -> int:
        """Counted operations after `since`, until `until` (not at it, where `before`)."""
        return sum(
            each.amount
            for each in self.operations
            if not self.is_aside(each) and since < each.at and (each.at < until if before else each.at <= until)
        )

    def payouts(self, since: int, until: int) -> int:
        """Payouts from `since` on: those at a cut-off belong to the day that it begins."""
        return sum(
            each.amount for each in self.operations if each.kind == OperationKind.PAYOUT and since <= each.at <= until
        )

    def equity(self, sample: Sample) -> int:
        return sample.equity - self.aside(sample.at)

    def before(self, at: int) -> Sample | None:
        return max((each for each in self.samples if each.at < at), key=lambda each: each.at, default=None)

    def balance(self, until: int, before: bool = False, without_sample_at: bool = False) -> int:
        """The balance at an instant: of the last sample, with deals and counted operations since."""
        last = self.before(until) if before or without_sample_at else self.before(until + 1)
        since = last.at if last else self.start_at - 1
        base = last.balance - self.aside(last.at) if last else self.start
        nets = sum(
            each.net for each in self.deals if since < each.at and (each.at < until if before else each.at <= until)
        )
        return base + nets + self.counted(since, until, before)

    # The day

    def day_start(self, day: dt.date) -> int:
        return on_the_wall(self.rules, day, self.rules.cut_off)

    def base(self, day: dt.date, now: int) -> int:
        """What a day's loss is counted from, as it is known at a sample or deal of this instant."""
        if day == day_of(self.rules, self.start_at):
            return self.start + self.payouts(self.start_at, now)
        cut = self.day_start(day)
        last = self.before(cut)
        balance = self.balance(cut, before=True)
        if last is None:
            return balance + self.payouts(cut, now)
        seen = self.equity(last)
        equity = seen + self.counted(last.at, cut, before=True)
        base = self.choose(balance, equity) + self.payouts(cut, now)
        after = min((each for each in self.samples if cut <= each.at <= now), key=lambda each: each.at, default=None)
        if after and after.at - last.at > self.gap:
            paid_before = self.payouts(cut, after.at)
            kinder = self.choose(balance + paid_before, min(seen, self.equity(after)))
            base = min(self.choose(balance, equity) + paid_before, kinder) + self.payouts(after.at + 1, now)
        return base

    def choose(self, balance: int, equity: int) -> int:
        return {
            DailyLossBase.BALANCE: balance,
            DailyLossBase.EQUITY: equity,
            DailyLossBase.HIGHER: max(balance, equity),
        }[self.rules.daily_loss_base]

    def daily_floor(self, day: dt.date, now: int) -> int:
        base = self.base(day, now)
        of = self.start if self.rules.daily_loss_of == LossShare.START else max(base, 0)
        return base - ceil(Fraction(self.rules.daily_loss) * of / 100)

    # The maximum

    def peak(self, sample: Sample) -> int:
        """The highest balance or equity before this sample; after its deals by balance, where it confirms them."""
        peak, last = self.start, self.start_at - 1
        for each in self.samples:
            if each.at > sample.at:
                break
            moves = [x for x in self.inputs if isinstance(x, Deal | Operation) and last < x.at <= each.at]
            highest = None
            running = self.balance(last)
            for move in moves:
                if isinstance(move, Deal):
                    running += move.net
                    highest = running if highest is None else max(highest, running)
                elif not self.is_aside(move):
                    running += move.amount
                    if move.kind == OperationKind.PAYOUT:
                        peak, highest = max(self.start, peak + move.amount), None
            self.peak_before_deals = peak
            balance = each.balance - self.aside(each.at)
            if (
                self.rules.maximum_loss_kind == MaximumLoss.TRAILING_BALANCE
                and highest is not None
                and running == balance
            ):
                peak = max(peak, highest)
            if each is sample:
                return peak
            peak = max(
                peak, self.equity(each) if self.rules.maximum_loss_kind == MaximumLoss.TRAILING_EQUITY else balance
            )
            last = each.at
        raise AssertionError

    def maximum_floor(self, peak: int) -> int:
        loss = ceil(Fraction(self.rules.maximum_loss) * self.start / 100)
        if self.rules.maximum_loss_kind == MaximumLoss.STATIC:
            return self.start - loss
        return min(peak - loss, self.start) if self.rules.maximum_loss_locks else peak - loss

    # What a sample shows

    def sample_losses(self, sample: Sample):
        """Each extreme until this sample, with its equity and the floors it is judged by."""
        rules, day = self.rules, day_of(self.rules, sample.at)
        last = self.before(sample.at)
        since = last.at if last else self.start_at - 1
        peak = self.peak(sample)
        first_peak = self.peak_before_deals
        # The days whose last sample came before: from the one of the last sample (or the start) on.
        past = []
        each = day_of(rules, since if last else self.start_at)
        while each < day:
            past.append(each)
            each += dt.timedelta(days=1)
        floors = {}
        if rules.daily_loss is not None:
            today = self.daily_floor(day, sample.at)
            ended = [
                self.daily_floor(each, self.day_start(each + dt.timedelta(days=1)) - 1)
                + self.payouts(self.day_start(each + dt.timedelta(days=1)), sample.at)
                for each in past
            ]
            floors = {"today": today, "past": min(ended, default=None)}
        moved = [each for each in self.deals if since < each.at <= sample.at]
        confirmed = self.balance(sample.at, without_sample_at=True) == sample.balance - self.aside(sample.at)
        extremes = []
        if confirmed:
            lowest: dict[dt.date, tuple[int, int]] = {}
            for index, deal in enumerate(moved):
                if self.open_after(deal) or self.inputs.index(deal) < self._last_payout(since, sample.at):
                    continue
                balance = self._running(since, moved, index)
                on = day_of(rules, deal.at)
                if on not in lowest or balance < lowest[on][0]:
                    lowest[on] = (balance, deal.at)
            for on, (balance, at) in lowest.items():
                extremes.append(
                    ("deal", at, balance, floors.get("past") if on < day else floors.get("today"), first_peak)
                )
        if sample.worst is not None and sample.worst < sample.equity:
            low = floors.get("today")
            if low is not None and floors["past"] is not None:
                low = min(low, floors["past"])
            aside = self.aside_low(since, sample.at) if last or self.operations else 0
            extremes.append(("reported", sample.at, sample.worst - aside, low, first_peak))
        extremes.append(("sampled", sample.at, self.equity(sample), floors.get("today"), peak))
        return extremes

    def _last_payout(self, since: int, until: int) -> int:
        """The place of the last payout among the inputs."""
        paid = [each for each in self.operations if each.kind == OperationKind.PAYOUT and since < each.at <= until]
        return max((self.inputs.index(each) for each in paid), default=-1)

    def _running(self, since: int, moved: list, index: int) -> int:
        deal = moved[index]
        at = self.inputs.index(deal)
        counted = sum(
            each.amount
            for each in self.inputs[:at]
            if isinstance(each, Operation) and not self.is_aside(each) and since < each.at
        )
        return self.balance(since) + sum(each.net for each in moved[: index + 1]) + counted

    def open_after(self, last: Deal) -> dict[str, tuple[int, int]]:
        lots: dict[str, tuple[int, int]] = {}
        for deal in self.deals[: self.deals.index(last) + 1]:
            volume, worth = lots.get(deal.position, (0, 0))
            if deal.is_opening:
                lots[deal.position] = (volume + deal.lots, worth + (deal.notional or 0))
            elif deal.lots >= volume:
                lots.pop(deal.position, None)
            else:
                lots[deal.position] = (volume - deal.lots, worth * (volume - deal.lots) // volume)
        return lots

    def open_at(self, at: int, before: bool = False) -> dict:
        made = [each for each in self.deals if (each.at < at if before else each.at <= at)]
        return self.open_after(made[-1]) if made else {}

    # What must be reached

    def days_traded(self, until: int) -> int:
        return len({day_of(self.rules, each.at) for each in self.deals if each.is_opening and each.at <= until})

    def missing(self, sample: Sample) -> str | None:
        rules = self.rules
        if rules.minimum_days is not None and self.days_traded(sample.at) < rules.minimum_days:
            return "minimum_days"
        if rules.largest_day is None:
            return None
        balance = sample.balance - self.aside(sample.at)
        first = max(
            (each.at for each in self.operations if each.kind == OperationKind.PAYOUT and each.at <= sample.at),
            default=None,
        )
        profits, day = [], day_of(rules, self.start_at)
        while day <= day_of(rules, sample.at):
            begin = max(self.day_start(day), self.start_at)
            end = self.day_start(day + dt.timedelta(days=1))
            opened = self.start if begin == self.start_at else self.balance(begin, before=True)
            closed = balance if end > sample.at else self.balance(end, before=True)
            if first is None or end > first:
                profits.append(closed - opened - self.payouts(begin, min(end - 1, sample.at)))
            day += dt.timedelta(days=1)
        best = max([0, *profits])
        return "consistency" if best > Fraction(rules.largest_day) / 100 * (balance - self.start) else None


def decision(rules: Rules, start_at: int, inputs: list, news=(), gap: int = MINUTE):
    """The first breach or pass of a phase: (kind, rule, instant, value, threshold), and the loss warnings before it."""
    history = History(rules, start_at, inputs, gap)
    warnings: dict[tuple[str, dt.date], int] = {}
    now = start_at
    for each in inputs:
        found = _time(history, now, each.at)
        if found is None and isinstance(each, Deal):
            found = _deal(history, each, news)
        if found is None and isinstance(each, Sample):
            found = _sample(history, each, warnings)
        if found:
            return found, warnings
        now = max(now, each.at)
    return None, warnings


def _time(history: History, since: int, until: int):
    """Cut-offs and weekends after `since`, until and at `until`."""
    rules = history.rules
    first = day_of(rules, history.start_at)
    instants = []
    day = day_of(rules, since) - dt.timedelta(days=1)
    while day <= day_of(rules, until) + dt.timedelta(days=1):
        instants.append((history.day_start(day), "b", day))
        if day.weekday() == 4 and not rules.weekend_holding:
            instants.append((on_the_wall(rules, day, rules.weekend_close), "a", day))
        day += dt.timedelta(days=1)
    for at, kind, day in sorted(instants):
        if not since < at <= until:
            continue
        if kind == "a":
            if open_positions := history.open_at(at, before=True):
                return ("breach", "weekend", at, len(open_positions), 0)
            continue
        if rules.maximum_days is not None and (day - first).days >= rules.maximum_days:
            return ("breach", "maximum_days", at, (day - first).days, rules.maximum_days)
        if rules.inactive_days is not None:
            traded = [day_of(rules, each.at) for each in history.deals if each.at < at]
            idle = (day - max([first, *traded])).days - 1
            if idle >= rules.inactive_days:
                return ("breach", "inactivity", at, idle, rules.inactive_days)
    return None


def _deal(history: History, deal: Deal, news):
    rules = history.rules
    if rules.news_minutes is not None:
        for event in sorted(news, key=lambda each: each.at):
            away = abs(event.at - deal.at)
            if away <= rules.news_minutes * MINUTE and any(code in deal.symbol for code in event.currencies):
                return ("breach", "news", deal.at, away, rules.news_minutes * MINUTE)
    if not deal.is_opening:
        return None
    if not rules.weekend_holding:
        wall = local(rules, deal.at)
        if wall.weekday() in (5, 6) or (wall.weekday() == 4 and wall.time() >= rules.weekend_close):
            return ("breach", "weekend", deal.at, 1, 0)
    held = history.open_after(deal)
    lots = sum(volume for volume, _worth in held.values())
    if rules.trade_lots_max is not None and Fraction(deal.lots, 10**8) > Fraction(rules.trade_lots_max):
        return ("breach", "trade_lots", deal.at, deal.lots, int(rules.trade_lots_max * 10**8))
    if rules.lots_max is not None and Fraction(lots, 10**8) > Fraction(rules.lots_max):
        return ("breach", "lots", deal.at, lots, int(rules.lots_max * 10**8))
    if rules.leverage_max is not None:
        last = history.before(deal.at)
        equity = history.equity(last) + history.counted(last.at, deal.at) if last else history.balance(deal.at)
        worth = sum(worth for _volume, worth in held.values())
        if worth > Fraction(rules.leverage_max) * equity:
            return (
                "breach",
                "leverage",
                deal.at,
                floor(Fraction(worth * 100, equity)) if equity > 0 else worth,
                int(rules.leverage_max * 100),
            )
    return None


def _sample(history: History, sample: Sample, warnings):
    rules, day = history.rules, day_of(history.rules, sample.at)
    for _source, at, equity, daily_floor, peak in history.sample_losses(sample):
        floors = []
        if rules.maximum_loss is not None:
            floors.append(
                ("maximum_loss", history.maximum_floor(peak), Fraction(rules.maximum_loss) * history.start / 100)
            )
        if rules.daily_loss is not None:
            base = history.base(day, sample.at)
            of = history.start if rules.daily_loss_of == LossShare.START else max(base, 0)
            floors.append(("daily_loss", daily_floor, Fraction(rules.daily_loss) * of / 100))
        for rule, level, _loss in floors:
            if equity <= level:
                return ("breach", rule, at, equity, level)
        for rule, level, loss in floors:
            most = ceil(loss)
            if (level + most - equity) * 100 >= most * 80:
                warnings.setdefault((rule, day), at)
    balance = sample.balance - history.aside(sample.at)
    if rules.profit_target is None:
        return None
    target = history.start + floor(Fraction(rules.profit_target) * history.start / 100)
    is_closed = not history.open_at(sample.at) and history.equity(sample) == balance
    if balance >= target and is_closed and history.missing(sample) is None:
        return ("passed", "profit_target", sample.at, balance, target)
    return None
