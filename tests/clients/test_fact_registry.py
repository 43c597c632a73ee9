"""The registry of facts: what it says of each is true, and lists, filters, exports and conditions read it."""

import datetime as dt
import json
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.http import QueryDict
from django.utils import timezone

from clients.facts import FACTS, OWNERS, differences, fact_of, rebuild, recomputed
from clients.models import Client
from clients.tables import ClientTable
from clients.vocabulary import CLIENT
from crm.conditions import FieldType, read
from crm.conditions.operators import BY_TYPE
from crm.models import User
from leads.tables import LeadTable
from tests.cast import make_client, signed_in
from wallet.models import WalletFacts

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
BESIDE = [name for name, entry in FACTS.items() if entry.side is not None]


def table_of(user, query="", kind=ClientTable):
    return kind(User.objects.get(pk=user.pk), QueryDict(query), path="/clients/")


@pytest.fixture
def neighbour(cast):
    """A client of the same book without a row in any side table."""
    return make_client(brand=cast.brand, book=cast.book, email="nina@example.com", first_name="Nina")


def conditions(*parts):
    return urlencode({"conditions": json.dumps({"version": 1, "all": list(parts)})})


@pytest.mark.parametrize("entry", FACTS.values(), ids=lambda entry: entry.name)
def test_a_fact_is_described_and_lives_where_it_says(entry):
    assert str(entry.label) and entry.owner in OWNERS and apps.is_installed(entry.owner)
    assert isinstance(entry.type, FieldType) and BY_TYPE[entry.type]
    assert (entry.choices is not None) <= (entry.type in (FieldType.CHOICE, FieldType.SET))
    assert entry.type is not FieldType.SET or entry.choices is not None
    column = entry.model._meta.get_field(entry.name)
    assert entry.side is None or entry.side._meta.app_label == entry.owner, "an app writes its own side table alone"
    if entry.side is not None:
        assert column.null == (entry.absent is None), "without a row it has the default, else it is empty"
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {entry.default}")
            assert cursor.fetchone()[0] == entry.absent
        indexed = {index.fields[0] for index in entry.side._meta.indexes}
        assert entry.name in indexed, "conditions search a side table by its indexes"
    assert CLIENT.field(entry.name).group == OWNERS[entry.owner]


@pytest.mark.parametrize("entry", recomputed(), ids=lambda entry: entry.name)
def test_a_fact_is_recomputed_from_its_source(cast, entry):
    rebuild(entry)
    assert list(differences(entry)) == [] and rebuild(entry) == 0


def test_only_what_people_enter_has_no_source():
    assert {entry.owner for entry in FACTS.values() if not entry.sql} == {"clients"}
    assert {"last_deposit_at", "deposits_count", "trades_closed", "last_document_at", "equity"} <= set(BESIDE)


def test_lists_offer_every_fact_under_its_app(cast):
    offered = {column.name: str(column.group) for column in table_of(cast.desk_head).allowed_columns}
    assert set(FACTS) <= set(offered)
    assert offered["deposits_count"] == str(OWNERS["wallet"]) and offered["last_document_at"] == str(OWNERS["kyc"])
    leads = {column.name for column in table_of(cast.desk_head, kind=LeadTable).allowed_columns}
    assert {"city", "nationality"} <= leads and "deposits_count" not in leads


def test_a_chosen_fact_is_a_column_and_an_export(cast, neighbour):
    WalletFacts.objects.create(client=cast.client, deposits_count=3, last_deposit_at=NOW)
    user = User.objects.get(pk=cast.desk_head.pk)
    user.preferences = {"columns": {"clients": ["full_name", "deposits_count", "last_deposit_at", "equity"]}}
    user.save()
    table = table_of(user)
    shown = {row.pk: row for row in table.page.rows}
    assert shown[cast.client.pk].deposits_count == 3 and shown[cast.client.pk].last_deposit_at == NOW
    assert shown[neighbour.pk].deposits_count == 0 and shown[neighbour.pk].last_deposit_at is None
    rows = {line[0]: line[1:] for line in table.export_rows()}
    assert rows["Name"] == ["Deposits", "Last deposit", "Equity"]
    assert rows[cast.client.full_name] == [3, NOW, 0]


