"""Trading on a lost account ends on the platform although answers are lost: looked up, and sent again only where undone."""

from __future__ import annotations

import pytest
from django.utils import timezone

from crm.models import AuditEvent
from prop.choices import StageState
from prop.judge import live
from prop.models import PhaseAccount
from tests.cast import Cast, signed_in
from tests.prop.judge.running import run_phase, show
from tests.trading.sandbox_server import Sandbox
from trading.accounts.changes import allow_trading_again, apply_right_to_trade, due_rights
from trading.models import TradingAccount, TradingServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(cast: Cast, server: TradingServer, sandbox: Sandbox) -> PhaseAccount:
    """A challenge on the sandbox platform that has just lost more than allowed."""
    row = run_phase(cast, server=server, login=str(sandbox.new_account()))
    show(row, 0, "10000", "9000")
    live.judge_account(row.pk)
    row.refresh_from_db()
    assert row.state == StageState.BREACHED
    return row


def sent(sandbox: Sandbox) -> int:
    return int(sandbox.command_count("USER_UPDATE"))


def later(row: PhaseAccount) -> None:
    """What waits for its time is due, and a worker takes it."""
    TradingAccount.objects.filter(pk=row.account_id).update(next_try_at=timezone.now())
    assert due_rights() == [row.account_id]
    apply_right_to_trade(row.account_id)
    row.account.refresh_from_db()


def steps(row: PhaseAccount) -> list[str]:
    rows = AuditEvent.objects.filter(target_type="trading.tradingaccount", target_id=str(row.account_id))
    return [action.removeprefix("trading.right_to_trade_") for action in rows.values_list("action", flat=True)]


@pytest.mark.parametrize(("fault", "times"), [("drop_after", 1), ("never_after", 1), ("drop_before", 2)])
def test_a_lost_answer_is_looked_up_before_anything_is_sent_again(
    cast: Cast, row: PhaseAccount, sandbox: Sandbox, fault: str, times: int
) -> None:
    sandbox.fault(fault, "USER_UPDATE")
    assert not apply_right_to_trade(row.account_id)
    row.account.refresh_from_db()
    assert row.account.trading_sent_at is not None and row.account.trading_applied
    address = f"/prop/challenges/{row.challenge_id}/"
    assert "not confirmed yet" in signed_in(cast.finance).get(address).content.decode()
    assert "not confirmed yet" in signed_in(cast.finance).get(f"/trading/accounts/{row.account_id}/").content.decode()
    before = sent(sandbox)
    sandbox.fault("drop_before", "USER_GET")
    later(row)
    assert row.account.trading_sent_at is not None and sent(sandbox) == before  # not even looked up: nothing is sent
    later(row)
    assert sent(sandbox) - before == times - 1
    assert (row.account.trading_sent_at, row.account.trading_applied) == (None, False)
    assert due_rights() == [] and steps(row) == ["changed", "unknown", "looked_up"]
    page = signed_in(cast.finance).get(address).content.decode()
    done = "Looked up on the platform: done." if times == 1 else "Looked up on the platform: not done."
    assert "Trading is stopped on the platform." in page and done in page


def test_what_was_wanted_meanwhile_counts_once_the_answer_is_known(row: PhaseAccount, sandbox: Sandbox) -> None:
    """The breach is taken back while it is unknown whether trading stopped: it did, so it is allowed again."""
    sandbox.fault("drop_after", "USER_UPDATE")
    apply_right_to_trade(row.account_id)
    allow_trading_again(account_id=row.account_id)
    before = sent(sandbox)
    later(row)
    assert sent(sandbox) == before + 1 and due_rights() == []
    assert "trade" in row.account.allowed and row.account.trading_applied


def test_a_killed_worker_looks_up_what_it_sent(row: PhaseAccount, sandbox: Sandbox) -> None:
    """It dies between sending and noting the answer: to the next one that is an answer which was lost."""
    apply_right_to_trade(row.account_id)
    TradingAccount.objects.filter(pk=row.account_id).update(trading_applied=True, trading_sent_at=timezone.now())
    before = sent(sandbox)
    later(row)
    assert sent(sandbox) == before and not row.account.trading_applied
