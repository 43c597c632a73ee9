"""Whose days and alerts appear where, with a name or without."""

import datetime as dt

import pytest
from django.http import QueryDict
from django.urls import reverse
from django.utils.text import capfirst

from crm import events
from crm.choices import Role
from crm.events import AlertRaised, publish
from crm.models import AccessEvent, Notification
from monitoring import panels
from monitoring.cards import home_cards
from monitoring.choices import Rule
from monitoring.models import AgentDay, DayScore, Watch
from monitoring.queries import agents_visible_to, alerts_visible_to, pseudonym
from monitoring.reasons import in_words, of_rule
from monitoring.tables import AgentTable
from tests.cast import make_staff
from tests.monitoring.factories import DAY, at, look, make_alert

pytestmark = pytest.mark.django_db
BULK = of_rule(Rule.BULK_EXPORT, rows=5000, limit=250)


def page(browser, name: str, **query: str) -> str:
    return browser.get(reverse(name), query).content.decode()


def test_each_sees_the_people_they_are_responsible_for(cast):
    of_the_desk = {cast.agent, cast.retention}
    assert set(agents_visible_to(cast.desk_head)) == of_the_desk
    assert agents_visible_to(cast.mlro).filter(pk=cast.other_agent.pk).exists()
    assert not agents_visible_to(cast.mlro).filter(pk=cast.mlro.pk).exists()
    assert not agents_visible_to(cast.agent).exists(), "a grant on a book is none on its people"
    assert not agents_visible_to(cast.client_user).exists()
    assert not agents_visible_to(None).exists()


def test_people_of_another_brand_are_not_shown(cast):
    theirs = make_staff("t@southern.example", Role.AGENT, brand=cast.other_brand)
    alert = make_alert(theirs)
    assert not agents_visible_to(cast.mlro).filter(pk=theirs.pk).exists()
    assert not alerts_visible_to(cast.mlro).filter(pk=alert.pk).exists()


def test_the_list_narrows_by_state_and_severity(cast, browse):
    high = make_alert(cast.agent)
    severe = make_alert(cast.other_agent, severity="severe", state="in_review", reviewer=cast.mlro)
    browser = browse(cast.mlro)
    for query, shown, hidden in (
        ({"severity": "severe"}, severe, high),
        ({"severity": "high"}, high, severe),
        ({"state": "open"}, high, severe),
        ({"state": "in_review"}, severe, high),
    ):
        text = page(browser, "monitoring_alerts", **query)
        assert shown.get_absolute_url() in text and hidden.get_absolute_url() not in text


def test_the_list_gives_the_first_reason(cast, browse):
    make_alert(cast.agent, reasons=[BULK])
    assert "exported 5,000 rows" in page(browse(cast.desk_head), "monitoring_alerts")


def test_an_alert_without_reasons_still_opens(cast, browse):
    alert = make_alert(cast.agent)
    assert browse(cast.desk_head).get(alert.get_absolute_url()).status_code == 200


@pytest.mark.parametrize(("who", "is_named"), [("desk_head", True), ("mlro", True), ("auditor", False)])
def test_names_are_for_those_who_need_them(cast, browse, who, is_named):
    make_alert(cast.agent)
    text = page(browse(getattr(cast, who)), "monitoring_alerts")
    assert (str(cast.agent) in text) is is_named
    assert (pseudonym(cast.agent.pk) in text) is not is_named


def test_an_auditor_cannot_find_people_by_name(cast, browse):
    """Without names a search by name would tell who a pseudonym is."""
    for agent in (cast.agent, cast.other_agent):
        AgentDay.objects.create(agent=agent, day=DAY, active_hours=5)
    text = page(browse(cast.auditor), "monitoring_agents", q="Alice")
    assert pseudonym(cast.agent.pk) in text and pseudonym(cast.other_agent.pk) in text
    text = page(browse(cast.mlro), "monitoring_agents", q="Alice")
    assert str(cast.agent) in text and str(cast.other_agent) not in text


def test_the_list_of_people_shows_their_last_day(cast, browse):
    for day, probability in ((DAY - dt.timedelta(days=1), 0.9), (DAY, 0.001)):
        AgentDay.objects.create(agent=cast.agent, day=day, active_hours=5)
        DayScore.objects.create(
            agent=cast.agent,
            day=day,
            expected=[1.0] * 12,
            dispersion=[0.3] * 12,
            feature_p=[0.5] * 12,
            family_p=[0.5] * 5,
            probability=probability,
            is_final=True,
            scored_at=at(23),
        )
    text = page(browse(cast.desk_head), "monitoring_agents")
    assert "1 day in 1,000" in text and str(cast.retention) not in text, "who has no counted day is not listed"
    assert AccessEvent.objects.get(user=cast.desk_head, target="monitoring.agents").rows == 1


