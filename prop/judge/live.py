"""Judging the accounts of running phases as trading reads them: each sample once, whatever dies in between.

A sample waits until deals were read beyond it, so that a deal is never judged after the sample that shows it. State, day,
breach, audit and notice are written in one transaction: a worker that is killed leaves all of them or none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from crm.db.locking import lock
from crm.money.amounts import from_minor
from crm.security import audit
from prop.audit_codes import PropAction
from prop.challenges.phases import KEY as STARTING_KEY
from prop.challenges.reviews import ask_for_review
from prop.choices import ChallengeState, Rule, StageState
from prop.corrections.waiting import has_open_correction, judge_again_soon
from prop.judge import feed
from prop.judge.corrections import DECISIVE
from prop.judge.days import to_msc, to_time
from prop.judge.fleet import quiet_of
from prop.judge.inputs import Deal, Input, Sample, in_order
from prop.judge.judging import Judge
from prop.judge.kept import MINUTE_MSC, Keeper, Minute
from prop.judge.notices import notify_trader
from prop.judge.rules import DailyLossBase, MaximumLoss, RuleCode, Rules
from prop.judge.sampling import sampled_servers
from prop.judge.state import Point, State, Verdict, VerdictKind
from prop.judge.storing import keep_closed_day, keep_today, store_minutes
from prop.judge.trades import move_position
from prop.models import Breach, Challenge, PhaseAccount
from prop.news.releases import news_of
from prop.payouts.terms import OPERATION_KEY
from trading.accounts.changes import end_trading
from trading.models import BalanceOperation, SymbolInfo, SyncCursor
from trading.models import Deal as PlatformDeal

DEALS_WAIT: Final = dt.timedelta(seconds=60)  # a server whose deals aren't read for longer is judged by its samples
WAITING_MAX: Final = 30
SAMPLED_WAIT: Final = dt.timedelta(
    seconds=90
)  # after which an account that is sampled is judged by slower readings, too
QUIET: Final = ("quiet_balance", "quiet_floor", "quiet_ceiling", "quiet_until")
AT_ONCE_MAX: Final = 5_000  # accounts of one round; those that were judged longest ago come first
RULES: Final = {
    RuleCode.DAILY_LOSS: Rule.DAILY_LOSS,
    RuleCode.MAXIMUM_LOSS: Rule.MAX_LOSS,
    RuleCode.MAXIMUM_DAYS: Rule.MAX_DAYS,
    RuleCode.INACTIVITY: Rule.INACTIVITY,
    RuleCode.NEWS: Rule.NEWS,
    RuleCode.WEEKEND: Rule.WEEKEND,
    RuleCode.LOTS: Rule.LOTS,
    RuleCode.TRADE_LOTS: Rule.TRADE_LOTS,
    RuleCode.LEVERAGE: Rule.LEVERAGE,
}
NOTHING: Final = {"number": 0, "revisions": 0}
COUNTED: Final = (RuleCode.MAXIMUM_DAYS, RuleCode.INACTIVITY, RuleCode.WEEKEND)


def rules_of(row: PhaseAccount, *, growth: Decimal | None = None) -> Rules:
    """Read a phase's rules, for its challenge's size and its server's days. growth: another one than it has now."""
    phase, challenge = row.phase, row.challenge
    grown = row.growth if growth is None else growth
    return Rules(
        currency=challenge.currency,
        starting_balance=challenge.balance,
        zone=row.account.server.time_zone,
        profit_target=phase.target,
        daily_loss=phase.daily_loss,
        daily_loss_base=DailyLossBase(phase.daily_loss_by),
        maximum_loss=phase.max_loss,
        maximum_loss_kind=MaximumLoss(phase.max_loss_kind),
        maximum_loss_locks=phase.locks_at_start,
        minimum_days=phase.min_days or None,
        maximum_days=phase.max_days and phase.max_days + row.idle_days,
        inactive_days=phase.inactive_days and phase.inactive_days + row.idle_days,
        largest_day=phase.consistency,
        weekend_holding=phase.holds_weekend,
        news_minutes=phase.news_minutes,
        lots_max=phase.max_lots,
        leverage_max=None if phase.leverage is None else Decimal(phase.leverage),
        # The deposit of scaling is set aside as any other: what is lost is counted from the starting balance as before.
        limits_of=challenge.balance + grown if grown else None,
    )


def due_accounts() -> QuerySet[PhaseAccount]:
    """Find running phases whose account was read since it was judged, or which have samples waiting for their deals.

    Those that are sampled are left to `prop.judge.rounds`, as long as that gets on.
    """
    now = timezone.now()
    running = PhaseAccount.objects.filter(state=StageState.RUNNING, account__synced_at__isnull=False)
    read_since = Q(judged_until__isnull=True) | Q(account__synced_at__gt=F("judged_until"))
    sampled = Q(account__server__in=sampled_servers(now), judged_until__gt=now - SAMPLED_WAIT)
    longest_ago = F("judged_until").asc(nulls_first=True)
    return running.filter(read_since).exclude(sampled).order_by(longest_ago, "pk")[:AT_ONCE_MAX]


