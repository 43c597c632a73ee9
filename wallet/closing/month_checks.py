"""Checks of a month beside movements on their way: sources, owners, fees, rates, client money."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.db import connection
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.i18n import formats
from crm.money.amounts import Money
from wallet.choices.reconciliation import ReportState
from wallet.closing.checklist import COUNT_MAX, Check, end_of_month, midnight
from wallet.closing.month_facts import MonthFacts
from wallet.models import AnnouncedReport, Period

# Fees that a report of the month names and that are in no journal: of rows that matched nothing, and of the PSP itself.
UNPOSTED_FEES = """
SELECT r.currency, sum(r.fee_minor)::bigint, count(*)
FROM wallet_settlementrow r JOIN wallet_settlementimport i ON i.id = r.report_id
JOIN wallet_psp s ON s.id = i.psp_id AND s.brand_id = %(brand)s
WHERE i.first_day <= %(last)s AND i.last_day >= %(first)s AND r.booked_at >= %(since)s AND r.booked_at < %(until)s
  AND r.fee_minor <> 0 AND NOT r.is_repeat AND r.type NOT IN ('merchant_payout', 'fee')
  AND NOT EXISTS (SELECT 1 FROM wallet_match m WHERE m.row_id = r.id AND m.leg = 'psp')
  AND NOT EXISTS (SELECT 1 FROM wallet_break b JOIN wallet_breakposting p ON p.one_id = b.id AND p.state = 'approved'
    AND p.way = 'own_bank' WHERE b.row_id = r.id)
GROUP BY r.currency ORDER BY r.currency
"""


# Reports of a month's last days are announced up to this long after its end.
ANNOUNCED_UNTIL = dt.timedelta(days=14)


def unposted_fees(period: Period) -> list[Money]:
    """Sum per currency the fees of the month's reports that aren't posted."""
    with connection.cursor() as cursor:
        cursor.execute(
            UNPOSTED_FEES,
            {
                "brand": period.brand_id,
                "first": period.first_day,
                "last": period.last_day,
                "since": midnight(period.first_day),
                "until": end_of_month(period),
            },
        )
        return [Money.of_minor(minor, currency) for currency, minor, _count in cursor.fetchall()]


# ── as checks ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _sources(facts: MonthFacts) -> Check:
    missing = facts.missing
    words = _("Days without a report or statement: %(what)s.") % {"what": "; ".join(gap.words for gap in missing[:6])}
    return Check(
        gettext_lazy("All sources reported"),
        len(missing),
        words if missing else "",
        reverse("wallet:money_sources"),
        False,
    )


def _announced(facts: MonthFacts) -> Check:
    """Check for reports that PSPs announced and that weren't imported, and for overdue ones."""
    period = facts.period
    rows = AnnouncedReport.objects.filter(
        psp__brand_id=period.brand_id,
        state__in=[ReportState.WAITING, *ReportState.needs_somebody()],
        announced_at__gte=midnight(period.first_day),
        announced_at__lt=end_of_month(period) + ANNOUNCED_UNTIL,
    ).filter(Q(day__isnull=True) | Q(day__lte=period.last_day))
    reports = list(rows.select_related("psp").defer("psp__sealed_credentials").order_by("psp__name", "pk")[:COUNT_MAX])
    names = ", ".join(f"{report.psp}: {report.name}" for report in reports[:4])
    words = _("Announced reports not received: %(names)s.") % {"names": names} if reports else ""
    url = reverse("wallet:psp_health", args=[reports[0].psp_id]) if reports else ""
    return Check(gettext_lazy("Announced reports received"), len(reports), words, url, False)


def _unknown_payments(facts: MonthFacts) -> Check:
    count = facts.counts["unknown_payments"]
    words = _("Unmatched bank payments: %(count)s.") % {"count": count} if count else ""
    return Check(
        gettext_lazy("All bank payments matched"), count, words, reverse("wallet:bank") + "?state=unmatched", False
    )


def _fees(facts: MonthFacts) -> Check:
    sums = unposted_fees(facts.period)
    words = _("Unposted fees from reports: %(sums)s.") % {"sums": ", ".join(map(formats.money, sums))} if sums else ""
    return Check(gettext_lazy("Fees posted"), len(sums), words, reverse("wallet:breaks") + "?state=open", False)


def _revaluation(facts: MonthFacts) -> Check:
    result = facts.revaluation
    label = gettext_lazy("Foreign currencies revalued")
    if result.missing:
        words = _("No reference rate for %(currencies)s.") % {"currencies": ", ".join(result.missing)}
        return Check(label, len(result.missing), words, "", False)
    if result.is_fine:
        return Check(label, 0, "", "", False)
    words = _("The FX position is worth %(money)s at month-end rates and needs a revaluation journal.") % {
        "money": formats.money(result.result_money)
    }
    url = reverse("wallet:manual_journal", args=[result.waiting.pk]) if result.waiting else ""
    return Check(label, 1, words, url, False)


def _client_money(facts: MonthFacts) -> Check:
    period, state = facts.period, facts.client_money
    words = []
    if state.lacking:
        words.append(_("Days without a client money calculation: %(count)s.") % {"count": state.lacking})
    if state.short:
        words.append(_("Days with a client money shortfall: %(count)s.") % {"count": state.short})
    url = reverse("wallet:client_money", args=[period.brand.code]) + f"?month={period}"
    return Check(gettext_lazy("Client money covered"), state.lacking + state.short, " ".join(words), url, False)


MONTH_CHECKS: tuple[Callable[[MonthFacts], Check], ...] = (
    _sources,
    _announced,
    _unknown_payments,
    _fees,
    _revaluation,
    _client_money,
)
