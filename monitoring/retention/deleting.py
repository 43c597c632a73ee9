"""Deleting what is older than a brand keeps it: counts and scores of days, baselines of people who left, figures of alerts.

Alerts and decisions themselves stay as evidence, like the audit log: that a day was reviewed, by whom, and how it ended.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from crm.models import Brand, User
from crm.security import audit
from monitoring.audit_codes import MonitoringAction
from monitoring.brand_policies import ALERT_FIGURES_YEARS, MONITORING_KEPT_DAYS
from monitoring.choices import AlertState
from monitoring.models import AgentDay, Alert, Baseline, Calibration, DayScore, Explanation

# At most in one statement; the rest follows the next day.
ROWS_MAX: Final = 50_000
# A day that somebody still has to decide about keeps its figures.
UNDECIDED: Final = """
SELECT FROM monitoring_alert a WHERE a.agent_id = d.agent_id AND a.state <> 'decided'
  AND d.day BETWEEN a.day - 15 AND coalesce(a.last_day, a.day)
"""


def delete_old_figures() -> int:
    """Delete what each brand has kept for as long as its policies say; returns how many rows."""
    deleted = sum(sum(_delete_of(brand, days, years).values()) for brand, days, years in _periods())
    oldest = timezone.localdate() - dt.timedelta(days=max(days for _brand, days, _years in _periods()))
    return deleted + Calibration.objects.filter(fitted_on__lt=oldest).delete()[0]


def _periods() -> Iterator[tuple[Brand | None, int, int]]:
    """Yield for each brand, and for staff of none, how many days figures are kept and how many years those of alerts."""
    for brand in Brand.objects.order_by("pk"):
        yield brand, MONITORING_KEPT_DAYS.of(brand), ALERT_FIGURES_YEARS.of(brand)
    yield None, int(MONITORING_KEPT_DAYS.default), int(ALERT_FIGURES_YEARS.default)


@transaction.atomic
def _delete_of(brand: Brand | None, days: int, years: int) -> dict[str, int]:
    today = timezone.localdate()
    before = today - dt.timedelta(days=days)
    agents = list(User.objects.filter(kind="staff", brand=brand).order_by("pk").values_list("pk", flat=True))
    deleted = {
        "days": _delete_days(AgentDay, agents, before),
        "scores": _delete_days(DayScore, agents, before),
        "baselines": Baseline.objects.filter(agent__in=agents, through__lt=before).delete()[0],
        **(_strip_alerts(brand, today - dt.timedelta(days=366 * years)) if brand is not None else {}),
    }
    if any(deleted.values()):
        audit.record(
            actor=None,
            action=MonitoringAction.FIGURES_DELETED,
            target=brand if brand is not None else ("monitoring", "staff"),
            brand_id=brand.pk if brand is not None else None,
            after={name: count for name, count in deleted.items() if count},
        )
    return deleted


def _delete_days(model: Any, agents: list[int], before: dt.date) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {model._meta.db_table} WHERE id IN (SELECT d.id FROM {model._meta.db_table} d "  # noqa: S608
            f"WHERE d.day < %s AND d.agent_id = ANY(%s) AND NOT EXISTS ({UNDECIDED}) ORDER BY d.day LIMIT {ROWS_MAX})",
            [before, agents],
        )
        return int(cursor.rowcount)


def _strip_alerts(brand: Brand, before: dt.date) -> dict[str, int]:
    """Take the figures and the agent's explanations out of alerts that were decided before a day."""
    old = Alert.objects.filter(brand=brand, state=AlertState.DECIDED, decided_at__date__lt=before)
    explanations = Explanation.objects.filter(alert__in=old.values("pk")).delete()[0]
    alerts = old.filter(~Q(reasons=[])).update(reasons=[])
    return {"alerts": alerts, "explanations": explanations}
