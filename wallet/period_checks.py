"""What is looked at before a month is closed. Each check counts a few rows and says in words what it found."""

from __future__ import annotations

from collections.abc import Callable

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.money import Money
from crm.ui import formats
from wallet import ledger
from wallet.checklist import COUNT_MAX, Check, end_of_month, few
from wallet.choices import (
    WITHDRAWAL_OPEN,
    AccountKind,
    BreakState,
    DepositState,
    InboxState,
    PeriodState,
    RequestState,
    TransferState,
    Verdict,
    WithdrawalState,
)
from wallet.models import (
    Account,
    Break,
    Deposit,
    ManualJournal,
    Period,
    Transfer,
    WebhookMessage,
    Withdrawal,
)
from wallet.month_checks import MONTH_CHECKS


def checks_of(period: Period) -> list[Check]:
    """Blocking ones first. Each counts at most a hundred rows."""
    return [check(period) for check in (*CHECKS, *MONTH_CHECKS)]


def _ended(period: Period) -> Check:
    is_over = timezone.now() >= end_of_month(period)
    return Check(
        gettext_lazy("The month is over"), 0 if is_over else 1,
        "" if is_over else _("%(month)s is not over yet.") % {"month": period}, "", True,
    )  # fmt: skip


def _in_order(period: Period) -> Check:
    earlier = Period.objects.filter(brand_id=period.brand_id, last_day__lt=period.first_day)
    count = few(earlier.exclude(state=PeriodState.CLOSED))
    words = _("Close the months before it first: %(count)s.") % {"count": count} if count else ""
    return Check(gettext_lazy("Earlier months are closed"), count, words, reverse("wallet:periods"), True)


def _manual(period: Period) -> Check:
    rows = ManualJournal.objects.filter(
        brand_id=period.brand_id, state=RequestState.WAITING, business_on__lte=period.last_day
    )
    count = few(rows)
    words = _("Manual journals for this month wait for a second person: %(count)s.") % {"count": count} if count else ""
    return Check(
        gettext_lazy("No manual journal waits"), count, words, reverse("wallet:manual_journals") + "?state=waiting", True
    )  # fmt: skip


def _held(period: Period) -> Check:
    rows = Deposit.objects.filter(
        brand_id=period.brand_id, state=DepositState.HELD, created_at__lt=end_of_month(period)
    )
    count = few(rows)
    words = _("Deposits are held for review: %(count)s.") % {"count": count} if count else ""
    return Check(gettext_lazy("No deposit is held"), count, words, reverse("wallet:deposits") + "?state=held", False)


def _unknown(period: Period) -> Check:
    rows = Withdrawal.objects.filter(
        brand_id=period.brand_id, state=WithdrawalState.UNKNOWN, requested_at__lt=end_of_month(period)
    )
    count = few(rows)
    words = _("Payouts whose end is unknown: %(count)s.") % {"count": count} if count else ""
    url = reverse("wallet:withdrawals") + "?state=unknown"
    return Check(gettext_lazy("Every payout's end is known"), count, words, url, False)


def _transfers(period: Period) -> Check:
    rows = Transfer.objects.filter(
        brand_id=period.brand_id,
        state__in=[TransferState.SENDING, TransferState.UNKNOWN],
        created_at__lt=end_of_month(period),
    )
    count = few(rows)
    words = _("Transfers to or from the platform without an end: %(count)s.") % {"count": count} if count else ""
    url = reverse("wallet:transfers") + "?state=unknown&state=sending"
    return Check(gettext_lazy("Every transfer's end is known"), count, words, url, False)


def _payouts(period: Period) -> Check:
    """Their reservations stay open over the end of the month; they are posted in a later one."""
    rows = Withdrawal.objects.filter(
        brand_id=period.brand_id, state__in=set(WITHDRAWAL_OPEN) - {WithdrawalState.UNKNOWN},
        requested_at__lt=end_of_month(period),
    )  # fmt: skip
    count = few(rows)
    words = _("Withdrawals whose reservation is still open: %(count)s.") % {"count": count} if count else ""
    return Check(
        gettext_lazy("Reservations are resolved"), count, words, reverse("wallet:withdrawal_queue"), False
    )  # fmt: skip


def _breaks(period: Period) -> Check:
    rows = Break.objects.filter(brand_id=period.brand_id, state=BreakState.OPEN, happened_at__lt=end_of_month(period))
    count = few(rows)
    words = _("Open breaks of the reconciliation: %(count)s.") % {"count": count} if count else ""
    return Check(gettext_lazy("No break is open"), count, words, reverse("wallet:breaks") + "?state=open", False)


def _suspense(period: Period) -> Check:
    accounts = list(Account.objects.filter(brand_id=period.brand_id, kind=AccountKind.SUSPENSE)[:COUNT_MAX])
    balances = ledger.balances([account.pk for account in accounts]) if accounts else {}
    left = [Money.of_minor(abs(balances[one.pk]), one.currency) for one in accounts if balances.get(one.pk)]
    words = _("Suspense is not empty: %(sums)s.") % {"sums": ", ".join(map(formats.money, left))} if left else ""
    return Check(
        gettext_lazy("Suspense is empty"), len(left), words, reverse("wallet:ledger") + "?kind=suspense", False
    )  # fmt: skip


def _webhooks(period: Period) -> Check:
    rows = WebhookMessage.objects.filter(
        psp__brand_id=period.brand_id, verdict=Verdict.ACCEPTED, received_at__lt=end_of_month(period),
        state__in=[InboxState.FAILED, InboxState.UNMATCHED, InboxState.WAITING],
    )  # fmt: skip
    count = few(rows)
    words = _("Webhooks that nothing came of: %(count)s.") % {"count": count} if count else ""
    url = reverse("wallet:webhooks") + "?state=unmatched&state=failed"
    return Check(gettext_lazy("Webhooks are applied"), count, words, url, False)


CHECKS: tuple[Callable[[Period], Check], ...] = (
    _ended, _in_order, _manual, _held, _unknown, _transfers, _payouts, _breaks, _suspense, _webhooks
)  # fmt: skip
