"""The auditor's home, and the administrator's sign-ins: seals, second approvals, who did what, what left the company."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance import trails
from compliance.audit_codes import ComplianceAction
from compliance.audit_log.audit_topics import APPROVED, topic_since
from compliance.record_views import views_visible_to
from compliance.sentences import on_what
from crm import audit_codes
from crm.choices import AccessKind, UserKind
from crm.i18n import formats
from crm.models import AccessEvent, AuditEvent, User
from crm.security import audit
from crm.ui.cards import ChartCard, ListCard, ListRow
from crm.ui.charts import Chart, Series
from crm.ui.day_counts import CURVE_DAYS, age_text, count_text, last_days, midnight
from crm.ui.kpis import Kpi
from crm.ui.tables import table_named

ROWS = 7
RECENT_DAYS = 30
# Sealing runs every minute: what waits longer says that it doesn't run.
SEAL_LATE = dt.timedelta(minutes=10)
UNSEALED_MAX = 1_000


def sealed(_user: User) -> Kpi:
    """Make the card of the audit log's seals: up to when it is sealed, and what still waits for one."""
    head = trails.head_seal()
    waiting, oldest = audit.unsealed(UNSEALED_MAX)
    is_late = oldest is not None and timezone.now() - oldest > SEAL_LATE
    return Kpi(
        label=_("Audit entries to seal"),
        value=count_text(waiting, UNSEALED_MAX),
        url=reverse("compliance:audit"),
        icon="lock",
        hint=_("Sealed %(ago)s · oldest entry waiting %(age)s")
        % {"ago": formats.ago(head.sealed_at), "age": age_text(oldest)}
        if head
        else _("No seal yet"),
        tone="danger" if is_late or head is None else "success",
    )


def second_approvals(user: User) -> Kpi:
    """Make the card of the decisions by a second person in seven days, beside the seven days before."""
    days = last_days(CURVE_DAYS)
    rows = topic_since(user, "approvals", CURVE_DAYS + 1).filter(at__gte=midnight(days[0]))
    by_day: dict[dt.date, int] = defaultdict(int)
    approved = 0
    for day, action, count in _per_day(rows, "action"):
        by_day[day] += count
        if day >= days[-7] and action in APPROVED:
            approved += count
    counts = [by_day[day] for day in days]
    now = sum(counts[-7:])
    return Kpi(
        label=_("Second approvals in 7 days"),
        value=formats.number(now, 0),
        url=f"{reverse('compliance:audit')}?topic=approvals&day_after={days[-7].isoformat()}",
        icon="users",
        now=now,
        before=sum(counts[:7]),
        versus=_("vs the 7 days before"),
        is_more_better=None,
        hint=_("%(approved)s approved · %(rejected)s rejected") % {"approved": approved, "rejected": now - approved},
        trend=counts,
        tone="teal",
    )


def _per_day(rows: QuerySet[AuditEvent], column: str) -> Sequence[tuple[dt.date, str, int]]:
    counted = rows.order_by().annotate(_day=TruncDate("at")).values_list("_day", column)
    return list(counted.annotate(n=Count("pk")))


# Areas of the log as the chart tells them apart: six colours are as many as a reader can.
AREAS = {
    "wallet": "money",
    "ib": "money",
    "prop": "trading",
    "trading": "trading",
    "clients": "clients",
    "leads": "clients",
    "portal": "clients",
    "reports": "clients",
    "kyc": "compliance",
    "compliance": "compliance",
    "monitoring": "compliance",
}


def actions_by_day(user: User) -> ChartCard:
    """Draw the audited actions by day and area."""
    days = last_days()
    rows = trails.events_visible_to(user).filter(at__gte=midnight(days[0]))
    counts: dict[str, dict[dt.date, int]] = defaultdict(lambda: defaultdict(int))
    for day, action, count in _per_day(rows, "action"):
        counts[AREAS.get(action.partition(".")[0], "access")][day] += count
    labels = {
        "clients": _("Clients and leads"),
        "money": _("Money and partners"),
        "trading": _("Trading"),
        "compliance": _("Compliance"),
        "access": _("Staff and access"),
    }
    return ChartCard(
        title=_("Audited actions by day"),
        chart=Chart(
            id="home-audited",
            x=days,
            series=[
                Series(label, [counts[area][day] for day in days], kind="bars", decimals=0)
                for area, label in labels.items()
            ],
            is_stacked=True,
            height=380,
        ),
        url=reverse("compliance:audit"),
        url_text=_("Audit log"),
    )


