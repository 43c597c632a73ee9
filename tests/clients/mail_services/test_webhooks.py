"""Mail services report on our e-mails: stored first, believed by their signature, counted only for the e-mail they mean."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client as Browser
from django.utils import timezone

from clients.mail_format import as_email
from clients.mail_services import hearing
from clients.mail_services.adapters import basic_auth
from clients.messages.suppression import reason_against
from clients.messages.tokens import message_id_of
from clients.models import IncomingMail, MailService, MailServiceEvent, Message, TimelineEntry
from crm.errors import NotAllowed, WrongState
from tests.cast import signed_in

pytestmark = pytest.mark.django_db
KEYS = {"mailgun": {"signing_key": "mg-key"}, "mandrill": {"webhook_key": "md-key"}, "postmark": {"password": "pm-pw"}}
RAW = "From: Anna <anna@client.example>\r\nTo: support@broker.example\r\nSubject: Hi\r\nMessage-ID: <1@client.example>\r\n\r\nHello"


def _service(cast, adapter: str) -> MailService:
    sealed = MailService.sealed(KEYS[adapter])
    return MailService.objects.create(
        brand=cast.brand, code=adapter, name=adapter, adapter=adapter, sealed_credentials=sealed
    )


def _message(cast, address: str = "anna@client.example") -> Message:
    fields: dict[str, Any] = {"language": "en", "to_address": address, "subject": "Welcome", "body": "Hello"}
    return Message.objects.create(client=cast.client, state="sent", sent_at=timezone.now(), **fields)


def _mark(message: Message) -> str:
    return message_id_of(message.pk, "keelson")


def _mailgun_block(token: str, at: float | None = None, key: str = "mg-key") -> dict[str, str]:
    stamp = str(int(at or time.time()))
    return {
        "timestamp": stamp,
        "token": token,
        "signature": hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest(),
    }


def _mailgun(event: str, mark: str, recipient: str, *, token: str = "t1", **more: Any) -> tuple[bytes, dict[str, str]]:
    signed = {name: more.pop(name) for name in ("at", "key") if name in more}
    data = {"event": event, "timestamp": time.time(), "recipient": recipient, "user-variables": {"keelson": mark}}
    body = {"signature": _mailgun_block(token, **signed), "event-data": {**data, **more}}
    return json.dumps(body).encode(), {"content_type": "application/json"}


def _mandrill(*events: dict[str, Any], key: str = "md-key") -> tuple[bytes, dict[str, Any]]:
    text = json.dumps(list(events))
    signed = "http://localhost:8000/webhooks/mail/mandrill/mandrill_events" + text
    signature = base64.b64encode(hmac.new(key.encode(), signed.encode(), hashlib.sha1).digest()).decode()
    sent = {"content_type": "application/x-www-form-urlencoded", "headers": {"X-Mandrill-Signature": signature}}
    return urlencode({"mandrill_events": text}).encode(), sent


def _postmark(event: dict[str, Any], password: str = "pm-pw") -> tuple[bytes, dict[str, Any]]:
    sent = {"content_type": "application/json", "headers": {"Authorization": basic_auth(password)}}
    return json.dumps(event).encode(), sent


def _post(service: MailService, sent: tuple[bytes, dict[str, Any]]) -> int:
    status: int = Browser().post(f"/webhooks/mail/{service.code}/", sent[0], **sent[1]).status_code
    hearing.process_due()
    return status


def _delivery(message: Message) -> str:
    return Message.objects.values_list("delivery", flat=True).get(pk=message.pk)


def test_each_services_reports_reach_the_e_mail_they_mean(cast, settings):
    """Three services: delivered, then bounced for good: the address is on the suppression list, and its people know."""
    settings.BASE_URL = "http://localhost:8000"
    for number, adapter in enumerate(KEYS):
        service = _service(cast, adapter)
        message = _message(cast, f"anna{number}@client.example")
        mark, to = _mark(message), message.to_address
        email = as_email(message, {})
        assert any("keelson" in value or "keelson" in name.lower() for name, value in email.extra_headers.items())
        reports = {
            "mailgun": [
                _mailgun("delivered", mark, to),
                _mailgun("failed", mark, to, token="t2", severity="permanent", reason="bounce"),
            ],
            "mandrill": [
                _mandrill({"event": event, "ts": time.time(), "msg": {"email": to, "metadata": {"keelson": mark}}})
                for event in ("open", "hard_bounce")
            ],
            "postmark": [
                _postmark({"RecordType": "Delivery", "Recipient": to, "Metadata": {"keelson": mark}}),
                _postmark({"RecordType": "Bounce", "Type": "HardBounce", "Email": to, "Metadata": {"keelson": mark}}),
            ],
        }[adapter]
        assert _post(service, reports[0]) == 200
        assert (
            _delivery(message) in ("delivered", "opened")
            and reason_against(cast.brand.pk, to, is_marketing=False) is None
        )
        assert _post(service, reports[1]) == 200
        assert _delivery(message) == "bounced"
        assert reason_against(cast.brand.pk, to, is_marketing=False) == "bounce"
        assert TimelineEntry.objects.filter(client=cast.client, dedupe_key=f"message-bounce:{message.pk}").count() == 1
        service.is_enabled = False
        service.save()


def test_a_complaint_and_an_unsubscription_stop_marketing_only(cast):
    service, message = _service(cast, "mailgun"), _message(cast)
    to = message.to_address
    cast.client.marketing_consent = True
    cast.client.save()
    assert _post(service, _mailgun("complained", _mark(message), to)) == 200
    assert reason_against(cast.brand.pk, to, is_marketing=True) == "complaint"
    assert reason_against(cast.brand.pk, to, is_marketing=False) is None
    assert _post(service, _mailgun("unsubscribed", _mark(message), to, token="t2")) == 200
    cast.client.refresh_from_db()
    assert not cast.client.marketing_consent


def test_what_is_forged_old_or_replayed_changes_nothing(cast):
    """A token is accepted once: Mailgun's signature covers no content, so a seen one must not carry another report."""
    service, message = _service(cast, "mailgun"), _message(cast)
    mark, to = _mark(message), message.to_address
    assert _post(service, _mailgun("failed", mark, to, key="other")) == 400
    assert _post(service, _mailgun("failed", mark, to, at=time.time() - 90_000)) == 400
    assert _post(service, (b"{", {"content_type": "application/json"})) == 400
    assert Browser().post("/webhooks/mail/nothing/", b"{}", content_type="application/json").status_code == 404
    assert _post(service, _mailgun("delivered", mark, to)) == 200
    assert _post(service, _mailgun("failed", mark, to, severity="permanent")) == 200  # the same token
    assert _delivery(message) == "delivered"
    verdicts = set(MailServiceEvent.objects.values_list("verdict", "repeats"))
    assert verdicts == {("wrong_signature", 0), ("too_old", 0), ("accepted", 1)}
    postmark = _service_off(cast, "postmark")
    assert _post(postmark, _postmark({"RecordType": "Delivery"}, password="guess")) == 400


