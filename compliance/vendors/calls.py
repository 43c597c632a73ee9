"""Calls to a vendor, watched: since when has none been answered? Pages say so, and what waits for it is asked when it is back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone

from compliance.models import ScreeningVendor
from compliance.vendors.protocol import VendorRefused, VendorTemporary, VendorUnknown


@contextmanager
def watched(vendor: ScreeningVendor) -> Iterator[None]:
    """Note whether a call was answered; a refusal is an answer, and so is being asked to slow down."""
    try:
        yield
    except VendorRefused:
        _answered(vendor)
        raise
    except (VendorTemporary, VendorUnknown) as error:
        if getattr(error, "is_answer", False):
            _answered(vendor)
        else:
            rows = ScreeningVendor.objects.filter(pk=vendor.pk)
            rows.filter(failing_since=None).update(failing_since=timezone.now())
            rows.update(problem=error.message[:300])
            vendor.failing_since = vendor.failing_since or timezone.now()
        raise
    _answered(vendor)


def _answered(vendor: ScreeningVendor) -> None:
    if vendor.failing_since is not None or vendor.problem:
        ScreeningVendor.objects.filter(pk=vendor.pk).update(failing_since=None, problem="")
        vendor.failing_since, vendor.problem = None, ""
