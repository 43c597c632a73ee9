"""Clients of another system: read, recognised, and made exactly once."""

import datetime as dt

import pytest

from clients.models import Client, TimelineEntry
from crm.choices import DataImportState
from crm.imports import applying, importing
from crm.models import AccessEvent, AuditEvent, ExternalReference, OutgoingMail
from tests.crm.imports.files import CLIENTS, MAPPING, checked, imported, reasons, row, silent

pytestmark = pytest.mark.django_db


def test_dry_run_gives_each_row_a_verdict_and_writes_nothing(cast):
    before = Client.objects.count()
    text = CLIENTS + (
        f"7003;Known;Client;{cast.client.email.upper()};;DE;;\n"
        "7001;Jürgen;Groß;other@example.com;;DE;;\n"
        "7005;Twice;Mail;Asa+news@example.com;;SE;;\n"
        "7006;No;Country;x@example.com;;Atlantis;32.01.1990;\n"
        ";;;;;DE;;\n"
    )
    batch = checked(cast, text, MAPPING)
    assert batch.state == DataImportState.CHECKED
    assert batch.counts == {"new": 2, "changed": 1, "repeated": 2, "refused": 2}
    assert row(batch, 4).object_id == cast.client.pk
    assert (row(batch, 5).same_as_line, row(batch, 6).same_as_line) == (2, 3)
    assert reasons(batch)[7] == [
        "Unknown country “Atlantis”: use the two-letter code, e.g. DE",
        "“32.01.1990” isn't a date in the order Day, month, year",
    ]
    assert reasons(batch)[8] == ["Needs a number, an e-mail address or a phone number"]
    assert Client.objects.count() == before and not ExternalReference.objects.exists()
    assert AccessEvent.objects.filter(target=f"import:{batch.pk}", user=cast.administrator).exists()


def test_import_makes_registered_clients_and_writes_to_nobody(cast):
    batch = imported(cast, CLIENTS, MAPPING)
    assert (batch.state, batch.applied, batch.counts) == (DataImportState.DONE, 2, {"new": 2})
    client = Client.objects.get(email="juergen@example.com")
    assert (client.stage, client.last_name, client.phone, client.country) == (
        "registered",
        "Groß",
        "+4915123456789",
        "DE",
    )
    assert client.date_of_birth == dt.date(1980, 12, 31)
    assert client.registered_at == client.created_at == dt.datetime(2024, 1, 5, tzinfo=dt.UTC)
    assert (client.book, client.user, client.history.count()) == (cast.pool, None, 1)
    assert TimelineEntry.objects.get(client=client).title == "Imported from uptrader"
    reference = ExternalReference.objects.get(external_id="7001")
    assert (reference.system, reference.kind, reference.object_id) == ("uptrader", "clients", client.pk)
    assert not OutgoingMail.objects.exists()
    assert row(batch, 2).values == {} and row(batch, 2).object_id == client.pk
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {
        "crm.data_import_started",
        "crm.data_import_mapped",
        "crm.data_import_confirmed",
        "crm.data_imported",
    } <= actions
    assert not importing.file_path(batch).exists()


def test_same_file_twice_changes_nothing_and_is_named(cast):
    imported(cast, CLIENTS, MAPPING)
    count = Client.objects.count()
    again = imported(cast, CLIENTS, MAPPING)
    assert again.counts == {"same": 2} and Client.objects.count() == count
    assert "already imported" in again.problems[0]
    assert ExternalReference.objects.count() == 2


def test_known_client_gets_the_other_systems_number_and_keeps_their_details(cast):
    text = f"ID;Vorname;E-Mail\n9;Other name;{cast.client.email}\n"
    mapping = {"fields": {"external_id": "ID", "first_name": "Vorname", "email": "E-Mail"}}
    name = cast.client.first_name
    imported(cast, text, mapping)
    assert ExternalReference.objects.get(external_id="9").object_id == cast.client.pk
    cast.client.refresh_from_db()
    assert cast.client.first_name == name


def test_agents_and_books_are_found_and_unknown_ones_named(cast):
    cast.book.owner = cast.agent
    cast.book.save()
    text = (
        "email,owneremail,book\n"
        f"a@example.com,{cast.agent.email},\n"
        "b@example.com,nobody@example.com,Bruno's book\n"
        "c@example.com,,No such book\n"
    )
    batch = imported(cast, text)
    assert Client.objects.get(email="a@example.com").owner == cast.agent
    assert Client.objects.get(email="b@example.com").book == cast.other_book
    assert row(batch, 3).warnings[0]["message"] == "nobody@example.com is no agent with a book here"
    assert reasons(batch) == {4: ["The brand has no book “No such book”"]}


def test_same_phone_is_one_person_only_with_the_same_name(cast):
    first = "first,last,phone\nAnna,Berg,+4915123456789\n"
    imported(cast, first)
    batch = checked(cast, "first,last,phone\nANNA,Berg,0049 151 23456789\nPaul,Berg,+4915123456789\n")
    assert (row(batch, 2).verdict, row(batch, 3).verdict) == ("same", "new")
    assert "Same phone number as client" in row(batch, 3).warnings[0]["message"]


def test_countries_that_the_brand_refuses_are_refused_with_the_reason(cast):
    batch = checked(cast, "email,country\nkim@example.com,KP\n")
    assert batch.counts == {"refused": 1} and "doesn't accept clients from" in reasons(batch)[2][0]


def test_export_of_a_foreign_shape_is_recognised_by_its_names(cast):
    """Salesforce writes its own names, ISO moments and codes."""
    text = (
        '"Id","FirstName","LastName","Email","MobilePhone","MailingCity","MailingPostalCode","CountryCode","Birthdate","CreatedDate"\n'
        '"0035g00000XyZ","Rosa","Luz","rosa@example.com","+34 600 123 456","Madrid","28001","ES","1985-04-03",'
        '"2023-02-01T10:20:30.000+0000"\n'
    )
    batch = imported(cast, text, system="salesforce")
    client = Client.objects.get(email="rosa@example.com")
    assert (client.city, client.postal_code, client.phone) == ("Madrid", "28001", "+34600123456")
    assert client.registered_at == dt.datetime(2023, 2, 1, 10, 20, 30, tzinfo=dt.UTC)
    assert ExternalReference.objects.get(batch=batch).external_id == "0035g00000XyZ"


def test_person_who_registered_after_the_check_is_known_when_applied(cast):
    batch = checked(cast, CLIENTS, MAPPING)
    known = Client.objects.create(
        brand=cast.brand, book=cast.pool, email="asa@example.com", created_at=dt.datetime.now(dt.UTC)
    )
    importing.confirm(import_id=batch.pk, actor=cast.administrator, is_queued=False)
    applying.apply(batch, silent)
    assert Client.objects.filter(email="asa@example.com").count() == 1
    assert row(batch, 3).object_id == known.pk


def test_other_brands_clients_are_neither_matched_nor_shown(cast):
    Client.objects.create(
        brand=cast.other_brand, book=cast.pool, email="asa@example.com", created_at=dt.datetime.now(dt.UTC)
    )
    assert checked(cast, CLIENTS, MAPPING).counts == {"new": 2}