def _service_off(cast, adapter: str) -> MailService:
    MailService.objects.update(is_enabled=False)
    return _service(cast, adapter)


def test_a_report_without_our_mark_or_for_another_address_counts_for_nothing(cast):
    service, message = _service(cast, "mailgun"), _message(cast)
    for number, (mark, to) in enumerate(
        [("<client-message-1.00000000000000000000@keelson>", message.to_address), (_mark(message), "else@x.example")]
    ):
        assert _post(service, _mailgun("failed", mark, to, token=f"t{number}", severity="permanent")) == 200
    assert _delivery(message) == "" and set(MailServiceEvent.objects.values_list("state", flat=True)) == {"unmatched"}
    event = MailServiceEvent.objects.first()
    with pytest.raises(NotAllowed):
        hearing.retry_event(event_id=event.pk, actor=cast.agent)
    hearing.retry_event(event_id=event.pk, actor=cast.mlro)
    with pytest.raises(WrongState):
        hearing.retry_event(event_id=event.pk, actor=cast.mlro)


@pytest.mark.parametrize("at", [10**17, 10**20, float("inf")])
def test_a_time_that_no_clock_tells_holds_up_no_other_report(cast, at):
    service, message = _service(cast, "mailgun"), _message(cast)
    mark, to = _mark(message), message.to_address
    _post(service, _mailgun("opened", mark, to, timestamp=at))
    assert _post(service, _mailgun("delivered", mark, to, token="t2")) == 200
    assert _delivery(message) == "delivered"


def test_a_temporary_failure_stops_nothing(cast):
    service, message = _service(cast, "mailgun"), _message(cast)
    _post(service, _mailgun("failed", _mark(message), message.to_address, severity="temporary"))
    assert _delivery(message) == "" and MailServiceEvent.objects.get().outcome == "Nothing new"


@pytest.mark.parametrize("adapter", list(KEYS))
def test_an_e_mail_that_comes_in_waits_to_be_assigned(cast, settings, adapter):
    settings.BASE_URL = "http://localhost:8000"
    service = _service(cast, adapter)
    form = {"content_type": "application/x-www-form-urlencoded"}
    sent = {
        "mailgun": (urlencode({**_mailgun_block("t9"), "body-mime": RAW}).encode(), form),
        "mandrill": _mandrill({"event": "inbound", "msg": {"raw_msg": RAW}}),
        "postmark": _postmark({"FromFull": {}, "RawEmail": RAW}),
    }[adapter]
    assert _post(service, sent) == 200 and _post(service, sent) == 200
    mail = IncomingMail.objects.get()
    assert (mail.from_address, mail.subject, mail.state, mail.client) == (
        "anna@client.example",
        "Hi",
        "unassigned",
        None,
    )


def test_the_pages_choose_a_service_and_show_what_it_sent(cast):
    service = _service(cast, "mailgun")
    _post(service, _mailgun("opened", "", "x@y.example"))
    browser = signed_in(cast.administrator)
    assert "Webhook signing key" in browser.get("/mail/services/new/").content.decode()
    assert "Webhook key" in browser.get("/mail/services/new/?adapter=mandrill").content.decode()
    assert "/webhooks/mail/mailgun/" in browser.get("/mail/services/").content.decode()
    assert "opened" in browser.get("/mail/events/").content.decode()
