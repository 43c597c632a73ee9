"""What happens below is heard above through events, never by an import upwards.

    publish(DepositSettled(deposit_id=…, client_id=…, …))     # in the transaction of the change
    publish_set(LeadAssigned, leads.values(lead_id=F("pk"), …))  # one event per row of a query, inside the database
    @subscribe(DepositSettled)                                  # in an app's subscribers.py
    def tell_the_agent(event: DepositSettled) -> None: …
    @subscribe_many(LeadAssigned)                               # handed over in lists, for what comes in great numbers
    def count_the_leads(events: list[LeadAssigned]) -> None: …

Delivery is at least once, in order per client and handler, each handler in its own transaction together with its
delivery row, so a handler that only writes to the database takes effect exactly once.
"""

from crm.events.bus import EVENT_TYPES, HANDLERS, Event, subscribe, subscribe_many
from crm.events.catalogue import *  # noqa: F403
from crm.events.catalogue_money import *  # noqa: F403
from crm.events.delivery import deliver_due, drain, replay, skip
from crm.events.envelope import Envelope
from crm.events.publishing import publish, publish_many, publish_set

__all__ = [
    "EVENT_TYPES",
    "HANDLERS",
    "Envelope",
    "Event",
    "deliver_due",
    "drain",
    "publish",
    "publish_many",
    "publish_set",
    "replay",
    "skip",
    "subscribe",
    "subscribe_many",
]