@pytest.mark.parametrize("reason", ["", "w" * 201])
def test_a_name_is_not_shown_without_a_fitting_reason(cast, browse, reason):
    alert = make_alert(cast.agent)
    browser = browse(cast.auditor)
    address = reverse("monitoring_unmask", args=[alert.pk])
    assert "Show name" in browser.get(address).content.decode()
    browser.post(address, {"reason": reason})
    assert pseudonym(cast.agent.pk) in browser.get(alert.get_absolute_url()).content.decode()
    assert not AccessEvent.objects.filter(kind="reveal").exists()


def test_showing_one_name_shows_no_other(cast, browse):
    alert, other = make_alert(cast.agent), make_alert(cast.other_agent)
    browser = browse(cast.auditor)
    browser.post(reverse("monitoring_unmask", args=[alert.pk]), {"reason": "quarterly check"})
    assert str(cast.agent) in browser.get(alert.get_absolute_url()).content.decode()
    assert str(cast.other_agent) not in browser.get(other.get_absolute_url()).content.decode()
    assert str(cast.agent) not in browse(cast.auditor).get(alert.get_absolute_url()).content.decode()


def test_evidence_narrows_to_one_kind(cast, browse):
    look(cast.agent, at(9), client=cast.client.pk)
    look(cast.agent, at(10), "export", rows=1234, target="table:leads")
    look(cast.other_agent, at(11), "export", rows=9876, target="table:others")
    address = reverse("monitoring_evidence", args=[make_alert(cast.agent).pk])
    browser = browse(cast.desk_head)
    text = browser.get(address, {"kind": "export"}).content.decode()
    assert "1,234" in text and "clients.client" not in text and "9,876" not in text
    text = browser.get(address, {"kind": "nonsense"}).content.decode()
    assert "1,234" in text and "clients.client" in text, "an unknown kind narrows nothing"


def test_the_tile_shows_the_five_newest_that_wait(cast):
    alerts = [make_alert(cast.agent, day=DAY - dt.timedelta(days=back), reasons=[BULK]) for back in range(6)]
    make_alert(cast.other_agent)
    make_alert(cast.retention, state="decided", decided_at=at(23), reviewer=cast.mlro)
    rows = home_cards.open_alerts(cast.desk_head).rows
    assert [row.url for row in rows] == [alert.get_absolute_url() for alert in alerts[:0:-1]]
    assert rows[0].note == capfirst(in_words(BULK))
    assert panels.open_alerts(cast.desk_head) == 6 and panels.open_alerts(cast.agent) == 0


def test_nobody_responsible_means_everybody_who_may_is_notified(cast):
    """Bruno's desk has no head."""
    alert = make_alert(cast.other_agent)
    publish(AlertRaised(alert_id=alert.pk, agent_id=alert.agent_id, brand_id=alert.brand_id))
    events.drain()
    rows = Notification.objects.filter(kind="monitoring.alert_raised")
    assert {row.user for row in rows} == {cast.mlro, cast.administrator}


def test_an_alert_about_the_head_goes_past_the_desk(cast):
    make_staff("deputy@meridian.example", Role.DESK_HEAD, brand=cast.brand, desk=cast.desk, reaches=cast.desk)
    alert = make_alert(cast.desk_head)
    publish(AlertRaised(alert_id=alert.pk, agent_id=alert.agent_id, brand_id=alert.brand_id))
    events.drain()
    rows = Notification.objects.filter(kind="monitoring.alert_raised")
    assert {row.user for row in rows} == {cast.mlro, cast.administrator}


def test_the_list_marks_who_is_watched_today(cast):
    today = at(12).date()
    for agent in (cast.agent, cast.retention):
        AgentDay.objects.create(agent=agent, day=DAY, active_hours=5)
    Watch.objects.create(
        agent=cast.agent, kind="notice", from_on=today, to_on=today, reason="x", made_by=cast.desk_head
    )
    make_alert(cast.retention)
    table = AgentTable(cast.desk_head, QueryDict())
    table.now = at(12)
    rows = {row.pk: (row.is_watched, row.has_open_alert) for row in table.queryset()}
    assert rows == {cast.agent.pk: (True, False), cast.retention.pk: (False, True)}
