"""Which vendors there are."""

from __future__ import annotations

from typing import Final

from compliance.models import ScreeningVendor
from compliance.vendors.protocol import ScreeningAdapter
from compliance.vendors.yente import YenteAdapter

ADAPTERS: Final[dict[str, type[YenteAdapter]]] = {"yente": YenteAdapter}


def adapter_of(vendor: ScreeningVendor) -> ScreeningAdapter:
    """Make the adapter that speaks to a vendor with its keys."""
    return ADAPTERS[vendor.adapter](vendor)
