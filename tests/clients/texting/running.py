"""A brand's service for SMS and WhatsApp, and what the sandbox exchange sends about messages."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from clients.models import TextMessage, TextService
from clients.texting import delivery, hearing
from crm.models import Brand
from tests.clients.telephony.running import KEYS, Callback, RunningExchange, post

CLIENT_NUMBER = "+4915112345678"
SMS_NUMBER, WHATSAPP_NUMBER = "+442071838750", "+442071838751"
FINAL = ("delivered", "undelivered", "failed", "read", "received")


def make_service(brand: Brand, url: str, **fields: Any) -> TextService:
    """A connection that was approved long ago."""
    values = {
        "code": "twilio",
        "name": "Twilio",
        "adapter": "twilio",
        "base_url": url,
        "sms_number": SMS_NUMBER,
        "whatsapp_number": WHATSAPP_NUMBER,
        "sealed_credentials": TextService.sealed(KEYS),
    }
    return TextService.objects.create(brand=brand, **{**values, **fields})


def work(row: TextMessage) -> TextMessage:
    """Do what is due for a message, and read it again."""
    TextMessage.objects.filter(pk=row.pk).exclude(due_at=None).update(due_at=timezone.now())
    delivery.work_on(row.pk)
    return TextMessage.objects.select_related("thread").get(pk=row.pk)


def reports(sandbox: RunningExchange, count: int) -> list[Callback]:
    """Wait for so many further callbacks."""
    sandbox.wait(lambda: len(sandbox.received) >= sandbox.delivered + count)
    fresh = sandbox.received[sandbox.delivered : sandbox.delivered + count]
    sandbox.delivered += count
    return fresh


def deliver(callbacks: list[Callback]) -> set[int]:
    """Hand callbacks to our address, and follow them."""
    statuses = {post(callback) for callback in callbacks}
    hearing.process_due()
    return statuses


def write_in(sandbox: RunningExchange, body: str, *, from_: str = CLIENT_NUMBER, to: str = SMS_NUMBER) -> set[int]:
    """Let somebody write to our number, and follow it."""
    sandbox._control("text", {"from": from_, "to": to, "body": body})
    return deliver(reports(sandbox, 1))
