import re

import pytest
import time_machine
from django.test import Client as Browser
from django.utils import timezone

from clients.models import Client
from crm.models import Notification
from leads import guard
from leads.models import LandingPage, Lead

pytestmark = pytest.mark.django_db
ADDRESS = "/l/meridian/start/"
TAGS = "?utm_source=google&utm_medium=cpc&utm_campaign=de-search&utm_term=forex&gclid=G1&ref=IB7"


@pytest.fixture
def english(landing_page):
    landing_page.pk = None
    landing_page.language, landing_page.headline, landing_page.thanks_title = "en", "Learn to trade", "Thank you!"
    landing_page.call_to_action, landing_page.points = "Ask us", []
    landing_page.save()
    return landing_page


def hidden(html, name):
    return re.search(rf'name="{name}" value="([^"]*)"', html)[1]


def fill_in(browser, address=ADDRESS, *, seconds=10, **changes):
    """Open the page, wait as a person does, and send the form."""
    html = browser.get(address, HTTP_ACCEPT_LANGUAGE="de-DE,de;q=0.9").content.decode()
    typed = {
        "first_name": "Erika",
        "last_name": "Mustermann",
        "email": "erika@web.de",
        "country": "DE",
        "phone": "0151 23456789",
        "message": "Bitte anrufen",
        "contact": "on",
        "stamp": hidden(html, "stamp"),
        "origin": hidden(html, "origin"),
        guard.HONEYPOT: "",
        **changes,
    }
    with time_machine.travel(timezone.now().timestamp() + seconds):
        return browser.post(ADDRESS, typed, HTTP_ACCEPT_LANGUAGE="de-DE,de;q=0.9", HTTP_USER_AGENT="Firefox"), typed


def test_the_page_speaks_german_to_a_german_browser_and_wears_the_brand(cast, landing_page, english):
    html = Browser().get(ADDRESS, HTTP_ACCEPT_LANGUAGE="de-DE,de;q=0.9").content.decode()
    assert "Handeln lernen" in html and 'lang="de"' in html
    assert 'value="DE" selected' in html
    assert "brand/meridian.css" in html
    assert "Learn to trade" in Browser().get(f"{ADDRESS}?lang=en").content.decode()


def test_an_enquiry_becomes_an_assigned_lead_with_its_origin(cast, german_rule, landing_page):
    response, _typed = fill_in(Browser(), ADDRESS + TAGS)
    assert response.status_code == 302 and response["Location"] == "/l/meridian/start/thanks/de/"
    lead = Lead.objects.get()
    assert (lead.source, lead.medium, lead.campaign.code) == ("google", "cpc", "de-search")
    assert (lead.click_id, lead.referral_code, lead.utm["utm_term"]) == ("G1", "IB7", "forex")
    assert lead.landing_url.endswith(TAGS) and lead.ip == "127.0.0.1" and lead.user_agent_hash
    assert (lead.language, lead.country_guess, lead.landing_page) == ("de", "DE", landing_page)
    assert lead.assigned_to == cast.agent and lead.consents["contact"] and not lead.consents["offers"]
    assert Notification.objects.get(user=cast.agent).kind == "leads.assigned"


def test_tags_of_an_earlier_visit_are_kept_in_a_cookie(cast, german_rule, landing_page):
    browser = Browser()
    browser.get(ADDRESS + TAGS)
    fill_in(browser)
    assert Lead.objects.get().campaign.code == "de-search"


def test_the_pages_campaign_counts_for_who_brings_no_tags(cast, german_rule, landing_page):
    fill_in(Browser())
    assert Lead.objects.get().campaign.code == "de-search"
    assert Lead.objects.get().source == "google"


def test_a_double_click_is_one_lead_and_a_correction_is_another(cast, german_rule, landing_page):
    browser = Browser()
    _response, typed = fill_in(browser)
    with time_machine.travel(timezone.now().timestamp() + 20):
        assert browser.post(ADDRESS, typed, HTTP_ACCEPT_LANGUAGE="de-DE,de;q=0.9").status_code == 302
        assert Lead.objects.count() == 1
        browser.post(ADDRESS, {**typed, "phone": "0151 99999999"}, HTTP_ACCEPT_LANGUAGE="de-DE,de;q=0.9")
    assert Lead.objects.count() == 2 and Client.objects.filter(email="erika@web.de").count() == 1


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"phone": "12345"}, "eine gültige Telefonnummer"),
        ({"email": "erika"}, "gültige E-Mail-Adresse"),
        ({"contact": ""}, "Ohne Ihre Einwilligung"),
        ({"first_name": ""}, "zwingend erforderlich"),
        ({"country": "XX"}, "XX"),
    ],
)
def test_what_is_wrong_is_said_in_german_and_what_was_typed_stays(cast, german_rule, landing_page, changes, told):
    response, _typed = fill_in(Browser(), **changes)
    html = response.content.decode()
    assert response.status_code == 422
    assert told in html
    assert 'value="Mustermann"' in html and "Bitte anrufen" in html
    assert not Lead.objects.exists()


