"""The retention queue: who sees which case, what its page tells before the call, and what may come of it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from clients.models import TimelineEntry
from crm import work
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AccessEvent, AuditEvent
from risk.retention.cases import judge_all
from risk.retention.deciding import decide_retention, note_no_answer, snooze_retention
from risk.retention.kind import RETENTION, cases_visible_to
from risk.retention.models import RetentionCase
from tests.risk.retention.test_flags import leaver
from tests.support.conftest import make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(floor, cast) -> RetentionCase:
    client = leaver(floor)
    make_ticket(cast, client=client)
    judge_all(now=floor.now)
    return RetentionCase.objects.get()


def test_the_page_says_what_to_know_before_the_call(case, cast, browse, django_assert_max_num_queries):
    agent = browse(cast.retention)
    page = agent.get(reverse("risk_retention") + "?snoozed=no").content.decode()
    assert "Losing streak" in page and case.get_absolute_url() in page
    with django_assert_max_num_queries(60):
        page = agent.get(case.get_absolute_url()).content.decode()
    for text in (
        "Lost the last 3 trades",
        "Usual: Active every day",
        "Suggested next step",
        "EURUSD",
        "Deposit missing",
    ):
        assert text in page, text
    assert AccessEvent.objects.filter(user=cast.retention, client_id=case.client_id, kind="view").exists()
    assert "Losing streak" in agent.get(case.client.get_absolute_url()).content.decode()
    stranger = cast.other_agent
    assert not cases_visible_to(stranger).exists()
    assert browse(stranger).get(case.get_absolute_url()).status_code == 403


def test_a_call_is_decided_once_with_its_trace(case, cast):
    with pytest.raises(NotAllowed):
        decide_retention(case_id=case.pk, actor=cast.agent, outcome="content")
    with pytest.raises(DomainError):
        decide_retention(case_id=case.pk, actor=cast.retention, outcome="no_action", reason=" ")
    decide_retention(case_id=case.pk, actor=cast.retention, outcome="helped", reason="Webinar", was_useful=True)
    case.refresh_from_db()
    assert (case.state, case.was_useful, case.work.outcome, case.work.state) == ("helped", True, "helped", "final")
    assert AuditEvent.objects.filter(action="risk.retention_decided", client_id=case.client_id).exists()
    assert TimelineEntry.objects.filter(client=case.client, dedupe_key=f"risk.retention:{case.pk}").exists()
    with pytest.raises(WrongState):
        note_no_answer(case_id=case.pk, actor=cast.retention)
    # For two weeks nothing is opened again, whatever the flags say; then it is.
    judge_all(now=timezone.now() + dt.timedelta(days=3))
    assert RetentionCase.objects.count() == 1
    judge_all(now=timezone.now() + dt.timedelta(days=15))
    assert RetentionCase.objects.filter(state="open").count() == 1


def test_who_is_not_reached_comes_back_tomorrow(case, cast, browse):
    agent = browse(cast.retention)
    assert agent.post(reverse("risk_retention_no_answer", args=[case.pk])).status_code == 302
    case.refresh_from_db()
    assert case.attempts == 1 and case.snoozed_until > timezone.now()
    assert case.work.assigned_to == cast.retention
    assert work.claim_next(RETENTION, actor=cast.retention) is None
    RetentionCase.objects.update(snoozed_until=timezone.now())
    assert agent.post(reverse("risk_retention_next")).url == case.get_absolute_url()
    with pytest.raises(DomainError):
        snooze_retention(case_id=case.pk, actor=cast.retention, days=61, reason="On holiday")
    answer = agent.post(reverse("risk_retention_snooze", args=[case.pk]), {"days": "5", "reason": "On holiday"})
    assert answer.status_code == 302
    answer = agent.post(case.get_absolute_url(), {"outcome": "content", "reason": "", "was_useful": "no"})
    assert answer.status_code == 302
    case.refresh_from_db()
    assert (case.state, case.was_useful) == ("content", False)