@transaction.atomic(durable=True)
def judge_account(phase_account_id: int, *, samples: Sequence[Sample] = ()) -> bool:
    """Judge what was read of an account since the last time; whether anything was judged. The system's own work.

    samples: the account's own; without them its money counts as trading last read it.
    """
    challenge_id = PhaseAccount.objects.values_list("challenge_id", flat=True).get(pk=phase_account_id)
    challenge = lock(Challenge, challenge_id, "client", "brand")
    row = lock(PhaseAccount, phase_account_id, "phase", "account__server")
    row.challenge = challenge
    if row.state != StageState.RUNNING or row.started_at is None:
        return False
    now = timezone.now()
    judge = Judge(rules_of(row), news_of(row, row.judged_until or row.started_at, now))
    state = State.from_json(row.judged["state"]) if row.judged else judge.start(to_msc(row.started_at))
    checkpoint = state.to_json()
    waiting = [Sample(**each) for each in row.judged.get("waiting", [])]
    newest = feed.sample_of(row.account)
    seen_until = max([state.at, *(each.at for each in waiting)])
    waiting += [each for each in samples or ([newest] if newest else []) if each.at > seen_until]
    until = _deals_read_until(row, waiting)
    ready = [each for each in waiting if each.at <= until]
    known = row.judged.get("deals", NOTHING)
    if row.judged and (now_known := count_deals(row, state.at)) != known:
        _take_late(row, state, known, now_known)
        known = now_known
    keeper = Keeper(Minute.from_json(row.judged["minute"]) if row.judged.get("minute") else None)
    verdicts: list[Verdict] = []
    if ready:
        deals = deals_between(row, state.at, ready[-1].at)
        known = {
            "number": known["number"] + len(deals),
            "revisions": known["revisions"] + sum(deal.revision for deal in deals),
        }
        verdicts = judge_inputs(row, judge, state, keeper, deals, ready)
    for verdict in completed(verdicts):
        _write(row, verdict, checkpoint)
    keep_today(row, state, checkpoint)
    left = [asdict(each) for each in waiting if each not in ready]
    save_judged(row, state, verdicts, keeper, {"waiting": left, "deals": known})
    return bool(ready)


def judge_inputs(
    row: PhaseAccount,
    judge: Judge,
    state: State,
    keeper: Keeper,
    deals: Sequence[PlatformDeal],
    samples: Sequence[Sample],
    *,
    inputs: Sequence[Input] | None = None,
) -> list[Verdict]:
    """Take deals and samples in their order; the keeper notes which samples to keep, and how each deal was judged.

    inputs: what the deals are for the judge, where that is known.
    """
    verdicts: list[Verdict] = []
    for each in in_order([*(inputs_of(row, deals) if inputs is None else inputs), *samples]):
        found = judge.step(state, each)
        keeper.take(each, found)
        verdicts += found
    for deal in deals:
        if deal.deleted_at is None and samples:
            minute = keeper.minute_of(samples[-1].at)
            minute.deals[str(deal.ticket)] = feed.mark_of(deal, row.challenge.currency)
    return verdicts


def save_judged(
    row: PhaseAccount, state: State, verdicts: list[Verdict], keeper: Keeper, more: dict[str, Any] | None = None
) -> None:
    """Save how far an account was judged, with the samples that are kept; all of them once its phase is over."""
    if row.state != StageState.RUNNING:
        keeper.end_minute()
        if has_open_correction(row):  # it was found while the phase ran: what it corrects is another verdict now
            judge_again_soon([row])
    store_minutes(row.pk, keeper.over)
    decided = next((each.to_json() for each in verdicts if each.kind in DECISIVE), None)
    row.judged = {
        "state": state.to_json(),
        "minute": keeper.current.to_json() if keeper.current else None,
        "decided": decided,
        **(more or {}),
    }
    row.judged_until = to_time(state.at)
    _note_quiet(row, state)
    row.save(update_fields=["state", "ended_at", "work", "judged", "judged_until", *QUIET])


def _note_quiet(row: PhaseAccount, state: State) -> None:
    """Note which samples change nothing from now on (`prop.judge.rounds`)."""
    quiet = quiet_of(state, Judge(rules_of(row))) if row.state == StageState.RUNNING else None
    for name in QUIET:
        setattr(row, name, getattr(quiet, name.removeprefix("quiet_"), None))


