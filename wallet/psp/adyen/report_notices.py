"""Which reports Adyen says are ready, and where: REPORT_AVAILABLE of a merchant account, `report.created` of a balance platform.

The first bears its file's name under its signature and the address beside it; the second is signed as a whole. The name is
what a report is known by: announced twice, it is one report.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from wallet.choices.reconciliation import MovementKind
from wallet.psp.values import EventKind, ReportKind, ReportNotice, WebhookEvent

AVAILABLE, CREATED = "REPORT_AVAILABLE", "balancePlatform.report.created"
SETTLEMENT_FILE = re.compile(r"settlement_detail_report[\w.-]*\.csv", re.ASCII)
ACCOUNTING_FILE = re.compile(r"balanceplatform_accounting_report[\w.-]*\.(csv|tsv)", re.ASCII)
NAME_MAX, ADDRESS_MAX = 100, 500
SETTLEMENT, ACCOUNTING = "settlement", "accounting"
ALL = frozenset(MovementKind.values)
# A batch is closed and paid out days after its payments; the accounting report is of the day before.
SETTLEMENT_DAYS, ACCOUNTING_DAYS = 14, 2


def kinds(*, has_transfers: bool) -> tuple[ReportKind, ...]:
    """List the reports: payouts by transfer are in the accounting report, all else in the settlement details report."""
    of_transfers = frozenset({MovementKind.PAYOUT.value}) if has_transfers else frozenset()
    settlement = ReportKind(
        SETTLEMENT, gettext_lazy("Settlement details report"), ALL - of_transfers, days_late=SETTLEMENT_DAYS
    )
    accounting = ReportKind(
        ACCOUNTING,
        gettext_lazy("Accounting report of the balance platform"),
        of_transfers,
        of_transfers,
        days_late=ACCOUNTING_DAYS,
        is_daily=True,
    )
    return (settlement, accounting) if has_transfers else (settlement,)


def of_item(item: Mapping[str, Any], common: Mapping[str, Any]) -> WebhookEvent | None:
    """Read the notice of a settlement details report; None for one of the many others."""
    name = str(item["pspReference"])
    if not SETTLEMENT_FILE.fullmatch(name) or len(name) > NAME_MAX:
        return None
    return WebhookEvent(**common, kind=EventKind.REPORT, report=_notice(SETTLEMENT, name, item.get("reason")))


def of_platform(message: Mapping[str, Any]) -> WebhookEvent | None:
    """Read the notice of an accounting report; None for other reports of the platform.

    Raises: KeyError.
    """
    name = str(message["data"]["fileName"])
    if not ACCOUNTING_FILE.fullmatch(name) or len(name) > NAME_MAX:
        return None
    notice = _notice(ACCOUNTING, name, message["data"]["downloadUrl"])
    return WebhookEvent(f"report:{name}", CREATED, EventKind.REPORT, "", report=notice)


def _notice(kind: str, name: str, address: Any) -> ReportNotice:
    return ReportNotice(kind, name, str(address or "")[:ADDRESS_MAX])
