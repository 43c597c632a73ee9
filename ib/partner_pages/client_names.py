"""How a partner reads their own clients' names: in full, shortened, or the number alone, as agreed, else as the brand has it."""

from __future__ import annotations

from typing import Final

from clients.models import Client
from ib.agreements.choices import ClientNames
from ib.brand_policies import CLIENT_NAMES
from ib.models import Partner, PartnerPlan

STRICTEST_FIRST: Final = (ClientNames.NUMBER, ClientNames.SHORT, ClientNames.FULL)


def names_for(partner: Partner) -> ClientNames:
    """Return how a partner reads names: the strictest of today's agreements that set it, else the brand's policy.

    Asked once per object of a partner, which lives as long as its request.
    """
    known: ClientNames | None = getattr(partner, "_client_names", None)
    if known is None:
        held = PartnerPlan.objects.filter(partner_id=partner.pk, ends_at=None).exclude(client_names="")
        agreed = set(held.order_by().values_list("client_names", flat=True).distinct())
        known = next((names for names in STRICTEST_FIRST if names in agreed), None)
        known = known or ClientNames(CLIENT_NAMES.of(partner.brand))
        partner._client_names = known  # type: ignore[attr-defined]
    return known


def shown_name(names: ClientNames | str, first_name: str, last_name: str, client_id: int) -> str:
    """Clara Weber, Clara W., or #123: partners recognise their clients but get no contacts."""
    if names == ClientNames.NUMBER:
        return f"#{client_id}"
    last = last_name if names == ClientNames.FULL or not last_name else f"{last_name[:1]}."
    return f"{first_name} {last}".strip() or f"#{client_id}"


def masked_name(client: Client, partner: Partner) -> str:
    """Write a client's name for their partner."""
    return shown_name(names_for(partner), client.first_name, client.last_name, client.pk)
