import string

import phonenumbers
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.canonical import canonical_email, canonical_phone, country_of_phone, parse_phone
from clients.models import Client
from clients.models.client import EMAIL_CANONICAL

LOCAL = st.text(string.ascii_letters + string.digits + ".+_-", min_size=1, max_size=20)
HOST = st.sampled_from(["gmail.com", "GoogleMail.com", "example.com", "web.de", "MAIL.example.org"])
EMAIL = st.builds(lambda local, host: f"{local}@{host}", LOCAL, HOST)


@pytest.mark.parametrize(
    ("typed", "mailbox"),
    [
        ("Anna.Maria+fx@GoogleMail.com", "annamaria@gmail.com"),
        ("anna.maria@web.de", "anna.maria@web.de"),
        ("anna+broker@web.de", "anna@web.de"),
        ("+odd@web.de", "+odd@web.de"),
        ("", ""),
    ],
)
def test_one_mailbox_has_one_spelling(typed, mailbox):
    assert canonical_email(typed) == mailbox


@given(EMAIL)
def test_a_canonical_address_is_its_own_canonical_address(email):
    assert canonical_email(canonical_email(email)) == canonical_email(email)


@given(EMAIL, LOCAL.map(lambda tag: tag.replace("+", "")))
def test_a_tag_never_makes_another_mailbox(email, tag):
    local, _at, host = email.partition("@")
    bare = local.partition("+")[0]
    if bare:
        assert canonical_email(f"{bare}+{tag}@{host}") == canonical_email(f"{bare}@{host}")


@given(EMAIL)
def test_case_never_makes_another_mailbox(email):
    assert canonical_email(email.upper()) == canonical_email(email)


@pytest.mark.django_db
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(EMAIL | st.just(""))
def test_the_database_computes_the_same_mailbox(email):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {EMAIL_CANONICAL} FROM (SELECT %s::text AS email) typed", [email])
        assert cursor.fetchone()[0] == canonical_email(email)


@pytest.mark.django_db
def test_the_record_knows_its_mailbox_and_its_search_text(cast):
    Client.objects.filter(pk=cast.client.pk).first().save()
    cast.client.email = "Cl.Ara+x@gmail.com"
    cast.client.save()
    client = Client.objects.get(pk=cast.client.pk)
    assert (client.email, client.email_canonical) == ("cl.ara+x@gmail.com", "clara@gmail.com")
    assert client.search_text == f"clara weber cl.ara+x@gmail.com +4915112345678 #{client.pk}"


@pytest.mark.parametrize(
    ("typed", "country", "e164"),
    [
        ("0151 12345678", "DE", "+4915112345678"),
        ("+49 (0)151 12345678", "", "+4915112345678"),
        ("0049 151 12345678", "ES", "+4915112345678"),
        ("612 345 678", "ES", "+34612345678"),
        ("12345", "DE", ""),
        ("call me", "DE", ""),
        ("", "DE", ""),
        ("0151 12345678", "", ""),
    ],
)
def test_a_phone_number_has_one_spelling_or_is_none(typed, country, e164):
    assert canonical_phone(typed, country) == e164


@given(st.integers(15100000000, 17999999999))
def test_however_a_german_mobile_is_written_it_is_one_number(number):
    plain = canonical_phone(f"+49{number}")
    if plain:
        text = str(number)
        for typed in (f"0{text}", f"0049{text}", f"+49 {text[:3]} {text[3:]}", f"0{text[:3]}/{text[3:7]}-{text[7:]}"):
            assert canonical_phone(typed, "DE") == plain
        assert country_of_phone(plain) == "DE"


def test_a_numbers_country_is_that_of_a_full_parse():
    """Calling codes of one country are not parsed; the others, and those of no country, are."""
    examples = filter(None, map(phonenumbers.example_number, phonenumbers.SUPPORTED_REGIONS))
    numbers = [phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) for number in examples]
    assert len(numbers) > 200
    for number in numbers:
        assert country_of_phone(number) == phonenumbers.region_code_for_number(parse_phone(number)), number
    assert [country_of_phone(text) for text in ("", "+", "nonsense", "+999")] == ["", "", "", ""]
