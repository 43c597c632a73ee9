"""The page of scheduled work: who may, what it shows, running failed rows again; and the client's card."""

import datetime as dt

import pytest
from django.utils import timezone

from clients.followups import FOLLOW_UP
from crm.due import due
from crm.models import AuditEvent, DueRow

pytestmark = pytest.mark.django_db


@pytest.fixture
def failed(cast):
    past = timezone.now() - dt.timedelta(hours=3)
    return DueRow.objects.create(
        kind="clients.follow_up",
        key="77",
        client_id=cast.client.pk,
        at=past,
        next_at=past,
        state="failed",
        attempts=9,
        error="Traceback …\nKeyError: '<b>'",
        done_at=timezone.now(),
    )


def test_lists_show_pending_failed_and_finished_rows_apart(browse, cast, failed):
    due(FOLLOW_UP, key=88, at=timezone.now() - dt.timedelta(minutes=7))
    browser = browse(cast.administrator)
    pending = browser.get("/due/").content.decode()
    assert ">88<" in pending and ">77<" not in pending and "Follow-up reminder" in pending
    page = browser.get("/due/failed/").content.decode()
    assert ">77<" in page and "KeyError: &#x27;&lt;b&gt;&#x27;" in page and ">88<" not in page
    DueRow.objects.filter(key="88").update(state="done", done_at=timezone.now())
    assert ">88<" in browser.get("/due/finished/").content.decode()


def test_rows_are_filtered_by_kind_and_client(browse, cast, failed):
    browser = browse(cast.administrator)
    address = f"/due/failed/?kind=clients.follow_up&client_id={cast.client.pk}"
    assert ">77<" in browser.get(address).content.decode()
    assert ">77<" not in browser.get("/due/failed/?client_id=999999").content.decode()


def test_a_row_shows_its_error_escaped_and_runs_again(browse, cast, failed):
    browser = browse(cast.administrator)
    assert "&lt;b&gt;" in browser.get(f"/due/{failed.pk}/").content.decode()
    assert browser.get(f"/due/{failed.pk}/replay/").status_code == 405
    browser.post(f"/due/{failed.pk}/replay/")
    failed.refresh_from_db()
    assert (failed.state, failed.attempts) == ("pending", 0)
    assert AuditEvent.objects.filter(action="crm.due_replayed", actor=cast.administrator).count() == 1
    refused = browser.post(f"/due/{failed.pk}/replay/", follow=True).content.decode()
    assert "Only a failed row can be run again" in refused


def test_many_run_again_at_once(browse, cast, failed):
    browse(cast.administrator).post("/due/replay/", {"all": "1", "query": ""})
    failed.refresh_from_db()
    assert failed.state == "pending"


def test_the_menu_counts_failed_rows(browse, cast, failed):
    assert '<span class="k-nav-count">1</span>' in browse(cast.administrator).get("/home/").content.decode()


@pytest.mark.parametrize("address", ["/due/", "/due/failed/", "/due/finished/", "/due/{}/"])
def test_others_may_not(browse, cast, failed, address):
    assert browse(cast.agent).get(address.format(failed.pk)).status_code == 403


def test_others_may_not_run_it_again_and_nothing_changes(browse, cast, failed):
    assert browse(cast.desk_head).post(f"/due/{failed.pk}/replay/").status_code == 403
    assert browse(cast.desk_head).post("/due/replay/", {"ids": [failed.pk]}).status_code == 403
    failed.refresh_from_db()
    assert failed.state == "failed"


def test_the_client_s_page_says_what_is_due_next(browse, cast):
    address = f"/clients/{cast.client.pk}/"
    assert "Follow-up reminder" not in browse(cast.agent).get(address).content.decode()
    due(FOLLOW_UP, key=88, at=timezone.now() + dt.timedelta(days=2), client_id=cast.client.pk)
    assert "Follow-up reminder" in browse(cast.agent).get(address).content.decode()
