import re

import pytest
from django.urls import reverse

from crm.models import AccessEvent, AuditEvent
from monitoring import alerts
from monitoring.choices import Verdict, WatchKind
from monitoring.models import AgentDay, Alert, Decision, Watch
from monitoring.queries import pseudonym
from tests.monitoring.factories import DAY, at, look
from tests.monitoring.test_alerts import desk, flood

__all__ = ["desk", "flood"]
pytestmark = pytest.mark.django_db


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def address(alert, name="monitoring_alert"):
    return reverse(name, args=[alert.pk])


def test_the_head_reads_the_alert_and_records_a_decision(flood, cast, browse):
    browser = browse(cast.desk_head)
    assert cast.agent.get_full_name() in text_of(browser.get(reverse("monitoring_alerts")))
    page = text_of(browser.get(address(flood)))
    assert "150" in page and "baseline" in page and "Record decision" in page
    browser.post(address(flood, "monitoring_take"))
    done = browser.post(
        address(flood, "monitoring_decide"), {"verdict": "reminder", "text": "Talked it over with Alice."}, follow=True
    )
    assert "Decision recorded." in text_of(done)
    decision = Decision.objects.get()
    assert (decision.reviewer, decision.verdict) == (cast.desk_head, "reminder")
    assert AuditEvent.objects.filter(action="monitoring.alert_decided").count() == 1


def test_looking_is_itself_access_logged(flood, cast, browse):
    browser = browse(cast.desk_head)
    browser.get(address(flood))
    browser.get(address(flood, "monitoring_evidence"))
    targets = set(AccessEvent.objects.filter(user=cast.desk_head).values_list("target", flat=True))
    assert {f"monitoring.alert:{flood.pk}", f"monitoring.evidence:{flood.pk}"} <= targets


def test_a_decision_without_words_is_sent_back_with_what_was_chosen(flood, cast, browse):
    response = browse(cast.desk_head).post(address(flood, "monitoring_decide"), {"verdict": "task", "text": ""})
    assert "This field is required" in text_of(response) and 'value="task" selected' in response.content.decode()
    assert not Decision.objects.exists()


def test_the_evidence_comes_a_page_at_a_time_and_can_be_narrowed(flood, cast, browse, django_assert_max_num_queries):
    browser = browse(cast.desk_head)
    where = address(flood, "monitoring_evidence")
    seen, after = 0, ""
    for _page in range(10):
        response = browser.get(where, {"after": after} if after else {})
        seen += response.content.decode().count("clients.client")
        found = re.search(r"after=([^\"&]+)", response.content.decode())
        if not found:
            break
        after = found[1].replace("%3A", ":").replace("%2B", "+").replace("%7E", "~")
    assert seen == 150
    with django_assert_max_num_queries(16):
        outside = browser.get(where, {"outside": "1"}).content.decode()
    assert outside.count(">outside<") == 40
    assert "Nothing of this type" in browser.get(where, {"kind": "export"}).content.decode()
    assert browser.get(where, {"after": "nonsense~7"}).status_code == 200


def test_clients_are_named_in_the_evidence_only_where_the_reviewer_sees_them(desk, cast, browse):
    look(cast.agent, at(9), client=cast.client.pk)
    look(cast.agent, at(9, 1), client=cast.other_client.pk, in_book=False)
    alert = Alert.objects.create(
        agent=cast.agent,
        brand=cast.brand,
        desk=cast.desk,
        day=DAY,
        severity="high",
        probability=0,
        raised_at=at(23),
        updated_at=at(23),
    )
    page = text_of(browse(cast.desk_head).get(address(alert, "monitoring_evidence")))
    assert "Clara Weber" in page and "Núñez" not in page and f"#{cast.other_client.pk}" in page


def test_nobody_sees_their_own_alert_but_everybody_their_own_days(flood, cast, browse):
    browser = browse(cast.agent)
    assert browser.get(address(flood)).status_code in (403, 404)
    page = text_of(browser.get(reverse("monitoring_me")))
    assert "My activity" in page and "Different clients opened" in page


def test_the_head_of_another_desk_sees_nothing_of_it(flood, cast, browse):
    from crm.choices import Role
    from tests.cast import make_staff

    other = make_staff(
        "h@meridian.example", Role.DESK_HEAD, brand=cast.brand, desk=cast.other_desk, reaches=cast.other_desk
    )
    assert browse(other).get(address(flood)).status_code == 404
    assert cast.agent.get_full_name() not in text_of(browse(other).get(reverse("monitoring_alerts")))


