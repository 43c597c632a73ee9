"""Correcting what is known about a person: what changes, who may, and what the page keeps."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from clients.models import Client, TimelineEntry
from clients.profile import change_profile
from crm.errors import DomainError, NotAllowed
from crm.models import AuditEvent
from crm.security import audit
from tests.cast import make_client
from tests.outbox import published

pytestmark = pytest.mark.django_db
FORM = {"first_name": "Clara", "last_name": "Weber", "country": "DE", "language": "de"}


def change(cast, *, actor=None, **changes) -> Client:
    return change_profile(client_id=cast.client.pk, actor=actor or cast.agent, changes=changes)


def now_of(client) -> Client:
    return Client.objects.get(pk=client.pk)


def address(client) -> str:
    return f"/clients/{client.pk}/edit/"


def test_the_log_holds_what_was_and_what_is(cast):
    change(cast, city="Köln", date_of_birth=dt.date(1990, 5, 17), first_name="Clara")
    body = audit.body_of(AuditEvent.objects.get(action="clients.profile_changed"))
    assert body["before"] == {"city": "", "date_of_birth": None}
    assert body["after"] == {"city": "Köln", "date_of_birth": "1990-05-17"}
    assert now_of(cast.client).history.first().city == "Köln"
    assert now_of(cast.other_client).city == ""


def test_nothing_new_leaves_no_trace(cast):
    change(cast, first_name="Clara", email=" CLARA@example.com ", phone="0151 12345678")
    assert not AuditEvent.objects.filter(action="clients.profile_changed").exists()
    assert not TimelineEntry.objects.exists()


@pytest.mark.parametrize(
    ("who", "changes", "is_possible"),
    [
        ("agent", {"city": "Köln"}, True),
        ("agent", {"phone": "+4915198765432"}, True),
        ("kyc_officer", {"city": "Köln"}, True),
        ("kyc_officer", {"email": "new@example.com"}, True),
        ("administrator", {"city": "Köln"}, True),
        ("marketing", {"city": "Köln"}, False),
        ("support", {"email": "new@example.com"}, False),
        ("other_agent", {"city": "Köln"}, False),
        ("client_user", {"city": "Köln"}, False),
    ],
)
def test_who_changes_what(cast, who, changes, is_possible):
    if is_possible:
        change(cast, actor=getattr(cast, who), **changes)
    else:
        with pytest.raises(NotAllowed):
            change(cast, actor=getattr(cast, who), **changes)
    found = {name: getattr(now_of(cast.client), name) for name in changes}
    assert (found == changes) is is_possible


@pytest.mark.parametrize(
    ("typed", "country", "kept"),
    [
        ("0664 1234567", "AT", "+436641234567"),
        ("0043 664 1234567", "DE", "+436641234567"),
        ("+43 (664) 1234567", "", "+436641234567"),
        ("", "DE", ""),
        ("12", "DE", None),
        ("call me", "DE", None),
        ("+999 1234567", "DE", None),
    ],
)
def test_a_telephone_is_kept_as_it_is_called(cast, typed, country, kept):
    if kept is None:
        with pytest.raises(DomainError, match="country code"):
            change(cast, phone=typed, country=country)
        assert now_of(cast.client).phone == "+4915112345678"
    else:
        change(cast, phone=typed, country=country)
        assert now_of(cast.client).phone == kept


def test_the_number_is_read_as_of_the_country_it_is_changed_to(cast):
    change(cast, country="AT", phone="0664 1234567")
    assert (now_of(cast.client).country, now_of(cast.client).phone) == ("AT", "+436641234567")


def test_an_address_may_be_taken_away(cast):
    change(cast, email="", actor=cast.kyc_officer)
    second = make_client(brand=cast.brand, book=cast.book, email="", login=False)
    assert (now_of(cast.client).email, second.email) == ("", ""), "people without an address share nothing"


def test_the_database_holds_one_address_per_brand(cast):
    with pytest.raises(IntegrityError, match="one_client_per_email_and_brand"), transaction.atomic():
        Client.objects.filter(pk=cast.client.pk).update(email=cast.other_client.email)
    with pytest.raises(IntegrityError, match="client_email_is_lower_case"), transaction.atomic():
        Client.objects.filter(pk=cast.client.pk).update(email="Clara@example.com")


# ── the page ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_empty_fields_for_contact_leave_it_as_it_is(cast, browse):
    assert browse(cast.agent).post(address(cast.client), {**FORM, "city": "Köln"}).status_code == 302
    client = now_of(cast.client)
    assert (client.city, client.email, client.phone) == ("Köln", "clara@example.com", "+4915112345678")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"new_email": "oscar@example.com"}, "Another client of this brand already uses this e-mail address."),
        ({"new_email": "no address"}, "Enter a valid email address."),
        ({"new_phone": "12"}, "country code"),
        ({"country": "XX"}, "Select a valid choice"),
        ({"time_zone": "Mars"}, "Enter a time zone such as Europe/Berlin."),
        ({"date_of_birth": "2020-01-01"}, "between 18 and 120"),
        ({"date_of_birth": "soon"}, "Enter a valid date"),
        ({"reason": "w" * 301}, "at most 300 characters"),
    ],
)
def test_what_is_wrong_is_said_and_the_rest_stays(cast, browse, fields, said):
    answer = browse(cast.agent).post(address(cast.client), {**FORM, "city": "Kept city", **fields})
    page = answer.content.decode()
    assert answer.status_code == 422 and said in page and "Kept city" in page
    assert now_of(cast.client).city == ""


def test_who_does_not_see_contacts_has_no_field_for_them(cast, browse):
    assert 'name="new_phone"' in browse(cast.agent).get(address(cast.client)).content.decode()
    cast.agent.groups.first().permissions.remove(
        *cast.agent.groups.first().permissions.filter(codename="reveal_contact")
    )
    browser = browse(type(cast.agent).objects.get(pk=cast.agent.pk))
    assert 'name="new_phone"' not in browser.get(address(cast.client)).content.decode()


@pytest.mark.parametrize("who", ["support", "finance", "auditor", "marketing"])
def test_other_roles_have_no_such_page(cast, browse, who):
    browser = browse(getattr(cast, who))
    assert browser.get(address(cast.client)).status_code == 403
    assert browser.post(address(cast.client), {**FORM, "city": "Köln"}).status_code == 403
    assert now_of(cast.client).city == ""


def test_which_details_changed_is_published_and_not_their_values(cast):
    change(cast, city="Köln", date_of_birth=dt.date(1990, 5, 17), first_name="Clara")
    (event,) = published("client.profile_changed")
    assert event.data == {"fields": ["city", "date_of_birth"]}
    assert (event.client, event.brand, event.actor.id) == (cast.client.pk, cast.brand.pk, cast.agent.pk)
