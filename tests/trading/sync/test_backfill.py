"""The past read by a job: with progress and cancel, and on from where it was cut, also by kill -9."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from crm.errors import DomainError, NotAllowed, WrongState
from crm.files.jobs import cancel_job, run_job
from crm.models import Job
from tests.cast import Cast
from tests.trading.factories import make_account, make_server
from tests.trading.made_up import made_up
from tests.trading.sandbox_server import Sandbox
from trading.choices import BackfillState
from trading.models import Backfill, Deal, TradingAccount, TradingServer
from trading.platforms.base import DealData
from trading.sync import backfill, days

ROOT = Path(__file__).resolve().parents[3]
DAYS = 12


@pytest.fixture
def account(cast: Cast, server: TradingServer, sandbox: Sandbox) -> TradingAccount:
    return make_account(cast.client, server, login=sandbox.new_account("real\\pro-EUR"), group="real\\pro-EUR")


def history(sandbox: Sandbox, account: TradingAccount) -> list[int]:
    """One deposit on each of the last days of the server; their tickets."""
    tickets = []
    with sandbox.client() as client:
        for _number in range(DAYS):
            answer = client.write(
                "TRADE_BALANCE", {"LOGIN": account.login, "TYPE": 2, "BALANCE": "1.00", "COMMENT": "x"}
            )
            tickets.append(answer.number("TICKET"))
    now = int(time.time() * 1000)
    for number, ticket in enumerate(tickets):
        sandbox.post("deal/edit", ticket=ticket, TimeMsc=str(now - (DAYS - number) * days.DAY_MSC))
    return tickets


def first_day() -> dt.date:
    return timezone.now().date() - dt.timedelta(days=DAYS + 1)


@pytest.mark.django_db
def test_a_job_reads_the_span_and_tells_how_far_it_is(
    cast: Cast, account: TradingAccount, server: TradingServer, sandbox: Sandbox
) -> None:
    tickets = history(sandbox, account)
    with pytest.raises(NotAllowed):
        backfill.start(server_id=server.pk, first_day=first_day(), actor=cast.agent)
    row = backfill.start(server_id=server.pk, first_day=first_day(), actor=cast.administrator)
    with pytest.raises(WrongState):
        backfill.start(server_id=server.pk, first_day=first_day(), actor=cast.administrator)
    assert row.job is not None
    run_job(row.job_id)
    row.refresh_from_db()
    assert (row.state, row.percent, row.new) == (BackfillState.DONE, 100, row.deals)
    assert set(tickets) <= set(Deal.objects.filter(account=account).values_list("ticket", flat=True))
    job = Job.objects.get(pk=row.job_id)
    assert (job.state, job.done, job.total) == ("done", row.days, row.days)


@pytest.mark.django_db
def test_cancel_keeps_what_was_read_and_go_on_does_the_rest(
    cast: Cast, account: TradingAccount, server: TradingServer, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets = history(sandbox, account)
    row = backfill.start(server_id=server.pk, first_day=first_day(), actor=cast.administrator)
    monkeypatch.setattr("crm.files.jobs.PROGRESS_EVERY_SECONDS", 0)
    read = backfill.read_window

    def press_cancel(*arguments: object) -> list[DealData]:
        if arguments[2] >= days.msc_of(first_day() + dt.timedelta(days=5)):  # type: ignore[operator]
            cancel_job(job_id=row.job_id, actor=cast.administrator)
        return read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(backfill, "read_window", press_cancel)
    run_job(row.job_id)
    row.refresh_from_db()
    assert Job.objects.get(pk=row.job_id).state == "cancelled"
    assert (row.state, 5 <= row.days_done <= 7, row.is_at_work) == (BackfillState.STOPPED, True, False)
    monkeypatch.setattr(backfill, "read_window", read)
    first = row.position_msc
    row = backfill.resume(backfill_id=row.pk, actor=cast.administrator)
    run_job(row.job_id)
    row.refresh_from_db()
    assert (row.state, row.position_msc > first) == (BackfillState.DONE, True)
    assert set(tickets) <= set(Deal.objects.filter(account=account).values_list("ticket", flat=True))
    with pytest.raises(WrongState):
        backfill.resume(backfill_id=row.pk, actor=cast.administrator)


@pytest.mark.django_db
def test_a_platform_that_goes_away_stops_it_and_says_why(cast: Cast, server: TradingServer) -> None:
    server.port = 1
    server.save()
    row = backfill.start(server_id=server.pk, first_day=first_day(), actor=cast.administrator)
    run_job(row.job_id)
    row.refresh_from_db()
    assert Job.objects.get(pk=row.job_id).state == "failed"
    assert (row.state, "can't reach" in row.error) == (BackfillState.STOPPED, True)
    backfill.drop(backfill_id=row.pk, actor=cast.administrator)
    row.refresh_from_db()
    assert (row.state, "Cancelled" in row.error) == (BackfillState.DONE, True)


@pytest.mark.django_db
def test_days_that_can_not_be_are_refused(cast: Cast) -> None:
    server = make_server()
    tomorrow = timezone.now().date() + dt.timedelta(days=2)
    with pytest.raises(DomainError):
        backfill.start(server_id=server.pk, first_day=tomorrow, actor=cast.administrator)


@pytest.mark.django_db
def test_the_command_goes_on_without_a_date_and_wants_one_otherwise(
    account: TradingAccount, server: TradingServer, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    tickets = history(sandbox, account)
    with pytest.raises(CommandError, match="--since"):
        call_command("backfill_deals", server.name)
    row = backfill.start(server_id=server.pk, first_day=first_day(), actor=None, system=True)
    with closing(backfill.work(row.pk)) as windows:
        for at in windows:
            if at.days_done >= 4:
                break
    call_command("backfill_deals", server.name)
    told = capsys.readouterr().out
    assert "Resuming after 4 of" in told
    row.refresh_from_db()
    assert row.state == BackfillState.DONE
    assert set(tickets) <= set(Deal.objects.filter(account=account).values_list("ticket", flat=True))


@pytest.mark.django_db
def test_memory_does_not_grow_with_the_span(server: TradingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def day_of_deals(_platform: object, _server: object, first: int, _last: int) -> list[DealData]:
        number = first // days.DAY_MSC
        at = dt.datetime.fromtimestamp(first / 1000, dt.UTC)
        return [made_up(number * 1000 + n, executed_at=at, server_msc=first + n, login="404") for n in range(400)]

    monkeypatch.setattr(backfill, "read_window", day_of_deals)
    row = backfill.start(
        server_id=server.pk, first_day=timezone.now().date() - dt.timedelta(days=40), actor=None, system=True
    )
    sizes = []
    tracemalloc.start()
    try:
        for at in backfill.work(row.pk):
            done = at.days_done
            if done in (8, 40):
                sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert done in (41, 42)  # late in the evening of UTC it is tomorrow where the server is
    assert Deal.objects.filter(server=server).count() == done * 400
    early, late = sizes
    assert late - early < 1_500_000  # thirty-two days of deals would be many times that


@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_it_goes_on_where_it_was(
    cast: Cast, account: TradingAccount, server: TradingServer, sandbox: Sandbox
) -> None:
    """A real process, kill -9; the next one begins where the last committed window ended, at once."""
    tickets = history(sandbox, account)
    sandbox.fault("slow", command="DEAL_GET_BATCH", times=1000, value=0.4)
    command = [sys.executable, "manage.py", "backfill_deals", server.name, "--since", first_day().isoformat()]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert "of" in line and "new deals" in line, line + process.stdout.read()
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()
    until = time.monotonic() + 5
    while (row := Backfill.objects.get(server=server)).is_at_work and time.monotonic() < until:
        time.sleep(0.05)
    assert not row.is_at_work, "its database session is gone, and the page knows"
    read_before = Deal.objects.filter(account=account).count()
    assert row.state == BackfillState.RUNNING
    assert 0 < row.days_done < row.days
    assert 0 < read_before < len(tickets)
    assert row.new == Deal.objects.filter(server=server).count()  # the place and the deals were written together
    sandbox.post("faults/clear")
    with closing(backfill.work(row.pk)) as windows:
        first = next(windows)
        assert first.days_done > row.days_done - 1 and Backfill.objects.get(pk=row.pk).is_at_work
        for _at in windows:
            pass
    row.refresh_from_db()
    assert row.state == BackfillState.DONE
    assert set(tickets) <= set(Deal.objects.filter(account=account).values_list("ticket", flat=True))
    assert row.new == Deal.objects.filter(server=server).count()
