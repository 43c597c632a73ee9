"""What a receiver gets: signed, in order per client, again until it takes it; and what a bad one does to others: nothing."""

import datetime as dt

import pytest
from django.utils import timezone

from compliance.vendors.signing import judge_signature
from crm import events
from crm.choices import CallFailure, WebhookDeliveryState, WebhookState
from crm.models import AuditEvent, Notification, WebhookAttempt, WebhookDelivery
from crm.outbound import endpoints, replaying, results, sending
from crm.outbound.secrets import secret_of
from crm.outside.outbound import Bounds
from crm.privacy.erasures import destroy_client_key
from tests.crm.outbound.conftest import assign, go, leads

pytestmark = pytest.mark.django_db
BY_RULE = {"version": 1, "all": [{"field": "rule", "is": "in", "value": ["VIP"]}]}


def test_an_event_is_sent_signed_and_logged(cast, hook, receiver):
    endpoint = hook(condition=BY_RULE)
    receiver.secrets["/in"] = secret_of(endpoint)
    assign(cast, 1, client=cast.client, rule="VIP")
    assign(cast, 2, rule="Rest")
    assign(cast, 3, rule="VIP", brand_id=cast.other_brand.pk)
    assert go() == 1 and go() == 0
    (item,) = receiver.received
    assert item["signed"] and item["body"]["name"] == "lead.assigned" and item["body"]["client"] == cast.client.pk
    assert "person" not in item["body"]
    verdict = judge_signature(
        item["raw"].encode(), item["headers"], secrets=[secret_of(endpoint)], now=timezone.now()
    ).verdict
    assert verdict == "accepted"
    delivery = WebhookDelivery.objects.get()
    attempt = delivery.attempt_log.get()
    assert (delivery.state, attempt.status_code, attempt.failure) == (WebhookDeliveryState.DELIVERED, 200, "")
    assert b"received" not in bytes(attempt.answer), "under the client's key"


def test_two_secrets_sign_while_one_is_exchanged(cast, hook, receiver):
    endpoint = hook()
    old = secret_of(endpoint)
    endpoint = endpoints.rotate_secret(endpoint_id=endpoint.pk, actor=cast.administrator)
    assign(cast, 1)
    go()
    endpoint.old_secret_until = timezone.now() - dt.timedelta(seconds=1)
    endpoint.save(update_fields=["old_secret_until"])
    assign(cast, 2)
    go()
    verdicts = [
        [
            judge_signature(item["raw"].encode(), item["headers"], secrets=[secret], now=timezone.now()).verdict.value
            for item in receiver.received
        ]
        for secret in (secret_of(endpoint), old)
    ]
    assert verdicts == [["accepted", "accepted"], ["accepted", "wrong_signature"]]


def test_messages_of_a_client_wait_for_the_one_before(cast, hook, receiver):
    hook()
    receiver.switch("status", 500, times=1)
    assign(cast, 1, client=cast.client)
    assign(cast, 2, client=cast.client)
    assign(cast, 3, client=cast.other_client)
    go()
    assert leads(receiver) == [], "an address that failed is left alone for a while"
    go(later=True)
    taken = leads(receiver)
    assert sorted(taken) == [1, 2, 3] and taken.index(1) < taken.index(2)
    ids = {item["id"] for item in receiver.received if item["body"]["data"]["lead_id"] == 1}
    assert len(ids) == 1, "the same webhook-id for every attempt"


@pytest.mark.parametrize(
    ("fault", "value", "failure"),
    [
        ("status", 422, CallFailure.REFUSED),
        ("redirect", True, CallFailure.REDIRECTED),
        ("reset", True, CallFailure.UNREACHABLE),
        ("huge", True, CallFailure.OVERSIZED),
        ("slow", 1, CallFailure.TIMEOUT),
    ],
)
def test_what_isnt_taken_is_tried_for_three_days(cast, hook, receiver, monkeypatch, fault, value, failure):
    monkeypatch.setattr(sending, "BOUNDS", Bounds(64 * 1024, 0.4, sending.httpx.Timeout(0.4)))
    hook()
    receiver.switch(fault, value)
    assign(cast, 1)
    go()
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.failure, delivery.attempts) == (WebhookDeliveryState.WAITING, failure, 1)
    assert dt.timedelta(days=3) < dt.timedelta(seconds=sum(results.BACK_OFF_SECONDS)) < dt.timedelta(days=4)
    WebhookDelivery.objects.update(attempts=len(results.BACK_OFF_SECONDS))
    go(later=True)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempt_log.count()) == (WebhookDeliveryState.FAILED, 2)


