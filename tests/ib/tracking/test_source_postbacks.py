"""Postbacks of a lead source, by the kit of the partners' ones: which steps, once each, and who sets them up."""

from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import IntegrityError, transaction

from crm.errors import DomainError, NotAllowed
from crm.events import ClientRegistered, ClientVerified, DepositSettled, LeadCaptured
from ib import subscribers
from ib.models import Postback, PostbackDelivery
from ib.tracking import postbacks, sending
from leads.capture import Capture, capture_lead
from leads.choices import Channel
from leads.sources import create_source, set_source_active

pytestmark = pytest.mark.django_db
STEPS = ["lead", "registration", "ftd"]


@pytest.fixture
def source(cast):
    return create_source(brand=cast.brand, name="Affiliate One", code="affiliate-one", actor=cast.administrator)[0]


def set_up(cast, source, url, events=tuple(STEPS)):
    return postbacks.save_source_postback(source_id=source.pk, url=url, events=events, actor=cast.administrator)


def capture(cast, source, **fields):
    typed = {"channel": Channel.API, "first_name": "Hans", "email": "hans@web.de", "country": "DE", "language": "de"}
    lead = capture_lead(brand=cast.brand, api_source=source, capture=Capture(**{**typed, **fields})).lead
    subscribers.report_the_lead_to_its_source(LeadCaptured(lead_id=lead.pk, client_id=lead.client_id))
    return lead


def test_a_sources_steps_are_sent_once_signed_with_its_ids(cast, source, tracker):
    base, calls, _answers = tracker
    set_up(cast, source, base + "/pb?cid={click_id}&goal={event}&lead={lead_id}&id={event_id}")
    other = create_source(brand=cast.brand, name="Two", code="two", actor=cast.administrator)[0]
    set_up(cast, other, base + "/other")
    lead = capture(cast, source, click_id="X 1")
    for _twice in range(2):
        about = {"client_id": lead.client_id, "brand_id": cast.brand.pk}
        subscribers.attribute_to_the_partner(ClientRegistered(**about, user_id=1))
        subscribers.report_verification(ClientVerified(**about, level=1))
        paid = {"deposit_id": 1, "amount": Decimal(10), "currency": "EUR", "psp": "x"}
        subscribers.report_first_deposit(DepositSettled(**about, **paid, is_first=True))
    assert sending.send_due() == 3 and sending.send_due() == 0
    sent = [dict(parse_qsl(urlsplit(path).query)) for path, _signature in calls]
    assert sorted(call["goal"] for call in sent) == ["ftd", "lead", "registration"], "not verified: it wasn't chosen"
    assert {(call["cid"], call["lead"]) for call in sent} == {("X 1", str(lead.pk))}
    assert all(signature.startswith("t=") for _path, signature in calls)


def test_only_the_first_source_hears_what_a_client_does(cast, source, tracker):
    base, _calls, _answers = tracker
    second = create_source(brand=cast.brand, name="Two", code="two", actor=cast.administrator)[0]
    for row in (source, second):
        set_up(cast, row, base + "/x?e={event}")
    lead, again = capture(cast, source), capture(cast, second)
    assert again.client_id == lead.client_id
    postbacks.report_step_to_source(client_id=lead.client_id, event=postbacks.PostbackEvent.FUNDED)
    sent = PostbackDelivery.objects.order_by("pk").values_list("postback__source__code", "event")
    assert list(sent) == [("affiliate-one", "lead"), ("two", "lead"), ("affiliate-one", "ftd")]


def test_refused_leads_and_stopped_sources_report_nothing(cast, source, tracker):
    set_up(cast, source, tracker[0] + "/x")
    lead = capture(cast, source)
    type(lead).objects.filter(pk=lead.pk).update(refusal="country")
    PostbackDelivery.objects.all().delete()
    assert postbacks.report_lead(lead_id=lead.pk) == 0
    type(lead).objects.filter(pk=lead.pk).update(refusal="")
    set_source_active(source_id=source.pk, actor=cast.administrator, is_active=False)
    assert postbacks.report_lead(lead_id=lead.pk) == 0


def test_addresses_and_macros_are_checked(cast, source, settings):
    settings.OUTGOING_PRIVATE = []
    for url in ("https://127.0.0.1/x", "http://example.com/", "https://1.1.1.1/?w={customer}"):
        with pytest.raises(DomainError):
            set_up(cast, source, url)
    with pytest.raises(DomainError):
        set_up(cast, source, "https://1.1.1.1/", ["nothing"])
    for who in (cast.agent, cast.auditor):
        with pytest.raises(NotAllowed):
            postbacks.save_source_postback(source_id=source.pk, url="https://1.1.1.1/", events=STEPS, actor=who)
    assert not Postback.objects.exists()


def test_staff_test_pause_and_resend_on_the_sources_page(cast, source, tracker, browse):
    base, calls, answers = tracker
    browser = browse(cast.administrator)
    page = f"/lead-sources/{source.pk}/postbacks/"
    assert page in browser.get("/lead-sources/").content.decode()
    assert browser.post(f"{page}new/", {"url": base + "/t", "events": ["lead"]}).status_code == 302
    row = Postback.objects.get()
    answers[0] = 500
    browser.post(f"{page}{row.pk}/test/")
    assert sending.send_due() == 1
    delivery = PostbackDelivery.objects.get()
    assert delivery.state == "failed" and "Send again" in browser.get(page).content.decode()
    answers[0] = 200
    browser.post(f"{page}sent/{delivery.pk}/")
    assert sending.send_due() == 1 and len(calls) == 2
    secret = row.secret
    browser.post(f"{page}{row.pk}/pause/")
    browser.post(f"{page}{row.pk}/key/")
    row.refresh_from_db()
    assert not row.is_active and row.secret != secret
    assert browse(cast.agent).get(page).status_code == 403
    type(source).objects.update(brand=cast.other_brand)
    assert browser.get(page).status_code == 404 and browser.post(f"{page}{row.pk}/test/").status_code == 404


def test_a_postback_belongs_to_a_source_or_a_partner(cast, source):
    with pytest.raises(IntegrityError), transaction.atomic():
        Postback.objects.create(url="https://1.1.1.1/", events=["ftd"], sealed_secret=b"x")
