"""Columns that are a brand's custom fields: typed, checked by row and column, remembered, compared and written."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.urls import reverse

from clients.custom_fields import setup
from clients.custom_fields.values import values_of
from clients.models import Client, CustomFieldType, CustomValue
from crm.choices import DataImportState
from crm.imports import applying, importing
from crm.models import AuditEvent, ImportMapping
from tests.cast import signed_in
from tests.clients.test_custom_fields import WRONG, add, enter
from tests.crm.imports.files import checked, imported, reasons, row, silent, uploaded

pytestmark = pytest.mark.django_db
# What a file says by type, with a decimal comma and days first, and how it is kept.
GIVEN = {
    CustomFieldType.TEXT: ("Prefers mornings", "Prefers mornings"),
    CustomFieldType.NUMBER: ("12,5", Decimal("12.5")),
    CustomFieldType.MONEY: ("1.000,50", Decimal("1000.50")),
    CustomFieldType.DATE: ("20.11.2026", dt.datetime(2026, 11, 20, tzinfo=dt.UTC)),
    CustomFieldType.YES_NO: ("ja", True),
    CustomFieldType.CHOICE: ("GOLD", "gold"),
    CustomFieldType.CHOICES: ("Gold|silver", ["gold", "silver"]),
}
SYSTEM = {"dates": "dmy", "decimal": ","}


def mapped(*keys):
    fields = {"email": "email", **{f"custom_{key}": key for key in keys}}
    return {"fields": fields, **SYSTEM}


def take(cast, value, *, kind="clients", email="rosa@example.com", **options):
    return imported(cast, f"email;tier\n{email};{value}\n", mapped("tier"), kind=kind, **options)


@pytest.mark.parametrize("kind", ["clients", "leads"])
@pytest.mark.parametrize("type_", list(CustomFieldType))
def test_each_type_is_read_and_written(cast, type_, kind):
    given, kept = GIVEN[type_]
    field = add(cast, type_=type_)
    take(cast, given, kind=kind)
    assert values_of(Client.objects.get(email="rosa@example.com")) == {field.pk: kept}


@pytest.mark.parametrize("type_", list(WRONG))
def test_what_does_not_fit_is_refused_by_row_and_column(cast, type_):
    add(cast, type_=type_, labels={"en": "Loyalty"})
    batch = checked(cast, f"email;tier\na@example.com;{WRONG[type_]}\n", {**mapped("tier"), "decimal": "."})
    assert batch.counts == {"refused": 1}
    assert row(batch, 2).errors[0]["column"] == "tier" and reasons(batch)[2][0]


def test_columns_are_found_by_key_and_by_label_in_any_language(cast):
    add(cast, "loyalty", labels={"en": "Loyalty tier", "de": "Treuestufe"})
    for heading in ("loyalty", "LOYALTY TIER", "Treue-Stufe"):
        assert (
            uploaded(cast, f"email,{heading}\na@example.com,x\n").mapping["fields"]["custom_loyalty"]["column"]
            == heading
        )


def test_fields_of_leads_of_other_brands_and_archived_ones_are_not_offered(cast):
    add(cast, "leads_only", for_clients=False)
    gone = add(cast, "gone")
    setup.archive_custom_field(field_id=gone.pk, actor=cast.administrator)
    browser = signed_in(cast.administrator)
    add(cast, "tier")
    page = browser.get(
        reverse("data_import_mapping", args=[uploaded(cast, "email\na@example.com\n").pk])
    ).content.decode()
    assert "column_custom_tier" in page and "Custom fields" in page
    assert "column_custom_leads_only" not in page and "column_custom_gone" not in page


def test_the_mapping_page_takes_and_remembers_them(cast):
    add(cast, type_=CustomFieldType.CHOICE)
    browser, batch = signed_in(cast.administrator), uploaded(cast, "email,Stufe\nrosa@example.com,Premium\n")
    data = {
        "dates": "ymd",
        "decimal": ".",
        "column_email": "email",
        "column_custom_tier": "Stufe",
        "remember_as": "Old CRM",
    }
    address = reverse("data_import_mapping", args=[batch.pk])
    browser.post(address, {**data, "values_custom_tier": "Premium = gold"})
    saved = ImportMapping.objects.get().definition["fields"]["custom_tier"]
    assert saved == {"column": "Stufe", "values": {"Premium": "gold"}}
    again = uploaded(cast, "email,Stufe\nrosa@example.com,Premium\n")
    assert again.mapping["fields"]["custom_tier"] == saved
    imported(cast, "email,Stufe\nrosa@example.com,Premium\n", again.mapping)
    assert CustomValue.objects.get().code == "gold"


def test_a_field_archived_after_the_check_refuses_its_rows(cast):
    field = add(cast)
    batch = checked(cast, "email;tier\na@example.com;x\nb@example.com;\n", mapped("tier"))
    importing.confirm(import_id=batch.pk, actor=cast.administrator, is_queued=False)
    setup.archive_custom_field(field_id=field.pk, actor=cast.administrator)
    batch = applying.apply(batch, silent)
    assert batch.state == DataImportState.DONE and batch.counts == {"refused": 1, "new": 1}
    assert "archived" in reasons(batch)[2][0] and not Client.objects.filter(email="a@example.com").exists()


def test_a_mapping_that_names_an_archived_field_is_refused_in_words(cast):
    field = add(cast)
    batch = uploaded(cast, "email;tier\na@example.com;x\n")
    setup.archive_custom_field(field_id=field.pk, actor=cast.administrator)
    with pytest.raises(Exception, match="custom_tier"):
        importing.map_columns(import_id=batch.pk, actor=cast.administrator, definition=mapped("tier"), is_queued=False)


@pytest.mark.parametrize(("existing", "kept"), [("keep", "old"), ("fill", "old"), ("update", "new")])
def test_existing_values_are_compared_and_changed_as_chosen(cast, existing, kept):
    field, empty = add(cast), add(cast, "note")
    enter(cast, field, "old", actor=cast.agent)
    text = f"email;tier;note\n{cast.client.email};new;written\n"
    batch = imported(cast, text, mapped("tier", "note"), existing=existing)
    values = values_of(cast.client)
    assert values[field.pk] == kept and values.get(empty.pk) == (None if existing == "keep" else "written")
    written = AuditEvent.objects.filter(action="clients.custom_values_changed", actor=cast.administrator)
    assert written.count() == (0 if existing == "keep" else 1)
    same = checked(cast, f"email;tier\n{cast.client.email};{kept}\n", mapped("tier"))
    assert same.counts == {"same": 1} and batch.counts["changed"] == 1


def test_the_command_maps_them_by_key(cast, tmp_path, capsys):
    add(cast, type_=CustomFieldType.NUMBER)
    file, mapping = tmp_path / "c.csv", tmp_path / "map.json"
    file.write_text("email;tier\nrosa@example.com;1,5\nbad@example.com;many\n")
    mapping.write_text(json.dumps({"kind": "clients", "system": "old", "brand": cast.brand.code, **mapped("tier")}))
    call_command("import_crm", str(file), "--guess", "clients", "--brand", cast.brand.code)
    assert json.loads(capsys.readouterr().out)["fields"]["custom_tier"] == {"column": "tier"}
    with pytest.raises(Exception, match="1 rows were refused"):
        call_command("import_crm", str(file), "--map", str(mapping), "--dry-run", "--json")
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [one["verdict"] for one in rows] == ["new", "refused"] and rows[1]["errors"][0]["column"] == "tier"
