"""A case that an officer opens without an alert: what was seen, in the client's one open case, once."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from compliance.aml import cases, queries
from compliance.aml.models import AmlCase
from compliance.aml.referrals import Suspicion, open_case
from compliance.models import AmlReferral
from crm import work
from crm.errors import DomainError, NotAllowed
from crm.models import AccessEvent, AuditEvent
from tests.compliance.aml.factories import moved

pytestmark = pytest.mark.django_db


def days_ago(days):
    return timezone.now() - dt.timedelta(days=days)


def seen(cast, actor, reason="Not explained", **more):
    given = {"title": "Cash", "text": "Deposits in cash", "since": days_ago(9), "until": days_ago(2), **more}
    suspicion = Suspicion(source="", **{"base_amount": Decimal(30_000), **given})
    return open_case(client_id=cast.client.pk, suspicion=suspicion, reason=reason, actor=actor)


def test_an_officer_opens_a_case_on_the_clients_page(cast, browse):
    movement = moved(cast.client, "deposit", 30_000, days_ago(5))
    page, url = browse(cast.kyc_officer), f"/aml/cases/new/{cast.client.pk}/"
    assert url in page.get(f"/compliance/clients/{cast.client.pk}/").text
    assert "An AML case is opened" in page.get(url).text
    today = timezone.localdate()
    entered = {
        "title": "Cash",
        "text": "Deposits in cash",
        "since": (today - dt.timedelta(days=9)).isoformat(),
        "until": (today - dt.timedelta(days=2)).isoformat(),
        "base_amount": "30000",
        "reason": "Not explained",
    }
    for wrong in ({"since": "2001-01-01"}, {"until": "2999-01-01"}, {"reason": " "}, {"base_amount": "-1"}):
        assert page.post(url, {**entered, **wrong}).status_code == 422
    assert not AmlCase.objects.exists()
    answer = page.post(url, entered)
    case = AmlCase.objects.get()
    assert answer["Location"] == case.get_absolute_url() and page.post(url, entered)["Location"] == answer["Location"]
    referral = case.referrals.get()
    assert (referral.referred_by, referral.base_amount, case.score) == (cast.kyc_officer, 30_000, 60 + 25)
    assert AuditEvent.objects.filter(action="compliance.aml_suspicion_referred", client_id=cast.client.pk).count() == 1
    assert AccessEvent.objects.filter(client_id=cast.client.pk, user_id=cast.kyc_officer.pk).exists()
    assert [row.pk for row in queries.movements_of(case) if row.is_evidence] == [movement.pk]
    assert "Deposits in cash" in page.get(answer["Location"]).text
    assert f"{case} is open for this client" in page.get(url).text
    assert str(case) in page.get(f"/compliance/clients/{cast.client.pk}/").text


def test_it_joins_the_open_case_and_what_was_decided_is_not_said_again(cast):
    when = {"since": days_ago(9), "until": days_ago(2)}
    case = seen(cast, cast.mlro, **when)
    assert seen(cast, cast.mlro, **when) == seen(cast, cast.mlro, text="A tip", **when) == case
    assert case.referrals.count() == 2
    cases.decide_case(case_id=case.pk, actor=cast.mlro, outcome="no_suspicion", reason="Sold a house")
    with pytest.raises(DomainError, match=f"decided in {case}"):
        seen(cast, cast.mlro, **when)
    assert seen(cast, cast.mlro, text="Again", **when) != case


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": " "},
        {"text": ""},
        {"reason": " "},
        {"since": days_ago(-1), "until": days_ago(-2)},
        {"since": days_ago(1)},
        {"base_amount": Decimal(-1)},
        {"base_amount": Decimal(10) ** 12},
    ],
)
def test_what_says_nothing_is_refused(cast, wrong):
    with pytest.raises(DomainError):
        seen(cast, cast.mlro, **wrong)
    assert not AmlReferral.objects.exists()


def test_only_who_decides_cases_of_the_client_may(cast, browse):
    for stranger in (cast.agent, cast.finance, cast.support):
        with pytest.raises(NotAllowed):
            seen(cast, stranger)
        assert browse(stranger).get(f"/aml/cases/new/{cast.client.pk}/").status_code == 403
    assert not AmlCase.objects.exists()


def test_the_database_refuses_a_case_that_rests_on_nothing(cast):
    now = timezone.now()
    item = work.open_item(cases.CASE, client_id=cast.client.pk, brand=cast.brand, opened_at=now)
    with pytest.raises(IntegrityError, match="no alert, no referral"), transaction.atomic():
        AmlCase.objects.create(client=cast.client, opened_at=now, last_alert_at=now, work=item)
        connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
