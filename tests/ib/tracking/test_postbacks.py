"""Postbacks both ways: what a partner's tracking system is called with, and what a network's reports change."""

import hashlib
import hmac
import socket
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.utils import timezone

from clients.models import Client
from crm.errors import DomainError, NotAllowed
from crm.events import ClientRegistered, ClientStageChanged, ClientVerified
from ib import subscribers
from ib.models import Attribution, Postback, PostbackDelivery, PostbackReport, ReferralDay
from ib.tracking import macros, postbacks, sending
from ib.tracking.choices import DeliveryState, PostbackFailure, ReportState
from tests.cast import make_client

pytestmark = pytest.mark.django_db
EVENTS = ["registration", "kyc_approved", "ftd", "active"]


def set_up(partner, url, events=tuple(EVENTS)) -> Postback:
    return postbacks.save_postback(partner_id=partner.pk, url=url, events=events, actor=partner.user)


def register(cast, *, code="", **tags) -> Client:
    email = f"c{Client.objects.count()}@example.com"
    client = make_client(brand=cast.brand, book=cast.client.book, email=email, country="AT")
    event = ClientRegistered(client_id=client.pk, brand_id=cast.brand.pk, user_id=1, referral_code=code, **tags)
    subscribers.attribute_to_the_partner(event)
    return client


def test_each_step_is_sent_once_signed_and_filled_in(network, cast, tracker):
    base, calls, _answers = tracker
    postback = set_up(network.sub, base + "/pb?cid={click_id}&goal={event}&who={customer}&c={country}&id={event_id}")
    set_up(network.master, base + "/other")
    client = register(cast, code=network.sub.code, click_id="a b&c=1")
    for _twice in range(2):
        subscribers.report_verification(ClientVerified(client_id=client.pk, level=1))
    subscribers.report_activity(ClientStageChanged(client_id=client.pk, before="funded", after="active"))
    assert sending.send_due() == 3 and sending.send_due() == 0
    sent = [dict(parse_qsl(urlsplit(path).query)) for path, _signature in calls]
    assert sorted(call["goal"] for call in sent) == ["active", "kyc_approved", "registration"]
    whose = Attribution.objects.get(client=client)
    assert {(call["cid"], call["who"], call["c"]) for call in sent} == {("a b&c=1", str(whose.pk), "AT")}
    path, signature = calls[0]
    assert signature == sending.signature_of(base + path, postback.secret, at=int(signature[2:].partition(",")[0]))
    assert set(PostbackDelivery.objects.values_list("state", "status_code", "failure")) == {("delivered", 200, "")}


def test_a_failed_call_is_retried_later_and_then_by_hand(network, cast, tracker, browse):
    base, calls, answers = tracker
    postback = set_up(network.sub, base + "/pb?x={event}", ["registration"])
    answers[0] = 302
    register(cast, code=network.sub.code)
    sending.send_due()
    delivery = PostbackDelivery.objects.get()
    assert (delivery.state, delivery.failure) == (DeliveryState.WAITING, PostbackFailure.REDIRECTED)
    assert 25 < (delivery.next_at - timezone.now()).total_seconds() <= 30 and len(calls) == 1
    for _attempt in sending.BACK_OFF_SECONDS:
        PostbackDelivery.objects.update(next_at=timezone.now())
        sending.send_due()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (DeliveryState.FAILED, 7)
    answers[0] = 204
    browser = browse(network.sub.user)
    assert browser.post(f"/partners/links/postbacks/sent/{delivery.pk}/").status_code == 302
    assert browse(network.master.user).post(f"/partners/links/postbacks/sent/{delivery.pk}/").status_code == 404
    browser.post(f"/partners/links/postbacks/{postback.pk}/test/")
    assert sending.send_due() == 2
    assert set(PostbackDelivery.objects.values_list("state", flat=True)) == {"delivered"}
    page = browser.get("/partners/links/postbacks/").content.decode()
    assert page.count("Delivered") == 2 and "Test</span>" in page


def test_a_hanging_host_holds_up_no_other(network, cast, tracker, monkeypatch):
    base, calls, _answers = tracker
    monkeypatch.setattr(sending, "BOUNDS", sending.outbound.Bounds(1024, 0.3, sending.httpx.Timeout(0.3)))
    silent = socket.create_server(("127.0.0.1", 0))
    set_up(network.sub, f"http://127.0.0.1:{silent.getsockname()[1]}/", ["registration"])
    set_up(network.sub, base + "/ok", ["registration"])
    for _number in range(6):
        register(cast, code=network.sub.code)
    sending.send_due()
    silent.close()
    assert len(calls) == 6
    waiting = PostbackDelivery.objects.filter(state="waiting")
    assert waiting.count() == 6 and waiting.filter(failure="timeout").count() == sending.EACH


