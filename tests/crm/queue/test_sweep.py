"""One row that can't be done keeps no other waiting, in each app's sweep."""

from crm.queue import for_each
from trading import tasks as trading_tasks
from trading.accounts import balance_operations


def test_every_row_gets_its_turn_and_the_failure_is_told(caplog):
    seen = []

    def step(row):
        seen.append(row)
        return 1 / (row - 2)

    assert for_each.for_each_isolated(step, [1, 2, 3]) == 2
    assert seen == [1, 2, 3]
    assert "(2) failed; it is due again" in caplog.text


def test_an_operation_that_fails_holds_up_no_other(monkeypatch):
    sent = []
    monkeypatch.setattr(
        balance_operations, "due_operations", lambda: [(1, "reserved"), (2, "reserved"), (3, "unknown")]
    )
    monkeypatch.setattr(balance_operations, "send_operation", lambda pk: sent.append(pk) or 1 / (pk - 1))
    monkeypatch.setattr(balance_operations, "resolve_operation", lambda pk: sent.append(pk))
    monkeypatch.setattr(trading_tasks.opening, "due_accounts", list)
    monkeypatch.setattr(trading_tasks.accounts, "due_rights", list)
    monkeypatch.setattr(trading_tasks.requests, "due_requests", list)
    monkeypatch.setattr(trading_tasks.history, "due_histories", list)
    trading_tasks.continue_work()
    assert sent == [1, 2, 3]
