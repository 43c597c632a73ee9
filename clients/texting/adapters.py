"""Which services for text messages there are."""

from __future__ import annotations

from typing import Final

from clients.models import TextService
from clients.texting.protocol import TextAdapter
from clients.texting.twilio import TwilioTexts

ADAPTERS: Final[dict[str, type[TwilioTexts]]] = {"twilio": TwilioTexts}


def adapter_of(service: TextService) -> TextAdapter:
    """Make the adapter that speaks to a service with its keys."""
    return ADAPTERS[service.adapter](service)
