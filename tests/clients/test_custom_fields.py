"""Custom fields: set-up, typed values with their audit row, columns, filters, conditions and erasure."""

import datetime as dt
import json
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.db import IntegrityError, transaction
from django.http import QueryDict
from django.urls import reverse
from django.utils import translation

from clients.custom_fields import setup
from clients.custom_fields.registry import SeenVocabulary, name_of
from clients.custom_fields.setup import FieldDetails
from clients.custom_fields.values import set_custom_values, values_of
from clients.models import Client, CustomChoice, CustomField, CustomFieldType, CustomValue, TimelineEntry
from clients.tables import ClientTable
from clients.vocabulary import CLIENT
from crm.conditions import read, readable
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, SubjectKey, User
from crm.privacy.erasures import destroy_client_key
from crm.security import audit
from leads.tables import LeadTable
from tests.cast import make_client, signed_in

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
# What is entered by type, and how it is kept.
SAMPLES = {
    CustomFieldType.TEXT: (" Prefers mornings ", "Prefers mornings"),
    CustomFieldType.NUMBER: ("12.5", Decimal("12.5")),
    CustomFieldType.MONEY: ("1000.50", Decimal("1000.50")),
    CustomFieldType.DATE: ("2026-11-20", dt.datetime(2026, 11, 20, tzinfo=dt.UTC)),
    CustomFieldType.YES_NO: ("yes", True),
    CustomFieldType.CHOICE: ("Gold", "gold"),
    CustomFieldType.CHOICES: ("Gold, silver", ["gold", "silver"]),
}
WRONG = {
    CustomFieldType.TEXT: "x" * 2_001,
    CustomFieldType.NUMBER: "many",
    CustomFieldType.MONEY: "1.005",
    CustomFieldType.DATE: "20 November",
    CustomFieldType.YES_NO: "perhaps",
    CustomFieldType.CHOICE: "platinum",
    CustomFieldType.CHOICES: "gold, platinum",
}


def add(cast, key="tier", type_=CustomFieldType.TEXT, choices=(), **details) -> CustomField:
    labels = details.pop("labels", {"en": key.capitalize(), "de": f"{key.capitalize()} de"})
    field = setup.create_custom_field(
        brand_id=cast.brand.pk,
        key=key,
        actor=cast.administrator,
        details=FieldDetails(labels=labels, type=type_, **details),
    )
    for label in choices or (("Gold", "Silver") if field.has_choices else ()):
        setup.add_custom_choice(field_id=field.pk, actor=cast.administrator, labels={"en": label})
    return field


def enter(cast, field, value, client=None, actor=None):
    return set_custom_values(client_id=(client or cast.client).pk, actor=actor or cast.agent, values={field.pk: value})


def fresh(user):
    return User.objects.get(pk=user.pk)


# ── set-up ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_field_is_added_with_its_audit_row(cast):
    field = add(cast, "favourite_platform", is_personal=True, roles=["agent"])
    assert (field.brand, field.key, field.position) == (cast.brand, "favourite_platform", 0)
    row = AuditEvent.objects.get(action="clients.custom_field_created")
    assert row.actor == cast.administrator and audit.body_of(row)["after"]["roles"] == ["agent"]


@pytest.mark.parametrize("who", ["agent", "desk_head", "mlro"])
def test_only_who_sets_the_brand_up_adds_fields(cast, who):
    actor = getattr(cast, who)
    with pytest.raises(NotAllowed):
        setup.create_custom_field(
            brand_id=cast.brand.pk, key="tier", actor=actor, details=FieldDetails(labels={"en": "Tier"}, type="text")
        )
    assert not CustomField.objects.exists()


@pytest.mark.parametrize("key", ["", "Tier", "1st", "a-b", "a" * 41, "ä"])
def test_a_key_is_a_plain_word(cast, key):
    with pytest.raises(DomainError, match="lower-case a–z"):
        add(cast, key, labels={"en": "Tier"})


