"""What monitoring knows about people is deleted when a brand's policies say so, and what still has to be decided is not."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.choices import Role
from crm.models import AuditEvent
from monitoring import alerts
from monitoring.choices import Verdict
from monitoring.models import AgentDay, Alert, Baseline, Calibration, DayScore, Decision, Explanation
from monitoring.retention.deleting import delete_old_figures
from tests.brand_policies import set_policies
from tests.cast import make_staff
from tests.monitoring.factories import make_alert

pytestmark = pytest.mark.django_db
SCORE = {
    "expected": [],
    "dispersion": [],
    "feature_p": [],
    "family_p": [],
    "probability": 1,
    "scored_at": timezone.now(),
}


def ago(days: int) -> dt.date:
    return timezone.localdate() - dt.timedelta(days=days)


def worked(agent, *days: int) -> None:
    AgentDay.objects.bulk_create(AgentDay(agent=agent, day=ago(day), active_hours=8) for day in days)
    DayScore.objects.bulk_create(DayScore(agent=agent, day=ago(day), **SCORE) for day in days)


def days_of(model, agent) -> list[int]:
    return sorted(
        (timezone.localdate() - day).days for day in model.objects.filter(agent=agent).values_list("day", flat=True)
    )


def test_days_go_after_the_time_of_their_brand(cast):
    outsider = make_staff("agent@southern.example", Role.AGENT, brand=cast.other_brand)
    set_policies(cast.brand, monitoring_kept_days=200)
    worked(cast.agent, 199, 201, 399, 401)
    worked(outsider, 199, 201, 399, 401)  # whose brand set none
    make_alert(cast.agent, day=ago(390))  # still undecided: its day and the ones before stay
    for agent, through in ((cast.agent, ago(1)), (cast.desk_head, ago(300))):
        Baseline.objects.create(agent=agent, feature="views", through=through)
    for day in (399, 401):
        Calibration.objects.create(family="overall", fitted_on=ago(day), threshold=1, scale=1, agent_days=500)
    assert delete_old_figures() == 2 + 2 + 1 + 1
    assert days_of(AgentDay, cast.agent) == days_of(DayScore, cast.agent) == [199, 399, 401]
    assert days_of(AgentDay, outsider) == days_of(DayScore, outsider) == [199, 201, 399]
    assert Baseline.objects.get().agent == cast.agent
    assert Calibration.objects.get().fitted_on == ago(399)
    assert AuditEvent.objects.filter(action="monitoring.figures_deleted").count() == 2
    assert delete_old_figures() == 0


def test_an_old_alert_keeps_its_decision_and_loses_its_figures(cast, browse):
    seen = [{"code": "rule", "rule": "bulk_export", "rows": 777, "limit": 250}]
    alert, fresh = (make_alert(cast.agent, day=ago(day), reasons=seen) for day in (1200, 900))
    for row in (alert, fresh):
        asked = {"asked_by": cast.desk_head, "asked_at": timezone.now(), "due_on": ago(0)}
        answered = {"answer": "The webinar list.", "answered_at": timezone.now()}
        Explanation.objects.create(alert=row, agent=cast.agent, question="Which list?", **asked, **answered)
        alerts.decide(alert_id=row.pk, actor=cast.desk_head, verdict=Verdict.TASK, text="A campaign.")
    Alert.objects.filter(pk=alert.pk).update(decided_at=timezone.now() - dt.timedelta(days=1100))
    assert delete_old_figures() == 2
    alert.refresh_from_db()
    fresh.refresh_from_db()
    assert (alert.reasons, fresh.reasons) == ([], seen)
    assert list(Explanation.objects.values_list("alert", flat=True)) == [fresh.pk]
    assert Decision.objects.filter(alert=alert, text="A campaign.").exists()
    page = browse(cast.desk_head).get(reverse("monitoring_alert", args=[alert.pk])).content.decode()
    assert "A campaign." in page and "777" not in page
