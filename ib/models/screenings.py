"""How a partner without a client record was last compared with the watchlists."""

from __future__ import annotations

from django.db import models

from ib.models.partners import Partner


class PartnerScreening(models.Model):
    """The last comparison of a partner's name; once a client record is linked, that record's screening counts instead."""

    partner = models.OneToOneField(Partner, on_delete=models.PROTECT, primary_key=True, related_name="screening")
    name = models.CharField(max_length=120, help_text="As it was compared")
    screened_at = models.DateTimeField()
    matcher_version = models.CharField(max_length=20)
    # As in compliance.Screening: the lists in force with their hashes.
    lists = models.JSONField(default=list)
    # [{"entry": 17, "listed": "…", "source": "un", "score": "0.912"}], the likest first.
    matches = models.JSONField(default=list)

    class Meta:
        ordering = ["partner_id"]

    def __str__(self) -> str:
        return f"{self.partner_id}: {self.name}"
