"""Trading experience and intended deposit as people declare them: form, API, files, by hand; facts, rules, erasure."""

import json
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.test import Client as Browser
from django.utils import timezone

from clients.facts import FACTS, differences, fact_of
from clients.models import Client, CustomFieldType
from crm.conditions import read
from crm.errors import DomainError
from crm.models import FxRate
from crm.privacy import erasures
from leads.declared.declaration import Reader
from leads.forms import LeadForm
from leads.models import LandingPage, Lead, LeadFacts, LeadImportRow, RoutingRule, ScoreRule
from leads.routing import explain
from leads.scores.rescoring import rescore
from leads.setup_forms import parameters_of
from leads.sources import create_source
from leads.tables import LeadTable
from leads.vocabulary import LEAD
from tests.cast import signed_in
from tests.clients.test_custom_fields import add
from tests.crm.imports.files import checked as staged
from tests.crm.imports.files import imported, reasons
from tests.leads.test_custom_fields import checked, come_in, taken_in
from tests.leads.test_landing_page import fill_in

pytestmark = pytest.mark.django_db
RICH = {"version": 1, "all": [{"field": "intended_deposit", "is": "ge", "value": "1000"}]}


@pytest.fixture
def dollar(cast):
    return FxRate.objects.create(on=timezone.now().date(), currency="USD", rate=Decimal("1.25"))


def declared(client):
    return fact_of(client, "experience"), fact_of(client, "intended_deposit")


def unequal():
    return [list(differences(FACTS[name])) for name in ("experience", "intended_deposit")]


def test_each_enquiry_keeps_its_own_and_the_person_the_last(cast, german_rule, dollar):
    first = come_in(cast, experience="some", intended_deposit=Decimal(500)).lead
    again = come_in(cast, intended_deposit="2500.50", intended_currency="usd")
    assert (first.experience, first.intended_deposit, first.intended_currency) == ("some", 500, "EUR")
    assert (again.lead.intended_currency, again.lead.intended_in_base) == ("USD", Decimal("2000.40"))
    assert declared(Client.objects.get(pk=again.client.pk)) == ("some", Decimal("2000.40"))
    come_in(cast)
    assert declared(Client.objects.get(pk=again.client.pk)) == ("some", Decimal("2000.40"))
    assert unequal() == [[], []]


@pytest.mark.parametrize(
    ("experience", "amount", "currency"),
    [("lots", None, ""), ("", "-5", ""), ("", "1e99", ""), ("", "NaN", ""), ("", "1.005", "EUR"), ("", "5", "XXX")],
)
def test_what_cannot_be_read_stores_nothing(cast, german_rule, experience, amount, currency):
    with pytest.raises(DomainError):
        come_in(cast, experience=experience, intended_deposit=amount, intended_currency=currency)
    assert not Lead.objects.exists()


def test_the_database_holds_that_an_amount_has_a_currency(cast, german_rule):
    lead = come_in(cast).lead
    with pytest.raises(IntegrityError, match="intended_deposit_has_a_currency"), transaction.atomic():
        Lead.objects.filter(pk=lead.pk).update(intended_deposit=5)


def test_a_page_asks_only_what_it_chooses(cast, german_rule, landing_page):
    assert "intended_deposit" not in Browser().get("/l/meridian/start/?lang=de").content.decode()
    response, _typed = fill_in(Browser(), intended_deposit="900")
    assert response.status_code == 302 and Lead.objects.get().intended_deposit is None
    LandingPage.objects.update(asks_experience=True, asks_deposit=True)
    html = Browser().get("/l/meridian/start/?lang=de").content.decode()
    assert "Handelserfahrung" in html and "Geplante Einzahlung" in html and "EUR" in html
    response, _typed = fill_in(Browser(), email="hans@web.de", phone="", experience="none", intended_deposit="0")
    assert response.status_code == 422
    answers = {"email": "hans@web.de", "phone": "0151 99999999", "experience": "none", "intended_deposit": "900"}
    fill_in(Browser(), **answers)
    lead = Lead.objects.get(client__email="hans@web.de")
    assert (lead.experience, lead.intended_in_base, lead.intended_currency) == ("none", 900, "EUR")


def test_the_api_takes_both_and_refuses_what_does_not_fit(cast, german_rule):
    _source, key = create_source(brand=cast.brand, name="Affiliate", code="affiliate", actor=cast.administrator)

    def send(**fields):
        body = json.dumps({"email": "hans@web.de", "country": "DE", **fields})
        headers = {"Authorization": f"Bearer {key}"}
        return Browser().post("/api/leads/", body, content_type="application/json", headers=headers).status_code

    assert send(experience="guru") == 422 and send(intended_deposit=-1) == 422
    assert send(intended_deposit="5", intended_currency="ABC") == 422 and not Lead.objects.exists()
    assert send(experience="experienced", intended_deposit="1500.50", intended_currency="EUR") == 201
    assert declared(Lead.objects.get().client) == ("experienced", Decimal("1500.50"))


