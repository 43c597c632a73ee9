"""A new address for a PSP's API: proposed by one person, approved by another."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.approvals import ApprovalMixin
from wallet.models.psp import Psp


class PspAddressChange(ApprovalMixin):
    """The new address of a PSP's API. The second person types its secrets again: none is stored here."""

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="address_changes")
    base_url = models.CharField(max_length=200, blank=True, help_text=_("Empty: the adapter's default"))
    # Names of the keys that the approval replaced, for its audit.
    keys_changed: list[str]

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("psp_address_change"),
            ApprovalMixin.one_open("psp", name="one_address_change_of_a_psp_waits"),
        ]

    def __str__(self) -> str:
        return f"{self.psp}: {self.base_url or '–'}"
