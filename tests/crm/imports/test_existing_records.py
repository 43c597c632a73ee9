"""Existing clients and leads beside their rows: unchanged, or what would change; and what the uploader chose to do with it."""

import json

import pytest
from django.core.management import call_command
from django.urls import reverse

from clients.import_kinds.people import ClientKind
from clients.models import Client, Identifier, TimelineEntry
from crm.choices import DataImportState
from crm.imports import applying, importing
from crm.models import AuditEvent, DataImport, OutboxEvent
from crm.security import audit
from tests.cast import make_client, signed_in
from tests.crm.imports.files import checked, imported, row, silent
from tests.faults.killing import killed_at

pytestmark = pytest.mark.django_db
HEAD = "id,email,first,last,city,country,phone,dob,consent\n"


@pytest.fixture
def anna(cast):
    """A client with a city and without a phone number."""
    return make_client(
        brand=cast.brand,
        book=cast.book,
        email="anna.berg@example.com",
        first_name="Anna",
        last_name="Berg",
        city="Berlin",
        country="DE",
        login=False,
        stage="registered",
        registered_at="2026-01-02T00:00:00Z",
    )


def line(**fields):
    known = {"id": "1", "email": "anna.berg@example.com", **fields}
    return HEAD + ",".join(known.get(name, "") for name in HEAD.strip().split(",")) + "\n"


def fields_of(batch, number=2):
    return {change["field"]: (change["before"], change["after"]) for change in row(batch, number).changes}


def test_unchanged_rows_and_differences_are_told_apart(cast, anna):
    text = line(first="ANNA", last="berg", city="Berlin")
    assert checked(cast, text).counts == {"same": 1}
    batch = checked(cast, line(first="Anna", city="Hamburg", country="AT", phone="+4915123456789"))
    assert batch.counts == {"changed": 1}
    assert fields_of(batch) == {
        "city": ("Berlin", "Hamburg"),
        "country": ("Germany", "Austria"),
        "phone": ("", "+4915123456789"),
    }


def test_empty_cells_and_unmapped_columns_change_nothing(cast, anna):
    batch = imported(cast, line(), existing="update")
    assert batch.counts == {"same": 1}
    assert Client.objects.get(pk=anna.pk).city == "Berlin"


@pytest.mark.parametrize(
    ("existing", "city", "phone", "updated"),
    [("keep", "Berlin", "", 0), ("fill", "Berlin", "+4915123456789", 1), ("update", "Hamburg", "+4915123456789", 1)],
)
def test_the_uploader_chooses_what_happens_to_details(cast, anna, existing, city, phone, updated):
    batch = imported(cast, line(city="Hamburg", phone="+4915123456789"), existing=existing)
    client = Client.objects.get(pk=anna.pk)
    assert (client.city, client.phone) == (city, phone)
    assert (batch.counts, batch.applied) == ({"changed": 1} | ({"updated": 1} if updated else {}), 1)
    kept = row(batch, 2).changes
    assert all("before" not in change and "after" not in change for change in kept), "values go once they are imported"
    assert {change["field"] for change in kept if change.get("is_written")} == {
        name for name, is_new in (("city", city == "Hamburg"), ("phone", phone)) if is_new
    }


def test_an_update_is_audited_with_history_event_and_timeline(cast, anna):
    batch = imported(cast, line(city="Hamburg", phone="+4915123456789"), existing="update")
    event = AuditEvent.objects.get(action="clients.profile_changed", client_id=anna.pk)
    body = audit.body_of(event)
    assert (body["before"], body["after"]) == (
        {"city": "Berlin", "phone": ""},
        {"city": "Hamburg", "phone": "+4915123456789"},
    )
    assert body["evidence"]["import"] == batch.pk and event.actor_id == cast.administrator.pk
    version = anna.history.order_by("-history_id")[0]
    assert (version.city, version.history_user, version.history_type) == ("Hamburg", cast.administrator, "~")
    (outbox,) = OutboxEvent.objects.filter(name="client.profile_changed")
    assert outbox.payload["fields"] == ["city", "phone"]
    assert TimelineEntry.objects.filter(client=anna, title="Updated by an import from uptrader").count() == 1
    assert Identifier.objects.filter(client=anna, kind="phone").exists()


