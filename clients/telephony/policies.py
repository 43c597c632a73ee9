"""Who may call, who sets an exchange up, and who reads what it sent."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from clients.brand_policies import CALLS_THROUGH_EXCHANGE
from clients.choices import SalesStatus, Stage
from clients.models import Client, PhoneCall
from clients.policies import can
from crm.models import Actor
from crm.security.policies import YES, Decision, no, on_whole_brand

CALLS: Final = "clients.log_call"
SETS_UP: Final = "crm.manage_policies"
LISTENS: Final = "clients.listen_recording"
READS: Final = "clients.view_phoneevent"


def can_call(user: Actor, client: Client) -> Decision:
    """Decide whether the user may ring this client: the daily work, in reach, at a brand that calls through an exchange."""
    allowed = can(user, client, CALLS)
    if not allowed:
        return allowed
    if not CALLS_THROUGH_EXCHANGE.of(client.brand):
        return no(_("Calls through the exchange are off at this brand."))
    if client.stage == Stage.CLOSED:
        return no(_("This record is closed."))
    if client.sales_status == SalesStatus.DO_NOT_CALL:
        return no(_("This client must not be called."))
    if not client.phone:
        return no(_("There is no phone number on this record."))
    return YES


def is_own(user: Actor, call: PhoneCall) -> Decision:
    """Decide whether this is the user's own call: only the agent hangs up, and enters the outcome."""
    return YES if user is not None and call.agent_id == user.pk else no(_("This is another person's call."))


def can_read_events(actor: Actor, brand_id: int) -> Decision:
    """Open and retry webhooks: they may be about any client of the brand."""
    return on_whole_brand(actor, READS, brand_id)