def test_a_key_is_taken_once_per_brand(cast):
    add(cast)
    with pytest.raises(DomainError, match="already has a field with this key"):
        add(cast)


def test_a_rename_is_free_and_the_key_stays(cast):
    field = add(cast)
    enter(cast, field, "gold")
    setup.change_custom_field(
        field_id=field.pk, actor=cast.administrator, details=FieldDetails(labels={"en": "Level"}, type="text")
    )
    field.refresh_from_db()
    assert (field.label, field.key, values_of(cast.client)) == ("Level", "tier", {field.pk: "gold"})
    with pytest.raises(IntegrityError, match="keeps its key"), transaction.atomic():
        CustomField.objects.filter(pk=field.pk).update(key="level")


def test_a_field_with_values_keeps_its_type_and_says_what_to_do(cast):
    field = add(cast)
    details = FieldDetails(labels=field.labels, type="number")
    setup.change_custom_field(field_id=field.pk, actor=cast.administrator, details=details)
    enter(cast, field, "7")
    back = FieldDetails(labels=field.labels, type="text")
    with pytest.raises(DomainError, match=r"1 record has a value .* Add a new field .* archive this one"):
        setup.change_custom_field(field_id=field.pk, actor=cast.administrator, details=back)
    with pytest.raises(IntegrityError, match="keeps its type"), transaction.atomic():
        CustomField.objects.filter(pk=field.pk).update(type="text")
    assert values_of(cast.client) == {field.pk: 7}


def test_a_brand_has_fifty_fields_on_leads_and_fifty_on_clients(cast, monkeypatch):
    monkeypatch.setattr(setup, "FIELDS_MAX", 2)
    add(cast, "a", for_clients=False)
    add(cast, "b")
    with pytest.raises(DomainError, match="at most 2 custom fields"):
        add(cast, "c", for_clients=False)
    add(cast, "c", for_leads=False)
    with pytest.raises(DomainError, match="at most 2 custom fields"):
        add(cast, "d", for_leads=False)


def test_fields_are_reordered_archived_and_restored(cast):
    first, second = add(cast, "a"), add(cast, "b")
    setup.move_custom_field(field_id=second.pk, actor=cast.administrator, down=False)
    assert [row.key for row in CustomField.objects.all()] == ["b", "a"]
    with pytest.raises(DomainError, match="already in that position"):
        setup.move_custom_field(field_id=second.pk, actor=cast.administrator, down=False)
    enter(cast, first, "kept")
    setup.archive_custom_field(field_id=first.pk, actor=cast.administrator)
    with pytest.raises(WrongState):
        setup.archive_custom_field(field_id=first.pk, actor=cast.administrator)
    with pytest.raises(DomainError, match="archived"):
        enter(cast, first, "new")
    setup.restore_custom_field(field_id=first.pk, actor=cast.administrator)
    assert values_of(cast.client) == {first.pk: "kept"}


def test_a_choice_with_values_can_only_be_archived(cast):
    field = add(cast, "tier", CustomFieldType.CHOICE)
    enter(cast, field, "gold")
    gold, silver = field.choices.all()
    with pytest.raises(DomainError, match="Archive it instead"):
        setup.delete_custom_choice(choice_id=gold.pk, actor=cast.administrator)
    with pytest.raises(IntegrityError, match="archived, not deleted"), transaction.atomic():
        CustomChoice.objects.filter(pk=gold.pk).delete()
    setup.archive_custom_choice(choice_id=gold.pk, actor=cast.administrator, is_archived=True)
    assert values_of(cast.client) == {field.pk: "gold"}
    other = make_client(brand=cast.brand, book=cast.book, email="nina@example.com")
    with pytest.raises(DomainError, match="isn't one of the choices"):
        enter(cast, field, "gold", client=other)
    setup.delete_custom_choice(choice_id=silver.pk, actor=cast.administrator)
    renamed = setup.rename_custom_choice(choice_id=gold.pk, actor=cast.administrator, labels={"en": "Golden"})
    assert (renamed.code, renamed.label) == ("gold", "Golden")
    with pytest.raises(DomainError, match="already has the choice"):
        setup.add_custom_choice(field_id=field.pk, actor=cast.administrator, labels={"en": "golden"})


