"""Entries and notifications are read in the reader's language of today, not in that of the moment they were written."""

from __future__ import annotations

import ast
import datetime as dt
import re
from decimal import Decimal

import pytest
from django.conf import settings
from django.utils import translation

from clients import timeline
from clients.books import move_clients
from clients.calls import CallDetails, log_call
from clients.choices import TimelineKind
from clients.countries import country
from clients.models import TimelineEntry
from clients.stages import move_stage
from crm.i18n.localized_text import joined, label_of, lowered, phrase
from crm.models import Notification
from crm.money.amounts import Money
from crm.notices.kinds import CrmNotice
from crm.notices.notify import notify
from tests.cast import signed_in

# gettext, a label or an amount that is a string already.
FROZEN = r"\b(_|gettext|ngettext)\(|\.get_\w+_display\(|formats\.|str\([^)]*label|f['\"].*\.label|\blambda\b"

pytestmark = pytest.mark.django_db


def text_of(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def in_german(user):
    user.language = "de"
    user.save(update_fields=["language"])
    return signed_in(user)


def tell(cast, **more) -> TimelineEntry:
    timeline.add_entry(
        client_id=cast.client.pk,
        kind=TimelineKind.PAYMENT,
        dedupe_key="x",
        title=phrase("Deposit: %(money)s") % {"money": Money(Decimal(1500), "EUR")},
        **more,
    )
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


def test_an_entry_keeps_its_message_and_values(cast):
    """Not the text of each language: what is translated better tomorrow is read so in yesterday's entries, too."""
    entry = tell(cast, body=f"{cast.client.pk}")
    money = {"money": "1500", "currency": "EUR"}
    assert entry.data == {"said": {"title": {"text": "Deposit: %(money)s", "values": {"money": money}}}}
    assert entry.title == "Deposit: €1,500.00", "what a search and an export without a reader find"


def test_values_are_said_in_the_language_of_the_reader(cast):
    """Labels, days, lists, countries and messages within a message; whole numbers may be written by %d."""
    words = joined(
        [
            phrase("Verified: level %(level)d") % {"level": 2},
            phrase("Withdrawal %(state)s: %(money)s returned to the wallet")
            % {
                "state": phrase("Receipt %(reference)s") % {"reference": "50 % off"},
                "money": Money(Decimal("-1.5"), "EUR"),
            },
            lowered(label_of(cast.client, "stage")),
            country("DE"),
            dt.date(2026, 3, 1),
            "",
        ]
    )
    timeline.add_entry(client_id=cast.client.pk, kind=TimelineKind.NOTE, title="x", body=words, dedupe_key="y")
    entry = TimelineEntry.objects.get(dedupe_key="y")
    with translation.override("en"):
        stage = str(label_of(cast.client, "stage"))
        assert entry.reading["body"] == (
            "Verified: level 2 · Withdrawal Receipt 50 % off: −€1.50 returned to the wallet · "
            f"{stage[0].lower()}{stage[1:]} · Germany · Mar 1, 2026"
        )
    with translation.override("de"):
        assert entry.reading["body"].endswith(" · Deutschland · 01.03.2026")
        assert entry.reading["body"].startswith(
            "Verifiziert: Stufe 2 · Auszahlung Beleg 50 % off: −1,50\xa0€ wieder in der Wallet · "
        )


def test_no_notice_is_frozen_in_the_language_of_the_moment():
    """Titles and bodies of entries and notices are phrases: nothing in them is translated while they are written."""
    found = []
    for app in settings.KEELSON_APPS:
        for path in sorted((settings.BASE_DIR / app).rglob("*.py")):
            text, writers = path.read_text(), ("add_entry", "notify", "entry_texts")
            if not any(name in text for name in writers):
                continue
            for call in ast.walk(ast.parse(text)):
                if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] in writers:
                    said = [ast.unparse(one.value) for one in call.keywords if one.arg in ("title", "body")]
                    found += [(str(path), words) for words in said if re.search(FROZEN, words)]
    assert found == []


def test_entries_of_earlier_versions_stay_as_they_are(cast):
    old = TimelineEntry(title="Deposit", data={"for_client": {"title": "Einzahlung", "body": ""}})
    with translation.override("en"):
        assert old.for_client["title"] == "Einzahlung" and old.reading["title"] == "Deposit"
    old = TimelineEntry(title="Deposit", data={"said": {"de": {"title": "Einzahlung", "body": ""}}})
    for language, title in (("en", "Deposit"), ("de", "Einzahlung"), ("de-at", "Einzahlung")):
        with translation.override(language):
            assert old.reading["title"] == title


def test_stages_calls_and_moves_are_told_in_every_language(cast):
    """These were frozen in the language of whoever caused them."""
    with translation.override("de"):
        move_stage(client_id=cast.client.pk, to="verified", reason=phrase("Identity verified"))
        log_call(client_id=cast.client.pk, actor=cast.agent, details=CallDetails("no_answer"))
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
    notify([cast.client_user.pk], kind=CrmNotice.MAIL_FAILED, title=phrase("You are verified"), url="/portal/")
    row = Notification.objects.get(user=cast.client_user, kind=CrmNotice.MAIL_FAILED)
    assert row.title == "You are verified"
    browser = in_german(cast.client_user)
    for page in ("/notifications/", "/notifications/recent/"):
        text = text_of(browser.get(page))
        assert "Sie sind verifiziert" in text and "You are verified" not in text, page
