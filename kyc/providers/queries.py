"""Reads of providers, checks and messages: each starts from what the person may see."""

from __future__ import annotations

from django.db.models import QuerySet

from clients.models import Client
from clients.queries import clients_visible_to
from crm.models import User
from crm.security.scope import reach_of
from kyc.models import KycProvider, ProviderCheck, ProviderMessage


def providers_visible_to(user: User) -> QuerySet[KycProvider]:
    """Select the connections of the brands that a person reaches as a whole; their keys aren't read."""
    return KycProvider.objects.filter(brand__in=reach_of(user).whole_brands).defer("sealed_credentials")


def checks_visible_to(user: User) -> QuerySet[ProviderCheck]:
    """Select the checks of clients in reach, without the sealed answers."""
    return ProviderCheck.objects.filter(client__in=clients_visible_to(user)).defer("result_sealed")


def messages_visible_to(user: User) -> QuerySet[ProviderMessage]:
    """Select the webhooks of the brands that a person reaches as a whole, without their bodies."""
    rows = ProviderMessage.objects.filter(connection__brand__in=reach_of(user).whole_brands)
    return rows.defer("body_sealed", "connection__sealed_credentials")


def last_check_of(client: Client) -> ProviderCheck | None:
    """Find a client's last check; it is the open one where one is open."""
    rows = ProviderCheck.objects.filter(client=client).select_related("provider").defer("result_sealed")
    return rows.order_by("-pk").first()