def test_a_field_has_two_hundred_choices_at_most(cast, monkeypatch):
    monkeypatch.setattr(setup, "CHOICES_MAX", 2)
    field = add(cast, "tier", CustomFieldType.CHOICES)
    with pytest.raises(DomainError, match="at most 2 choices"):
        setup.add_custom_choice(field_id=field.pk, actor=cast.administrator, labels={"en": "Bronze"})


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("type_", SAMPLES)
def test_a_value_is_kept_by_its_type_and_audited(cast, type_):
    field = add(cast, "extra", type_)
    given, kept = SAMPLES[type_]
    assert enter(cast, field, given) == [field]
    assert values_of(cast.client) == {field.pk: kept}
    assert enter(cast, field, given) == [], "the same again is no change"
    with pytest.raises(DomainError, match="Extra: "):
        enter(cast, field, WRONG[type_])
    enter(cast, field, "")
    assert values_of(cast.client) == {}
    first, second = AuditEvent.objects.filter(action="clients.custom_values_changed").order_by("pk")
    assert first.client_id == cast.client.pk and first.actor == cast.agent
    assert audit.body_of(first)["before"] == {"extra": None}
    assert audit.body_of(second)["after"] == {"extra": None}
    assert TimelineEntry.objects.filter(client=cast.client, title__contains="Extra").count() == 2


def test_a_required_field_is_not_emptied(cast):
    field = add(cast, is_required=True)
    enter(cast, field, "gold")
    with pytest.raises(DomainError, match="Required: Tier"):
        enter(cast, field, " ")
    assert values_of(cast.client) == {field.pk: "gold"}


def test_a_stranger_to_the_book_writes_nothing(cast):
    field = add(cast)
    with pytest.raises(NotAllowed):
        enter(cast, field, "gold", actor=cast.other_agent)
    with pytest.raises(DomainError, match="isn't on this record"):
        set_custom_values(client_id=cast.client.pk, actor=cast.agent, values={field.pk + 999: "x"})
    assert not CustomValue.objects.exists()


def test_fields_are_for_leads_or_clients(cast):
    field = add(cast, for_clients=False)
    lead = make_client(brand=cast.brand, book=cast.book, email="lea@example.com", login=False)
    assert enter(cast, field, "gold", client=lead) == [field]
    with pytest.raises(DomainError, match="isn't on this record"):
        enter(cast, field, "gold")


def test_roles_and_personal_data_hide_a_field(cast):
    add(cast, "for_finance", roles=["finance"])
    add(cast, "private", is_personal=True)
    names = lambda user: {str(field.label) for field in SeenVocabulary(fresh(user)).added.values()}  # noqa: E731
    assert names(cast.agent) == set(), "who sells sees contacts masked"
    assert "Private" in names(cast.mlro)
    assert "For_finance" in names(cast.finance) and "For_finance" not in names(cast.mlro)


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "text", "text": "x", "number": 1},
        {"type": "number", "number": 1},
        {"type": "text", "text": ""},
        {"type": "text", "text": "x" * 2_001},
        {"type": "text"},
    ],
)
def test_the_database_refuses_a_value_that_does_not_fit(cast, wrong):
    field = add(cast)
    with pytest.raises(IntegrityError), transaction.atomic():
        CustomValue.objects.create(client=cast.client, field=field, **wrong)


def test_the_database_refuses_another_brands_field_and_an_unknown_choice(cast):
    field = add(cast, "tier", CustomFieldType.CHOICE)
    elsewhere = Client.objects.exclude(brand=cast.brand).first()
    for client, code in ((cast.client, "platinum"), *(((elsewhere, "gold"),) if elsewhere else ())):
        with pytest.raises(IntegrityError), transaction.atomic():
            CustomValue.objects.create(client=client, field=field, type="choice", code=code)


