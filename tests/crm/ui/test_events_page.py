"""The dead-letter page: who may, what it shows, sending again and giving up."""

import datetime as dt

import pytest

from crm.models import AuditEvent, EventDelivery, OutboxEvent


@pytest.fixture
def dead(cast):
    event = OutboxEvent.objects.create(name="crm.test", payload={"text": "<b>Ü</b>"}, client_id=5, brand_id=1)
    return EventDelivery.objects.create(
        event=event,
        handler="leads.subscribers.score",
        client_id=5,
        state="dead",
        attempts=9,
        due_at=dt.datetime.now(dt.UTC),
        finished_at=dt.datetime.now(dt.UTC),
        error="Traceback …\nKeyError: 'country'",
    )


def test_the_list_shows_failed_ones_and_waiting_ones_apart(browse, cast, dead):
    page = browse(cast.administrator).get("/events/").content.decode()
    assert "crm.test" in page and "KeyError: &#x27;country&#x27;" in page and "leads.subscribers.score" in page
    assert "crm.test" not in browse(cast.administrator).get("/events/waiting/").content.decode()


def test_the_menu_counts_failed_ones_for_those_who_may_see_them(browse, cast, dead):
    assert '<span class="k-nav-count">1</span>' in browse(cast.administrator).get("/home/").content.decode()
    assert "/events/" not in browse(cast.agent).get("/home/").content.decode()


def test_a_delivery_shows_its_error_and_payload_escaped(browse, cast, dead):
    page = browse(cast.administrator).get(f"/events/{dead.pk}/").content.decode()
    assert "KeyError" in page and "&lt;b&gt;Ü&lt;/b&gt;" in page


def test_sending_again_makes_it_pending_and_is_audited(browse, cast, dead):
    browser = browse(cast.administrator)
    assert browser.get(f"/events/{dead.pk}/replay/").status_code == 405
    browser.post(f"/events/{dead.pk}/replay/")
    dead.refresh_from_db()
    assert (dead.state, dead.attempts) == ("pending", 0)
    assert AuditEvent.objects.filter(action="crm.event_replayed", actor=cast.administrator).count() == 1


def test_a_refused_replay_is_shown_on_the_delivery_s_page(browse, cast, dead):
    """A colleague sent it again in the meantime."""
    EventDelivery.objects.filter(pk=dead.pk).update(state="pending", finished_at=None)
    browser = browse(cast.administrator)
    replayed = browser.post(f"/events/{dead.pk}/replay/", follow=True)
    assert replayed.redirect_chain == [(f"/events/{dead.pk}/", 302)]
    assert "Only a failed delivery can be replayed" in replayed.content.decode()
    skipped = browser.post(f"/events/{dead.pk}/skip/", {"reason": "The lead was a test"}, follow=True)
    assert skipped.redirect_chain == [(f"/events/{dead.pk}/", 302)]
    assert "Only a failed delivery can be replayed or skipped" in skipped.content.decode()
    assert AuditEvent.objects.filter(action__in=["crm.event_replayed", "crm.event_skipped"]).count() == 0


def test_giving_up_needs_a_reason_and_keeps_what_was_typed(browse, cast, dead):
    browser = browse(cast.administrator)
    answer = browser.post(f"/events/{dead.pk}/skip/", {"reason": ""})
    assert answer.status_code == 422
    dead.refresh_from_db()
    assert dead.state == "dead"
    browser.post(f"/events/{dead.pk}/skip/", {"reason": "The lead was a test"})
    dead.refresh_from_db()
    assert dead.state == "skipped"


def test_many_are_sent_again_at_once(browse, cast, dead):
    other = EventDelivery.objects.create(
        event=dead.event, handler="other", state="dead", due_at=dead.due_at, finished_at=dead.due_at
    )
    browse(cast.administrator).post("/events/replay/", {"all": "1", "query": ""})
    assert EventDelivery.objects.filter(pk__in=[dead.pk, other.pk], state="pending").count() == 2


@pytest.mark.parametrize("address", ["/events/", "/events/{}/", "/events/waiting/"])
def test_others_may_not(browse, cast, dead, address):
    assert browse(cast.agent).get(address.format(dead.pk)).status_code == 403


def test_others_may_not_send_again_and_nothing_changes(browse, cast, dead):
    assert browse(cast.desk_head).post(f"/events/{dead.pk}/replay/").status_code == 403
    assert browse(cast.desk_head).post("/events/replay/", {"ids": [dead.pk]}).status_code == 403
    dead.refresh_from_db()
    assert dead.state == "dead"
