"""Quiet hours: marketing waits for the day where the client lives; what a client needs for their account never waits."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from clients.brand_policies import MARKETING_HOUR_FROM, MARKETING_HOUR_UNTIL
from clients.messages.outgoing import is_marketing
from clients.models import Message
from clients.telephony.hours import next_open, zones_of


def quiet_until(message: Message, now: dt.datetime | None = None) -> dt.datetime | None:
    """Return when a marketing e-mail may go out; None where it may now, and for everything else."""
    if not is_marketing(message):
        return None
    client = message.client
    hours = range(MARKETING_HOUR_FROM.of(client.brand), MARKETING_HOUR_UNTIL.of(client.brand))
    return next_open(zones_of(client), hours, now or timezone.now())