def test_facts_of_side_tables_cost_a_list_no_query(cast, django_assert_num_queries, django_assert_max_num_queries):
    user = User.objects.get(pk=cast.desk_head.pk)
    with django_assert_max_num_queries(9) as bare:
        list(table_of(user).page.rows)
    user.preferences = {"columns": {"clients": ["full_name", *BESIDE]}}
    user.save()
    with django_assert_num_queries(len(bare.captured_queries)):
        table = table_of(user)
        assert table.body_html


def test_any_fact_filters_a_list_and_names_itself(cast, neighbour):
    WalletFacts.objects.create(client=cast.client, deposits_count=3, last_deposit_at=NOW)
    found = lambda *parts: {row.pk for row in table_of(cast.desk_head, conditions(*parts)).page.rows}  # noqa: E731
    assert found({"field": "deposits_count", "is": "ge", "value": 3}) == {cast.client.pk}
    assert cast.client.pk not in found({"field": "deposits_count", "is": "lt", "value": 1})
    assert neighbour.pk in found({"field": "deposits_count", "is": "lt", "value": 1}), "no row is none"
    table = table_of(cast.desk_head, conditions({"field": "deposits_count", "is": "ge", "value": 3}))
    assert [(chip.label, chip.value) for chip in table.chips] == [("Conditions", "Deposits is at least 3")]
    assert table_of(cast.desk_head, conditions()).chips == [], "no condition is no filter"


def test_a_filter_on_a_lost_fact_is_said_at_its_field(cast):
    table = table_of(cast.desk_head, conditions({"field": "gone", "is": "empty"}))
    assert "“gone” no longer exists" in str(table.filters.form.errors["conditions"])


def test_the_filters_draw_their_conditions_on_request(cast):
    client = signed_in(cast.desk_head)
    lazy = client.get("/clients/?filters=1", headers={"HX-Request": "true"}).content.decode()
    assert "?filters=conditions" in lazy and "data-condition" not in lazy
    drawn = client.get("/clients/?filters=conditions", headers={"HX-Request": "true"}).content.decode()
    assert "data-condition" in drawn and "deposits_count" in drawn and str(OWNERS["wallet"]) in drawn


def test_a_condition_beside_the_record_searches_by_its_index(cast):
    stored = {"version": 1, "all": [{"field": "deposits_count", "is": "ge", "value": 3}]}
    rows = Client.objects.filter(read(stored, CLIENT).q(timezone.now()))
    sql = str(rows.query)
    assert "EXISTS" in sql and sql.count("wallet_walletfacts") >= 1 and "JOIN" not in sql


def test_one_fact_is_read_wherever_it_lives(cast):
    assert fact_of(cast.client, "equity") == 0 and fact_of(cast.client, "last_deposit_at") is None
    WalletFacts.objects.create(client=cast.client, last_deposit_at=NOW)
    assert fact_of(Client.objects.get(pk=cast.client.pk), "last_deposit_at") == NOW
    assert fact_of(cast.client, "stage") == cast.client.stage


def test_the_handbook_lists_every_fact():
    """The table of docs/facts.md is written by this test's own words: copy what it prints."""
    lines = ["| fact | label | type | owner | lives in | recomputed |", "|---|---|---|---|---|---|"]
    for name, entry in sorted(FACTS.items()):
        source = "from its source tables" if entry.sql else "entered"
        lines.append(f"| `{name}` | {entry.label} | {entry.type.value} | {entry.owner} | `{entry.table}` | {source} |")
    wanted = "\n".join(lines)
    assert wanted in (settings.BASE_DIR / "docs/facts.md").read_text(), wanted
