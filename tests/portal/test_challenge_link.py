"""A partner's link straight to the shop: a stranger registers by it, lands there and buys; the partner earns on it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core import mail as outbox
from django.test import Client as Browser
from django.urls import reverse

from clients.models import Client
from crm import events
from ib import plans
from ib.models import Accrual, Attribution, Partner, ReferralDay
from prop.models import Challenge, ProgrammeVersion
from prop.programmes.drafts import retire_version
from tests.cast import PASSWORD, Cast, signed_in
from tests.ib import factories
from tests.ib.test_sold_challenges import card
from tests.portal.test_registration import answers, letter_link
from tests.prop.factories import make_version
from tests.prop.test_buy_challenge import size_of
from tests.wallet.factories import fund

pytestmark = pytest.mark.django_db
SHOP, REGISTER = "/portal/challenges/", "/b/meridian/register/"


@pytest.fixture
def partner(cast: Cast) -> Iterator[Partner]:
    """Paid 40 EUR for each challenge, of which 60 % are their own."""
    outbox.outbox.clear()
    made = factories.make_partner(cast.brand)
    version = factories.make_version(cast.brand, cast.ib_manager, cast.finance, rate_card=card(share=""))
    plans.assign_plan(partner_id=made.pk, plan_id=version.plan_id, actor=None, at=factories.LONG_AGO)
    yield made


@pytest.fixture
def version(cast: Cast) -> ProgrammeVersion:
    return make_version(cast)


def shared(partner: Partner, **query: str) -> str:
    """The address as the partner's own page builds it."""
    link = partner.referral_links.get()
    page = signed_in(partner.user).get(reverse("partner_link_share", args=[link.pk]), query)
    return str(page.context["url"])


def test_a_stranger_of_a_link_to_the_shop_buys_and_its_partner_earns(
    cast: Cast, partner: Partner, version: ProgrammeVersion
) -> None:
    """The e-mail is opened in another browser than the one that followed the link."""
    url = shared(partner, page="portal.challenges", utm_source="telegram")
    browser, code = Browser(), partner.referral_links.get().code
    there = browser.get(url)["Location"]
    assert urlsplit(there).path == REGISTER
    assert dict(parse_qsl(urlsplit(there).query)) == {"ref": code, "to": "portal.challenges", "utm_source": "telegram"}
    assert browser.get(there).status_code == 200
    assert browser.post(there, answers())["Location"] == "/b/meridian/registered/"
    link, phone = letter_link(), Browser()
    phone.get(link)
    assert phone.post(link, {"password": "a quiet long phrase"})["Location"] == SHOP
    client = Client.objects.get(email="greta@example.com")
    events.drain()
    assert Attribution.objects.get(client=client).partner == partner
    size = size_of(version)
    assert f"/portal/challenges/buy/{size.pk}/" in phone.get(SHOP).content.decode()
    fund(client, 20_000)
    bought = phone.post(f"/portal/challenges/buy/{size.pk}/", {"coupon": "", "request_key": "one"})
    challenge = Challenge.objects.get(client=client)
    assert bought["Location"] == f"/portal/challenges/{challenge.pk}/"
    events.drain()
    line = Accrual.objects.get(client=client)
    assert (line.partner, line.component, line.ticket, line.amount) == (partner, "sale", challenge.pk, 24)
    days = ReferralDay.objects.filter(link__partner=partner).values_list("clicks", "registrations")
    assert [sum(counted) for counted in zip(*days, strict=True)] == [1, 1]


def test_who_has_a_login_lands_in_the_shop_and_keeps_their_partner(
    cast: Cast, partner: Partner, version: ProgrammeVersion
) -> None:
    url, browser = shared(partner, page="portal.challenges"), Browser()
    browser.get(browser.get(url)["Location"])
    assert browser.post("/b/meridian/login/", {"login": cast.client.email, "password": PASSWORD})["Location"] == SHOP
    there = browser.get(url)["Location"]
    assert browser.get(there)["Location"] == SHOP
    assert not Attribution.objects.filter(client=cast.client).exists()
    browser.post(reverse("account_logout"))
    assert browser.post("/b/meridian/login/", {"login": cast.client.email, "password": PASSWORD})["Location"] == (
        "/portal/"
    )


def test_no_address_leads_anywhere_else_and_nothing_is_shared_that_isnt_sold(
    cast: Cast, partner: Partner, version: ProgrammeVersion
) -> None:
    for page in ("//evil.example/", "/prop/economics/", "portal.wallet"):
        browser = Browser()
        browser.get(REGISTER, {"to": page})
        login = browser.post("/b/meridian/login/", {"login": cast.client.email, "password": PASSWORD})
        assert login["Location"] == "/portal/"
    link, shop = partner.referral_links.get(), {"to": "portal.challenges"}
    retire_version(version_id=version.pk, actor=cast.administrator)
    assert "to=" not in shared(partner, page="portal.challenges")
    assert Browser().get(f"/r/{link.code}/", shop)["Location"] == f"{REGISTER}?ref={link.code}"
