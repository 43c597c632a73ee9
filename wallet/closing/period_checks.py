"""The checklist before a month is closed. Each check counts a few rows and says what it found."""

from __future__ import annotations

from collections.abc import Callable

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.i18n import formats
from crm.money.amounts import Money
from wallet.choices.ledger import AccountKind
from wallet.closing.checklist import COUNT_MAX, Check, end_of_month
from wallet.closing.month_checks import MONTH_CHECKS
from wallet.closing.month_facts import MonthFacts
from wallet.ledger import posting
from wallet.models import Account, Period


def checks_of(period: Period, facts: MonthFacts | None = None) -> list[Check]:
    """Run the checks, blocking ones first. Each counts at most a hundred rows. The number of queries is fixed."""
    facts = facts or MonthFacts(period)
    return [check(facts) for check in (*CHECKS, *MONTH_CHECKS)]


def _ended(facts: MonthFacts) -> Check:
    period = facts.period
    is_over = timezone.now() >= end_of_month(period)
    return Check(
        gettext_lazy("Month is over"),
        0 if is_over else 1,
        "" if is_over else _("%(month)s isn't over yet.") % {"month": period},
        "",
        True,
    )


def _in_order(facts: MonthFacts) -> Check:
    count = facts.counts["earlier_months"]
    words = _("Earlier months to close first: %(count)s.") % {"count": count} if count else ""
    return Check(gettext_lazy("Earlier months closed"), count, words, reverse("wallet:periods"), True)


def _manual(facts: MonthFacts) -> Check:
    count = facts.counts["manual_journals"]
    words = _("Manual journals of this month awaiting second approval: %(count)s.") % {"count": count} if count else ""
    return Check(
        gettext_lazy("No manual journals pending"),
        count,
        words,
        reverse("wallet:manual_journals") + "?state=pending",
        True,
    )


def _held(facts: MonthFacts) -> Check:
    count = facts.counts["held_deposits"]
    words = _("Deposits held for review: %(count)s.") % {"count": count} if count else ""
    return Check(gettext_lazy("No deposits held"), count, words, reverse("wallet:deposits") + "?state=held", False)


def _unknown(facts: MonthFacts) -> Check:
    count = facts.counts["unknown_payouts"]
    words = _("Payouts with unknown outcome: %(count)s.") % {"count": count} if count else ""
    url = reverse("wallet:withdrawals") + "?state=unknown"
    return Check(gettext_lazy("All payout outcomes known"), count, words, url, False)


def _transfers(facts: MonthFacts) -> Check:
    count = facts.counts["open_transfers"]
    words = _("Platform transfers with unknown outcome: %(count)s.") % {"count": count} if count else ""
    url = reverse("wallet:transfers") + "?state=unknown&state=sending"
    return Check(gettext_lazy("All transfer outcomes known"), count, words, url, False)


def _payouts(facts: MonthFacts) -> Check:
    """Check for payouts on their way.

    Their reservations stay open over the end of the month and are posted in a later one.
    """
    count = facts.counts["open_withdrawals"]
    words = _("Withdrawals with open holds: %(count)s.") % {"count": count} if count else ""
    return Check(gettext_lazy("All holds resolved"), count, words, reverse("wallet:withdrawal_queue"), False)


def _breaks(facts: MonthFacts) -> Check:
    count = facts.counts["open_breaks"]
    words = _("Open breaks: %(count)s.") % {"count": count} if count else ""
    return Check(gettext_lazy("No open breaks"), count, words, reverse("wallet:breaks") + "?state=open", False)


def _suspense(facts: MonthFacts) -> Check:
    accounts = list(Account.objects.filter(brand_id=facts.period.brand_id, kind=AccountKind.SUSPENSE)[:COUNT_MAX])
    balances = posting.balances([account.pk for account in accounts]) if accounts else {}
    left = [
        Money.of_minor(abs(balances[account.pk]), account.currency) for account in accounts if balances.get(account.pk)
    ]
    words = _("Suspense isn't empty: %(sums)s.") % {"sums": ", ".join(map(formats.money, left))} if left else ""
    return Check(
        gettext_lazy("Suspense is empty"), len(left), words, reverse("wallet:ledger") + "?kind=suspense", False
    )


def _webhooks(facts: MonthFacts) -> Check:
    count = facts.counts["open_webhooks"]
    words = _("Unprocessed webhooks: %(count)s.") % {"count": count} if count else ""
    url = reverse("wallet:webhooks") + "?state=unmatched&state=failed"
    return Check(gettext_lazy("Webhooks processed"), count, words, url, False)


CHECKS: tuple[Callable[[MonthFacts], Check], ...] = (
    _ended,
    _in_order,
    _manual,
    _held,
    _unknown,
    _transfers,
    _payouts,
    _breaks,
    _suspense,
    _webhooks,
)
