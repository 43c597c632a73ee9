"""Support's home: what clients wait for."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.filters import documents_in
from clients.queries import clients_visible_to
from crm.i18n import formats
from crm.models import User
from crm.ui.cards import ChartCard
from crm.ui.charts import Chart, Series
from crm.ui.kpis import Kpi, once_per_page
from reports.homes.parts import COUNT_MAX
from trading import queries
from trading.choices import RequestState
from wallet.choices.deposits import DepositState
from wallet.core.queries import deposits_visible_to

DAYS = 30
FAILED_MAX = 2_000


def _asked_by_day(user: User) -> dict[dt.date, tuple[int, int]]:
    """Count requests per day of the last thirty days: all, and those that were decided."""

    def read() -> dict[dt.date, tuple[int, int]]:
        since = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) - dt.timedelta(days=DAYS - 1)
        rows = queries.requests_visible_to(user).filter(asked_at__gte=since).order_by()
        counted = rows.annotate(day=TruncDate("asked_at")).values_list("day")
        return {day: (asked, done) for day, asked, done in counted.annotate(n=Count("pk"), d=Count("decided_at"))}

    return once_per_page(user, "reports.requests_by_day", read)  # type: ignore[no-any-return]


def _last_days(count: int) -> list[dt.date]:
    today = timezone.localdate()
    return [today - dt.timedelta(days=back) for back in range(count - 1, -1, -1)]


def open_requests(user: User) -> Kpi:
    """Make the card of the account requests that wait."""
    waiting = queries.requests_visible_to(user).filter(state=RequestState.WAITING).order_by()
    times = list(waiting.values_list("asked_at", flat=True)[:COUNT_MAX])
    by_day, week = _asked_by_day(user), _last_days(14)
    return Kpi(
        label=_("Open account requests"),
        value=formats.number(len(times), 0),
        url=reverse("trading_requests"),
        icon="inbox",
        hint=_("Oldest %(ago)s") % {"ago": formats.ago(min(times))} if times else _("Nothing is waiting"),
        trend=[by_day.get(day, (0, 0))[0] for day in week],
    )


def documents_waiting(user: User) -> Kpi:
    """Make the card of clients whose documents are in review."""
    return _document_kpi(user, "waiting", _("Clients with documents in review"), "file-check", "")


def documents_rejected(user: User) -> Kpi:
    """Make the card of unverified clients with a rejected document."""
    return _document_kpi(user, "rejected", _("Clients with a rejected document"), "file-text", "danger")


def _document_kpi(user: User, what: str, label: str, icon: str, tone: str) -> Kpi:
    rows = clients_visible_to(user).exclude(stage="lead").filter(documents_in(what)).order_by()
    hints = {"waiting": _("KYC decides; clients may ask you"), "rejected": _("Not verified: ask for a new one")}
    return Kpi(
        label=label,
        value=formats.number(len(rows.values_list("pk", flat=True)[:COUNT_MAX]), 0),
        url=f"{reverse('clients')}?documents={what}",
        icon=icon,
        hint=hints[what],
        tone=tone,
    )


def failed_payments(user: User) -> Kpi:
    """Count today's failed deposits among the newest ones."""
    failed = deposits_visible_to(user).filter(state=DepositState.FAILED).order_by("-pk")
    days = [timezone.localtime(at).date() for at in failed.values_list("created_at", flat=True)[:FAILED_MAX]]
    counts = [days.count(day) for day in _last_days(14)]
    now, before = counts[-1], counts[-2]
    week = sum(counts[-7:])
    return Kpi(
        label=_("Failed payments today"),
        value=formats.number(now, 0),
        url=f"{reverse('wallet:deposits')}?state=failed&created_after={_last_days(1)[0].isoformat()}",
        icon="credit-card",
        now=now,
        before=before,
        versus=_("vs yesterday"),
        is_more_better=False,
        hint=_("%(count)s in seven days") % {"count": week},
        trend=counts,
        tone="warning",
    )


def requests_by_day(user: User) -> ChartCard:
    """Draw the account requests by day, and how many of them were decided."""
    by_day, days = _asked_by_day(user), _last_days(DAYS)
    return ChartCard(
        title=_("Account requests by day"),
        chart=Chart(
            id="home-requests",
            x=days,
            series=[
                Series(_("Requests"), [by_day.get(day, (0, 0))[0] for day in days], kind="bars", decimals=0),
                Series(_("Decided"), [by_day.get(day, (0, 0))[1] for day in days], tone="teal", decimals=0),
            ],
            height=280,
        ),
        url=reverse("trading_requests"),
        url_text=_("Requests"),
        empty=_("No account requests in the last 30 days"),
        empty_text=_(
            "What clients request for their trading accounts, such as another leverage, is counted here by day."
        ),
    )
