"""Who screens at a brand today: the imported watchlists, its vendor, or both."""

from __future__ import annotations

from compliance.brand_policies import SCREENED_BY
from compliance.models import ScreeningVendor
from compliance.vendors.choices import ScreenedBy
from crm.models import Brand


def vendor_of(brand: Brand) -> ScreeningVendor | None:
    """Find the vendor that is asked about a brand's clients; None where none is, or none is in use.

    No query where the policy says imported watchlists.
    """
    if SCREENED_BY.of(brand) == ScreenedBy.BUILT_IN:
        return None
    return ScreeningVendor.objects.select_related("source").filter(brand=brand, is_enabled=True).first()


def is_vendor_alone(brand: Brand) -> bool:
    """Tell whether a brand's clients aren't compared with the imported lists. Without a vendor in use they always are."""
    return SCREENED_BY.of(brand) == ScreenedBy.VENDOR and vendor_of(brand) is not None


def asked_brands() -> list[tuple[Brand, ScreeningVendor]]:
    """List the brands whose clients a vendor is asked about."""
    rows = ScreeningVendor.objects.filter(is_enabled=True).select_related("brand", "source").order_by("pk")
    return [(row.brand, row) for row in rows if SCREENED_BY.of(row.brand) != ScreenedBy.BUILT_IN]


def brands_of_vendors_alone() -> list[int]:
    """List the brands whose clients only a vendor screens."""
    return [brand.pk for brand, _vendor in asked_brands() if SCREENED_BY.of(brand) == ScreenedBy.VENDOR]
