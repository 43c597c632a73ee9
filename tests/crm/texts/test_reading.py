"""Which words a reader gets: the brand's own in force, else the built-in ones, by language."""

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from crm.models import Brand
from crm.texts.catalogue import find_text
from crm.texts.reading import written_for
from crm.texts.risk_warning import risk_warning_of
from tests.texts import set_text

pytestmark = pytest.mark.django_db
LETTER, TERMS = "kyc.verified", "portal.terms"


def read(brand, key, language):
    written = written_for(find_text(key), brand, language)
    return written.language, written.text.heading


@pytest.mark.parametrize(
    ("own", "reader", "expected"),
    [
        ({}, "de", ("de", "Willkommen")),
        ({}, "fr", ("en", "Welcome")),
        ({"de": "Eigenes"}, "de", ("de", "Eigenes")),
        ({"de": "Eigenes"}, "de-at", ("de", "Eigenes")),
        ({"en": "Own"}, "de", ("de", "Willkommen")),
        ({"en": "Own"}, "fr", ("en", "Own")),
        ({"fr": "Propre"}, "fr", ("fr", "Propre")),
        ({"fr": "Propre"}, "de", ("de", "Willkommen")),
    ],
)
def test_an_email_is_in_the_readers_language_where_there_is_one(cast, own, reader, expected):
    for language, heading in own.items():
        set_text(cast.brand, LETTER, heading, "x", language)
    language, heading = read(cast.brand, LETTER, reader)
    assert language == expected[0] and heading.startswith(expected[1])


@pytest.mark.parametrize(
    ("own", "reader", "expected"),
    [
        ({}, "de", ("de", "Ich habe")),
        ({"en": "Own"}, "de", ("en", "Own")),
        ({"en": "Own", "de": "Eigenes"}, "de", ("de", "Eigenes")),
        ({"de": "Eigenes"}, "fr", ("en", "I have read")),
    ],
)
def test_a_brand_with_own_terms_shows_nobody_elses(cast, own, reader, expected):
    """In the reader's language, else in the brand's default language, which is English here."""
    for language, heading in own.items():
        set_text(cast.brand, TERMS, heading, "x", language)
    language, heading = read(cast.brand, TERMS, reader)
    assert language == expected[0] and heading.startswith(expected[1])


def test_a_version_is_in_force_from_its_moment_on(cast):
    now = timezone.now()
    set_text(cast.brand, LETTER, "First", "x")
    set_text(cast.brand, LETTER, "Second", "x", effective_at=now + dt.timedelta(hours=2))
    assert read(cast.brand, LETTER, "en") == ("en", "First")
    with time_machine.travel(now + dt.timedelta(hours=3)):
        assert read(cast.brand, LETTER, "en") == ("en", "Second")
        set_text(cast.brand, LETTER)
        assert read(cast.brand, LETTER, "en")[1].startswith("Welcome")


def test_another_brands_words_are_never_shown(cast):
    set_text(cast.other_brand, LETTER, "Theirs", "x")
    assert read(cast.brand, LETTER, "en")[1].startswith("Welcome")


def test_nothing_is_asked_of_the_database_while_nothing_changed(cast, django_assert_num_queries):
    set_text(cast.other_brand, LETTER, "Theirs", "x")
    with django_assert_num_queries(0):
        read(cast.brand, LETTER, "en")
    with django_assert_num_queries(2):
        read(cast.other_brand, LETTER, "en")
    with django_assert_num_queries(0):
        read(cast.other_brand, TERMS, "de")


def test_a_new_version_is_read_by_processes_that_kept_the_old_one(cast):
    """The brand's row, which every request reads, says which set of versions counts."""
    set_text(cast.brand, LETTER, "First", "x")
    other_process = Brand.objects.get(pk=cast.brand.pk)
    assert read(other_process, LETTER, "en") == ("en", "First")
    set_text(cast.brand, LETTER, "Second", "x")
    other_process.refresh_from_db()
    assert read(other_process, LETTER, "en") == ("en", "Second")


def test_the_risk_warning_is_filled_or_gives_way(cast):
    cast.brand.loss_percentage = 71
    assert "71% of retail" in risk_warning_of(cast.brand, "en-gb") and "71 % der" in risk_warning_of(cast.brand, "de")
    cast.brand.loss_percentage = None
    assert "vast majority" in risk_warning_of(cast.brand, "en")
    set_text(cast.brand, "crm.risk_warning", "", "Trading is risky.")
    assert risk_warning_of(cast.brand, "de") == "Trading is risky."
