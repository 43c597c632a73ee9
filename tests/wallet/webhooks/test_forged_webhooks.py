"""Forgeries are counted, few are kept and those expire; a genuine message among them is stored and booked."""

import datetime as dt

import pytest
from django.db import connection
from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone

from tests.wallet.deposits.test_deposit import pay, start, wallet_balance
from wallet.choices.deposits import DepositState
from wallet.choices.psp import InboxState, Verdict
from wallet.models import Deposit, WebhookCount, WebhookMessage
from wallet.psp.paypal import webhooks
from wallet.webhooks import processing as inbox
from wallet.webhooks import refused as refused_webhooks
from wallet.webhooks.refused import KEPT_A_DAY, KEPT_OF_AN_ADDRESS

pytestmark = pytest.mark.django_db

HEADERS = {f"x-{number}": "h" * 500 for number in range(30)} | {
    "user-agent": "u" * 900,
    "content-type": "application/json",
}
BODY = b'{"id": "evt_1"}' + b" " * 20_000


def forge(psp, number: int, *, ip: str = "", signature: str = "t=1,v1=00") -> WebhookMessage:
    headers = {**HEADERS, "sandbox-signature": signature} if signature else HEADERS
    address = ip or f"203.0.{number % 7}.{number % 250}"
    return inbox.receive_webhook(psp=psp, body=BODY, headers=headers, ip=address)[0]


def bytes_stored() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(sum(length(body) + length(headers::text)), 0) FROM wallet_webhookmessage")
        return cursor.fetchone()[0]


def test_five_thousand_forgeries_are_a_few_rows_and_a_number(cast, outside):
    deposit = start(cast, outside)
    pay(deposit)
    outside.wait_for(2)
    for number in range(5_000):
        forge(outside.psp, number, signature="t=1,v1=00" if number % 2 else "")
        if number == 2_500:
            assert outside.deliver() == [200, 200], "genuine ones in the middle of it"
    assert Deposit.objects.get().state == DepositState.SETTLED
    assert wallet_balance(cast) == 50_000
    refused = WebhookMessage.objects.filter(state=InboxState.REFUSED)
    assert refused.count() == 2 * KEPT_A_DAY
    assert bytes_stored() < 2 * KEPT_A_DAY * 6_000 + 20_000
    counted = dict(WebhookCount.objects.values_list("verdict").annotate(n=Sum("received")))
    assert counted == {Verdict.WRONG_SIGNATURE: 2_500, Verdict.NO_SIGNATURE: 2_500}
    assert set(WebhookCount.objects.values_list("kept", flat=True)) == {KEPT_A_DAY}


def test_of_a_refused_one_only_the_headers_of_its_signature_are_kept(cast, outside):
    message = forge(outside.psp, 1)
    message.refresh_from_db()
    assert sorted(message.headers) == ["content-type", "sandbox-signature", "user-agent"]
    assert len(message.headers["user-agent"]) == 500
    assert len(message.body) == 4_096


def test_one_address_does_not_use_up_the_places_of_others(cast, outside):
    for number in range(50):
        forge(outside.psp, number, ip="203.0.113.9")
    assert WebhookMessage.objects.count() == KEPT_OF_AN_ADDRESS
    assert forge(outside.psp, 1, ip="198.51.100.7").pk, "the PSP's own, whose secret was mistyped"
    assert WebhookCount.objects.get().received == 51


def test_repeats_of_a_genuine_message_are_bounded_too(cast, outside, monkeypatch):
    monkeypatch.setattr(refused_webhooks, "REPEATS_KEPT_A_DAY", 3)
    pay(start(cast, outside))
    outside.deliver(wait_for=2)
    headers, body = outside.catcher.received[-1]
    assert [outside.post(headers, body) for _time in range(8)] == [200] * 8
    assert WebhookMessage.objects.filter(verdict=Verdict.DUPLICATE).count() == 3
    assert WebhookCount.objects.get(verdict=Verdict.DUPLICATE).received == 8


def test_refusals_expire_and_evidence_of_money_stays(cast, outside):
    pay(start(cast, outside))
    outside.deliver(wait_for=2)
    forge(outside.psp, 1)
    old = timezone.now() - dt.timedelta(days=31)
    WebhookMessage.objects.update(received_at=old)
    forge(outside.psp, 2)
    assert refused_webhooks.expire_refused() == 1
    assert sorted(WebhookMessage.objects.values_list("verdict", flat=True)) == [
        "accepted",
        "accepted",
        "wrong_signature",
    ]
    WebhookCount.objects.update(day=old.date() - dt.timedelta(days=400))
    refused_webhooks.expire_refused()
    assert not WebhookCount.objects.exists()


def test_the_health_page_counts_what_was_not_kept(cast, outside, browse):
    for number in range(1_234):
        forge(outside.psp, number)
    shown = browse(cast.finance).get(reverse("wallet:psp_health", args=[outside.psp.pk])).content.decode()
    assert "Unprocessed webhooks" in shown
    assert "1,234 rejected in 7 days" in shown
    assert shown.count("/money/webhooks/") >= KEPT_A_DAY


def test_invented_certificates_push_no_good_one_out_and_are_asked_for_once(monkeypatch):
    """Each of PayPal's messages names its certificate's address, so a stranger decides what is fetched."""
    asked: list[str] = []

    def nothing_there(url: str) -> bytes:
        asked.append(url)
        raise webhooks.CertificateMissing(url)

    webhooks.forget_certificates()
    monkeypatch.setattr(webhooks, "_fetch", nothing_there)
    good = "https://api.paypal.com/v1/notifications/certs/CERT-good"
    webhooks._cache(webhooks._certificates, good, (float("inf"), "the key"))
    for number in [*range(60), 59]:
        with pytest.raises(webhooks.CertificateMissing):
            webhooks.public_key(f"https://api.paypal.com/v1/notifications/certs/CERT-{number}")
    assert len(asked) == 60
    assert webhooks.public_key(good) == "the key"
    webhooks.forget_certificates()
