"""Custom fields of leads: by hand, on landing pages, by API and in files; in routing rules; kept when the lead registers."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.test import Client as Browser
from django.utils import translation

from clients.choices import Stage
from clients.custom_fields import setup
from clients.custom_fields.arrivals import GIVEN_MAX
from clients.custom_fields.listing import custom_card
from clients.custom_fields.setup import FieldDetails
from clients.custom_fields.values import set_custom_values, values_of
from clients.models import Client, CustomFieldType, CustomValue
from clients.stages import move_stage
from crm.errors import DomainError
from crm.models import AuditEvent, Brand
from crm.security import audit
from leads import imports
from leads.capture import Capture, capture_lead
from leads.choices import Channel, LeadRefusal
from leads.forms import LeadForm
from leads.models import LandingPage, Lead, LeadImportRow, RoutingRule
from leads.routing import Router, explain
from leads.setup import save_landing_page, save_routing_rule
from leads.setup_forms import LandingPageForm, RoutingRuleForm
from leads.sources import create_source
from leads.waiting import route_waiting
from tests.cast import signed_in
from tests.clients.test_custom_fields import WRONG, add
from tests.leads.rules import where
from tests.leads.test_landing_page import fill_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def tier(cast):
    return add(cast, "tier", CustomFieldType.CHOICE)


@pytest.fixture
def budget(cast):
    return add(cast, "budget", CustomFieldType.MONEY)


def come_in(cast, *, brand=None, channel=Channel.API, email="hans@web.de", **more):
    capture = Capture(channel=channel, email=email, first_name="Hans", **{"country": "DE", "language": "de"} | more)
    return capture_lead(brand=brand or cast.brand, capture=capture)


def captured_audit(client):
    return [
        audit.body_of(row)["after"]
        for row in AuditEvent.objects.filter(action="leads.captured", client_id=client.pk).order_by("pk")
    ]


# ── merging ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_values_of_a_new_lead_are_on_its_record_and_in_the_audit(cast, german_rule, tier, budget):
    client = come_in(cast, custom={"tier": "Gold", "budget": "2500.5"}).client
    assert values_of(client) == {tier.pk: "gold", budget.pk: Decimal("2500.50")}
    assert captured_audit(client)[0]["custom"] == {"tier": "gold", "budget": "2500.50"}


def test_a_second_enquiry_fills_empty_fields_and_overwrites_nothing(cast, german_rule, tier, budget):
    first = come_in(cast, custom={"tier": "gold"})
    again = come_in(cast, custom={"tier": "silver", "budget": 100})
    assert again.is_duplicate and values_of(first.client) == {tier.pk: "gold", budget.pk: Decimal(100)}
    newest = captured_audit(first.client)[1]
    assert (newest["custom"], newest["custom_left_out"]) == ({"budget": "100.00"}, {"tier": "silver"})


def test_a_refused_lead_keeps_its_values(cast, german_rule, tier):
    lead = come_in(cast, country="US", custom={"tier": "gold"}).lead
    assert lead.refusal == LeadRefusal.COUNTRY and values_of(lead.client) == {tier.pk: "gold"}


def test_values_are_on_the_client_once_the_lead_registers(cast, german_rule, tier, rf):
    only_leads = add(cast, "interest", for_clients=False)
    client = come_in(cast, custom={"tier": "gold", "interest": "Gold CFDs"}).client
    move_stage(client_id=client.pk, to=Stage.REGISTERED, actor=None)
    request = rf.get("/")
    request.user = cast.administrator
    card = custom_card(request, Client.objects.get(pk=client.pk))
    assert [(row.key, text) for row, text in card["lines"]] == [("tier", "Gold")]
    come_in(cast, custom={"interest": "Oil"})
    assert values_of(client)[only_leads.pk] == "Gold CFDs"


def test_a_field_only_for_leads_is_not_filled_on_a_client(cast, german_rule, tier):
    only_leads = add(cast, "interest", for_clients=False)
    client = come_in(cast).client
    move_stage(client_id=client.pk, to=Stage.REGISTERED, actor=None)
    come_in(cast, custom={"interest": "Oil", "tier": "gold"})
    assert values_of(client) == {tier.pk: "gold"} and not CustomValue.objects.filter(field=only_leads).exists()


@pytest.mark.parametrize("given", [{"nothing": 1}, {"tier": "platinum"}, {"budget": "lots"}, {"closed": "x"}])
def test_a_wrong_value_stores_nothing(cast, german_rule, tier, budget, given):
    setup.archive_custom_field(field_id=add(cast, "closed").pk, actor=cast.administrator)
    with pytest.raises(DomainError):
        come_in(cast, custom=given)
    assert not Lead.objects.exists()


@pytest.mark.parametrize("type_", list(CustomFieldType))
@pytest.mark.parametrize("huge", ["9" * 5_000, ["x"] * 300, {"a": {"b": 1}}, "x," * 9_000, float("nan"), "\0"])
def test_values_of_strangers_are_bounded(cast, german_rule, type_, huge):
    add(cast, "field", type_)
    with pytest.raises(DomainError):
        come_in(cast, custom={"field": huge})
    assert not Client.objects.filter(email="hans@web.de").exists()


# ── API ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def post(cast):
    _source, key = create_source(brand=cast.brand, name="Affiliate", code="affiliate", actor=cast.administrator)

    def send(custom, email="hans@web.de"):
        body = json.dumps({"email": email, "country": "DE", "custom": custom})
        headers = {"Authorization": f"Bearer {key}"}
        return Browser().post("/api/leads/", body, content_type="application/json", headers=headers)

    return send


def test_the_api_takes_typed_values(cast, german_rule, post):
    given = {
        "text": "mornings",
        "number": 12.5,
        "money": "1000.50",
        "date": "2026-11-20",
        "flag": True,
        "one": "gold",
        "several": ["Gold", "silver"],
        "empty": None,
    }
    types = ("text", "number", "money", "date", "yes_no", "choice", "choices", "text")
    fields = {key: add(cast, key, type_) for key, type_ in zip(given, types, strict=True)}
    answer = post(given)
    assert answer.status_code == 201
    values = values_of(Lead.objects.get(pk=answer.json()["lead_id"]).client)
    assert {key: values.get(field.pk) for key, field in fields.items()} == {
        "text": "mornings",
        "number": Decimal("12.5"),
        "money": Decimal("1000.50"),
        "date": dt.datetime(2026, 11, 20, tzinfo=dt.UTC),
        "flag": True,
        "one": "gold",
        "several": ["gold", "silver"],
        "empty": None,
    }


def test_the_api_names_every_wrong_field_and_stores_nothing(cast, german_rule, post):
    for type_ in CustomFieldType:
        add(cast, type_.value, type_)
    answer = post({type_.value: WRONG[type_] for type_ in CustomFieldType} | {"unknown": "x"})
    assert answer.status_code == 422 and answer.json()["code"] == "custom_field"
    named = {error["field"]: error["message"] for error in answer.json()["errors"]}
    assert set(named) == {f"custom.{type_.value}" for type_ in CustomFieldType} | {"custom.unknown"}
    assert named["custom.choice"] == "Choice: “platinum” isn't one of the choices." and not Lead.objects.exists()


def test_the_api_takes_at_most_fifty_fields(cast, german_rule, post):
    answer = post({f"f{number}": "x" for number in range(GIVEN_MAX + 1)})
    assert answer.status_code == 422 and "At most 50 custom fields" in answer.content.decode()
    assert not Lead.objects.exists()


def test_the_schema_documents_custom_fields(cast):
    schema = Browser().get("/api/openapi.json").json()["components"]["schemas"]["LeadIn"]
    assert schema["properties"]["custom"]["maxProperties"] == GIVEN_MAX
    assert {"type": "boolean"} in schema["properties"]["custom"]["additionalProperties"]["anyOf"]
    assert "custom_field" in schema["description"]


# ── landing pages ────────────────────────────────────────────────────────────────────────────────────────────────────


def show(page, *fields, required=()):
    LandingPage.objects.filter(pk=page.pk).update(
        shown_fields=[field.pk for field in fields], required_fields=[field.pk for field in required]
    )


def test_a_landing_page_asks_for_the_fields_that_it_shows(cast, german_rule, landing_page, tier, budget):
    add(cast, "hidden")
    show(landing_page, budget, tier)
    html = Browser().get("/l/meridian/start/?lang=de").content.decode()
    assert html.index("Tier de") < html.index("Budget de") and "Hidden" not in html
    response, _typed = fill_in(Browser(), **{f"custom_{tier.pk}": "gold", f"custom_{budget.pk}": "750"})
    assert response.status_code == 302
    assert values_of(Lead.objects.get().client) == {tier.pk: "gold", budget.pk: Decimal(750)}


def test_a_required_field_is_asked_for_and_nothing_typed_is_lost(cast, german_rule, landing_page, tier, budget):
    show(landing_page, tier, budget, required=[tier])
    response, _typed = fill_in(Browser(), **{f"custom_{tier.pk}": "", f"custom_{budget.pk}": "lots"})
    html = response.content.decode()
    assert response.status_code == 422 and 'value="lots"' in html and 'value="erika@web.de"' in html
    assert html.count("is-invalid") == 2 and not Lead.objects.exists()


def test_an_archived_field_leaves_the_form_and_the_page_still_takes_leads(cast, german_rule, landing_page, tier):
    show(landing_page, tier, required=[tier])
    setup.archive_custom_field(field_id=tier.pk, actor=cast.administrator)
    response, _typed = fill_in(Browser(), **{f"custom_{tier.pk}": "gold"})
    assert response.status_code == 302 and values_of(Lead.objects.get().client) == {}


def test_a_page_shows_only_fields_on_leads_of_its_brand(cast, landing_page, tier):
    other = Brand.objects.exclude(pk=cast.brand.pk).first() or Brand.objects.create(name="Other", code="other")
    strange = setup.create_custom_field(
        brand_id=other.pk, key="x", actor=None, details=FieldDetails(labels={"en": "Strange"}, type="text")
    )
    not_leads = add(cast, "later", for_leads=False)
    for wrong in ([strange.pk], [not_leads.pk], [0], [tier.pk] * 11):
        with pytest.raises(DomainError):
            save_landing_page(actor=cast.administrator, page=landing_page, shown_fields=wrong, required_fields=[])
    with pytest.raises(DomainError, match="Show the required fields"):
        save_landing_page(actor=cast.administrator, page=landing_page, shown_fields=[], required_fields=[tier.pk])
    with pytest.raises(IntegrityError, match="required_fields_are_on_the_form"), transaction.atomic():
        LandingPage.objects.filter(pk=landing_page.pk).update(required_fields=[tier.pk])


def test_the_page_editor_offers_the_fields_of_leads(cast, landing_page, tier):
    add(cast, "later", for_leads=False)
    form = LandingPageForm(instance=landing_page, actor=cast.administrator)
    assert form.fields["shown_fields"].choices == [(tier.pk, "Tier")]
    saved = save_landing_page(
        actor=cast.administrator, page=landing_page, shown_fields=[tier.pk], required_fields=[tier.pk]
    )
    assert saved.shown_fields == [tier.pk]
    row = AuditEvent.objects.filter(action="leads.landing_page_saved").latest("pk")
    assert audit.body_of(row)["after"]["shown_fields"] == [tier.pk]


# ── by hand ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_lead_added_by_hand_has_its_custom_fields(cast, german_rule, tier):
    browser = signed_in(cast.agent)
    typed = {"brand": cast.brand.pk, "first_name": "Ida", "email": "ida@web.de", "country": "DE"}
    assert "Tier" in browser.get("/leads/new/").content.decode()
    browser.post("/leads/new/", {**typed, f"custom_{tier.pk}": "gold"})
    assert values_of(Client.objects.get(email="ida@web.de")) == {tier.pk: "gold"}


def test_the_form_asks_for_required_fields_that_the_person_sees(cast, tier):
    add(cast, "must", is_required=True)
    add(cast, "secret", is_required=True, roles=["mlro"])
    form = LeadForm({"brand": str(cast.brand.pk), "first_name": "Ida", "email": "a@web.de"}, actor=cast.agent)
    assert not form.is_valid() and len(form.errors) == 1
    assert [row.key for row in form.custom] == ["tier", "must"]


def test_another_brand_brings_its_own_fields_and_keeps_what_was_typed(cast, tier):
    page = signed_in(cast.agent).post("/leads/new/", {"refill": "1", "brand": cast.brand.pk, "first_name": "Ida"})
    assert page.status_code == 200 and 'value="Ida"' in page.content.decode()
    assert not Client.objects.filter(first_name="Ida").exists()


# ── routing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def gold_rule(cast, german_rule, tier):
    RoutingRule.objects.filter(pk=german_rule.pk).update(
        condition={"version": 1, "all": [{"field": f"custom.{tier.pk}", "is": "in", "value": ["gold"]}]}
    )
    return german_rule


def test_a_rule_asks_a_custom_field(cast, gold_rule, tier):
    gold = come_in(cast, custom={"tier": "gold"})
    other = come_in(cast, email="other@web.de", custom={"tier": "silver"})
    none = come_in(cast, email="none@web.de")
    assert [row.lead.routing_rule for row in (gold, other, none)] == [gold_rule, None, None]
    reason = gold.lead.routing_reasons[0]
    assert "gold" not in json.dumps(gold.lead.routing_reasons), "values go with the client's key; reasons stay"
    assert (
        explain([reason]) == ["Rule “German speakers” routes the lead to German desk (Tier)"]
        or "(Tier)" in explain([reason])[0]
    )


def test_a_waiting_lead_is_routed_by_the_value_that_it_has_by_then(cast, gold_rule, tier):
    lead = come_in(cast).lead
    set_custom_values(client_id=lead.client_id, actor=cast.administrator, values={tier.pk: "gold"})
    assert route_waiting(brand_id=cast.brand.pk).assigned == 1
    lead.refresh_from_db()
    assert lead.routing_rule == gold_rule and lead.assigned_to == cast.agent


def test_rules_without_custom_fields_read_none(cast, german_rule, tier, django_assert_num_queries):
    router = Router(cast.brand, dt.datetime.now(dt.UTC))
    with django_assert_num_queries(0):
        assert router.custom_of([1, 2]) == {}


def test_a_rule_whose_field_was_archived_fits_no_lead_and_says_so(cast, gold_rule, tier):
    setup.archive_custom_field(field_id=tier.pk, actor=cast.administrator)
    assert come_in(cast, email="a@web.de").lead.routing_rule is None
    assert "Can&#x27;t be used" in signed_in(cast.administrator).get("/lead-rules/").content.decode()


def test_the_rule_form_offers_fields_of_leads_and_the_page_shows_them(cast, gold_rule, tier):
    add(cast, "later", for_leads=False)
    form = RoutingRuleForm(instance=gold_rule, actor=cast.administrator)
    offered = [field.label for field in form.fields["condition"].vocabulary.fields]
    assert "Tier" in offered and "Later" not in offered
    assert "Tier" in signed_in(cast.administrator).get("/lead-rules/").content.decode()


def test_a_rule_asks_no_field_of_another_brand(cast, german_rule):
    other = Brand.objects.create(name="Other", code="other")
    strange = setup.create_custom_field(
        brand_id=other.pk, key="x", actor=None, details=FieldDetails(labels={"en": "Strange"}, type="text")
    )
    condition = {"version": 1, "all": [{"field": f"custom.{strange.pk}", "is": "empty"}]}
    with pytest.raises(DomainError, match="custom field of another brand"):
        save_routing_rule(
            actor=cast.administrator, rule=german_rule, brand=cast.brand, desk=cast.desk, condition=condition
        )


def test_the_preview_counts_by_custom_field(cast, gold_rule, tier):
    come_in(cast, custom={"tier": "gold"})
    come_in(cast, email="b@web.de")
    condition = json.dumps(where() | {"all": [{"field": f"custom.{tier.pk}", "is": "in", "value": ["gold"]}]})
    page = signed_in(cast.administrator).post("/lead-rules/condition/", {"condition": condition})
    assert "Hans" in page.content.decode()


# ── import ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def checked(cast, text):
    batch = imports.start_import(
        brand=cast.brand, actor=cast.administrator, file_name="leads.csv", content=text.encode()
    )
    return imports.check(batch, lambda *_: None)


def taken_in(cast, batch):
    imports.confirm(import_id=batch.pk, actor=cast.administrator)
    batch.refresh_from_db()
    return imports.run(batch, lambda *_: None)


def test_a_file_brings_custom_fields_by_key_and_by_label(cast, gold_rule, tier, budget):
    batch = checked(cast, "email,country,TIER de,budget,Other\na@web.de,DE,Gold,12.50,x\nb@web.de,DE,,,\n")
    assert batch.problems == ["Ignored columns: Other"] and batch.counts == {"new": 2}
    taken_in(cast, batch)
    first = Client.objects.get(email="a@web.de")
    assert values_of(first) == {tier.pk: "gold", budget.pk: Decimal("12.50")}
    assert values_of(Client.objects.get(email="b@web.de")) == {}
    assert first.leads.get().routing_rule == gold_rule


def test_a_wrong_value_names_line_and_column(cast, tier, budget):
    batch = checked(cast, "email,tier,budget\na@web.de,platinum,1.005\nb@web.de,gold,7\n")
    row = LeadImportRow.objects.get(batch=batch, verdict="wrong")
    assert row.line == 2 and row.errors == [
        {"column": "Tier", "message": "“platinum” isn't one of the choices."},
        {"column": "Budget", "message": "At most 2 decimal places."},
    ]
    page = signed_in(cast.administrator).get(batch.get_absolute_url()).content.decode()
    assert "Tier: “platinum” isn" in page


def test_a_known_person_gets_only_what_was_empty(cast, german_rule, tier, budget):
    client = come_in(cast, custom={"tier": "gold"}).client
    taken_in(cast, checked(cast, "email,tier,budget\nhans@web.de,silver,5\n"))
    assert values_of(client) == {tier.pk: "gold", budget.pk: Decimal(5)}
    row = AuditEvent.objects.get(action="clients.custom_values_changed", client_id=client.pk)
    assert row.actor == cast.administrator and audit.body_of(row)["after"] == {"budget": "5.00"}


def test_lines_that_no_longer_fit_are_set_aside_and_the_others_come_in(cast, german_rule, tier, budget):
    batch = checked(cast, "email,tier,budget\na@web.de,gold,\nb@web.de,silver,\nc@web.de,,7\n")
    silver = tier.choices.get(code="silver")
    setup.archive_custom_choice(choice_id=silver.pk, actor=cast.administrator, is_archived=True)
    setup.archive_custom_field(field_id=budget.pk, actor=cast.administrator)
    batch = taken_in(cast, batch)
    assert batch.counts == {"new": 1, "known": 0, "wrong": 2}
    errors = [row.errors[0]["message"] for row in LeadImportRow.objects.filter(batch=batch).order_by("line")]
    assert errors == ["“silver” isn't one of the choices.", "This custom field was archived. Check the file again."]
    assert not Client.objects.filter(email__in=["b@web.de", "c@web.de"]).exists()


@pytest.mark.parametrize("entered", ["1e999999", "-1e999999", "9" * 41, "NaN", "1_0"])
def test_numbers_without_bound_are_refused(cast, budget, entered):
    assert checked(cast, f"email,budget\na@web.de,{entered}\n").counts == {"wrong": 1}


def test_two_columns_of_one_field_are_left_to_a_person(cast, tier):
    batch = imports.start_import(
        brand=cast.brand,
        actor=cast.administrator,
        file_name="a.csv",
        content=b"email,tier,Tier de\na@web.de,gold,gold\n",
    )
    assert batch.state == "mapping" and batch.check_job is None


def test_a_label_that_two_fields_have_names_neither(cast):
    add(cast, "a", labels={"en": "Level"})
    add(cast, "b", labels={"en": "Level"})
    assert checked(cast, "email,Level\na@web.de,x\n").problems == ["Ignored columns: Level"]


def test_the_upload_page_names_the_columns(cast, tier):
    with translation.override("en"):
        assert "tier (Tier)" in signed_in(cast.administrator).get("/leads/imports/new/").content.decode()
