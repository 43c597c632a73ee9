"""The audit log: append-only rows, sealed in batches into a Merkle tree whose root chains to the last seal.

`crm.security.audit` writes and seals; triggers refuse UPDATE, DELETE and TRUNCATE to everyone, the app's role included.
"""

from collections.abc import Mapping

import pgtrigger
from django.contrib.postgres.indexes import BrinIndex
from django.db import models


def append_only(
    name: str, *, erased: Mapping[str, str] | None = None, client: str = "OLD.client_id"
) -> list[pgtrigger.Trigger]:
    """Return triggers that make a table append-only, for everyone and for raw SQL too.

    erased: columns that an erasure blanks, each with the SQL of what it then has; client: SQL of the row's client. Nothing else
    of the row may change with them, and only when the client's key is gone.
    """
    change = refuse = f"RAISE EXCEPTION '{name} is append-only: write a new row instead';"
    if erased:
        columns = ", ".join(f"'{column}'" for column in erased)
        blanked = " AND ".join(f"NEW.{column} IS NOT DISTINCT FROM {value}" for column, value in erased.items())
        change = (
            f"IF TG_OP = 'UPDATE' AND {blanked} AND to_jsonb(NEW) - ARRAY[{columns}] = to_jsonb(OLD) - ARRAY[{columns}] "
            f"AND EXISTS (SELECT FROM crm_subjectkey k WHERE k.client_id = {client} AND k.wrapped IS NULL) "
            f"THEN RETURN NEW; END IF; {refuse}"
        )
    return [
        pgtrigger.Trigger(
            name=f"{name}_no_change", operation=pgtrigger.Update | pgtrigger.Delete, when=pgtrigger.Before, func=change
        ),
        pgtrigger.Trigger(
            name=f"{name}_no_truncate",
            operation=pgtrigger.Truncate,
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            func=refuse,
        ),
    ]


class AuditEvent(models.Model):
    """Who did what to what, when, from where, before and after, why, on what evidence."""

    at = models.DateTimeField()
    transaction_id = models.BigIntegerField(help_text="PostgreSQL's transaction id: bounds the sealer's search")
    actor = models.ForeignKey("crm.User", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    actor_label = models.CharField(max_length=160)
    action = models.CharField(max_length=80)
    target_type = models.CharField(max_length=80)
    target_id = models.CharField(max_length=40)
    client_id = models.BigIntegerField(null=True)
    brand_id = models.BigIntegerField(null=True)
    ip = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=40, blank=True)
    # Before, after, reason and evidence as canonical JSON; under the client's own key when there is a client.
    body = models.BinaryField()
    is_encrypted = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["client_id", "-id"], name="audit_by_client", condition=models.Q(client_id__isnull=False)
            ),
            models.Index(fields=["actor", "-id"], name="audit_by_actor"),
            models.Index(fields=["action", "-id"], name="audit_by_action"),
            models.Index(fields=["transaction_id"], name="audit_by_transaction"),
            models.Index(fields=["target_type", "target_id", "-id"], name="audit_by_target"),
            BrinIndex(fields=["at"], name="audit_by_time", pages_per_range=32),
        ]
        triggers = append_only("audit_event")

    def __str__(self) -> str:
        return f"{self.action} #{self.pk}"


class AuditSeal(models.Model):
    """A closed batch: the root over its rows' hashes, chained to the seal before."""

    previous = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="next")
    sealed_at = models.DateTimeField()
    leaf_count = models.PositiveIntegerField()
    root = models.BinaryField(max_length=32)
    seal_hash = models.BinaryField(max_length=32)
    signature = models.BinaryField(max_length=64, help_text="Ed25519 by the instance's key over seal_hash")
    horizon = models.BigIntegerField(help_text="Every row of an older transaction is in this seal or an earlier one")

    class Meta:
        ordering = ["id"]
        triggers = append_only("audit_seal")
        constraints = [models.CheckConstraint(condition=models.Q(leaf_count__gt=0), name="audit_seal_is_never_empty")]

    def __str__(self) -> str:
        return f"Seal {self.pk}"


class AuditLeaf(models.Model):
    """The place of one audit row in its seal."""

    event_id = models.BigIntegerField(primary_key=True)
    seal = models.ForeignKey(AuditSeal, on_delete=models.PROTECT, related_name="leaves", db_index=False)
    position = models.PositiveIntegerField()
    leaf_hash = models.BinaryField(max_length=32)

    class Meta:
        ordering = ["seal_id", "position"]
        triggers = append_only("audit_leaf")
        constraints = [
            models.UniqueConstraint(fields=["seal", "position"], name="audit_leaf_has_one_place_in_its_seal")
        ]

    def __str__(self) -> str:
        return f"Leaf {self.event_id}"
