"""The pages of country rules: the list with its filters, the form for many, one country, and the client's record."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from clients.choices import CountryBand, Gate
from clients.country_rules.groups import EEA, EU
from clients.models import CountryRuleProposal
from crm.brand_policies.registry import today
from crm.choices import Role
from tests.cast import make_staff
from tests.country_rules import set_country_rule

pytestmark = pytest.mark.django_db


def listed(browser, cast, **filters) -> str:
    return browser.get(reverse("brand_countries", args=[cast.brand.pk]), filters).content.decode()


def test_the_menu_leads_to_the_own_brand(cast, browse):
    answer = browse(cast.mlro).get(reverse("country_rules"))
    assert answer["Location"] == reverse("brand_countries", args=[cast.brand.pk])


def test_the_list_is_filtered_by_name_band_and_state(cast, browse):
    set_country_rule(cast.brand, "FR", refused=[Gate.LEAD], band=CountryBand.HIGH)
    set_country_rule(cast.brand, "ES", on=today(cast.brand) + dt.timedelta(days=9), band=CountryBand.LOW)
    browser = browse(cast.mlro)
    page = listed(browser, cast)
    assert "Germany" in page and "France" in page and "All other countries" in page and "Prohibited by default" in page
    assert "Low risk from" in page
    for filters in ({"q": "fran"}, {"q": "FR", "band": "high"}, {"state": "own"}):
        page = listed(browser, cast, **filters)
        assert "France" in page and "Germany" not in page
    assert "Spain" in listed(browser, cast, state="planned") and "France" not in listed(browser, cast, state="planned")
    assert "Russia" in listed(browser, cast, state="refused")
    assert "No country found" in listed(browser, cast, q="atlantis")
    assert "Germany" in listed(browser, cast, band="nonsense", state="nonsense")


def test_the_list_costs_the_same_for_more_rules(cast, browse, django_assert_max_num_queries):
    browser = browse(cast.mlro)
    listed(browser, cast)
    set_country_rule(cast.brand, *sorted(EEA), refused=[Gate.LEAD])
    with django_assert_max_num_queries(16):
        listed(browser, cast)


def test_many_countries_are_proposed_at_once_and_wait(cast, browse):
    browser = browse(cast.mlro)
    address = reverse("brand_countries_change", args=[cast.brand.pk])
    form = browser.get(address, {"group": "eu"}).context["form"]
    assert set(form.initial["countries"]) == EU
    typed = {
        "countries": ["DE", "AT", "others"],
        "band": "high",
        "accepted": ["lead", "withdrawal"],
        "effective_on": today(cast.brand),
        "reason": "",
    }
    wrong = browser.post(address, typed)
    assert wrong.status_code == 422 and not CountryRuleProposal.objects.exists()
    assert browser.post(address, {**typed, "reason": "Regulator's letter"}).status_code == 302
    assert CountryRuleProposal.objects.get().countries == ["", "AT", "DE"]
    assert listed(browser, cast, state="waiting").count("k-badge tone-warning") == 3
    again = browser.post(address, {**typed, "reason": "Once more"})
    assert again.status_code == 422 and "awaits a second approval already" in again.content.decode()
    page = browser.get(reverse("brand_country", args=[cast.brand.pk, "DE"])).content.decode()
    assert "awaits a second approval" in page


def test_a_country_shows_its_history(cast, browse):
    set_country_rule(cast.brand, "DE", refused=[Gate.LEAD], band=CountryBand.HIGH)
    set_country_rule(cast.brand, "DE", band="", on=today(cast.brand))
    browser = browse(cast.administrator)
    page = browser.get(reverse("brand_country", args=[cast.brand.pk, "DE"])).content.decode()
    assert page.count("For this test") == 2 and "High risk" in page
    assert browser.get(reverse("brand_country", args=[cast.brand.pk, "others"])).status_code == 200
    assert browser.get(reverse("brand_country", args=[cast.brand.pk, "XX"])).status_code == 404


def test_a_brand_out_of_reach_is_not_found_and_other_roles_are_refused(cast, browse):
    stranger = make_staff("far@x.example", Role.ADMINISTRATOR, brand=cast.other_brand)
    for user, status in ((stranger, 404), (cast.finance, 403), (cast.agent, 403)):
        browser = browse(user)
        assert browser.get(reverse("brand_countries", args=[cast.brand.pk])).status_code == status
        assert browser.get(reverse("brand_countries_change", args=[cast.brand.pk])).status_code == status
        assert browser.get(reverse("brand_country", args=[cast.brand.pk, "DE"])).status_code == status


def test_the_clients_record_shows_the_band_beside_the_country(cast, browse):
    set_country_rule(cast.brand, "DE", refused=[Gate.DEPOSIT], band=CountryBand.HIGH)
    page = browse(cast.agent).get(f"/clients/{cast.client.pk}/").content.decode()
    assert "High risk" in page and "Not accepted: Deposits" in page
