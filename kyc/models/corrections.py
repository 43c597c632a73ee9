"""What an officer read on a document where the machine had read something else."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from crm.models import Brand, User
from crm.models.audit import append_only
from crm.security import crypto
from kyc.choices import CorrectionReason
from kyc.models.checks import CheckRun
from kyc.models.documents import Document


class FieldCorrection(models.Model):
    """One field: the machine's value and the officer's, both under the client's key. `run`: the checks on what holds since.

    Never changed; correcting a field again is another row.
    """

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="corrections", db_index=False)
    run = models.OneToOneField(CheckRun, on_delete=models.PROTECT, related_name="correction")
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    field = models.CharField(max_length=30)
    reason = models.CharField(max_length=16, choices=CorrectionReason.choices)
    machine_sealed = models.BinaryField(null=True, help_text="What the checks had read; empty where they read nothing")
    value_sealed = models.BinaryField()
    corrected_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    corrected_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        triggers = append_only("field_correction")
        indexes = [
            models.Index(fields=["document", "id"], name="corrections_of_a_document"),
            models.Index(fields=["brand", "corrected_at"], name="corrections_by_day"),
        ]
        constraints = [models.CheckConstraint(condition=~Q(field=""), name="correction_names_its_field")]

    def __str__(self) -> str:
        return f"{self.field} of document {self.document_id}"

    @property
    def machine_value(self) -> str:
        return self._opened(self.machine_sealed)

    @property
    def value(self) -> str:
        return self._opened(self.value_sealed)

    def _opened(self, sealed: bytes | memoryview | None) -> str:
        """Decrypt a value; empty where there is none, and after the client's erasure."""
        if not sealed:
            return ""
        try:
            return crypto.decrypt_for_client(self.document.client_id, bytes(sealed)).decode()
        except crypto.KeyDestroyed:
            return ""
