"""Entries and notifications are read in the reader's language of today, not in that of the moment they were written."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.utils import translation
from django.utils.translation import gettext as _

from clients import timeline
from clients.books import move_clients
from clients.calls import log_call
from clients.choices import TimelineKind
from clients.models import TimelineEntry
from clients.stages import move_stage
from crm.models import Notification
from crm.notify import notify
from crm.ui import formats
from tests.cast import signed_in

pytestmark = pytest.mark.django_db


def text_of(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def in_german(user):
    user.language = "de"
    user.save(update_fields=["language"])
    return signed_in(user)


def tell(cast, **more) -> TimelineEntry:
    timeline.tell(
        client_id=cast.client.pk, kind=TimelineKind.PAYMENT, dedupe_key="x",
        title=lambda: _("Deposit: %(money)s") % {"money": formats.money(Decimal(1500), "EUR")}, **more,
    )  # fmt: skip
    return TimelineEntry.objects.get(dedupe_key="x")


def test_an_entry_is_read_in_the_language_of_its_reader(cast):
    """Written while the client read English; the figures in it, too, are written as the reader writes them."""
    entry = tell(cast, is_visible_to_client=True)
    assert entry.title == "Deposit: €1,500.00"
    with translation.override("de"):
        assert entry.reading["title"] == entry.for_client["title"] == "Einzahlung: 1.500,00\xa0€"
    with translation.override("en"):
        assert entry.reading["title"] == entry.title


def test_a_client_who_changes_the_language_reads_old_entries_in_it(cast):
    tell(cast, is_visible_to_client=True)
    assert "Deposit: €1,500.00" in text_of(signed_in(cast.client_user).get("/portal/activity/"))
    assert "Einzahlung: 1.500,00" in text_of(in_german(cast.client_user).get("/portal/activity/"))


def test_staff_read_the_timeline_in_their_language(cast):
    tell(cast)
    page = f"/clients/{cast.client.pk}/"
    assert "Deposit: €1,500.00" in text_of(signed_in(cast.agent).get(page))
    assert "Einzahlung: 1.500,00" in text_of(in_german(cast.agent).get(page))


def test_entries_of_earlier_versions_stay_as_they_are(cast):
    old = TimelineEntry(title="Deposit", data={"for_client": {"title": "Einzahlung", "body": ""}})
    with translation.override("en"):
        assert old.for_client["title"] == "Einzahlung" and old.reading["title"] == "Deposit"


def test_stages_calls_and_moves_are_told_in_every_language(cast):
    """These were frozen in the language of whoever caused them."""
    with translation.override("de"):
        move_stage(client_id=cast.client.pk, to="verified", reason=lambda: _("Identity verified"))
        log_call(client_id=cast.client.pk, actor=cast.agent, outcome="no_answer")
        move_clients(client_ids=[cast.client.pk], to_book_id=cast.pool.pk, actor=None)
    rows = list(TimelineEntry.objects.filter(client=cast.client))
    with translation.override("en"):
        english = {row.reading["title"] for row in rows} | {row.reading["body"] for row in rows}
    with translation.override("de"):
        german = {row.reading["title"] for row in rows} | {row.reading["body"] for row in rows}
    assert "Identity verified" in english and "Identity verified" not in german
    assert any(title.startswith("Moved from") for title in english)
    assert not any(title.startswith("Moved from") for title in german)
    assert any("No answer" in title for title in english) and not any("No answer" in title for title in german)


def test_the_bell_speaks_the_language_of_today(cast):
    notify([cast.client_user.pk], kind="x", title=lambda: _("You are verified"), url="/portal/")
    row = Notification.objects.get(user=cast.client_user, kind="x")
    assert row.title == "You are verified"
    browser = in_german(cast.client_user)
    for page in ("/notifications/", "/notifications/recent/"):
        text = text_of(browser.get(page))
        assert row.said["de"]["title"] in text and "You are verified" not in text, page