def test_values_go_when_the_clients_key_is_destroyed(cast):
    field = add(cast)
    enter(cast, field, "gold")
    assert SubjectKey.objects.filter(client_id=cast.client.pk, destroyed_at=None).exists(), "the audit row made it"
    destroy_client_key(cast.client.pk)
    assert not CustomValue.objects.filter(client=cast.client).exists()


# ── conditions, lists, pages ─────────────────────────────────────────────────────────────────────────────────────────

ASKED = {
    CustomFieldType.TEXT: [("is", "Prefers mornings", True), ("contains", "evening", False), ("empty", None, False)],
    CustomFieldType.NUMBER: [("ge", "12.5", True), ("lt", 12, False)],
    CustomFieldType.MONEY: [("gt", 1000, True), ("le", 1000, False)],
    CustomFieldType.DATE: [("within", 7, True), ("before", "2026-11-20", False)],
    CustomFieldType.YES_NO: [("yes", None, True)],
    CustomFieldType.CHOICE: [("in", ["gold"], True), ("in", ["silver"], False)],
    CustomFieldType.CHOICES: [("has", ["silver"], True), ("empty", None, False)],
}


@pytest.mark.parametrize(
    ("type_", "operator", "value", "holds"), [(type_, *each) for type_, asked in ASKED.items() for each in asked]
)
def test_a_condition_finds_in_sql_whom_python_lets_pass(cast, type_, operator, value, holds):
    field = add(cast, "extra", type_)
    enter(cast, field, SAMPLES[type_][0])
    part = {"field": name_of(field), "is": operator} | ({} if value is None else {"value": value})
    for stored, wanted in (({"all": [part]}, holds), ({"not": part}, not holds)):
        condition = read({"version": 1, **stored}, CLIENT)
        everyone = list(Client.objects.all())
        found = set(Client.objects.filter(condition.q(NOW)).values_list("pk", flat=True))
        assert found == {client.pk for client in everyone if condition.holds(client, NOW)}
        assert (cast.client.pk in found) == wanted and condition.sentence()


def test_a_condition_on_an_archived_field_names_it(cast):
    field = add(cast, labels={"en": "Favourite platform", "de": "Lieblingsplattform"})
    stored = {"version": 1, "all": [{"field": name_of(field), "is": "empty"}]}
    assert readable(stored, CLIENT) is not None
    setup.archive_custom_field(field_id=field.pk, actor=cast.administrator)
    with pytest.raises(DomainError, match=r"“Favourite platform” no longer exists. Remove this part"):
        read(stored, CLIENT)
    assert readable(stored, CLIENT) is None
    with translation.override("de"), pytest.raises(DomainError, match="Lieblingsplattform"):
        read(stored, SeenVocabulary(fresh(cast.administrator)))


def test_lists_show_filter_and_export_a_field(cast, django_assert_max_num_queries):
    tier, since = add(cast, "tier", CustomFieldType.CHOICE), add(cast, "since", CustomFieldType.DATE)
    neighbour = make_client(brand=cast.brand, book=cast.book, email="nina@example.com", first_name="Nina")
    enter(cast, tier, "gold")
    enter(cast, since, "2026-11-20")
    user = fresh(cast.desk_head)
    user.preferences = {"columns": {"clients": ["full_name", name_of(tier), name_of(since)]}}
    user.save()
    with django_assert_max_num_queries(9):
        table = ClientTable(fresh(user), QueryDict(""), path="/clients/")
        assert "Gold" in table.body_html
    rows = {line[0]: line[1:] for line in ClientTable(fresh(user), QueryDict("")).export_rows()}
    assert rows["Name"] == ["Tier", "Since"] and rows[cast.client.full_name] == ["Gold", dt.date(2026, 11, 20)]
    assert rows["Nina"] == ["", None]
    query = urlencode(
        {"conditions": json.dumps({"version": 1, "all": [{"field": name_of(tier), "is": "in", "value": ["gold"]}]})}
    )
    table = ClientTable(fresh(user), QueryDict(query), path="/clients/")
    assert [row.pk for row in table.page.rows] == [cast.client.pk] and neighbour.pk
    assert table.chips[0].value == "Tier is Gold"
    offered = {column.name for column in LeadTable(fresh(user), QueryDict(""), is_choosing=True).allowed_columns}
    assert name_of(tier) in offered


