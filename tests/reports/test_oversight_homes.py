"""The cockpits of auditors and administrators: their figures are those of the log, of staff, servers and queues."""

import datetime as dt

import pytest
from django.utils import timezone

from compliance.audit_log import audit_topics
from compliance.restrictions import place_restriction
from compliance.views import audit_cards
from crm import audit_codes, events
from crm.audit_codes import CrmAction
from crm.choices import AccessKind, DeliveryState, MailState
from crm.models import EventDelivery, OutgoingMail, User
from crm.pages import admin_cards
from crm.security import access_log, audit
from monitoring.cards import home_cards as watched
from monitoring.models import AgentDay
from tests.reports.test_control_homes import fresh, rows_of
from tests.trading.factories import make_server
from trading.models import SyncCursor
from trading.servers import home_cards as servers

pytestmark = pytest.mark.django_db


def record(cast, action: str) -> None:
    audit.record(actor=cast.administrator, action=action, target=cast.agent, brand_id=cast.brand.pk)


def test_every_code_of_a_topic_is_declared():
    codes = {*audit_topics.APPROVED, *audit_topics.REJECTED, *audit_topics.HIGH_RISK}
    assert [code for code in codes if audit_codes.find(code) is None] == []


# ── auditor ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_seal_card_turns_red_when_nothing_is_sealed(cast):
    auditor = fresh(cast.auditor)
    record(cast, CrmAction.ROLE_GIVEN)
    assert audit_cards.sealed(auditor).tone == "danger"
    audit.seal_pending()
    assert (audit_cards.sealed(auditor).value, audit_cards.sealed(auditor).tone) == ("0", "success")
    record(cast, CrmAction.ROLE_GIVEN)
    assert audit_cards.sealed(auditor).value == "1"


def test_second_approvals_and_risks_open_the_rows_that_they_count(cast, browse):
    for action in (CrmAction.GRANT_APPROVED, CrmAction.GRANT_REJECTED, CrmAction.STAFF_CHANGED):
        record(cast, action)
    browser, auditor = browse(cast.auditor), fresh(cast.auditor)
    kpi = audit_cards.second_approvals(auditor)
    assert (kpi.value, kpi.hint) == ("2", "1 approved · 1 rejected") and len(rows_of(browser, kpi.url)) == 2
    card = audit_cards.high_risk_actions(auditor)
    assert [row.title for row in card.rows] == ["Access request approved"]
    assert len(rows_of(browser, card.url)) == len(rows_of(browser, card.rows[0].url)) == 1
    assert [series.values[-1] for series in audit_cards.actions_by_day(auditor).chart.series] == [0, 0, 0, 0, 3]


def test_exports_are_named_by_their_list(cast):
    access_log.note(user=cast.finance, kind=AccessKind.EXPORT, target="table:clients.csv", rows=1200)
    (row,) = audit_cards.latest_exports(fresh(cast.auditor)).rows
    assert (row.note, row.end) == ("Clients · CSV", "1,200 rows")


def test_views_compare_two_weeks_of_the_agents_in_reach(cast):
    today = timezone.localdate()
    for back, views in ((1, 30), (8, 20), (20, 500)):
        AgentDay.objects.create(
            agent=cast.agent, day=today - dt.timedelta(days=back), views=views, reveals=2, exports=1
        )
    views, left = watched.client_views(fresh(cast.auditor)), watched.exports_and_reveals(fresh(cast.auditor))
    assert (views.now, views.before, views.change) == (30, 20, "+50 %")
    assert (left.now, left.before) == (3, 3)


# ── administrator ────────────────────────────────────────────────────────────────────────────────────────────────────
def test_who_lacks_a_second_factor_is_in_the_list_behind(cast, browse):
    browser, administrator = browse(cast.administrator), fresh(cast.administrator)
    kpi = admin_cards.second_factors(administrator)
    assert int(kpi.value) == len(rows_of(browser, kpi.url)) > 0 and kpi.tone == "danger"
    gaps = {row.title: row.end for row in admin_cards.setup_gaps(administrator).rows}
    assert gaps["No second factor"] == kpi.value and gaps["Only one administrator"] == "1"


def test_failed_events_and_mail_are_counted(cast, browse):
    place_restriction(client_id=cast.client.pk, kind="no_deposit", reason="Asked by the police", actor=cast.mlro)
    now = timezone.now()
    OutgoingMail.objects.create(
        kind="x",
        to="lost@example.com",
        subject="Welcome",
        body=b"",
        brand=cast.brand,
        state=MailState.FAILED,
        due_at=now,
        finished_at=now,
        error="SMTPRecipientsRefused",
    )
    browser, administrator = browse(cast.administrator), fresh(cast.administrator)
    kpi = admin_cards.failed_mail(administrator)
    assert kpi.value == "1" and len(rows_of(browser, kpi.url)) == 1
    page = browser.get(kpi.url).content.decode()
    assert "example.com" in page and "lost@" not in page
    events.drain()
    delivery = EventDelivery.objects.first()
    assert delivery is not None
    EventDelivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.DEAD, finished_at=now)
    kpi = admin_cards.failed_events(administrator)
    assert (kpi.value, kpi.tone) == ("1", "danger") and len(rows_of(browser, kpi.url)) == 1


def test_servers_with_a_problem_come_first(cast):
    well, ill = make_server(name="A"), make_server(name="B")
    for server, failures in ((well, 0), (ill, 3)):
        SyncCursor.objects.create(
            server=server,
            kind="deals",
            failures=failures,
            error="timed out" if failures else "",
            read_at=timezone.now(),
            lag_ms=40,
        )
    administrator = User.objects.get(pk=cast.administrator.pk)
    kpi = servers.in_sync(administrator)
    assert (kpi.value, kpi.target_text, kpi.tone) == ("1", "1 of 2 servers", "danger")
    assert [(row.title, row.end, row.note) for row in servers.servers(administrator).rows] == [
        ("B", "Problem", "timed out"),
        ("A", "In sync", "MetaTrader 5"),
    ]
