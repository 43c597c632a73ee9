"""A worker dies before any statement or commit of recording and sending: each webhook is delivered, none is lost."""

import datetime as dt

import pytest
from django.db import transaction
from django.utils import timezone

from crm import events
from crm.models import WebhookDelivery, WebhookEndpoint
from crm.outbound import sending
from tests.crm.outbound.conftest import assign, hook, receiver, receiver_process  # noqa: F401  fixtures
from tests.faults.killing import Rounds

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_a_webhook_survives_the_death_of_its_worker_at_any_step(cast, hook, receiver):
    hook()
    rounds = Rounds()
    for step in range(1, 60):
        receiver.received.clear()
        with transaction.atomic():
            assign(cast, step, client=cast.client)
            assign(cast, step + 1000, client=cast.client)
        died = [rounds.killed_at(step, "recording", events.deliver_due)]
        events.drain()
        died.append(rounds.killed_at(step, "sending", sending.send_due))
        # Its lease runs out; the next worker goes on.
        WebhookDelivery.objects.filter(state="waiting").update(leased_until=None, next_at=timezone.now())
        WebhookEndpoint.objects.update(held_until=timezone.now() - dt.timedelta(seconds=1))
        sending.send_due()
        taken = [body["data"]["lead_id"] for body in receiver.bodies()]
        assert sorted(set(taken)) == [step, step + 1000], f"killed at step {step}"
        assert taken.index(step) < taken.index(step + 1000), f"killed at step {step}"
        ids = {(item["id"], item["body"]["data"]["lead_id"]) for item in receiver.received}
        assert len(ids) == 2, "the same webhook-id however often it was sent"
        assert not WebhookDelivery.objects.exclude(state="delivered").exists(), f"killed at step {step}"
        if not any(died):
            return
    pytest.fail("more statements than expected")
