"""A receiver, and webhooks of the cast's brand that send to it."""

import threading

import pytest
from django.utils import timezone

from crm import events
from crm.models import WebhookDelivery, WebhookEndpoint
from crm.outbound import endpoints, sending
from sandbox.receiver.server import ReceiverServer


@pytest.fixture(scope="session")
def receiver_process():
    server = ReceiverServer(("127.0.0.1", 0))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def receiver(receiver_process):
    receiver_process.calm()
    receiver_process.received.clear()
    receiver_process.secrets.clear()
    return receiver_process


@pytest.fixture
def hook(cast, receiver):
    """Set up a webhook to a path of the receiver."""

    def make(path="/in", heard=("lead.assigned",), *, condition=None, actor=None, brand=None):
        details = endpoints.EndpointDetails(f"To {path}", receiver.url + path, list(heard), condition or {})
        return endpoints.create_endpoint(
            brand_id=(brand or cast.brand).pk, actor=actor or cast.administrator, details=details
        )

    return make


def assign(cast, lead_id, *, client=None, **given):
    whose = {"client_id": client.pk if client else None, "brand_id": cast.brand.pk, **given}
    events.publish(events.LeadAssigned(lead_id=lead_id, agent_id=cast.agent.pk, **whose))


def go(*, later=None):
    """Deliver events and send what is due; later: as if so much time had passed."""
    events.drain()
    if later is not None:
        WebhookDelivery.objects.filter(state="waiting").update(next_at=timezone.now())
        WebhookEndpoint.objects.update(held_until=None)
    return sending.send_due()


def leads(receiver, path="/in"):
    return [body["data"]["lead_id"] for body in receiver.bodies(path)]