def test_a_receiver_that_hangs_holds_up_no_other(cast, hook, receiver, monkeypatch):
    monkeypatch.setattr(sending, "BOUNDS", Bounds(64 * 1024, 1.5, sending.httpx.Timeout(1.5)))
    hangs, well = hook("/hangs"), hook("/well")
    receiver.switch("slow", 2.5, path="/hangs")
    for number in range(30):
        assign(cast, number)
    go()
    assert sorted(leads(receiver, "/well")) == list(range(30))
    ended = list(WebhookAttempt.objects.order_by("id").values_list("delivery__endpoint_id", flat=True))
    assert ended == [well.pk] * 30 + [hangs.pk], "all were taken before the one that hangs was given up"


def test_a_dead_worker_leaves_its_lease_and_a_late_one_changes_nothing(cast, hook, receiver):
    hook()
    assign(cast, 1)
    events.drain()
    (lost,) = sending.claim(10)  # its worker dies here, or comes back late
    assert sending.send_due() == 0, "leased"
    WebhookDelivery.objects.update(leased_until=timezone.now() - dt.timedelta(seconds=1))
    assert sending.send_due() == 1 and leads(receiver) == [1]
    late = results.Sent(lost.pk, lost.endpoint_id, None, lost.attempt, results.CallResult(failure="timeout"))
    results.note_results([late])
    assert WebhookDelivery.objects.get().state == WebhookDeliveryState.DELIVERED
    assert WebhookAttempt.objects.count() == 2


def test_an_address_that_takes_nothing_for_days_is_disabled(cast, hook, receiver, django_capture_on_commit_callbacks):
    endpoint, gone = hook(), hook("/gone")
    receiver.switch("status", 500, path="/in")
    receiver.switch("status", 410, path="/gone")
    assign(cast, 1)
    go()
    endpoint.refresh_from_db()
    gone.refresh_from_db()
    assert (endpoint.state, gone.state) == (WebhookState.ACTIVE, WebhookState.DISABLED)
    endpoint.failing_since = timezone.now() - results.DISABLED_AFTER
    endpoint.save(update_fields=["failing_since"])
    assign(cast, 2)
    go(later=True)
    endpoint.refresh_from_db()
    assert endpoint.state == WebhookState.DISABLED and not endpoint.subscription.is_enabled
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {WebhookDeliveryState.FAILED}
    assert AuditEvent.objects.filter(action="crm.webhook_disabled").count() == 2
    assert Notification.objects.filter(kind="crm.webhook_disabled", user=cast.administrator).count() == 2
    receiver.calm()
    assign(cast, 3)
    endpoints.resume_endpoint(endpoint_id=endpoint.pk, actor=cast.administrator)
    sent = replaying.replay_failed(endpoint_id=endpoint.pk, actor=cast.administrator, event="lead.assigned")
    go()
    assert sent == 2 and leads(receiver) == [1, 2], "what happened while it was disabled isn't sent"


def test_retry_after_is_heeded(cast, hook, receiver):
    endpoint = hook()
    receiver.switch("retry_after", 1200)
    assign(cast, 1)
    go()
    endpoint.refresh_from_db()
    assert endpoint.held_until > timezone.now() + dt.timedelta(minutes=19)


def test_an_erased_clients_message_is_never_sent(cast, hook, receiver):
    endpoint = hook()
    endpoint.has_personal_data = True
    endpoint.save(update_fields=["has_personal_data"])
    assign(cast, 1, client=cast.client)
    assign(cast, 2, client=cast.other_client)
    events.drain()
    kept = WebhookDelivery.objects.get(client_id=cast.client.pk)
    assert cast.client.email.encode() not in bytes(kept.body)
    destroy_client_key(cast.client.pk)
    assign(cast, 3, client=cast.client)
    go()
    assert sorted(leads(receiver)) == [2, 3]
    people = {body["data"]["lead_id"]: body.get("person") for body in receiver.bodies()}
    assert people[2]["email"] == cast.other_client.email and people[3] is None
    kept.refresh_from_db()
    assert (kept.state, kept.failure) == (WebhookDeliveryState.CANCELLED, CallFailure.ERASED)
