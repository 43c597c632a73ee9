"""An escalated alert is a work item of the reporting officer; an alert that waits too long reaches the heads above."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from crm import due, work
from crm.choices import Role
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AccessEvent, AuditEvent, DueRow, Notification, WorkItem
from monitoring import alerts
from monitoring.choices import Verdict
from monitoring.models import Alert, Escalation
from monitoring.reviewing.escalating import decide_escalation
from monitoring.reviewing.overdue import REVIEW, heads_above, review_due, set_clock
from tests.cast import make_staff
from tests.ib.test_statements import text_of_pdf
from tests.monitoring.factories import look, make_alert

pytestmark = pytest.mark.django_db
RULE = {"code": "rule", "rule": "bulk_export", "rows": 777, "limit": 250}


@pytest.fixture
def escalated(cast) -> Escalation:
    alert = make_alert(cast.agent, severity="severe", reasons=[RULE])
    alerts.decide(alert_id=alert.pk, actor=cast.desk_head, verdict=Verdict.ESCALATED, text="Looks like a sale.")
    return Escalation.objects.get()


def test_the_reporting_officer_gets_work_with_the_alert_behind_it(escalated, cast, browse):
    item = WorkItem.objects.get(kind="monitoring.escalation")
    assert (item, item.client_id, item.state, item.brand) == (escalated.work, None, "open", cast.brand)
    assert Notification.objects.get(user=cast.mlro).url == escalated.get_absolute_url()
    officer = browse(cast.mlro)
    assert cast.agent.get_full_name() in officer.get(reverse("monitoring_escalations")).content.decode()
    page = officer.get(escalated.get_absolute_url()).content.decode()
    assert "Looks like a sale." in page and escalated.alert.get_absolute_url() in page
    work.comment(item_id=item.pk, actor=cast.mlro, text="Asked HR for the contract.")
    assert "Asked HR for the contract." in officer.get(escalated.get_absolute_url()).content.decode()
    officer.post(escalated.get_absolute_url(), {"outcome": "measures", "reason": "Warned in writing."})
    escalated.refresh_from_db(), item.refresh_from_db()
    assert (escalated.state, escalated.decided_by, item.state) == ("measures", cast.mlro, "final")
    assert AuditEvent.objects.filter(action="monitoring.escalation_decided").count() == 1


def test_only_the_reporting_officer_decides_once_with_a_reason(escalated, cast, browse):
    for other in (cast.desk_head, cast.agent, cast.administrator, cast.auditor):
        with pytest.raises(NotAllowed):
            decide_escalation(escalation_id=escalated.pk, actor=other, outcome="no_action", reason="x")
        assert browse(other).get(escalated.get_absolute_url()).status_code == 403
    with pytest.raises(DomainError, match="reason"):
        decide_escalation(escalation_id=escalated.pk, actor=cast.mlro, outcome="no_action", reason=" ")
    decide_escalation(escalation_id=escalated.pk, actor=cast.mlro, outcome="no_action", reason="A task of HR.")
    with pytest.raises(WrongState):
        decide_escalation(escalation_id=escalated.pk, actor=cast.mlro, outcome="reported", reason="x")


def test_what_is_about_staff_takes_comments_but_no_files(escalated, cast, tmp_path):
    from io import BytesIO

    with pytest.raises(DomainError, match="Files can't be added"):
        work.comment(item_id=escalated.work_id, actor=cast.mlro, file=BytesIO(b"x"), name="x.txt")


def test_undecided_in_time_the_heads_above_are_notified(cast):
    now = timezone.now()
    alert = make_alert(cast.agent, due_at=review_due(cast.brand, now), reviewer=cast.desk_head, state="in_review")
    assert alert.due_at > now
    assert cast.desk_head not in heads_above(alert) and cast.mlro in heads_above(alert)
    other = make_staff(
        "o@meridian.example", Role.DESK_HEAD, brand=cast.brand, desk=cast.other_desk, reaches=cast.other_desk
    )
    done = make_alert(cast.other_agent, due_at=alert.due_at)
    for row in (alert, done):
        set_clock(row)
    alerts.decide(alert_id=done.pk, actor=cast.mlro, verdict=Verdict.TASK, text="A task.")
    past = now - dt.timedelta(minutes=1)
    DueRow.objects.filter(kind="monitoring.review").update(at=past, next_at=past)
    due.sweep(kinds=[REVIEW])
    notified = Notification.objects.filter(kind="monitoring.alert_overdue")
    assert set(notified.values_list("user_id", flat=True)) == {user.pk for user in heads_above(alert)}
    assert not notified.filter(user__in=[other, cast.desk_head, cast.agent]).exists()
    assert Alert.objects.get(pk=alert.pk).state == "in_review"


def test_the_case_pack_says_all_of_it_and_is_logged(escalated, cast, browse):
    look(cast.agent, dt.datetime.combine(escalated.alert.day, dt.time(10), tzinfo=dt.UTC), client=cast.client.pk)
    address = reverse("monitoring_pack", args=[escalated.alert_id])
    answer = browse(cast.mlro).get(address)
    assert answer["Content-Type"] == "application/pdf"
    text = text_of_pdf(answer.content)
    for part in (
        "Exported 777 rows",
        "Clara Weber",
        "Looks like a sale.",
        "Audit trail",
        "Alert decided",
        str(cast.desk_head),
    ):
        assert part in text, part
    assert (
        AccessEvent.objects.filter(user=cast.mlro, kind="download", target__startswith="monitoring.case_pack").count()
        == 1
    )
    assert AuditEvent.objects.filter(action="monitoring.case_pack", actor=cast.mlro).count() == 1
    masked = text_of_pdf(browse(cast.auditor).get(address).content)
    assert cast.agent.get_full_name() not in masked
    assert browse(cast.agent).get(address).status_code in (403, 404)