def test_a_lead_added_by_hand_has_them(cast, german_rule):
    form = LeadForm({"brand": cast.brand.pk, "first_name": "Eva", "intended_deposit": "-1"}, actor=cast.agent)
    assert "intended_deposit" in form.errors
    typed = {"brand": cast.brand.pk, "first_name": "Eva", "email": "eva@web.de", "country": "DE"}
    signed_in(cast.agent).post("/leads/new/", {**typed, "experience": "some", "intended_deposit": "70"})
    client = Client.objects.get(email="eva@web.de")
    assert declared(client) == ("some", 70)
    page = signed_in(cast.administrator).get(f"/clients/{client.pk}/").content.decode()
    assert "Some trading experience" in page and "€70.00" in page


def test_a_file_brings_them_and_names_what_is_wrong(cast, german_rule, dollar):
    lines = "a@web.de,DE,erfahren,1000,USD\nb@web.de,DE,guru,,\nc@web.de,DE,,many,\nd@web.de,DE,,,\n"
    batch = checked(cast, f"email,country,Handelserfahrung,Intended deposit,Intended currency\n{lines}")
    wrong = LeadImportRow.objects.filter(batch=batch, verdict="wrong").order_by("line")
    assert [(row.line, row.errors[0]["column"]) for row in wrong] == [(3, "experience"), (4, "intended_deposit")]
    taken_in(cast, batch)
    lead = Lead.objects.get(client__email="a@web.de")
    assert (lead.experience, lead.intended_deposit, lead.intended_in_base) == ("experienced", 1000, 800)
    taken_in(cast, checked(cast, "email,intended_deposit\na@web.de,5\n"))
    assert declared(lead.client) == ("experienced", 5) and unequal() == [[], []]


def test_a_custom_field_of_that_name_keeps_its_column(cast, german_rule):
    add(cast, "experience", CustomFieldType.TEXT)
    batch = checked(cast, "email,experience\na@web.de,three years\n")
    assert batch.counts == {"new": 1} and LeadImportRow.objects.get(batch=batch).declared == {}


def test_the_importer_of_other_systems_maps_them(cast, german_rule):
    head = "Email,Country,Experience,Planned\n"
    mapping = {"fields": {"email": "Email", "country": "Country", "experience": "Experience"}}
    mapping["fields"]["intended_deposit"] = "Planned"
    imported(cast, f"{head}a@web.de,DE,some,400\n", mapping, kind="leads")
    assert declared(Client.objects.get(email="a@web.de")) == ("some", 400)
    batch = staged(cast, f"{head}b@web.de,DE,some,-4\n", mapping, kind="leads")
    assert "intended deposit" in str(reasons(batch))


def test_rules_and_lists_ask_for_them(cast, german_rule, second_agent):
    RoutingRule.objects.filter(pk=german_rule.pk).update(condition=RICH)
    ScoreRule.objects.all().delete()
    ScoreRule.objects.create(
        name="Knows", kind="experience", points=7, parameters=parameters_of("experience", ["some"])
    )
    ScoreRule.objects.create(name="Rich", kind="deposit", points=30, parameters=parameters_of("deposit", ["≥", "1000"]))
    rich = come_in(cast, experience="some", intended_deposit=1000).lead
    poor = come_in(cast, email="other@web.de", intended_deposit=999).lead
    assert (rich.routing_rule, poor.routing_rule) == (german_rule, None) and (rich.score, poor.score) == (37, 0)
    assert "1000" not in json.dumps(rich.routing_reasons) and any(
        "Intended deposit" in x for x in explain(rich.routing_reasons)
    )
    come_in(cast)  # says nothing: the points look at the person
    rescore([rich.client_id])
    assert Client.objects.get(pk=rich.client_id).score == 37
    found = {row.pk for row in LeadTable(cast.administrator, {"intended_from": "1000"}, path="/leads/").page.rows}
    assert found == {rich.client_id}
    found = {row.pk for row in LeadTable(cast.administrator, {"experience": "some"}, path="/leads/").page.rows}
    assert found == {rich.client_id} and read(RICH, LEAD).sentence().startswith("Intended deposit")
    for kind, words in (("experience", ["guru"]), ("experience", []), ("deposit", ["much"])):
        with pytest.raises(ValueError):
            parameters_of(kind, words)


def test_they_go_with_the_clients_key(cast, german_rule):
    client = come_in(cast, experience="some", intended_deposit=1000).client
    erasures.destroy_client_key(client.pk)
    lead = Lead.objects.get(client=client)
    assert (lead.experience, lead.intended_deposit, lead.intended_currency, lead.intended_in_base) == (
        "",
        None,
        "",
        None,
    )
    facts = LeadFacts.objects.get(client=client)
    assert (facts.experience, facts.intended_deposit, lead.score_reasons) == (None, None, []) and unequal() == [[], []]


def test_rates_are_looked_up_once_per_currency(cast, dollar, django_assert_max_num_queries):
    reader = Reader(cast.brand)
    with django_assert_max_num_queries(2):
        assert {reader.read("", str(number), "USD").currency for number in range(1, 20)} == {"USD"}
