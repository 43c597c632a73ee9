"""Taking an alert on and giving it back."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from crm.choices import Role
from crm.errors import NotAllowed, WrongState
from crm.models import AuditEvent
from monitoring import alerts
from monitoring.choices import AlertState, Verdict
from monitoring.models import Alert
from tests.cast import make_staff
from tests.monitoring.factories import at, make_alert

pytestmark = pytest.mark.django_db


@pytest.fixture
def alert(cast):
    return make_alert(cast.agent)


def audited(action: str) -> list[tuple]:
    return list(AuditEvent.objects.filter(action=action).values_list("actor_id", "target_id", "brand_id"))


def test_taking_names_the_reviewer_and_is_audited(alert, cast):
    other = make_alert(cast.other_agent)
    alerts.take(alert_id=alert.pk, actor=cast.mlro)
    alert.refresh_from_db()
    other.refresh_from_db()
    assert (alert.state, alert.reviewer) == (AlertState.IN_REVIEW, cast.mlro)
    assert (other.state, other.reviewer) == (AlertState.OPEN, None)
    assert audited("monitoring.alert_taken") == [(cast.mlro.pk, str(alert.pk), cast.brand.pk)]


def test_what_is_in_review_cannot_be_taken_again(alert, cast):
    alerts.take(alert_id=alert.pk, actor=cast.mlro)
    with pytest.raises(WrongState, match="In review"):
        alerts.take(alert_id=alert.pk, actor=cast.desk_head)
    alert.refresh_from_db()
    assert alert.reviewer == cast.mlro


def test_an_open_alert_cannot_be_given_back(alert, cast):
    with pytest.raises(WrongState, match="Open"):
        alerts.give_back(alert_id=alert.pk, actor=cast.mlro)


def test_a_decided_alert_is_neither_taken_nor_given_back(alert, cast):
    alerts.decide(alert_id=alert.pk, actor=cast.mlro, verdict=Verdict.NO_CONCERN, text="Looked at all of it.")
    for act in (alerts.take, alerts.give_back):
        with pytest.raises(WrongState, match="Decided"):
            act(alert_id=alert.pk, actor=cast.mlro)


def test_only_the_reviewer_gives_an_alert_back(alert, cast):
    alerts.take(alert_id=alert.pk, actor=cast.mlro)
    with pytest.raises(NotAllowed, match="Mlro Tester is reviewing"):
        alerts.give_back(alert_id=alert.pk, actor=cast.desk_head)
    alerts.give_back(alert_id=alert.pk, actor=cast.mlro)
    alert.refresh_from_db()
    assert (alert.state, alert.reviewer) == (AlertState.OPEN, None)
    assert audited("monitoring.alert_given_back") == [(cast.mlro.pk, str(alert.pk), cast.brand.pk)]


@pytest.mark.parametrize("who", ["agent", "retention", "finance", "kyc_officer", "support", "auditor", "other_agent"])
def test_roles_that_decide_nothing_take_nothing(alert, cast, who):
    with pytest.raises(NotAllowed):
        alerts.take(alert_id=alert.pk, actor=getattr(cast, who))
    assert Alert.objects.get().state == AlertState.OPEN


def test_a_head_reviews_agents_but_not_the_other_head(cast):
    deputy = make_staff("deputy@meridian.example", Role.DESK_HEAD, brand=cast.brand, desk=cast.desk, reaches=cast.desk)
    alerts.take(alert_id=make_alert(cast.agent).pk, actor=deputy)
    about_the_head = make_alert(cast.desk_head)
    with pytest.raises(NotAllowed, match="head of your own desk"):
        alerts.take(alert_id=about_the_head.pk, actor=deputy)
    alerts.take(alert_id=about_the_head.pk, actor=cast.mlro)


def test_people_without_a_desk_review_a_head_without_one(cast):
    cast.desk_head.desk = None
    cast.desk_head.save()
    alert = alerts.take(alert_id=make_alert(cast.desk_head).pk, actor=cast.mlro)
    assert alert.reviewer == cast.mlro, "two people without a desk are not of one desk"


def test_the_database_refuses_half_reviewed_alerts(alert, cast):
    for name, fields in (
        ("alert_in_review_has_a_reviewer", {"state": "in_review"}),
        ("nobody_reviews_their_own_alert", {"reviewer": cast.agent}),
        ("decided_alert_says_when", {"state": "decided"}),
        ("decided_alert_says_when", {"decided_at": at(23)}),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            Alert.objects.filter(pk=alert.pk).update(**fields)


def test_the_page_offers_to_review_and_then_to_give_back(alert, cast, browse):
    browser = browse(cast.desk_head)
    take = reverse("monitoring_take", args=[alert.pk])
    page = browser.get(alert.get_absolute_url()).content.decode()
    assert take in page and 'name="back"' not in page
    page = browser.post(take, follow=True).content.decode()
    assert 'name="back"' in page and "In review" in page
    page = browser.post(take, {"back": "1"}, follow=True).content.decode()
    assert 'name="back"' not in page
    alert.refresh_from_db()
    assert alert.state == AlertState.OPEN


def test_the_page_says_why_an_alert_could_not_be_taken(alert, cast, browse):
    alerts.take(alert_id=alert.pk, actor=cast.mlro)
    page = browse(cast.desk_head).post(reverse("monitoring_take", args=[alert.pk]), follow=True).content.decode()
    assert "In review" in page and "Mlro Tester is reviewing this alert." in page


def test_opening_the_address_takes_nothing(alert, cast, browse):
    browse(cast.desk_head).get(reverse("monitoring_take", args=[alert.pk]))
    browse(cast.desk_head).get(reverse("monitoring_decide", args=[alert.pk]))
    alert.refresh_from_db()
    assert alert.state == AlertState.OPEN


def test_the_page_refuses_an_auditor(alert, cast, browse):
    response = browse(cast.auditor).post(reverse("monitoring_take", args=[alert.pk]))
    assert response.status_code == 403 and Alert.objects.get().reviewer is None
