"""A brand that begins or ends to be screened by a vendor: its existing clients are screened at once, not only in the next night.

What the policy says is compared with what was followed last: so it doesn't matter how it changed, by its day or by a connection
that was approved or switched off.
"""

from __future__ import annotations

from django.db import transaction

from compliance.audit_codes import ComplianceAction
from compliance.brand_policies import SCREENED_BY
from compliance.models import ScreeningVendor
from compliance.vendors.checks import want_everybody
from compliance.vendors.choices import ScreenedBy
from crm.db.locking import lock_or_none
from crm.queue.enqueue import enqueue_on_commit
from crm.security import audit


def follow_switches() -> int:
    """Have everybody screened at brands whose screening changed hands; returns how many checks are wanted of vendors."""
    vendors = ScreeningVendor.objects.select_related("brand").order_by("pk")
    return sum(_follow(vendor.pk) for vendor in vendors if _mode(vendor) != vendor.mode_followed)


def _mode(vendor: ScreeningVendor) -> ScreenedBy:
    """Return who screens, as far as this vendor goes."""
    return ScreenedBy(SCREENED_BY.of(vendor.brand)) if vendor.is_enabled else ScreenedBy.BUILT_IN


@transaction.atomic
def _follow(vendor_id: int) -> int:
    vendor = lock_or_none(ScreeningVendor, vendor_id, "brand")
    if vendor is None or _mode(vendor) == vendor.mode_followed:
        return 0
    before, vendor.mode_followed = vendor.mode_followed, _mode(vendor)
    vendor.save(update_fields=["mode_followed"])
    wanted = want_everybody(vendor.brand, vendor) if before == ScreenedBy.BUILT_IN else 0
    if before == ScreenedBy.VENDOR:  # nobody has compared these clients with the imported lists meanwhile
        enqueue_on_commit("compliance.screen_lists")
    audit.record(
        actor=None,
        action=ComplianceAction.SCREENING_SWITCHED,
        target=vendor,
        brand_id=vendor.brand_id,
        before={"screened_by": before},
        after={"screened_by": vendor.mode_followed, "checks": wanted},
    )
    return wanted
