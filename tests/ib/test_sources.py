"""Sub-ids and countries of clicks, and what each source brought."""

import datetime as dt
from collections import Counter
from random import Random
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone

from clients.models import Client
from crm.events import ClientRegistered
from ib import links
from ib.models import Attribution, ReferralDay, ReferralLink
from ib.partner_pages import figures
from ib.partner_pages.date_ranges import date_range
from ib.partner_pages.sources import KINDS, Source, sources
from ib.subscribers import attribute_to_the_partner
from ib.tracking import source_days
from leads.models import Lead
from tests.cast import make_client
from tests.ib.test_pages import text_of

pytestmark = pytest.mark.django_db


def register(cast, link, **fields):
    """A client who registered today through a link; `sub_id` and `click_id` as they were in its address."""
    tags = {name: fields.pop(name) for name in ("sub_id", "click_id") if name in fields}
    client = make_client(
        brand=cast.brand, book=cast.client.book, email=f"c{Client.objects.count()}@example.com", **fields
    )
    attribute_to_the_partner(
        ClientRegistered(client_id=client.pk, brand_id=cast.brand.pk, user_id=1, referral_code=link.code, **tags)
    )
    return client


def test_the_sub_id_of_a_link_goes_from_the_click_to_the_registered_client(network, cast, browse):
    link = network.sub.referral_links.get()
    answer = browse(None).get(
        f"/r/{link.code}/", {"aff_sub": " video-12\x07", "click_id": "C9"}, REMOTE_ADDR="81.2.69.142"
    )
    assert dict(parse_qsl(urlsplit(answer["Location"]).query)) == {
        "ref": link.code,
        "click_id": "C9",
        "sub_id": "video-12",
    }
    row = ReferralDay.objects.get()
    assert (row.sub_id, row.clicks, row.registrations) == ("video-12", 1, 0)
    client = register(cast, link, sub_id="video-12", click_id="C9")
    kept = Attribution.objects.get(client=client)
    assert (kept.sub_id, kept.click_id) == ("video-12", "C9")


def test_an_endless_sub_id_is_cut_and_many_of_them_become_one_source(network, cast, browse, monkeypatch):
    link = network.sub.referral_links.get()
    answer = browse(None).get(f"/r/{link.code}/", {"sub_id": "x" * 1_000_000})
    assert answer.status_code == 302 and ReferralDay.objects.get().sub_id == "x" * 60
    monkeypatch.setattr(links, "SOURCES_PER_DAY", 3)
    for number in (1, 2, 3, 4, 2):
        links.count(link, clicks=1, sub_id=f"s{number}", country="DE")
    rows = dict(ReferralDay.objects.filter(sub_id__lt="x").values_list("sub_id", "clicks"))
    assert rows == {"s1": 1, "s2": 2, links.OTHER_SOURCES: 2}


def test_each_source_counts_its_clicks_and_the_clients_it_brought(network, cast, browse, django_assert_max_num_queries):
    link, other = network.sub.referral_links.get(), network.master.referral_links.get()
    links.count(link, clicks=10, sub_id="a", country="DE")
    links.count(link, clicks=4, sub_id="a", country="AT")
    links.count(link, clicks=5, country="DE")
    links.count(other, clicks=99, sub_id="a", country="DE")
    now = timezone.now()
    register(cast, link, sub_id="a", country="AT", kyc_level=1, first_deposit_at=now, last_trade_at=now)
    register(cast, link, sub_id="a", country="DE", kyc_level=1)
    register(cast, link, sub_id="b", country="ES")
    span = date_range("30")
    found = sources(network.sub, span, "sub")
    assert found.rows == [Source("a", 14, 2, 2, 1, 1), Source("", 5, 0, 0, 0, 0), Source("b", 0, 1, 0, 0, 0)]
    assert (found.total, found.count) == (Source("", 19, 3, 2, 1, 1), 3)
    assert [(row.key, row.clicks, row.registered) for row in sources(network.sub, span, "country").rows] == [
        ("DE", 15, 1),
        ("AT", 4, 1),
        ("ES", 0, 1),
    ]
    assert [row.clicks for row in sources(network.sub, span, "day", link_id=link.pk).rows] == [19]
    browser = browse(network.sub.user)
    with django_assert_max_num_queries(14):
        page = browser.get(reverse("partner_sources"), {"by": "sub"})
    assert "Without a sub-id" in text_of(page) and "sub_id=a" in page.content.decode()
    clients = browser.get(reverse("partner_clients"), {"sub_id": "a", "country": "AT"})
    assert clients.content.decode().count('data-label="Sub-id"') == 1
    lines = b"".join(browser.get(reverse("partner_sources"), {"by": "country", "export": "csv"})).decode().splitlines()
    assert lines[1] == "DE,15,1,1,0,0" and len(lines) == 4


