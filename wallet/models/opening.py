"""Opening balances: what clients had elsewhere, from an import's file. One person imports it, another one has it posted."""

from __future__ import annotations

from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import Q

from clients.models import Client
from crm.choices import ApprovalState
from crm.models import Brand, DataImport
from crm.models.approvals import ApprovalMixin
from crm.models.audit import append_only
from crm.money.amounts import from_minor
from wallet.models.ledger_guards import refusal

# A proposal has the lines that it was made with: none is added afterwards.
FROZEN = """
IF EXISTS (SELECT 1 FROM wallet_openingbalances o WHERE o.data_import_id = NEW.data_import_id) THEN
  RAISE EXCEPTION 'the lines of proposed opening balances never change';
END IF;
RETURN NEW;
"""
KEPT = """
IF (NEW.brand_id, NEW.data_import_id, NEW.reference, NEW.line_count, NEW.client_count, NEW.digest)
  IS DISTINCT FROM (OLD.brand_id, OLD.data_import_id, OLD.reference, OLD.line_count, OLD.client_count, OLD.digest)
  OR OLD.posted_at IS NOT NULL
THEN RAISE EXCEPTION 'opening balances never change once they are proposed'; END IF;
RETURN NEW;
"""
# Two files about one client may both wait; the lock makes the second approval see the first.
ONCE = f"""
PERFORM pg_advisory_xact_lock(hashtext('keelson.opening_balances'), NEW.brand_id::int);
IF EXISTS (
  SELECT 1 FROM wallet_openingline l
  JOIN wallet_openingline other ON other.client_id = l.client_id AND other.currency = l.currency
    AND other.data_import_id <> l.data_import_id
  JOIN wallet_openingbalances o ON o.data_import_id = other.data_import_id AND o.state = 'approved'
  WHERE l.data_import_id = NEW.data_import_id)
THEN
  {refusal("a_wallet_has_one_opening_balance", "import %", "NEW.data_import_id")}
END IF;
RETURN NEW;
"""  # noqa: S608 - a constant


class OpeningBalances(ApprovalMixin):
    """The opening balances of one import, posted when a second person has approved them.

    digest: SHA-256 over the lines, so that what is posted is what was approved.
    """

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    data_import = models.OneToOneField(DataImport, on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=40, unique=True)
    line_count = models.PositiveIntegerField()
    client_count = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    posted_at = models.DateTimeField(null=True, help_text="When the last line was posted")

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("opening_balances"),
            models.CheckConstraint(
                condition=Q(posted_at__isnull=True) | Q(state=ApprovalState.APPROVED),
                name="only_approved_opening_balances_are_posted",
            ),
            models.CheckConstraint(
                condition=Q(line_count__gt=0, client_count__gt=0), name="opening_balances_have_lines"
            ),
        ]
        indexes = [
            models.Index(fields=["brand", "-id"], name="opening_balances_by_brand"),
            models.Index(
                fields=["decided_at"],
                name="opening_balances_to_post",
                condition=Q(state=ApprovalState.APPROVED, posted_at__isnull=True),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="opening_balances_keep_what_was_proposed",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func=KEPT,
            ),
            pgtrigger.Trigger(
                name="a_wallet_has_one_opening_balance",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__state=ApprovalState.PENDING, new__state=ApprovalState.APPROVED),
                func=ONCE,
            ),
            pgtrigger.Trigger(
                name="opening_balances_no_delete",
                operation=pgtrigger.Delete,
                when=pgtrigger.Before,
                func="RAISE EXCEPTION 'opening balances are never deleted';",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        return f"/money/opening-balances/{self.pk}/"


class OpeningPart(models.Model):
    """The lines of one currency and day that become one journal. A journal's key names reference and number."""

    data_import = models.ForeignKey(DataImport, on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.PositiveIntegerField()
    currency = models.CharField(max_length=5)
    business_on = models.DateField(help_text="Day of the balances")
    line_count = models.PositiveSmallIntegerField()
    total_minor = models.BigIntegerField()

    class Meta:
        ordering = ["data_import_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["data_import", "number"], name="opening_parts_are_numbered"),
            models.CheckConstraint(condition=Q(line_count__gt=0, total_minor__gt=0), name="opening_part_has_lines"),
        ]
        triggers = [
            *append_only("openingpart"),
            pgtrigger.Trigger(
                name="opening_part_is_frozen", operation=pgtrigger.Insert, when=pgtrigger.Before, func=FROZEN
            ),
        ]

    def __str__(self) -> str:
        return f"{self.data_import_id}/{self.number}"


class OpeningLine(models.Model):
    """What one client is credited, in minor units. `line` is the line of the file."""

    data_import = models.ForeignKey(DataImport, on_delete=models.PROTECT, related_name="+", db_index=False)
    part = models.ForeignKey(OpeningPart, on_delete=models.PROTECT, related_name="lines")
    line = models.PositiveIntegerField()
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    currency = models.CharField(max_length=5)
    amount_minor = models.BigIntegerField()

    class Meta:
        ordering = ["data_import_id", "line"]
        constraints = [
            models.UniqueConstraint(fields=["data_import", "line"], name="each_opening_line_once"),
            # By client first: it also answers whether a client has an opening balance in another file.
            models.UniqueConstraint(
                fields=["client", "currency", "data_import"], name="one_opening_balance_per_wallet_and_file"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="opening_balance_is_above_zero"),
        ]
        triggers = [
            *append_only("openingline"),
            pgtrigger.Trigger(
                name="opening_line_is_frozen", operation=pgtrigger.Insert, when=pgtrigger.Before, func=FROZEN
            ),
        ]

    def __str__(self) -> str:
        return f"{self.data_import_id}:{self.line}"

    @property
    def amount(self) -> Decimal:
        return from_minor(self.amount_minor, self.currency)
