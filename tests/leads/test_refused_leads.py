"""Refused leads: a described fact that the list, its filter, exports and conditions know."""

import json
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from clients.facts import FACTS, differences, rebuild
from clients.models import Client
from clients.vocabulary import CLIENT
from crm.conditions import read
from leads.capture import Capture, capture_lead
from leads.choices import Channel
from leads.models import LeadFacts
from leads.tables import LeadTable
from tests.cast import signed_in
from tests.leads.test_custom_fields import checked, taken_in

pytestmark = pytest.mark.django_db
REFUSED = {"version": 1, "all": [{"field": "refusal", "is": "in", "value": ["country"]}]}


def come_in(cast, email, country):
    capture = Capture(channel=Channel.API, email=email, first_name=email[:3], country=country, language="de")
    return capture_lead(brand=cast.brand, capture=capture).client


@pytest.fixture
def people(cast, german_rule):
    return come_in(cast, "usa@web.de", "US"), come_in(cast, "ger@web.de", "DE")


def listed(user, **params):
    return {row.email for row in LeadTable(user, params, path="/leads/").page.rows}


def test_the_list_filters_refused_leads(cast, people):
    refused, other = people
    everyone = listed(cast.administrator)
    assert {refused.email, other.email} <= everyone
    assert listed(cast.administrator, is_refused="1") == {refused.email}
    assert listed(cast.administrator, is_refused="0") == everyone - {refused.email}


def test_a_condition_and_the_filter_of_conditions_know_them(cast, people):
    condition = read(REFUSED, CLIENT)
    found = Client.objects.filter(condition.q(timezone.now()))
    assert list(found) == [people[0]] and condition.holds(people[0], timezone.now())
    assert condition.sentence() == "Enquiry refused is Country not accepted"
    assert listed(cast.administrator, conditions=json.dumps(REFUSED)) == {people[0].email}


def test_the_column_and_the_export_say_why(cast, people):
    params = {"is_refused": "1", "columns": "full_name,refusal", "export": "csv"}
    page = signed_in(cast.administrator).get(f"/leads/?{urlencode(params)}")
    assert page.status_code in (200, 302)
    columns = {column.name: column for column in LeadTable(cast.administrator, {}, path="/leads/").more_columns()}
    shown = [columns["refusal"].read(Client.objects.select_related("leads_facts").get(pk=one.pk)) for one in people]
    assert shown == ["Country not accepted", ""]


def test_an_accepted_enquiry_later_clears_it(cast, people):
    refused, _other = people
    again = come_in(cast, refused.email, "DE")
    assert again == refused and not LeadFacts.objects.filter(refusal__isnull=False).exists()


def test_a_file_with_the_person_clears_it(cast, people):
    taken_in(cast, checked(cast, "email,country\nusa@web.de,DE\n"))
    assert not LeadFacts.objects.filter(refusal__isnull=False).exists()


def test_the_fact_is_recomputed_from_the_leads(cast, people):
    assert list(differences(FACTS["refusal"])) == []
    LeadFacts.objects.update(refusal=None)
    assert list(differences(FACTS["refusal"])) == [(people[0].pk, None, "country")]
    assert rebuild(FACTS["refusal"]) == 1 and LeadFacts.objects.get(refusal="country").client == people[0]