def test_clicks_and_clients_are_counted_by_the_links_tags(network, cast, browse):
    link = network.sub.referral_links.get()
    for source, campaign in (("telegram", "spring"), ("telegram", "autumn"), ("x\x00" * 100, "")):
        browse(None).get(f"/r/{link.code}/", {"utm_source": source, "utm_campaign": campaign})
    client = register(cast, link, kyc_level=1)
    capture = {"brand": cast.brand, "channel": "manual", "utm": {"utm_source": "telegram"}}
    Lead.objects.create(client=client, referral_code=link.code.upper(), **capture)
    span = date_range("30")
    found = sources(network.sub, span, "source").rows
    assert [(row.key, row.clicks, row.registered) for row in found] == [("telegram", 2, 1), ("x" * 60, 1, 0)]
    assert {row.key: row.clicks for row in sources(network.sub, span, "campaign").rows} == {
        "spring": 1,
        "autumn": 1,
        "": 1,
    }
    browser = browse(network.sub.user)
    assert "No tag" in text_of(browser.get(reverse("partner_sources"), {"by": "medium"}))
    assert "utm_source=telegram" in browser.get(reverse("partner_sources"), {"by": "source"}).content.decode()
    # The row leads to the clients it counts.
    other = register(cast, link)
    Lead.objects.create(client=other, referral_code=link.code, **{**capture, "utm": {"utm_source": "bio"}})
    listed = [
        [row.client for row in browser.get(reverse("partner_clients"), query).context["table"].page.rows]
        for query in ({"utm_source": "telegram"}, {"utm_source": "telegram", "utm_medium": "x"}, {"utm_source": "tele"})
    ]
    assert listed == [[client], [], []]


def test_kept_sums_of_clicks_equal_a_recount_whatever_comes_between(network, cast):
    """Random clicks on four months, kept, more of them late, changed and removed, kept again: each page as counted by hand."""
    draw, link = Random(26), network.sub.referral_links.get()
    pair = [link, ReferralLink.objects.create(partner=network.sub, code="second")]
    today = timezone.now().date()

    def click(back):
        tags = {f"utm_{tag}": draw.choice(("", "a", "b")) for tag in ("source", "medium", "campaign")}
        where = {
            "link": draw.choice(pair),
            "day": today - dt.timedelta(days=back),
            "sub_id": draw.choice("xyz"),
            **tags,
        }
        row, _made = ReferralDay.objects.get_or_create(**where, country=draw.choice(("", "DE")))
        ReferralDay.objects.filter(pk=row.pk).update(clicks=row.clicks + draw.randint(0, 5))

    def counted(span, kind, link_id=0):
        name = {"sub": "sub_id", "country": "country", "day": "day"}.get(kind, f"utm_{kind}")
        rows = ReferralDay.objects.filter(link__partner=network.sub, day__gte=span.first, day__lte=span.last)
        sums = Counter()
        for key, clicks in (rows.filter(link_id=link_id) if link_id else rows).values_list(name, "clicks"):
            sums[str(key)] += clicks
        return {key: clicks for key, clicks in sums.items() if clicks}

    for pass_number in range(3):
        for back in (
            0,
            0,
            1,
            2,
            3,
            *(draw.randint(0, 120) if not pass_number else draw.randint(0, 3) for _ in range(60)),
        ):
            click(back)
        if pass_number:
            ReferralDay.objects.filter(day=today - dt.timedelta(days=2), sub_id="x").delete()
        assert source_days.keep_days(cast.brand) and not source_days.differences(cast.brand)
        assert not source_days.keep_days(cast.brand)
        click(0)  # today's clicks are counted as they come
        for period in ("7", "90", "last-month"):
            span = date_range(period)
            for kind in KINDS:
                for pk in (0, pair[1].pk):
                    found = {row.key: row.clicks for row in sources(network.sub, span, kind, link_id=pk).rows}
                    assert found == counted(span, kind, pk)
            assert figures.funnel(network.sub, span).clicks == sum(counted(span, "day").values())
            of_links = figures.by_link(network.sub, span, pair)
            assert [row.clicks for row in of_links] == [sum(counted(span, "day", one.pk).values()) for one in pair]


@pytest.mark.parametrize(
    "query", [{"by": "x"}, {"link": "999999"}, {"link": "x' OR 1=1"}, {"period": "y", "by": "day"}]
)
def test_any_query_shows_the_partners_own_sources(network, browse, query):
    links.count(network.master.referral_links.get(), clicks=7, sub_id="secret")
    page = browse(network.sub.user).get(reverse("partner_sources"), query)
    assert page.status_code == 200 and "secret" not in page.content.decode()
