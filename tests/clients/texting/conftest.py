from collections.abc import Iterator

import pytest

from clients.models import Client, TextService
from tests.brand_policies import set_policies
from tests.clients.telephony.running import RunningExchange, running_exchange
from tests.clients.texting.running import CLIENT_NUMBER, make_service

DAY_AND_NIGHT = {"marketing_hour_from": 0, "marketing_hour_until": 24}


@pytest.fixture
def sandbox() -> Iterator[RunningExchange]:
    with running_exchange() as running:
        yield running


@pytest.fixture
def service(cast, sandbox) -> TextService:
    """A brand that writes by SMS and WhatsApp, and a client with a number."""
    set_policies(cast.brand, **DAY_AND_NIGHT)
    client = Client.objects.get(pk=cast.client.pk)
    client.phone, client.country = CLIENT_NUMBER, "DE"
    client.save()
    return make_service(cast.brand, sandbox.url)
