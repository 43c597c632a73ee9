from collections.abc import Iterator

import pytest

from clients.models import Client, PhoneExchange
from tests.brand_policies import set_policies
from tests.clients.telephony.running import (
    AROUND_THE_CLOCK,
    RunningExchange,
    give_phone,
    make_exchange,
    running_exchange,
)

CLIENT_NUMBER = "+4915112345678"


@pytest.fixture
def sandbox() -> Iterator[RunningExchange]:
    with running_exchange() as running:
        yield running


@pytest.fixture
def exchange(cast, sandbox) -> PhoneExchange:
    """A brand that calls through its exchange, and an agent with a phone."""
    set_policies(cast.brand, calls_through_exchange=True, **AROUND_THE_CLOCK)
    give_phone(cast.agent)
    client = Client.objects.get(pk=cast.client.pk)
    client.phone, client.country = CLIENT_NUMBER, "DE"
    client.save()
    return make_exchange(cast.brand, sandbox.url)
