"""Which exchanges there are."""

from __future__ import annotations

from typing import Final

from clients.models import PhoneExchange
from clients.telephony.asterisk import AsteriskAdapter
from clients.telephony.protocol import PhoneAdapter
from clients.telephony.twilio import TwilioAdapter

ADAPTERS: Final[dict[str, type[TwilioAdapter] | type[AsteriskAdapter]]] = {
    "twilio": TwilioAdapter,
    "asterisk": AsteriskAdapter,
}


def adapter_of(exchange: PhoneExchange) -> PhoneAdapter:
    """Make the adapter that speaks to an exchange with its keys."""
    return ADAPTERS[exchange.adapter](exchange)
