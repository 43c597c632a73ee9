"""How reading went, minute by minute: what the health page draws."""

from __future__ import annotations

from django.db import models

from trading.models.servers import TradingServer


class SyncSample(models.Model):
    """One kind of data of one server in one minute. `lag_ms` is the largest of the minute, `duration_ms` of all runs."""

    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="samples", db_index=False)
    kind = models.CharField(max_length=16)
    at = models.DateTimeField(help_text="Start of the minute")
    runs = models.IntegerField(default=0)
    failures = models.IntegerField(default=0)
    rows = models.IntegerField(default=0)
    duration_ms = models.IntegerField(default=0)
    lag_ms = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["server_id", "kind", "at"]
        constraints = [models.UniqueConstraint(fields=["server", "kind", "at"], name="one_sync_sample_per_minute")]
        indexes = [models.Index(fields=["at"], name="sync_samples_by_age")]

    def __str__(self) -> str:
        return f"{self.server_id} {self.kind} {self.at:%H:%M}"
