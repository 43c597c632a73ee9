"""The agent's own explanation: asked by the reviewer, answered by the agent alone, who sees nothing else."""

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from crm import due
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, DueRow, Notification
from monitoring import alerts
from monitoring.choices import Verdict
from monitoring.models import Explanation
from monitoring.reviewing.explanations import DUE_DAYS_MAX, LATE, answer_explanation, ask_explanation
from tests.monitoring.factories import make_alert

pytestmark = pytest.mark.django_db


def ask(alert, actor, question="What did you work on that afternoon?", days=3):
    due_on = timezone.localdate() + dt.timedelta(days=days)
    return ask_explanation(alert_id=alert.pk, actor=actor, question=question, due_on=due_on)


def test_asked_answered_and_read(cast, browse):
    alert = make_alert(cast.agent, reasons=[{"code": "rule", "rule": "bulk_export", "rows": 777, "limit": 250}])
    head = browse(cast.desk_head)
    day = timezone.localdate() + dt.timedelta(days=2)
    head.post(
        reverse("monitoring_ask", args=[alert.pk]), {"question": "Which list was this?", "due_on": day.isoformat()}
    )
    row = Explanation.objects.get()
    assert (row.agent, row.asked_by, row.due_on) == (cast.agent, cast.desk_head, day)
    assert Notification.objects.get(user=cast.agent).url == "/monitoring/me/"
    agent = browse(cast.agent)
    page = agent.get(reverse("monitoring_me")).content.decode()
    assert "Which list was this?" in page and "777" not in page and alert.get_absolute_url() not in page
    agent.post(reverse("monitoring_answer", args=[row.pk]), {"answer": "The webinar list, for Dora."})
    assert "The webinar list, for Dora." in head.get(alert.get_absolute_url()).content.decode()
    assert Notification.objects.filter(user=cast.desk_head, title__contains="answered").count() == 1
    codes = AuditEvent.objects.filter(action__startswith="monitoring.explanation").values_list("action", flat=True)
    assert sorted(codes) == ["monitoring.explanation_asked", "monitoring.explanation_given"]


def test_only_who_was_asked_answers_and_once(cast, browse):
    row = ask(make_alert(cast.agent), cast.desk_head)
    for other in (cast.other_agent, cast.desk_head, cast.mlro):
        with pytest.raises(NotAllowed):
            answer_explanation(explanation_id=row.pk, actor=other, answer="I know why.")
        assert browse(other).post(reverse("monitoring_answer", args=[row.pk]), {"answer": "x"}).status_code == 404
    with pytest.raises(DomainError, match="Enter your explanation"):
        answer_explanation(explanation_id=row.pk, actor=cast.agent, answer="  ")
    answer_explanation(explanation_id=row.pk, actor=cast.agent, answer="Covered for Bob.")
    with pytest.raises(WrongState):
        answer_explanation(explanation_id=row.pk, actor=cast.agent, answer="Something else.")


def test_who_may_ask_and_until_when(cast):
    alert = make_alert(cast.agent)
    for other in (cast.agent, cast.other_agent, cast.auditor):
        with pytest.raises(NotAllowed):
            ask(alert, other)
    for days in (-1, DUE_DAYS_MAX + 1):
        with pytest.raises(DomainError, match="Enter a day from today"):
            ask(alert, cast.desk_head, days=days)
    with pytest.raises(DomainError, match="Enter a question"):
        ask(alert, cast.desk_head, question=" ")
    ask(alert, cast.desk_head)
    with pytest.raises(WrongState, match="hasn't answered"):
        ask(alert, cast.desk_head)


def test_nothing_is_asked_or_answered_after_the_decision(cast):
    alert = make_alert(cast.agent)
    row = ask(alert, cast.desk_head)
    alerts.decide(alert_id=alert.pk, actor=cast.desk_head, verdict=Verdict.TASK, text="A campaign.")
    with pytest.raises(WrongState):
        answer_explanation(explanation_id=row.pk, actor=cast.agent, answer="Late.")
    with pytest.raises(WrongState):
        ask(alert, cast.desk_head)


def test_a_late_answer_reminds_the_reviewer(cast):
    row = ask(make_alert(cast.agent), cast.desk_head, days=0)
    past = timezone.now() - dt.timedelta(minutes=1)
    DueRow.objects.filter(kind="monitoring.explanation", key=row.pk).update(at=past, next_at=past)
    due.sweep(kinds=[LATE])
    late = Notification.objects.get(user=cast.desk_head)
    assert re.search("hasn't answered your question", late.title)
