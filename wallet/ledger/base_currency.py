"""What the ledger prevents: a brand with journals keeps its base currency."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm.models import Brand
from wallet.models import Journal


def has_journals(brand: Brand) -> str:
    """Refuse another base currency once something is booked."""
    if Journal.objects.filter(brand=brand).exists():
        return _("This brand has ledger entries, so its base currency can't change.")
    return ""