def test_a_hidden_field_filters_and_shows_nothing(cast):
    field = add(cast, "private", is_personal=True)
    stored = {"version": 1, "all": [{"field": name_of(field), "is": "empty"}]}
    table = ClientTable(fresh(cast.agent), QueryDict(urlencode({"conditions": json.dumps(stored)})))
    assert "no longer exists" in str(table.filters.form.errors["conditions"])
    user = fresh(cast.agent)
    user.preferences = {"columns": {"clients": ["full_name", name_of(field)]}}
    user.save()
    assert [column.name for column in ClientTable(fresh(user), QueryDict("")).shown_columns] == ["full_name"]


def test_the_record_shows_its_fields_and_takes_values(cast):
    field = add(cast, "tier", CustomFieldType.CHOICE)
    browser = signed_in(cast.agent)
    page = browser.get(f"/clients/{cast.client.pk}/").content.decode()
    assert "Tier" in page and reverse("client_custom_fields", args=[cast.client.pk]) in page
    address = reverse("client_custom_fields", args=[cast.client.pk])
    assert "Gold" in browser.get(address).content.decode()
    wrong = browser.post(address, {f"custom_{field.pk}": "platinum"})
    assert wrong.status_code == 422 and not CustomValue.objects.exists()
    assert browser.post(address, {f"custom_{field.pk}": "gold"}).status_code == 302
    assert values_of(cast.client) == {field.pk: "gold"}
    assert ">Gold<" in browser.get(f"/clients/{cast.client.pk}/").content.decode()


def test_the_set_up_pages_do_what_their_buttons_say(cast):
    browser = signed_in(cast.administrator)
    home = reverse("brand_custom_fields", args=[cast.brand.pk])
    assert "No custom fields yet" in browser.get(home).content.decode()
    assert browser.get("/custom-fields/").status_code == 302
    new = reverse("custom_field_new", args=[cast.brand.pk])
    wrong = browser.post(new, {"key": "My key", "label_en": "Tier", "type": "choice", "for_leads": "on"})
    assert wrong.status_code == 422 and "My key" in wrong.content.decode(), "nothing typed is lost"
    data = {
        "key": "tier",
        "label_en": "Tier",
        "label_de": "Stufe",
        "type": "choice",
        "for_leads": "on",
        "for_clients": "on",
    }
    assert browser.post(new, data).status_code == 302
    field = CustomField.objects.get()
    do = lambda action, **sent: browser.post(reverse("custom_field_do", args=[field.pk, action]), sent)  # noqa: E731
    do("choice-add", label_en="Gold", label_de="Gold")
    choice = field.choices.get()
    do("choice-rename", choice=choice.pk, label_en="Golden")
    do("choice-archive", choice=choice.pk)
    choice.refresh_from_db()
    assert choice.label == "Golden" and choice.archived_at is not None
    do("choice-restore", choice=choice.pk)
    page = reverse("custom_field", args=[field.pk])
    assert "Golden" in browser.get(page).content.decode()
    assert browser.post(page, {**data, "label_en": "Level"}).status_code == 302
    do("archive")
    field.refresh_from_db()
    assert field.label == "Level" and field.archived_at is not None
    do("restore")
    do("choice-delete", choice=choice.pk)
    assert not field.choices.exists() and do("nothing").status_code == 404
    assert signed_in(cast.agent).get(home).status_code == 403