def judge_history(row: PhaseAccount, samples: list[Sample]) -> None:
    """Judge a running account's whole past from samples that were kept elsewhere, in the caller's transaction.

    As `judge_account`, without warnings: their time is over.
    """
    assert row.started_at is not None
    judge = Judge(rules_of(row), news_of(row, row.started_at, timezone.now()))
    state = judge.start(to_msc(row.started_at))
    checkpoint, keeper = state.to_json(), Keeper()
    deals = deals_between(row, state.at, samples[-1].at) if samples else []
    verdicts = judge_inputs(row, judge, state, keeper, deals, samples)
    for verdict in completed(verdicts):
        if verdict.kind != VerdictKind.WARNING:
            _write(row, verdict, checkpoint)
    keep_today(row, state, checkpoint)
    save_judged(row, state, verdicts, keeper, {"waiting": [], "deals": count_deals(row, state.at)})


def completed(verdicts: list[Verdict]) -> list[Verdict]:
    """Put the sample after a breach, which the judge gives once it comes, into the breach's evidence."""
    after = next((verdict.after for verdict in verdicts if verdict.kind == VerdictKind.EVIDENCE), None)
    return [
        replace(each, after=after) if each.kind == VerdictKind.BREACH and not each.after else each for each in verdicts
    ]


def deals_read_until(server_id: int) -> int:
    """Find up to when a server's deals are known. Samples wait a minute for them at most, so that nothing stays unjudged."""
    read_at = SyncCursor.objects.filter(server_id=server_id, kind="deals").values_list("read_at", flat=True).first()
    return max(to_msc(timezone.now() - DEALS_WAIT), to_msc(read_at) if read_at else 0)


def _deals_read_until(row: PhaseAccount, waiting: list[Sample]) -> int:
    """Find up to when an account's deals are known; some samples wait for them, not any number."""
    until = deals_read_until(row.account.server_id)
    return max(until, waiting[-WAITING_MAX].at) if len(waiting) > WAITING_MAX else until


def deals_between(row: PhaseAccount, since: int, until: int) -> list[PlatformDeal]:
    """Read deals after an instant until another, deleted ones too."""
    deals = PlatformDeal.every.filter(account_id=row.account_id, executed_at__gte=row.started_at)
    return list(deals.filter(executed_at__gt=to_time(since), executed_at__lte=to_time(until)))


def count_deals(row: PhaseAccount, until: int) -> dict[str, int]:
    """Count the deals until an instant and their revisions: another result means that one was read late, edited or deleted."""
    deals = PlatformDeal.every.filter(
        account_id=row.account_id, executed_at__gte=row.started_at, executed_at__lte=to_time(until)
    )
    return deals.aggregate(number=Count("pk"), revisions=Coalesce(Sum("revision"), 0))


def inputs_of(
    row: PhaseAccount, deals: Sequence[PlatformDeal], *, symbols: dict[str, SymbolInfo] | None = None
) -> list[Input]:
    """Turn an account's deals into what the judge reads; deleted ones and the starting balance are left out.

    symbols: of the server by their names, where they were read.
    """
    if not deals:
        return []
    ours = _ours(row, deals)
    # The starting balance is where counting begins: on a server whose clock is ahead its deal is younger than the phase.
    starting = {ticket for ticket, key in ours.items() if key.startswith(STARTING_KEY)}
    counted = [deal for deal in deals if deal.deleted_at is None and deal.ticket not in starting]
    if symbols is None:
        names = {deal.symbol for deal in counted if deal.symbol}
        infos = SymbolInfo.objects.filter(server_id=row.account.server_id, name__in=names)
        symbols = {info.name: info for info in infos}
    payouts = frozenset(ticket for ticket, key in ours.items() if key.startswith(OPERATION_KEY))
    return feed.inputs_of(counted, currency=row.challenge.currency, symbols=symbols, payouts=payouts)


def _ours(row: PhaseAccount, deals: Sequence[PlatformDeal]) -> dict[int, str]:
    """Find the keys of our own operations by deal, by the reference in its comment: the ticket may not be known yet."""
    references = {deal.ticket: deal.comment.strip() for deal in deals if not deal.is_trade and deal.comment}
    if not references:
        return {}
    operations = BalanceOperation.objects.filter(account_id=row.account_id, reference__in=references.values())
    keys = dict(operations.values_list("reference", "idempotency_key"))
    return {ticket: keys[reference] for ticket, reference in references.items() if reference in keys}