def test_an_auditor_sees_a_pseudonym_until_they_say_why(flood, cast, browse):
    browser = browse(cast.auditor)
    page = text_of(browser.get(address(flood)))
    assert pseudonym(cast.agent.pk) in page and cast.agent.get_full_name() not in page
    assert "You can view this alert but not decide it" in page
    browser.post(address(flood, "monitoring_unmask"), {"reason": "quarterly check"})
    assert cast.agent.get_full_name() in text_of(browser.get(address(flood)))
    assert AccessEvent.objects.get(user=cast.auditor, kind="reveal").reason == "quarterly check"
    assert AuditEvent.objects.filter(action="monitoring.agent_unmasked").exists()


@pytest.mark.parametrize(
    ("name", "limit"),
    [("monitoring_alerts", 18), ("monitoring_agents", 20), ("monitoring_watchlist", 18), ("monitoring_me", 14)],
)
def test_the_lists_open_in_a_bounded_number_of_queries(flood, cast, browse, name, limit, django_assert_max_num_queries):
    browser = browse(cast.desk_head)
    browser.get(reverse(name))
    with django_assert_max_num_queries(limit):
        assert browser.get(reverse(name)).status_code == 200


def test_the_alert_page_opens_in_a_bounded_number_of_queries(flood, cast, browse, django_assert_max_num_queries):
    browser = browse(cast.desk_head)
    browser.get(address(flood))
    with django_assert_max_num_queries(26):
        browser.get(address(flood))


def test_a_baseline_page_shows_days_and_what_was_to_be_expected(flood, cast, browse):
    page = browse(cast.desk_head).get(reverse("monitoring_agent", args=[cast.agent.pk])).content.decode()
    assert "Baselines" in page and "baseline-clients" in page
    assert browse(cast.desk_head).get(reverse("monitoring_agent", args=[cast.desk_head.pk])).status_code == 404


def test_the_watchlist_is_kept_on_its_page(cast, browse):
    AgentDay.objects.create(agent=cast.agent, day=DAY, active_hours=4)
    browser = browse(cast.desk_head)
    form = {
        "agent": cast.agent.pk,
        "kind": "notice",
        "from_on": "2026-09-01",
        "to_on": "2026-09-30",
        "reason": "notice given",
    }
    browser.post(reverse("monitoring_watch_new"), form)
    row = Watch.objects.get()
    assert (row.agent, row.kind, row.made_by) == (cast.agent, WatchKind.NOTICE, cast.desk_head)
    assert "already" in text_of(browser.post(reverse("monitoring_watch_new"), form))
    browser.post(reverse("monitoring_watch", args=[row.pk]), {"reason": "stays"})
    row.refresh_from_db()
    assert row.ended_at is not None


def test_a_decided_alert_shows_its_decision_and_no_form(flood, cast, browse):
    alerts.decide(alert_id=flood.pk, actor=cast.mlro, verdict=Verdict.TASK, text="The webinar list.")
    page = text_of(browse(cast.desk_head).get(address(flood)))
    assert "The webinar list." in page and "Record decision" not in page


def test_an_unknown_state_from_a_row_changes_nothing(cast, browse, flood):
    row = Alert.objects.get()
    url = reverse("table_move", args=["monitoring.alerts", row.pk])
    for to in ("in_review", "of no choice", ""):
        answer = browse(cast.desk_head).post(url, {"column": "state", "to": to, "query": ""})
        assert answer.status_code == 200
        assert ("Not changed" in answer.headers["HX-Trigger"]) == (to != "in_review")
    row.refresh_from_db()
    assert (row.state, row.reviewer) == ("in_review", cast.desk_head)


def test_the_alert_page_shows_figures_and_the_clients_concerned(flood, cast, browse, django_assert_max_num_queries):
    browser = browse(cast.desk_head)
    browser.get(address(flood))
    with django_assert_max_num_queries(40):
        page = text_of(browser.get(address(flood)))
    assert "Clients concerned" in page and "Expected" in page and "seen on" in page
    listed = browser.get(address(flood)).content.decode().split("Clients concerned")[1].split("Activity that day")[0]
    assert listed.count("<tr>") == 61, "at most 60 clients and the heading"
    assert listed.count(">outside<") == 60


def test_how_similar_alerts_ended_is_counted(flood, desk, cast, browse):
    earlier = Alert.objects.create(
        agent=desk[3],
        brand=cast.brand,
        desk=cast.desk,
        day=DAY,
        severity="high",
        probability=0.0001,
        reasons=flood.reasons[:1],
        raised_at=at(20),
        updated_at=at(20),
    )
    alerts.decide(alert_id=earlier.pk, actor=cast.desk_head, verdict=Verdict.TASK, text="A campaign.")
    page = text_of(browse(cast.desk_head).get(address(flood)))
    assert "Similar alerts" in page and "Explained: a task or campaign 1" in page


def test_everybody_reads_which_signals_there_are(cast, browse):
    page = text_of(browse(cast.agent).get(reverse("monitoring_signals")))
    assert "What monitoring reads" in page and "Answered calls under 10 seconds" in page
    assert "a person reviews each alert" in page
    assert "deleted after 400 days" in page and "3 years after its decision" in page
