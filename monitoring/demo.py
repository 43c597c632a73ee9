"""Monitoring's part of the demo: the days of the access log counted, baselines learned, and what the scorer finds.

About agents nothing is planted here: the one who opened 150 records in one afternoon (`demo.outlier`) is found by the real scorer.
Alerts older than four days were reviewed by the heads; one person is on the watchlist because of a notice.
"""

from __future__ import annotations

import datetime as dt

from django.db import connection

from crm.choices import Role
from crm.demo import Demo
from crm.models import User
from crm.staff.employment import StaffDates, set_dates
from monitoring import alerts, baselines, watchlist
from monitoring.anomalies import raising, services
from monitoring.choices import AlertState, Queue, Verdict, WatchKind
from monitoring.features import count_days
from monitoring.models import Alert, ServiceSlot
from monitoring.policies import can_review
from monitoring.queries import alerts_visible_to
from wallet.models import Psp

DAYS = 62
REVIEWED_AFTER_DAYS = 4
EXPLANATIONS = [
    (Verdict.TASK, "Called through the list of the autumn webinar; the campaign lead confirms it."),
    (Verdict.TASK, "Covered for a colleague on leave and worked both books that day."),
    (Verdict.CHANGE, "Moved to retention on Monday; the first days went into reading the new book."),
    (Verdict.NO_CONCERN, "Looked for a client under three spellings. Nothing was exported or revealed."),
    (Verdict.REMINDER, "Opened clients of the other team out of curiosity. Talked about it; reminded of the policy."),
]


def load(demo: Demo) -> None:
    """Count, learn and score two months, then raise and review."""
    if not demo.brands:
        return
    demo.progress("Agents' days and baselines", 0, 3)
    last = (demo.now - baselines.CLOSES_AFTER).date() - dt.timedelta(days=1)
    first = last - dt.timedelta(days=DAYS)
    with connection.cursor() as cursor:
        # Half a year of clicks and all that they are about came at once: without statistics days are counted row by row.
        cursor.execute("ANALYZE")
    count_days(first, last)
    found = baselines.learn_days(first, last)
    demo.progress("Agents' days and baselines", 1, 3)
    _watch(demo)
    for scored in found:
        alerts.raise_alerts([scored], at=_morning_after(scored.day))
    alerts.raise_alerts(baselines.score_open_days(now=demo.now))
    demo.progress("Agents' days and baselines", 2, 3)
    _review(demo)
    _watch_figures(demo)
    demo.progress("Agents' days and baselines", 3, 3)


def _watch_figures(demo: Demo) -> None:
    """Judge the last days of clients and partners, and three weeks of services, in which one PSP declines since an hour."""
    for back in (3, 2, 1):
        raising.watch_day(demo.now.date() - dt.timedelta(days=back), at=demo.now - dt.timedelta(days=back - 1))
    psps = list(Psp.objects.filter(brand=demo.brands[0], is_enabled=True).order_by("pk").values_list("pk", flat=True))
    newest = services.slot_before(demo.now)
    rows = []
    for n in range(6 * 24 * 14, 0, -6):
        at = newest - services.SLOT * n
        for number, psp_id in enumerate(psps):
            tried = 4 + (n + 3 * number) % 7
            rows.append(
                ServiceSlot(signal="declines", subject=psp_id, at=at, count=(n // 6 + number) % 3, trials=tried)
            )
            rows.append(ServiceSlot(signal="psp_latency", subject=psp_id, at=at, count=4 * tried, trials=tried))
        rows += [ServiceSlot(signal="queue_age", subject=queue, at=at, count=n % 5, trials=1) for queue in Queue.values]
    rows += [
        ServiceSlot(signal="declines", subject=psp_id, at=newest - services.SLOT * n, count=8 + n % 2, trials=11)
        for psp_id in psps[:1]
        for n in range(6)
    ]
    ServiceSlot.objects.bulk_create(rows)
    raising.judge_services(newest, now=demo.now)


def _morning_after(day: dt.date, hours: int = 0) -> dt.datetime:
    """When a finished day is closed, and `hours` later."""
    return (
        dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=dt.UTC)
        + baselines.CLOSES_AFTER
        + dt.timedelta(hours=hours)
    )


def _watch(demo: Demo) -> None:
    """Put a member of the first desk who leaves at the end of the month on the watchlist."""
    head = demo.heads[0]
    leaver = next((agent for agent in demo.agents if agent.desk_id == head.desk_id and agent != demo.outlier), None)
    if leaver is not None:
        watchlist.watch(
            agent_id=leaver.pk,
            kind=WatchKind.NOTICE,
            from_on=demo.now.date() - dt.timedelta(days=3),
            to_on=demo.now.date() + dt.timedelta(days=27),
            reason="Notice given; last day at the end of the month",
            actor=head,
        )
        set_dates(
            user_id=leaver.pk,
            actor=demo.by_role[Role.ADMINISTRATOR][0],
            dates=StaffDates(
                joined_on=demo.now.date() - dt.timedelta(days=800),
                notice_on=demo.now.date() - dt.timedelta(days=3),
                leaves_on=demo.now.date() + dt.timedelta(days=27),
            ),
            reason="Resigned",
        )


def _review(demo: Demo) -> None:
    """Heads decided on what is older than four days; the newest alerts wait."""
    old = Alert.objects.filter(day__lt=demo.now.date() - dt.timedelta(days=REVIEWED_AFTER_DAYS)).exclude(
        state=AlertState.DECIDED
    )
    reviewers = list(
        User.objects.filter(groups__name__in=[Role.DESK_HEAD, Role.MLRO, Role.ADMINISTRATOR]).order_by("pk")
    )
    for number, alert in enumerate(old.select_related("agent").order_by("day", "pk")):
        reviewer = next(
            (
                user
                for user in reviewers
                if can_review(user, alert) and alerts_visible_to(user).filter(pk=alert.pk).exists()
            ),
            None,
        )
        if reviewer is not None:
            verdict, text = EXPLANATIONS[number % len(EXPLANATIONS)]
            alerts.decide(
                alert_id=alert.pk, actor=reviewer, verdict=verdict, text=text, at=_morning_after(alert.day, hours=9)
            )
