"""Cases: alerts come together, two officers, decisions, and monitoring that ends."""

import datetime as dt

import pytest
from django.utils import timezone

from compliance.aml import cases, queries
from compliance.aml.models import AmlCase
from compliance.aml.running import run_pending
from compliance.models import Restriction
from crm import approvals, work
from crm.due import sweep
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import DueRow, WorkProposal
from tests.compliance.aml.factories import at, live, moved

pytestmark = pytest.mark.django_db


def case_of(cast, days=0):
    live(cast, "velocity_count", 1, repeat=1, severity="high")
    live(cast, "velocity_sum", 100, repeat=1, severity="low")
    moved(cast.client, "deposit", 30000, at(days=days))
    run_pending()
    return AmlCase.objects.get(state="open")


def decide(case, actor, outcome="no_suspicion", **more):
    return cases.decide_case(
        case_id=case.pk, actor=actor, outcome=outcome, reason="Salary, seen on the statement", **more
    )


def test_alerts_of_a_client_are_one_case_with_a_priority(cast):
    case = case_of(cast)
    assert case.alerts.count() == 2 and case.score == 60 + 5 + 25
    assert (case.work.priority, case.work.client_id) == (3, cast.client.pk)
    assert queries.open_high_alerts(cast.client.pk) == [case.alerts.get(version__severity="high").version.rule.name]
    moved(cast.client, "deposit", 200000, at(days=2))
    run_pending()
    case.refresh_from_db()
    assert (case.alerts.count(), case.score, AmlCase.objects.count()) == (4, 60 + 15 + 40, 1)
    decide(case, cast.kyc_officer)
    assert queries.open_high_alerts(cast.client.pk) == []
    moved(cast.client, "deposit", 10, at(days=4))
    run_pending()
    assert AmlCase.objects.filter(state="open").count() == 1 and AmlCase.objects.count() == 2


def test_decisions_have_their_consequences(cast):
    case = case_of(cast)
    with pytest.raises(DomainError, match="Enter a reason"):
        cases.decide_case(case_id=case.pk, actor=cast.mlro, outcome="restricted", reason=" ")
    with pytest.raises(DomainError, match="Enter a day"):
        decide(case, cast.mlro, "monitored", monitor_until=timezone.localdate())
    with pytest.raises(DomainError, match="blocked from"):
        decide(case, cast.mlro, "restricted")
    with pytest.raises(NotAllowed):
        decide(case, cast.agent)
    decide(case, cast.mlro, "monitored", monitor_until=timezone.localdate() + dt.timedelta(days=30))
    with pytest.raises(WrongState):
        decide(case, cast.kyc_officer)
    DueRow.objects.filter(kind="compliance.aml_monitoring").update(next_at=timezone.now(), at=timezone.now())
    sweep()
    again = AmlCase.objects.get(state="open")
    assert again.follows == case
    decide(again, cast.mlro, "restricted", restriction="no_withdrawal")
    restriction = Restriction.objects.get()
    assert (restriction.kind, restriction.reason) == ("no_withdrawal", f"Compliance case AML-{again.pk}")


def test_no_suspicion_about_a_risky_client_takes_two(cast):
    cast.client.risk_rating = "high"
    cast.client.save()
    case = case_of(cast)
    decide(case, cast.kyc_officer)
    case.refresh_from_db()
    assert case.state == "open"
    proposal = WorkProposal.objects.get()
    with pytest.raises(NotAllowed):
        approvals.approve(WorkProposal, proposal.pk, actor=cast.kyc_officer)
    approvals.approve(WorkProposal, proposal.pk, actor=cast.mlro)
    case.refresh_from_db()
    assert (case.state, case.decided_by) == ("no_suspicion", cast.mlro)


def test_a_claimed_case_is_decided_by_who_claimed_it(cast):
    case = case_of(cast)
    work.claim(item_id=case.work_id, actor=cast.kyc_officer)
    with pytest.raises(NotAllowed, match="working on this"):
        decide(case, cast.mlro)
    decide(case, cast.kyc_officer)
