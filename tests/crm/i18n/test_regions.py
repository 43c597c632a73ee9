"""English of two regions: the same words, each with its own dates; ISO for those who choose it."""

import datetime as dt

import pytest
from django.conf import settings
from django.utils import translation

from crm.i18n import formats
from crm.i18n.languages import variant_of
from crm.notices.mail import Letter, Recipient, send
from wallet.documents.making import language_of

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 11, 23)


def test_dates_and_months_of_each_language():
    written = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            written[code] = (formats.day(DAY), formats.month(DAY, is_short=True), formats.weekdays()[0])
            with formats.dates_as(formats.ISO):
                assert (formats.day(DAY), formats.month(DAY)) == ("2026-11-23", "2026-11")
    assert written == {
        "en-gb": ("23 Nov 2026", "Nov 2026", 0),
        "en-us": ("Nov 23, 2026", "Nov 2026", 6),
        "de": ("23.11.2026", "Nov. 2026", 0),
    }


def test_plain_english_is_the_brands():
    assert variant_of("en", "en-gb") == "en-gb"
    assert variant_of("en", "de") == "en-us", "the company's, in tests"
    assert variant_of("en-gb", "en-us") == "en-gb", "what somebody chose"
    assert variant_of("es", "en-gb") == ""


def test_pages_mails_and_documents_follow_the_clients_format(browse, cast):
    cast.brand.default_language = "en-gb"
    cast.brand.save(update_fields=["default_language"])
    assert language_of(cast.client) == "en-gb"
    cast.client_user.language = "en-us"
    cast.client_user.save(update_fields=["language"])
    cast.client.refresh_from_db()
    assert language_of(cast.client) == "en-us"
    browser = browse(cast.client_user)
    form = {"language": "en-gb", "dates": formats.ISO, "time_zone": "UTC"}
    assert browser.post("/profile/", form).status_code == 302
    page = browser.get("/profile/").content.decode()
    assert '<html lang="en-gb"' in page and ">English (UK)<" in page and ">Deutsch<" in page
    cast.client_user.refresh_from_db()
    sent = send(
        kind="test", to=Recipient.of(cast.client_user), letter=lambda: Letter(subject=formats.day(DAY), paragraphs=())
    )
    assert sent is not None and sent.subject == "2026-11-23"