def test_a_robot_is_thanked_and_nothing_is_kept(cast, german_rule, landing_page):
    for changes in ({guard.HONEYPOT: "https://spam.example"}, {"stamp": "forged"}):
        response, _typed = fill_in(Browser(), **changes)
        assert response.status_code == 302
    assert not Lead.objects.exists()


@pytest.mark.parametrize("seconds", [0, 90_000])
def test_a_form_sent_at_once_or_a_day_later_is_asked_for_again(cast, german_rule, landing_page, seconds):
    response, _typed = fill_in(Browser(), seconds=seconds)
    assert response.status_code == 422 and 'value="Mustermann"' in response.content.decode()
    assert not Lead.objects.exists()


def test_too_many_from_one_address_are_told_to_wait(cast, german_rule, landing_page):
    for n in range(guard.PER_TEN_MINUTES):
        assert fill_in(Browser(), email=f"e{n}@web.de", phone=f"0151 2345678{n}")[0].status_code == 302
    response, _typed = fill_in(Browser(), email="more@web.de")
    assert response.status_code == 422 and "zehn Minuten" in response.content.decode()


def test_no_lead_is_lost_while_redis_is_away(cast, german_rule, landing_page, settings):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    assert fill_in(Browser())[0].status_code == 302
    assert Lead.objects.count() == 1


def test_an_unknown_or_unpublished_page_is_missing(cast, landing_page):
    assert Browser().get("/l/meridian/nothing/").status_code == 404
    assert Browser().get("/l/nobody/start/").status_code == 404
    LandingPage.objects.update(is_published=False)
    assert Browser().get(ADDRESS).status_code == 404


def test_the_thanks_page_says_what_comes_next(cast, landing_page):
    html = Browser().get("/l/meridian/start/thanks/de/").content.decode()
    assert "Danke!" in html and "Wir melden uns." in html


def test_what_a_visitor_types_is_never_markup(cast, german_rule, landing_page):
    response, _typed = fill_in(Browser(), first_name="<script>alert(1)</script>", phone="1")
    assert "<script>alert(1)" not in response.content.decode()


class TestInvitationLink:
    @pytest.fixture
    def token(self, cast, german_rule, capture):
        from leads.invitations import invite

        return invite(client_id=capture().client.pk, actor=cast.agent)[1]

    def test_a_good_link_leads_on_and_rings_the_owners_bell(self, cast, token):
        response = Browser().get(f"/l/invitation/{token}/")
        assert response.status_code == 302 and response["Location"].endswith(f"?invitation={token}")
        assert Notification.objects.filter(user=cast.agent, kind="leads.link_opened").count() == 1

    def test_a_used_link_says_so_in_the_leads_language(self, cast, token):
        from leads.invitations import redeem

        redeem(token, user_id=cast.client_user.pk)
        response = Browser().get(f"/l/invitation/{token}/")
        assert response.status_code == 410
        assert "bereits" in response.content.decode()

    def test_a_forged_link_says_what_to_do(self, token):
        response = Browser().get(f"/l/invitation/{token[:-3]}/")
        assert response.status_code == 410 and "e-mail" in response.content.decode().lower()

    def test_an_expired_link_is_renewed_on_request(self, cast, token):
        from leads.models import RegistrationInvitation

        past = timezone.now() - timezone.timedelta(days=9)
        RegistrationInvitation.objects.update(created_at=past, expires_at=past)
        assert "Fordern Sie einen neuen an" in Browser().get(f"/l/invitation/{token}/").content.decode()
        assert Browser().post(f"/l/invitation/{token}/").status_code == 200
        assert RegistrationInvitation.objects.filter(revoked_at=None).count() == 1


def test_a_nul_sign_in_the_address_loses_no_lead(cast, german_rule, landing_page):
    response, _typed = fill_in(Browser(), f"{ADDRESS}{TAGS}%00&utm_content=a%00b")
    assert response.status_code == 302
    assert Lead.objects.get().utm["utm_content"] == "ab"
