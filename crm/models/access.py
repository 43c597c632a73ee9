"""Who viewed, searched, revealed, exported, called, signed in. High volume: partitioned by month in PostgreSQL."""

from django.db import models

from crm.choices import AccessKind


class AccessEvent(models.Model):
    """One view, search or export. Written by `crm.security.access_log.note`; read by monitoring and by "who saw this client"."""

    pk = models.CompositePrimaryKey("at", "id")
    id = models.BigIntegerField()
    at = models.DateTimeField()
    user = models.ForeignKey("crm.User", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    kind = models.CharField(max_length=16, choices=AccessKind.choices)
    client_id = models.BigIntegerField(null=True)
    brand_id = models.BigIntegerField(null=True)
    target = models.CharField(max_length=80, blank=True, help_text="What was looked at, e.g. 'kyc.document:17'")
    rows = models.PositiveIntegerField(default=1, help_text="Rows shown or exported")
    in_book = models.BooleanField(null=True, help_text="Whether the client was in a book this user owns at that time")
    reason = models.CharField(max_length=200, blank=True)
    ip = models.GenericIPAddressField(null=True)
    session = models.CharField(max_length=16, blank=True, help_text="First characters of the session key's hash")
    request_id = models.CharField(max_length=40, blank=True)
    device = models.CharField(max_length=40, blank=True, help_text="Browser and system, e.g. 'Firefox · Windows'")
    country = models.CharField(max_length=2, blank=True, help_text="Of the address, at sign-ins")

    class Meta:
        managed = False  # the partitioned table, its sequence and indexes are in crm/sql/access_log.sql
        db_table = "crm_accessevent"
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.target}"