def test_addresses_are_public_and_their_macros_known(network, cast, settings):
    settings.OUTGOING_PRIVATE = []
    for url, words in {
        "https://127.0.0.1/x": "private",
        "https://169.254.169.254/latest": "private",
        "http://example.com/": "https://",
        "https://{click_id}.example/": "host name",
        "https://example.com/?x={secret}": "{secret}",
        "https://example.com/a b": "spaces",
        "https://user@example.com/": "username",
    }.items():
        with pytest.raises(DomainError, match=words):
            set_up(network.sub, url)
    with pytest.raises(NotAllowed):
        postbacks.save_postback(
            partner_id=network.sub.pk, url="https://1.1.1.1/", events=EVENTS, actor=network.top.user
        )
    assert set_up(network.sub, "https://1.1.1.1/?c={click_id}").events == EVENTS
    assert macros.fill("x={click_id}&y={unknown}", {"click_id": "ä&"}) == "x=%C3%A4%26&y="
    # A name that became private after it was saved: nothing is sent there.
    Postback.objects.update(url="https://127.0.0.1/")
    register(cast, code=network.sub.code)
    sending.send_due()
    assert PostbackDelivery.objects.get().failure == PostbackFailure.UNREACHABLE


def report(browser, key, query, *, secret=None):
    signature = hmac.new((secret or key.secret).encode(), query.encode(), hashlib.sha256).hexdigest()
    return browser.get(f"/r/in/{key.code}/?{query}&sig={signature}")


def test_a_reported_click_counts_once_and_brings_the_client(network, cast, browse):
    key = postbacks.key_for_reports(partner_id=network.sub.pk, actor=network.sub.user)
    browser = browse(None)
    for _twice in range(2):
        answer = report(browser, key, "event=click&id=n1&click_id=C-77&sub_id=video")
        assert (answer.status_code, answer.json()) == (200, {"status": "counted"})
    day = ReferralDay.objects.get()
    assert (day.clicks, day.sub_id, PostbackReport.objects.get().repeats) == (1, "video", 1)
    client = register(cast, click_id="C-77")
    assert Attribution.objects.get(client=client).partner_id == network.sub.pk
    assert not Attribution.objects.filter(client=register(cast, click_id="C-78")).exists()
    assert report(browser, key, "event=conversion&id=n2&click_id=C-77").json() == {"status": "matched"}
    assert report(browser, key, "event=conversion&id=n3&click_id=C-99").json() == {"status": "unmatched"}
    other = postbacks.key_for_reports(partner_id=network.master.pk, actor=network.master.user)
    report(browser, other, "event=click&id=m1&click_id=C-77")
    assert not Attribution.objects.filter(client=register(cast, click_id="C-77")).exists(), "two partners claim it"


def test_what_isnt_signed_is_stored_refused_and_changes_nothing(network, browse, monkeypatch):
    monkeypatch.setattr("ib.tracking.reports.REFUSED_KEPT_A_DAY", 4)
    key = postbacks.key_for_reports(partner_id=network.sub.pk, actor=network.sub.user)
    browser = browse(None)
    good = "event=click&id=1&click_id=x"
    assert report(browser, key, good, secret="another").status_code == 403
    assert browser.get(f"/r/in/{key.code}/?{good}").status_code == 403
    assert report(browser, key, "event=click&click_id=x").status_code == 403
    assert report(browser, key, "event=withdraw&id=2").status_code == 403
    assert report(browser, key, "event=click&id=3&x=" + "y" * 90_000).status_code == 403
    assert browser.get("/r/in/unknown/").status_code == 404
    key.refresh_from_db()
    kept = PostbackReport.objects.values_list("state", flat=True)
    assert key.refused_count == 5 and list(kept) == [ReportState.REFUSED] * 4 and not ReferralDay.objects.exists()


def test_the_pages_are_the_partners_own(network, cast, browse, django_assert_max_num_queries):
    browser = browse(network.sub.user)
    page = browser.post("/partners/links/postbacks/new/", {"url": "https://x.example/{nope}", "events": ["ftd"]})
    assert page.status_code == 422 and "Unknown macro" in page.content.decode()
    browser.post("/partners/links/postbacks/new/", {"url": "http://127.0.0.1/?a={event}", "events": ["ftd"]})
    postback = Postback.objects.get()
    page = browser.get(f"/partners/links/postbacks/{postback.pk}/").content.decode()
    assert postback.secret in page and "{click_id}" in page
    browser.post(f"/partners/links/postbacks/{postback.pk}/key/")
    browser.post(f"/partners/links/postbacks/{postback.pk}/switch/")
    changed = Postback.objects.get()
    assert changed.secret != postback.secret and not changed.is_active
    assert browse(network.master.user).get(f"/partners/links/postbacks/{postback.pk}/").status_code == 404
    browser.post("/partners/links/postbacks/reporting/")
    assert network.sub.postback_key.secret in browser.get("/partners/links/postbacks/reporting/").content.decode()
    with django_assert_max_num_queries(14):
        browser.get("/partners/links/postbacks/")
    staff = browse(cast.ib_manager)
    postbacks.send_test(postback_id=postback.pk, actor=network.sub.user)
    assert network.sub.name in staff.get("/ib/postbacks/").content.decode()
    for state, rows in (("", 1), ("waiting", 1), ("failed", 0)):
        log = browser.get("/partners/links/postbacks/", {"export": "csv", "state": state}).getvalue().decode()
        assert len(log.splitlines()) == 1 + rows
    assert len(browse(network.master.user).get("/partners/links/postbacks/?export=csv").getvalue().splitlines()) == 1