def high_risk_actions(user: User) -> ListCard:
    """List the latest actions that widened access, moved money by hand or ended a protection."""
    rows = topic_since(user, "high_risk", RECENT_DAYS).order_by("-id")[:ROWS]
    return ListCard(
        title=_("High-risk actions"),
        rows=[_action_row(row, str(audit_codes.label_of(row.action))) for row in rows],
        icon="shield-alert",
        url=f"{reverse('compliance:audit')}?topic=high_risk",
        empty=_("No high-risk actions in 30 days"),
        empty_text=_("Access granted, manual journals, lifted restrictions and changed addresses appear here."),
        empty_icon="shield-check",
    )


def _action_row(row: AuditEvent, title: str) -> ListRow:
    day = timezone.localdate(row.at).isoformat()
    return ListRow(
        title=title,
        url=f"{reverse('compliance:audit')}?action={row.action}&day_after={day}&day_before={day}",
        note=" · ".join(filter(None, [row.actor_label, str(on_what(row.target_type, row.target_id))])),
        end=formats.ago(row.at),
    )


def audit_packs(user: User) -> ListCard:
    """List the audit packs that were exported last."""
    rows = list(trails.events_visible_to(user).filter(action=ComplianceAction.TRAIL_EXPORTED).order_by("-id")[:ROWS])
    return ListCard(
        title=_("Latest audit packs"),
        rows=[
            ListRow(
                title=_("Client %(number)s") % {"number": row.client_id},
                url=reverse("compliance:trail", args=[row.client_id]) if row.client_id else "",
                note=row.actor_label,
                end=formats.ago(row.at),
            )
            for row in rows
        ],
        icon="package",
        url=f"{reverse('compliance:audit')}?action={ComplianceAction.TRAIL_EXPORTED}",
        empty=_("No audit packs yet"),
        empty_text=_("Export a client's sealed trail from the client's audit trail page."),
        empty_icon="package",
    )


def _recent(user: User, *kinds: AccessKind, days: int = RECENT_DAYS) -> QuerySet[AccessEvent]:
    return views_visible_to(user).filter(kind__in=kinds, at__gte=midnight(last_days(days)[0]))


def latest_exports(user: User) -> ListCard:
    """List the exports of the last days with how many rows left the system."""
    rows = _recent(user, AccessKind.EXPORT).select_related("user").order_by("-at", "-id")[:ROWS]
    return ListCard(
        title=_("Latest exports"),
        rows=[
            ListRow(
                title=str(row.user or _("Keelson")),
                url=f"{reverse('compliance:access_log')}?kind={AccessKind.EXPORT}"
                + (f"&person={row.user.email}" if row.user else ""),
                note=_exported(row.target),
                end=_("%(count)s rows") % {"count": formats.number(row.rows, 0)},
                end_note=formats.ago(row.at),
                is_person=True,
            )
            for row in rows
        ],
        icon="download",
        url=f"{reverse('compliance:access_log')}?kind={AccessKind.EXPORT}",
        empty=_("No exports in 30 days"),
        empty_text=_("Exported lists appear here with who exported them and how many rows they had."),
        empty_icon="download",
    )


def _exported(target: str) -> str:
    """Name what was exported: a list by its title and format, anything else as the log has it."""
    name, _dot, ending = target.removeprefix("table:").rpartition(".")
    table = table_named(name) if target.startswith("table:") else None
    return f"{table.title} · {ending.upper()}" if table else target


def sign_ins_by_day(user: User) -> ChartCard:
    """Draw the sign-ins of staff and of clients by day, with those that failed."""
    days = last_days()
    rows = _recent(user, AccessKind.LOGIN, AccessKind.LOGIN_FAILED).order_by()
    counts: dict[str, dict[dt.date, int]] = defaultdict(lambda: defaultdict(int))
    counted = rows.annotate(_day=TruncDate("at")).values_list("_day", "kind", "user__kind").annotate(n=Count("id"))
    for day, kind, who, count in counted:
        name = "failed" if kind == AccessKind.LOGIN_FAILED else "staff" if who == UserKind.STAFF else "others"
        counts[name][day] += count
    return ChartCard(
        title=_("Sign-ins by day"),
        chart=Chart(
            id="home-sign-ins",
            x=days,
            series=[
                Series(_("Staff"), [counts["staff"][day] for day in days], kind="bars", decimals=0),
                Series(
                    _("Clients and partners"),
                    [counts["others"][day] for day in days],
                    kind="bars",
                    tone="teal",
                    decimals=0,
                ),
                Series(_("Failed"), [counts["failed"][day] for day in days], tone="danger", decimals=0),
            ],
            is_stacked=True,
            height=380,
        ),
        icon="log-in",
        url=f"{reverse('compliance:access_log')}?kind={AccessKind.LOGIN_FAILED}",
        url_text=_("Failed sign-ins"),
    )
