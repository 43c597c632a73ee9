"""Incoming calls: whose number it is, whose phones ring, and what their pages show meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.brand_policies import CALLS_ARE_RECORDED
from clients.canonical import canonical_phone
from clients.choices import CallDirection, IdentifierKind, Stage
from clients.identifiers.keeping import mark_of
from clients.models import AgentPhone, Client, Identifier, PhoneCall, PhoneExchange
from clients.policies import can
from clients.queries import clients_visible_to
from clients.telephony import policies
from clients.telephony.calls import LOOK_UP_RINGING, note_client, show_dialog
from clients.telephony.choices import PhoneState
from clients.telephony.protocol import IncomingCall, Routing
from crm.db.locking import lock
from crm.errors import DomainError
from crm.models import User
from crm.notices.notify import people_with
from crm.security.policies import require

RUNG_MAX: Final = 10


def take_call(exchange: PhoneExchange, incoming: IncomingCall) -> Routing:
    """Keep an incoming call and say whose phones ring: the owner's; for a number without one, of who takes such calls.

    The same call again, as an exchange that had no answer asks, is routed as the first time.
    """
    number = canonical_phone(incoming.number)
    client = client_of_number(exchange.brand_id, number) if number else None
    agent = client.owner if client is not None else None
    phones = _phones(exchange, agent)
    rings_owner = agent is not None and any(phone.user_id == agent.pk for phone in phones)
    call = _keep(exchange, incoming, number, client, agent if rings_owner else None)
    for phone in phones:
        show_dialog(phone.user_id, call)
    return Routing(call.reference, tuple(phone.address for phone in phones), call.is_recorded)


def _phones(exchange: PhoneExchange, owner: User | None) -> Sequence[AgentPhone]:
    if owner is not None and owner.is_active:
        own = list(AgentPhone.objects.filter(user=owner))
        if own:
            return own
    takers = people_with(policies.CALLS, brand_id=exchange.brand_id)
    return list(AgentPhone.objects.filter(takes_unknown=True, user__in=takers).order_by("user_id")[:RUNG_MAX])


@transaction.atomic
def _keep(
    exchange: PhoneExchange, incoming: IncomingCall, number: str, client: Client | None, agent: User | None
) -> PhoneCall:
    now = timezone.now()
    try:
        with transaction.atomic():
            return PhoneCall.objects.create(
                exchange=exchange,
                client=client,
                agent=agent,
                direction=CallDirection.INBOUND,
                state=PhoneState.RINGING,
                leg_id=incoming.leg_id,
                sealed_number=PhoneCall.sealed(number),
                is_recorded=CALLS_ARE_RECORDED.of(exchange.brand),
                was_dialled=True,
                requested_at=now,
                sent_at=now,
                due_at=now + LOOK_UP_RINGING,
            )
    except IntegrityError:
        return PhoneCall.objects.get(exchange=exchange, leg_id=incoming.leg_id)


def client_of_number(brand_id: int, number: str, *, among: User | None = None) -> Client | None:
    """Find the client of a brand who uses a number: who used it last, of those that a person sees."""
    mark = mark_of(IdentifierKind.PHONE, number)
    rows = Identifier.objects.filter(kind=IdentifierKind.PHONE, mark=mark, client__brand=brand_id)
    rows = rows.filter(client__merged_into=None).exclude(client__stage=Stage.CLOSED)
    if among is not None:
        rows = rows.filter(client__in=clients_visible_to(among))
    row = rows.select_related("client__owner", "client__brand").order_by("-last_seen", "-pk").first()
    return row.client if row is not None else None


@transaction.atomic
def link_caller(*, call_id: int, actor: User) -> PhoneCall:
    """Link a call from an unknown number to the client who has the number now, such as a lead that was just entered.

    Who: the agent whose call it is, with `clients.log_call` on the client. Raises: NotAllowed; DomainError where there is none.
    """
    call = lock(PhoneCall, call_id, "exchange")
    require(policies.is_own(actor, call))
    number = call.number
    client = client_of_number(call.exchange.brand_id, number, among=actor) if number else None
    if call.client_id is not None or client is None:
        raise DomainError(_("No client in your reach has this number."))
    require(can(actor, client, policies.CALLS))
    call.client = client
    note_client(call, actor)
    return call
