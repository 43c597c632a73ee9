"""The side panels of withdrawals and deposits in their lists."""

from __future__ import annotations

from typing import Any

from clients.record.previews import note_preview
from crm.money.amounts import Money
from crm.ui.table_parts import Peek
from crm.web.requests import UserRequest
from wallet.choices.deposits import DepositState
from wallet.choices.withdrawals import WITHDRAWAL_UNDECIDED, CheckResult, failure_words
from wallet.models import Deposit, Withdrawal


def _note(request: UserRequest, row: Withdrawal | Deposit) -> None:
    note_preview(request, row.client, f"wallet.{row._meta.model_name}:{row.pk}")


def _withdrawal(_request: UserRequest, row: Withdrawal) -> dict[str, Any]:
    checks = list(row.checks.all())
    amount_minor = row.request_minor if row.state in WITHDRAWAL_UNDECIDED else row.amount_minor
    return {
        "amount": Money.of_minor(amount_minor, row.currency),
        "raised": [check for check in checks if check.outcome != CheckResult.PASS],
        "checks": checks,
    }


def _deposit(_request: UserRequest, row: Deposit) -> dict[str, Any]:
    return {
        "amount": row.money,
        "failure": failure_words(row.failure),
        "reasons": row.hold_words if row.state == DepositState.HELD else [],
    }


WITHDRAWAL_PEEK = Peek("wallet/movements/_withdrawal_peek.html", _note, _withdrawal)
DEPOSIT_PEEK = Peek("wallet/movements/_deposit_peek.html", _note, _deposit)
