"""Tables (CSV, XLSX) of banks: how those of one shape are read, and those that wait for their mapping."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models import User
from crm.security import crypto
from wallet.models.bank import ORIGINAL_PURPOSE
from wallet.models.psp import Psp


class TableMapping(models.Model):
    """What the columns of a table mean, for one account and one shape: the next file of the shape is read by it."""

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="table_mappings", db_index=False)
    fingerprint = models.CharField(max_length=64, help_text=_("Fingerprint of the column headings"))
    name = models.CharField(max_length=160, help_text=_("File it was created for"))
    mapping = models.JSONField()  # statements_in.mapping.Mapping
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    files = models.PositiveIntegerField(default=0, help_text=_("Files read with this mapping"))

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["psp", "fingerprint"], name="one_mapping_per_account_and_shape")]

    def __str__(self) -> str:
        return self.name


class WaitingTable(models.Model):
    """A table that was uploaded and waits for its mapping; deleted when it was imported or discarded."""

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="waiting_tables", db_index=False)
    sha256 = models.CharField(max_length=64)
    file_name = models.CharField(max_length=160)
    sealed_content = models.BinaryField()
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["psp", "sha256"], name="a_table_waits_once")]

    def __str__(self) -> str:
        return self.file_name

    @property
    def content(self) -> bytes:
        return crypto.decrypt(bytes(self.sealed_content), purpose=ORIGINAL_PURPOSE)
