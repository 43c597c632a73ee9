"""Days compared with the platform deal by deal: gaps are fetched, deletions by dealers found, differences told and settled."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from crm.errors import DomainError, NotAllowed, WrongState
from crm.files.jobs import run_job
from crm.models import AuditEvent, Job, OutboxEvent
from tests.cast import Cast
from tests.trading.factories import make_account
from tests.trading.made_up import made_up
from tests.trading.sandbox_server import Sandbox
from trading.choices import BreakKind, BreakState, IssueKind
from trading.models import (
    AccountResult,
    DayCheck,
    Deal,
    DealEdit,
    PlatformIssue,
    ReconcileBreak,
    TradingAccount,
    TradingServer,
)
from trading.platforms.base import Purpose
from trading.platforms.pool import platform_for
from trading.sync import breaks, days, deals, money, reconcile, results
from trading.sync.deals import take_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(cast: Cast, server: TradingServer, sandbox: Sandbox) -> TradingAccount:
    return make_account(cast.client, server, login=sandbox.new_account("real\\pro-EUR"), group="real\\pro-EUR")


def today(server: TradingServer) -> dt.date:
    return days.day_of(platform_for(server, Purpose.READS).server_time().server_msc)


def trade(sandbox: Sandbox, account: TradingAccount) -> list[int]:
    """Money and a closed trade on the platform; the three tickets."""
    with sandbox.client() as client:
        ticket = client.write(
            "TRADE_BALANCE", {"LOGIN": account.login, "TYPE": 2, "BALANCE": "5000.00", "COMMENT": "x"}
        ).number("TICKET")
    done = sandbox.post("trade", login=int(account.login), symbol="EURUSD", lots="0.1", hold_seconds=0)
    return [ticket, done["deal"], done["closing_deal"]]


def check(server: TradingServer) -> days.Compared:
    return days.check_days(server, [today(server)])[today(server)]


def test_a_gap_is_found_by_ticket_fetched_and_told(
    account: TradingAccount, server: TradingServer, sandbox: Sandbox
) -> None:
    tickets = trade(sandbox, account)
    deals.sync_deals(server)
    Deal.every.filter(ticket=tickets[1]).delete()  # as if a read had lost it
    found = check(server)
    assert found.missing == [tickets[1]]
    assert (
        found.platform
        == found.ours
        == Deal.objects.filter(server=server, server_msc__gte=days.msc_of(today(server))).count()
    )
    row = ReconcileBreak.objects.get(kind=BreakKind.MISSING)
    assert (row.state, row.ticket, row.account_id, row.day) == (
        BreakState.HEALED,
        tickets[1],
        account.pk,
        today(server),
    )
    assert row.evidence["symbol"] == "EURUSD"
    kept = DayCheck.objects.get(server=server)
    assert (kept.missing, kept.is_equal) == (1, True)
    assert check(server).missing == []


def test_a_deal_that_a_dealer_deleted_stays_marked_and_counts_nowhere(
    account: TradingAccount, server: TradingServer, sandbox: Sandbox
) -> None:
    _money, _opening, closing = trade(sandbox, account)
    deals.sync_deals(server)
    results.refresh_all()
    before = AccountResult.objects.get(account=account, period="d").trades
    sandbox.post("deal/delete", ticket=closing)
    last = OutboxEvent.objects.latest("pk").pk
    found = check(server)
    assert found.extra == [closing]
    deal = Deal.every.get(ticket=closing)
    assert (deal.deleted_at is not None, deal.revision) == (True, 1)
    assert not Deal.objects.filter(ticket=closing).exists()
    assert DealEdit.objects.get(ticket=closing).after == {"deleted": True}
    (told,) = OutboxEvent.objects.filter(name="trading.deals_synced", pk__gt=last)
    assert (told.payload["deal_ids"], told.payload["client_ids"]) == ([deal.pk], [account.client_id])
    results.refresh_all()
    assert AccountResult.objects.get(account=account, period="d").trades == before - 1
    assert results.differences() == 0
    row = ReconcileBreak.objects.get(kind=BreakKind.EXTRA)
    assert (row.state, row.subject, row.account_id) == (BreakState.OPEN, str(closing), account.pk)
    assert PlatformIssue.objects.get(kind=IssueKind.DEALS_BREAK).subject == today(server).isoformat()
    # The balance follows the deletion on both sides.
    money.sync_money(server)
    assert reconcile.find_breaks(server) == []
    assert check(server).extra == []  # found once


def test_a_deal_that_comes_back_counts_again(account: TradingAccount, server: TradingServer, sandbox: Sandbox) -> None:
    tickets = trade(sandbox, account)
    deals.sync_deals(server)
    kept = platform_for(server, Purpose.READS).deals_by_ticket(tickets)
    sandbox.post("deal/delete", ticket=tickets[2])
    check(server)
    taken = take_in(server, kept)  # the platform restored it from a backup
    assert list(taken.changed) == [tickets[2]]
    assert Deal.objects.filter(ticket=tickets[2]).exists()
    assert DealEdit.objects.filter(ticket=tickets[2]).latest("pk").after["deleted"] is False


def test_an_edit_older_than_every_overlap_is_found(
    account: TradingAccount, server: TradingServer, sandbox: Sandbox
) -> None:
    tickets = trade(sandbox, account)
    deals.sync_deals(server)
    sandbox.post("deal/edit", ticket=tickets[2], Profit="77.77")
    found = check(server)
    assert found.changed == [tickets[2]]
    assert Deal.objects.get(ticket=tickets[2]).profit == Decimal("77.77")
    row = ReconcileBreak.objects.get(kind=BreakKind.CHANGED)
    assert row.evidence["after"]["Profit"] == "77.77"
    assert row.state == BreakState.HEALED


def test_a_deal_that_moved_to_another_day_is_no_deletion(
    account: TradingAccount, server: TradingServer, sandbox: Sandbox
) -> None:
    tickets = trade(sandbox, account)
    deals.sync_deals(server)
    msc = Deal.objects.get(ticket=tickets[0]).server_msc
    sandbox.post("deal/edit", ticket=tickets[0], TimeMsc=str(msc - 3 * days.DAY_MSC))
    found = check(server)
    assert (found.extra, found.changed) == ([], [tickets[0]])
    assert Deal.objects.get(ticket=tickets[0]).server_msc == msc - 3 * days.DAY_MSC


def test_deals_of_an_archived_account_are_not_deleted(
    account: TradingAccount, server: TradingServer, sandbox: Sandbox
) -> None:
    trade(sandbox, account)
    deals.sync_deals(server)
    sandbox.post("archive", login=int(account.login))
    found = check(server)
    assert found.extra == [] and found.elsewhere >= 3
    assert not ReconcileBreak.objects.exists()
    assert Deal.objects.filter(account=account).count() == 3


def test_counts_that_differ_are_a_break_until_they_are_equal(server: TradingServer, sandbox: Sandbox) -> None:
    day = today(server)
    breaks.note_difference(
        server,
        breaks.Difference(kind=BreakKind.COUNT, subject=day.isoformat(), day=day, evidence={"platform": 3, "ours": 2}),
    )
    breaks.note_difference(
        server,
        breaks.Difference(kind=BreakKind.COUNT, subject=day.isoformat(), day=day, evidence={"platform": 4, "ours": 2}),
    )
    row = ReconcileBreak.objects.get()
    assert (row.times, row.evidence["platform"]) == (2, 4)
    check(server)
    row.refresh_from_db()
    assert (row.state, row.closed_at is not None) == (BreakState.HEALED, True)


def test_a_night_looks_at_the_last_days_and_at_old_ones_in_turn(server: TradingServer) -> None:
    now = timezone.now()
    for ticket, age in enumerate((0, 40), start=1):
        at = now - dt.timedelta(days=age)
        msc = int((at.timestamp() + 7200) * 1000)
        take_in(server, [made_up(ticket, executed_at=at, server_msc=msc)])
    last = days.day_of(int((now.timestamp() + 7200) * 1000))
    first = last - dt.timedelta(days=40)
    due = reconcile.days_due(server, today=last)
    assert due[:7] == [last - dt.timedelta(days=n) for n in range(1, 8)]
    assert len(due) == 7 + reconcile.DAYS_OLD
    for day in due:
        DayCheck.objects.create(server=server, day=day, platform_deals=0, our_deals=0, checked_at=now)
    second = reconcile.days_due(server, today=last)
    assert not set(second[7:]) & set(due[7:])  # those that nobody looked at come first
    for day in second[7:]:
        DayCheck.objects.create(server=server, day=day, platform_deals=0, our_deals=0, checked_at=now)
    third = reconcile.days_due(server, today=last)
    assert first in {*due, *second, *third}


def test_windows_are_bounded_and_end_with_the_day(server: TradingServer) -> None:
    start = days.msc_of(dt.date(2026, 3, 29))  # a DST day is a day like any other by the server's own clock
    windows = days.Windows(start, start + 2 * days.DAY_MSC)
    seen = []
    for first, last in windows:
        seen.append((first, last))
        windows.held(100_000 if len(seen) == 1 else 30_000 if len(seen) < 4 else 1)
    assert seen[0] == (start, start + days.DAY_MSC)
    assert seen[-1][1] == start + 2 * days.DAY_MSC
    assert all(left[1] == right[0] for left, right in pairwise(seen))
    assert len(seen) > 4


def test_the_nightly_run_writes_balance_breaks_and_heals_those_that_are_over(
    account: TradingAccount, server: TradingServer, sandbox: Sandbox
) -> None:
    trade(sandbox, account)
    deals.sync_deals(server)
    money.sync_money(server)
    right = TradingAccount.objects.get(pk=account.pk).balance
    TradingAccount.objects.filter(pk=account.pk).update(balance=1)
    reconcile.reconcile(server)
    row = ReconcileBreak.objects.get(kind=BreakKind.BALANCE)
    assert (row.state, row.login, row.account_id, row.evidence["balance"]) == (
        "open",
        account.login,
        account.pk,
        "1.00",
    )
    TradingAccount.objects.filter(pk=account.pk).update(balance=right)
    assert PlatformIssue.objects.get(kind=IssueKind.BALANCE_BREAK).closed_at is None
    reconcile.reconcile(server)
    row.refresh_from_db()
    assert row.state == BreakState.HEALED
    assert PlatformIssue.objects.get(kind=IssueKind.BALANCE_BREAK).resolution == "Matches again"


def test_a_platform_that_is_away_stops_no_check_of_balances(account: TradingAccount, server: TradingServer) -> None:
    TradingAccount.objects.filter(pk=account.pk).update(balance=9, synced_at=timezone.now())
    server.port = 1
    server.save()
    (found,) = reconcile.reconcile(server)
    assert found.balance == 9
    assert server.cursors.get(kind="reconcile").failures == 1


# ── a person ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def gone(account: TradingAccount, server: TradingServer, sandbox: Sandbox) -> ReconcileBreak:
    tickets = trade(sandbox, account)
    deals.sync_deals(server)
    sandbox.post("deal/delete", ticket=tickets[2])
    check(server)
    return ReconcileBreak.objects.get(kind=BreakKind.EXTRA)


def test_a_person_settles_with_a_reason_once(cast: Cast, gone: ReconcileBreak) -> None:
    with pytest.raises(NotAllowed):
        breaks.settle(break_id=gone.pk, actor=cast.agent, reason="no")
    with pytest.raises(DomainError):
        breaks.settle(break_id=gone.pk, actor=cast.finance, reason="  ")
    breaks.settle(break_id=gone.pk, actor=cast.finance, reason="The dealer confirmed an off-market price.")
    gone.refresh_from_db()
    assert (gone.state, gone.decided_by) == (BreakState.SETTLED, cast.finance)
    question = PlatformIssue.objects.get(kind=IssueKind.DEALS_BREAK)
    assert (question.closed_by, question.resolution) == (cast.finance, gone.reason)
    entry = AuditEvent.objects.get(action="trading.break_settled")
    assert entry.client_id == cast.client.pk
    with pytest.raises(WrongState):
        breaks.settle(break_id=gone.pk, actor=cast.finance, reason="again")


def test_fetch_again_asks_the_platform_in_a_job(cast: Cast, account: TradingAccount, gone: ReconcileBreak) -> None:
    with pytest.raises(NotAllowed):
        breaks.fetch_again(break_id=gone.pk, actor=cast.agent)
    TradingAccount.objects.filter(pk=account.pk).update(balance=3)
    job = breaks.fetch_again(break_id=gone.pk, actor=cast.finance)
    run_job(job.pk)
    assert Job.objects.get(pk=job.pk).state == "done"
    account.refresh_from_db()
    assert account.balance == 5000 + sum(d.net for d in Deal.objects.filter(account=account, action__in=[0, 1]))
    assert not ReconcileBreak.objects.filter(kind=BreakKind.BALANCE, state="open").exists()


def test_a_day_of_many_deals_takes_few_queries(server: TradingServer, django_assert_max_num_queries: Any) -> None:
    day = today(server) - dt.timedelta(days=300)
    start = days.msc_of(day)
    at = dt.datetime.fromtimestamp(start / 1000, dt.UTC)
    batch = [made_up(n, executed_at=at, server_msc=start + n, login="404") for n in range(1, 3001)]
    take_in(server, batch)
    with django_assert_max_num_queries(30):
        found = check_of(server, day)
    # Nobody knows the account and the platform does not list it: these are no deletions.
    assert (found.elsewhere, found.extra) == (3000, [])


def check_of(server: TradingServer, day: dt.date) -> days.Compared:
    return days.check_days(server, [day])[day]
