"""What a partner shares: an address with page, language and tags, its QR code, and where a click on it leads."""

import re
from io import BytesIO
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.urls import reverse
from PIL import Image

from crm.ui import qr
from ib.attribution import link_of
from ib.choices import PartnerState
from ib.links import switch_link
from ib.models import ReferralDay, ReferralLink
from ib.partners import change_state
from leads.models import LandingPage
from tests.ib.factories import make_partner

pytestmark = pytest.mark.django_db
TAGS = {"utm_source": "telegram", "utm_medium": "social", "utm_campaign": "spring & co"}


@pytest.fixture
def spring(cast):
    fields = {"headline": "Spring", "call_to_action": "Go", "thanks_title": "Thanks"}
    LandingPage.objects.create(brand=cast.other_brand, slug="theirs", language="en", **fields)
    LandingPage.objects.create(brand=cast.brand, slug="hidden", language="en", is_published=False, **fields)
    return LandingPage.objects.create(brand=cast.brand, slug="spring", language="de", **fields)


def shared(browser, link, **query):
    page = browser.get(reverse("partner_link_share", args=[link.pk]), query)
    assert page.status_code == 200
    return page.context["url"]


def test_page_language_and_tags_are_parts_of_the_address(network, spring, browse):
    link = network.sub.referral_links.get()
    url = shared(browse(network.sub.user), link, page="spring", language="de", **TAGS)
    assert urlsplit(url).path == f"/r/{link.code}/"
    assert dict(parse_qsl(urlsplit(url).query)) == {"to": "spring", "lang": "de", **TAGS}


def test_a_click_leads_to_the_shared_page_with_code_and_tags(network, spring, browse):
    link = network.sub.referral_links.get()
    url = shared(browse(network.sub.user), link, page="spring", language="de", **TAGS)
    answer = browse(None).get(url)
    there = urlsplit(answer["Location"])
    assert there.path == f"/l/{network.sub.brand.code}/spring/"
    assert dict(parse_qsl(there.query)) == {"ref": link.code, "lang": "de", **TAGS}
    assert answer.cookies["django_language"].value == "de" and ReferralDay.objects.get(link=link).clicks == 1


@pytest.mark.parametrize("page", ["", "hidden", "theirs", "../../x", "no-such"])
def test_only_published_pages_of_the_brand_are_led_to(network, spring, browse, page):
    link = network.sub.referral_links.get()
    answer = browse(None).get(
        f"/r/{link.code}/", {"to": page, "lang": "xx", "utm_source": "a", "next": "https://x.example"}
    )
    there = urlsplit(answer["Location"])
    assert there.netloc == "" and there.path == f"/b/{network.sub.brand.code}/register/"
    assert dict(parse_qsl(there.query)) == {"ref": link.code, "utm_source": "a"}
    assert "django_language" not in answer.cookies
    if page:
        assert "to=" not in shared(browse(network.sub.user), link, page=page)


def test_links_that_refer_nobody_lead_on_without_the_code(network, cast, spring, browse):
    """Inactive ones and those of a suspended partner: the visitor did nothing wrong, and the partner still sees the click."""
    link, suspended = network.sub.referral_links.get(), network.master.referral_links.get()
    switch_link(link_id=link.pk, is_active=False, actor=None)
    change_state(partner_id=network.master.pk, to=PartnerState.BLOCKED, actor=cast.ib_manager, reason="complaint")
    for row in (link, suspended):
        there = browse(None).get(f"/r/{row.code}/", {"to": "spring", "utm_source": "a"})["Location"]
        assert there.startswith("/l/") and "ref=" not in there and "utm_source=a" in there
        assert ReferralDay.objects.get(link=row).clicks == 1


def test_a_link_of_another_brand_leads_there_and_refers_nobody_here(network, cast, browse):
    theirs = make_partner(cast.other_brand).referral_links.get()
    assert urlsplit(browse(None).get(f"/r/{theirs.code}/")["Location"]).path == f"/b/{cast.other_brand.code}/register/"
    assert link_of(cast.brand.pk, theirs.code) is None and link_of(cast.other_brand.pk, theirs.code) == theirs


def test_one_code_is_one_partners(network, browse):
    """Two partners with one coupon: the second one reads that it's taken, however it is written."""
    assert (
        browse(network.sub.user).post(reverse("partner_links"), {"campaign": "A", "code": "Gold-24"}).status_code == 302
    )
    answer = browse(network.master.user).post(reverse("partner_links"), {"campaign": "B", "code": "GOLD-24"})
    assert answer.status_code == 422 and "The code gold-24 is already taken" in answer.content.decode()
    assert ReferralLink.objects.get(code="gold-24").partner == network.sub


def test_nobody_shares_another_partners_link(network, cast, browse):
    link = make_partner(cast.brand).referral_links.get()
    browser = browse(network.sub.user)
    assert browser.get(reverse("partner_link_share", args=[link.pk])).status_code == 404
    assert browser.get(reverse("partner_link_qr", args=[link.pk, "png"])).status_code == 404


def test_the_qr_code_is_downloaded_as_svg_and_png(network, browse):
    link = network.sub.referral_links.get()
    browser = browse(network.sub.user)
    svg = browser.get(reverse("partner_link_qr", args=[link.pk, "svg"]), TAGS)
    png = browser.get(reverse("partner_link_qr", args=[link.pk, "png"]), TAGS)
    assert svg["Content-Type"] == "image/svg+xml" and b' xmlns="http://www.w3.org/2000/svg"' in svg.content
    assert f'filename="qr-{link.code}.png"' in png["Content-Disposition"]
    picture = Image.open(BytesIO(png.content))
    rows = qr.matrix(shared(browser, link, **TAGS))
    middle = qr.PIXELS_PER_MODULE // 2
    seen = [
        [
            picture.getpixel((x * qr.PIXELS_PER_MODULE + middle, y * qr.PIXELS_PER_MODULE + middle)) == 0
            for x in range(len(rows))
        ]
        for y in range(len(rows))
    ]
    assert seen == rows and picture.size == (len(rows) * qr.PIXELS_PER_MODULE,) * 2
    assert svg.content.decode().count("h1v1h-1z") == sum(map(sum, rows))


def test_a_label_cannot_break_out_of_the_picture():
    assert re.search(r"<script", str(qr.svg("x", label='"><script>'))) is None