def recount(row: PhaseAccount, state: State) -> None:
    """Count the positions and traded days of a state with the deals as they are now."""
    assert row.started_at is not None
    made = inputs_of(row, deals_between(row, to_msc(row.started_at) - 1, state.at))
    deals = [each for each in made if isinstance(each, Deal)]
    days = Judge(rules_of(row)).days
    state.positions = {}
    for deal in deals:
        move_position(state.positions, deal)
    opened = {days.day(deal.at) for deal in deals if deal.is_opening}
    state.days_traded, state.last_opening_day = len(opened), max(opened, default=0)
    state.last_trade_day = max([state.started_day, *(days.day(deal.at) for deal in deals)])


def _take_late(row: PhaseAccount, state: State, known: dict[str, int], now_known: dict[str, int]) -> None:
    """Count positions and days again, record it, and have the account judged again. What was decided stays."""
    recount(row, state)
    judge_again_soon([row])
    audit.record(
        actor=None,
        action=PropAction.DEALS_CHANGED,
        target=row,
        client_id=row.challenge.client_id,
        brand_id=row.challenge.brand_id,
        before={"deals": known},
        after={"deals": now_known, "judged_until": to_time(state.at).isoformat()},
    )


def _write(row: PhaseAccount, verdict: Verdict, checkpoint: dict[str, Any]) -> None:
    match verdict.kind:
        case VerdictKind.BREACH:
            place_breach(row, verdict)
            notify_trader(row, verdict, RULES[verdict.rule] if verdict.rule else None)
        case VerdictKind.PASSED:
            ask_for_review(row, now=timezone.now(), evidence=as_read(verdict, row.challenge.currency))
            notify_trader(row, verdict)
        case VerdictKind.WARNING if verdict.rule:
            notify_trader(row, verdict, RULES[verdict.rule])
        case VerdictKind.DAY:
            keep_closed_day(row, verdict, checkpoint)


def place_breach(row: PhaseAccount, verdict: Verdict) -> None:
    """End a locked running phase whose rule was breached, and stop trading on its account; the caller saves the row."""
    assert verdict.rule is not None
    rule, currency = RULES[verdict.rule], row.challenge.currency
    has_expired = rule == Rule.MAX_DAYS
    row.move_to(StageState.EXPIRED if has_expired else StageState.BREACHED)
    row.ended_at = timezone.now()
    row.challenge.move_to(ChallengeState.EXPIRED if has_expired else ChallengeState.BREACHED)
    row.challenge.ended_at = row.ended_at
    row.challenge.save(update_fields=["state", "ended_at"])
    end_trading(account_id=row.account_id)
    breach = Breach.objects.create(
        phase_account=row,
        judged_account=row,
        rule=rule,
        occurred_at=to_time(verdict.at),
        balance=from_minor(verdict.balance, currency),
        equity=from_minor(verdict.equity, currency),
        threshold=threshold_of(verdict, currency),
        evidence=verdict.to_json(),
    )
    audit.record(
        actor=None,
        action=PropAction.RULE_BREACHED,
        target=row,
        client_id=row.challenge.client_id,
        brand_id=row.challenge.brand_id,
        after={"rule": rule, "occurred_at": breach.occurred_at.isoformat(), "threshold": str(breach.threshold)},
        evidence=as_read(verdict, currency),
    )


def threshold_of(verdict: Verdict, currency: str) -> Decimal:
    """Return a verdict's limit as its rule counts it: an amount, days, lots or a leverage."""
    return _as_counted(verdict.threshold, verdict.rule, currency)


def _as_counted(figure: int, rule: RuleCode | None, currency: str) -> Decimal:
    if rule == RuleCode.NEWS:
        return Decimal(figure) / MINUTE_MSC
    if rule in COUNTED:
        return Decimal(figure)
    if rule in (RuleCode.LOTS, RuleCode.TRADE_LOTS):
        return Decimal(figure).scaleb(-8)
    if rule == RuleCode.LEVERAGE:
        return Decimal(figure).scaleb(-2)
    return from_minor(figure, currency)


def as_read(verdict: Verdict, currency: str) -> dict[str, Any]:
    """Write a verdict as the audit log shows it: instants in UTC, amounts in the challenge's currency."""
    amounts = {name: getattr(verdict, name) for name in ("balance", "equity", "aside")}
    return {
        "rule": verdict.rule,
        "occurred_at": to_time(verdict.at).isoformat(),
        "value": str(_as_counted(verdict.value, verdict.rule, currency)),
        "threshold": str(threshold_of(verdict, currency)),
        **{name: str(from_minor(figure, currency)) for name, figure in amounts.items()},
        "source": verdict.source,
        "before": _sample(verdict.before, currency),
        "after": _sample(verdict.after, currency),
    }


def _sample(point: Point | None, currency: str) -> dict[str, str] | None:
    if point is None:
        return None
    return {
        "read_at": to_time(point.at).isoformat(),
        "balance": str(from_minor(point.balance, currency)),
        "equity": str(from_minor(point.equity, currency)),
    }