def test_what_a_document_has_proved_is_never_changed(cast, anna):
    Client.objects.filter(pk=anna.pk).update(kyc_level=1)
    text = line(first="Hannah", last="Berger", dob="1990-01-02", city="Hamburg")
    batch = checked(cast, text)
    kept = {change["field"]: change.get("kept", "") for change in row(batch, 2).changes}
    assert kept["city"] == "" and all(
        "KYC corrects it" in kept[name] for name in ("first_name", "last_name", "date_of_birth")
    )
    imported(cast, text, existing="update")
    client = Client.objects.get(pk=anna.pk)
    assert (client.first_name, client.last_name, client.date_of_birth, client.city) == ("Anna", "Berg", None, "Hamburg")


def test_verified_between_check_and_import_is_kept_as_well(cast, anna):
    batch = checked(cast, line(last="Berger"))
    importing.confirm(import_id=batch.pk, actor=cast.administrator, existing="update", is_queued=False)
    Client.objects.filter(pk=anna.pk).update(kyc_level=1)
    batch = applying.apply(batch, silent)
    assert Client.objects.get(pk=anna.pk).last_name == "Berg" and batch.counts == {"same": 1}


def test_rows_that_only_differ_in_what_is_kept_are_unchanged(cast, anna):
    batch = checked(cast, line(consent="yes"))
    assert batch.counts == {"same": 1} and "only the client gives consent" in row(batch, 2).changes[0]["kept"]
    Client.objects.filter(pk=anna.pk).update(marketing_consent=True)
    imported(cast, line(consent="no"), existing="update")
    assert Client.objects.get(pk=anna.pk).marketing_consent is False


def test_an_address_of_another_client_is_kept(cast, anna):
    imported(cast, line(), existing="keep")  # known by the other system's number from now on
    Client.objects.filter(pk=anna.pk).update(email="")
    batch = imported(cast, line(email=cast.other_client.email, city="Hamburg"), existing="update")
    client = Client.objects.get(pk=anna.pk)
    assert (client.email, client.city) == ("", "Hamburg")
    assert "another client has this e-mail address" in str(row(batch, 2).changes)


def test_contact_details_are_replaced_only_by_who_sees_them(cast, anna):
    """As on the record's page: an administrator may add a phone number, but doesn't know which one they would replace."""
    Client.objects.filter(pk=anna.pk).update(phone="+4915100000000")
    batch = imported(cast, line(phone="+4915123456789", city="Hamburg"), existing="update")
    client = Client.objects.get(pk=anna.pk)
    assert (client.phone, client.city) == ("+4915100000000", "Hamburg")
    assert "your role can't change contact details" in str(row(batch, 2).changes)
    shown = checked(cast, line(phone="+4915123456789"))
    assert "00000000" not in str(row(shown, 2).changes), "nor reads it in the report"


def test_a_full_name_in_one_column_is_compared_as_a_whole(cast, anna):
    Client.objects.filter(pk=anna.pk).update(first_name="Anna", last_name="von Berg")
    assert checked(cast, "email,name\nanna.berg@example.com,Anna von Berg\n").counts == {"same": 1}


def test_existing_leads_are_compared_too(cast):
    lead = make_client(brand=cast.brand, book=cast.book, email="lea@example.com", login=False, first_name="Lea")
    batch = imported(cast, "id,email,country\n5,lea@example.com,AT\n", kind="leads", existing="fill")
    assert Client.objects.get(pk=lead.pk).country == "AT" and batch.counts["updated"] == 1


def test_the_same_file_again_finds_nothing_to_change(cast, anna):
    text = line(city="Hamburg")
    imported(cast, text, existing="update")
    again = imported(cast, text, existing="update")
    assert again.counts == {"same": 1}
    assert AuditEvent.objects.filter(action="clients.profile_changed").count() == 1


