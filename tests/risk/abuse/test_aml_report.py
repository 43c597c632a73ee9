"""Confirmed laundering that is reported to the AML officer is an AML case with its evidence, once."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from compliance.aml import cases, queries
from compliance.aml.models import AmlCase
from compliance.aml.referrals import Suspicion, refer_suspicion
from compliance.models import AmlReferral
from compliance.sar.choices import ReportKind
from compliance.sar.reports import draft_report
from crm.models import AuditEvent
from risk.abuse import scoring
from risk.abuse.models import AbuseEpisode
from risk.abuse.queue import decide_episode
from tests.compliance.aml.factories import moved
from tests.risk.abuse.test_episodes import hedged_accounts

pytestmark = pytest.mark.django_db
REASON = "Money in and out"


@pytest.fixture
def episode(cast):
    """A suspicion of laundering about the first of two clients' accounts."""
    hedged_accounts(cast)
    (row,) = scoring.score_next()[1]
    AbuseEpisode.objects.filter(pk=row.pk).update(
        kind="laundering",
        stake=Decimal(30_000),
        facts={"deposited": 300_000_000, "withdrawn": 290_000_000, "days": 5, "trades": 2, "units": 10_000},
    )
    row.parties.exclude(client=cast.client).delete()
    row.refresh_from_db()
    return row


def report(cast, episode, outcome="confirmed", handling="report_aml"):
    return decide_episode(episode_id=episode.pk, actor=cast.finance, outcome=outcome, reason=REASON, handling=handling)


def test_a_reported_finding_opens_a_case_with_its_evidence(cast, episode, browse):
    moved(cast.client, "deposit", 30_000, episode.first_at)
    report(cast, episode)
    case = AmlCase.objects.get(client=cast.client)
    (referral,) = case.referrals.all()
    assert (referral.source, referral.referred_by) == (f"risk.abuse:{episode.pk}:{cast.client.pk}", cast.finance)
    assert "was deposited and" in referral.text and "16 trades as evidence" in referral.text
    assert (case.score, case.work.priority) == (60 + 25, 3)
    assert AuditEvent.objects.filter(action="compliance.aml_suspicion_referred", client_id=cast.client.pk).count() == 1
    body = browse(cast.mlro).get(case.get_absolute_url()).content.decode()
    assert referral.text in body and REASON in body and f"/risk/abuse/{episode.pk}/" in body
    assert 'class="aml-evidence"' in body
    assert queries.open_high_alerts(cast.client.pk) == [referral.title]
    sar = draft_report(case_id=case.pk, kind=ReportKind.SAR, actor=cast.mlro)
    assert referral.text in sar.content["narrative"]


def test_it_joins_the_open_case_and_is_passed_on_once(cast, episode):
    suspicion = Suspicion("other:1", "Tip", "A colleague saw it.", timezone.now(), timezone.now(), Decimal(10))
    first = refer_suspicion(client_id=cast.client.pk, suspicion=suspicion, reason="Seen", referred_by=cast.agent)
    assert (
        refer_suspicion(client_id=cast.client.pk, suspicion=suspicion, reason="Seen", referred_by=cast.agent) == first
    )
    report(cast, episode)
    assert AmlCase.objects.count() == 1 and first.referrals.count() == 2
    cases.decide_case(case_id=first.pk, actor=cast.mlro, outcome="monitored", reason="Watch", **until())
    with pytest.raises(DatabaseError), transaction.atomic():
        AmlReferral.objects.update(text="Something else")


def until():
    return {"monitor_until": timezone.localdate() + dt.timedelta(days=30)}


@pytest.mark.parametrize(("outcome", "handling"), [("not_abuse", ""), ("confirmed", "watch")])
def test_nothing_is_reported_otherwise(cast, episode, outcome, handling):
    report(cast, episode, outcome, handling)
    assert not AmlCase.objects.exists()
