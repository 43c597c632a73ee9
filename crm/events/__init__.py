"""What happens below is heard above through events, never by an import upwards.

    publish(DepositSettled(deposit_id=…, client_id=…, …))     # in the transaction of the change
    @subscribe(DepositSettled)                                  # in an app's subscribers.py
    def tell_the_agent(event: DepositSettled) -> None: …

Delivery is at least once, in order per client and handler, each handler in its own transaction together with its
delivery row, so a handler that only writes to the database takes effect exactly once.
"""

from crm.events.bus import EVENT_TYPES, HANDLERS, Event, publish, publish_many, subscribe
from crm.events.catalogue import *  # noqa: F403
from crm.events.delivery import deliver_due, drain, replay, skip

__all__ = [
    "EVENT_TYPES",
    "HANDLERS",
    "Event",
    "deliver_due",
    "drain",
    "publish",
    "publish_many",
    "replay",
    "skip",
    "subscribe",
]
