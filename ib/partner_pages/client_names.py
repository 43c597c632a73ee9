"""How a partner reads the names of their own clients: shortened, or by number alone, as the brand has it."""

from __future__ import annotations

from clients.models import Client
from crm.models import Brand
from ib.brand_policies import CLIENT_NAMES, ClientNames


def shown_name(brand: Brand, first_name: str, last_name: str, client_id: int) -> str:
    """Clara W., or #123: partners recognise their clients but get no contacts."""
    if CLIENT_NAMES.of(brand) == ClientNames.NUMBER:
        return f"#{client_id}"
    last = f" {last_name[:1]}." if last_name else ""
    return (first_name + last).strip() or f"#{client_id}"


def masked_name(client: Client, brand: Brand) -> str:
    """Write a client's name for their partner."""
    return shown_name(brand, client.first_name, client.last_name, client.pk)
