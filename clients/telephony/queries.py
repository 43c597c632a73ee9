"""Reads of calls and of what exchanges sent: each starts from what the person may see."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from clients.models import AgentPhone, PhoneCall, PhoneEvent, PhoneRecording
from clients.queries import clients_visible_to
from crm.models import User
from crm.security.scope import reach_of


def phone_calls_visible_to(user: User) -> QuerySet[PhoneCall]:
    """Select the calls with clients in reach, and one's own with unknown numbers, or those that ring for one."""
    unknown = Q(client=None, agent=user)
    if AgentPhone.objects.filter(user=user, takes_unknown=True).exists():
        unknown |= Q(client=None, agent=None, exchange__brand__in=reach_of(user).brands)
    return PhoneCall.objects.filter(Q(client__in=clients_visible_to(user)) | unknown)


def recordings_visible_to(user: User) -> QuerySet[PhoneRecording]:
    """Select the recordings of calls with clients in reach; those of unknown callers for who reaches the whole brand."""
    unknown = Q(phone_call__client=None, phone_call__exchange__brand__in=reach_of(user).whole_brands)
    return PhoneRecording.objects.filter(Q(phone_call__client__in=clients_visible_to(user)) | unknown)


def events_visible_to(user: User) -> QuerySet[PhoneEvent]:
    """Select the webhooks of the brands that a person reaches as a whole, without their bodies."""
    rows = PhoneEvent.objects.filter(connection__brand__in=reach_of(user).whole_brands)
    return rows.defer("body_sealed", "connection__sealed_credentials")
