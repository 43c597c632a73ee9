"""A landing page's form in another site's frame: whose, with what protection, and nothing else of ours."""

import re

import pytest
import time_machine
from django.test import Client as Browser
from django.utils import timezone

from crm.brand_policies.versions import today
from crm.errors import DomainError
from crm.staff.policy_changes import change_policy
from leads import guard
from leads.embedding.origins import LEAD_FORM_ORIGINS, ORIGINS_MAX, Origins
from leads.models import Lead

pytestmark = pytest.mark.django_db
ADDRESS = "/l/meridian/start/embedded/"
SITE = "https://www.partner.example"
OWN = "http://testserver"


def allow(brand):
    values = {"value": [SITE], "effective_on": today(brand), "reason": "Our partner's site"}
    change_policy(brand_id=brand.pk, key=LEAD_FORM_ORIGINS.key, actor=None, **values)


@pytest.fixture
def allowed(cast, landing_page):
    allow(cast.brand)
    return landing_page


def frame_of(response):
    return re.search(r"frame-ancestors ([^;]*)", response["Content-Security-Policy"])[1], response.get(
        "X-Frame-Options"
    )


def submit(*, origin=OWN, seconds=10, **changes):
    browser = Browser(enforce_csrf_checks=True)
    html = browser.get(ADDRESS + "?lang=de&utm_campaign=de-search").content.decode()
    hidden = {name: re.search(rf'name="{name}" value="([^"]*)"', html)[1] for name in ("stamp", "origin")}
    typed = {"first_name": "Erika", "last_name": "Mustermann", "email": "erika@web.de", "country": "DE"}
    typed |= {"phone": "0151 23456789", "contact": "on", guard.HONEYPOT: "", **hidden, **changes}
    headers = {"Origin": origin} if origin else {}
    with time_machine.travel(timezone.now().timestamp() + seconds):
        return browser, browser.post(ADDRESS + "?lang=de", typed, headers=headers)


def test_only_the_named_site_may_frame_the_form(allowed):
    response = Browser().get(ADDRESS)
    assert response.status_code == 200 and frame_of(response) == (SITE, None)
    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert "csrf" not in response.content.decode() and not response.cookies


@pytest.mark.parametrize("address", ["/l/meridian/start/", "/l/meridian/start/thanks/de/", "/b/meridian/login/"])
def test_every_other_page_stays_out_of_frames(allowed, address):
    assert frame_of(Browser().get(address)) == ("'none'", "DENY")


def test_without_a_site_there_is_no_embedded_form(cast, landing_page):
    response = Browser().get(ADDRESS)
    assert response.status_code == 404 and frame_of(response) == ("'none'", "DENY")
    assert Browser().post(ADDRESS, {}).status_code == 404 and not Lead.objects.exists()


def test_an_enquiry_needs_no_cookie(allowed, german_rule):
    browser, response = submit()
    assert response.status_code == 302 and not browser.cookies
    lead = Lead.objects.get()
    assert (lead.campaign.code, lead.landing_page, lead.client.email) == ("de-search", allowed, "erika@web.de")
    thanks = browser.get(response["Location"])
    assert "Danke!" in thanks.content.decode() and frame_of(thanks) == (SITE, None)


@pytest.mark.parametrize("origin", ["", "null", SITE, "https://evil.example"])
def test_a_form_sent_from_another_page_is_refused(allowed, german_rule, origin):
    _browser, response = submit(origin=origin)
    assert response.status_code == 422 and not Lead.objects.exists()


def test_robots_and_floods_are_held_off_as_on_the_landing_page(allowed, german_rule, monkeypatch):
    assert submit(**{guard.HONEYPOT: "x"})[1].status_code == 302
    assert submit(stamp="forged")[1].status_code == 302
    assert submit(seconds=0)[1].status_code == 422
    monkeypatch.setattr(guard, "PER_TEN_MINUTES", 0)
    assert submit()[1].status_code == 422
    assert not Lead.objects.exists()


def test_the_marketer_sees_code_and_sites(cast, browse, landing_page):
    html = browse(cast.marketing).get(f"/landing-pages/{landing_page.pk}/embed/").content.decode()
    assert "No site may show this form yet" in html
    allow(cast.brand)
    html = browse(cast.marketing).get(f"/landing-pages/{landing_page.pk}/embed/").content.decode()
    assert f"{OWN}{ADDRESS}?lang=de" in html and "js/embed.js" in html and SITE in html
    assert browse(cast.agent).get(f"/landing-pages/{landing_page.pk}/embed/").status_code == 403


@pytest.mark.parametrize(
    "line",
    [
        "http://a.example",
        "https://*.a.example",
        "https://a.example/x",
        "https://a.example:0",
        "'self'",
        "https://a.example; x",
    ],
)
def test_what_is_no_origin_is_refused(line):
    with pytest.raises(DomainError):
        Origins().clean([line])


def test_origins_are_few_and_canonical():
    assert Origins().clean(["WWW.A.example", "https://www.a.example/", "https://b.example:8443"]) == [
        "https://www.a.example",
        "https://b.example:8443",
    ]
    with pytest.raises(DomainError):
        Origins().clean([f"https://s{n}.example" for n in range(ORIGINS_MAX + 1)])