def test_comparing_takes_as_many_queries_for_many_rows(cast, anna, django_assert_max_num_queries):
    text = HEAD + "".join(f"{n},p{n}@example.com,A,B,Berlin,DE,,,\n" for n in range(60))
    imported(cast, text)
    changed = text.replace("Berlin", "Bonn")
    batch = checked(cast, changed)
    assert batch.counts == {"changed": 60}
    importing.confirm(import_id=batch.pk, actor=cast.administrator, existing="update", is_queued=False)
    with django_assert_max_num_queries(60):
        applying.apply(batch, silent)
    assert Client.objects.filter(city="Bonn").count() == 60


@pytest.mark.django_db(transaction=True)
def test_killed_while_updating_it_goes_on_and_changes_each_once(cast, monkeypatch):
    monkeypatch.setattr(ClientKind, "batch_rows", 3)
    text = "id,email,city\n" + "".join(f"{n},p{n}@example.com,Berlin\n" for n in range(7))
    imported(cast, text)
    batch = checked(cast, text.replace("Berlin", "Bonn"))
    importing.confirm(import_id=batch.pk, actor=cast.administrator, existing="update", is_queued=False)
    deaths, step = 0, 3
    while killed_at(step, lambda: applying.apply(DataImport.objects.get(pk=batch.pk), silent)):
        deaths, step = deaths + 1, step + 9
        assert AuditEvent.objects.filter(action="clients.profile_changed").count() == (
            Client.objects.filter(city="Bonn").count()
        )
    batch.refresh_from_db()
    assert deaths >= 3 and batch.state == DataImportState.DONE and batch.counts == {"changed": 7, "updated": 7}
    assert AuditEvent.objects.filter(action="clients.profile_changed").count() == 7


def test_the_page_asks_and_the_report_counts(cast, anna):
    browser = signed_in(cast.administrator)
    batch = checked(cast, line(city="Hamburg", phone="+4915123456789"))
    address = reverse("data_import", args=[batch.pk])
    page = browser.get(address).content.decode()
    assert "1 of them differs from the file" in page and "Fill empty fields only" in page
    assert "City: Berlin → Hamburg" in page
    browser.post(reverse("data_import_confirm", args=[batch.pk]), {"existing": "fill"})
    batch.refresh_from_db()
    assert batch.existing_records == "fill"
    applying.apply(batch, silent)
    page = browser.get(address).content.decode()
    assert "Existing records updated" in page and "Phone updated" in page and "City differs and is kept" in page


@pytest.mark.parametrize("existing", ["", "everything", "fill"])
def test_what_is_no_choice_keeps_the_details(cast, anna, existing):
    batch = checked(cast, line(city="Hamburg"))
    signed_in(cast.administrator).post(reverse("data_import_confirm", args=[batch.pk]), {"existing": existing})
    batch.refresh_from_db()
    assert batch.existing_records == (existing if existing == "fill" else "keep")


def test_the_command_lists_differences_and_takes_the_choice(cast, anna, tmp_path, capsys):
    file, mapping = tmp_path / "clients.csv", tmp_path / "map.json"
    file.write_text(line(city="Hamburg"))
    mapping.write_text(
        json.dumps(
            {"kind": "clients", "system": "old", "fields": {"external_id": "id", "email": "email", "city": "city"}}
        )
    )
    arguments = ("import_crm", str(file), "--map", str(mapping), "--brand", cast.brand.code)
    call_command(*arguments, "--dry-run", "--json")
    report = json.loads(capsys.readouterr().out)
    assert report["counts"]["changed"] == 1 and report["rows"][0]["changes"] == [
        {"field": "city", "column": "City", "before": "Berlin", "after": "Hamburg"}
    ]
    assert Client.objects.get(pk=anna.pk).city == "Berlin"
    call_command(*arguments, "--as", cast.administrator.email, "--existing", "update", "--json")
    assert json.loads(capsys.readouterr().out)["updated"] == 1
    assert Client.objects.get(pk=anna.pk).city == "Hamburg"
