"""Self-billing invoices: what the broker writes in a partner's name for a settlement, numbered per brand without gaps."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.models import Brand
from crm.models.audit import append_only
from ib.choices import VatTreatment
from ib.models.partners import Partner
from ib.models.settlements import Settlement

# The last number is looked up under the unique index: two writers can't both find the same one.
NO_GAPS = """
IF NEW.number <> 1 + coalesce((SELECT max(i.number) FROM ib_selfbillinginvoice i
                               WHERE i.brand_id = NEW.brand_id AND i.series = NEW.series), 0) THEN
  RAISE EXCEPTION 'self-billing invoice numbers follow each other without a gap'
    USING ERRCODE = 'check_violation', CONSTRAINT = 'self_billing_numbers_have_no_gaps';
END IF;
IF NOT EXISTS (SELECT 1 FROM ib_settlement s JOIN ib_partner p ON p.id = s.partner_id
               WHERE s.id = NEW.settlement_id AND s.partner_id = NEW.partner_id AND p.brand_id = NEW.brand_id
                 AND s.currency = NEW.currency AND s.amount > 0 AND NEW.total = s.amount
                   + coalesce((SELECT sum(n.total) FROM ib_creditnote n WHERE n.settlement_id = s.id), 0)) THEN
  RAISE EXCEPTION 'a self-billing invoice is about what its settlement credited, and offset by credit notes'
    USING ERRCODE = 'check_violation', CONSTRAINT = 'self_billing_invoice_is_of_its_settlement';
END IF;
RETURN NEW;
"""


class SelfBillingInvoice(models.Model):
    """An invoice for what a settlement credited, with the tax fields as they were agreed then. It never changes.

    net + vat = total, and total − the settlement's credit notes is what was credited: VAT is included in the commission. The
    partner supplies, the brand receives and issues. In another currency than the brand's own the VAT is stated in both.
    """

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="invoices")
    settlement = models.OneToOneField(Settlement, on_delete=models.PROTECT, related_name="invoice")
    series = models.PositiveSmallIntegerField(help_text=_("Year of issue"))
    number = models.PositiveIntegerField(help_text=_("1, 2, 3 … per brand and year, without gaps"))
    currency = models.CharField(max_length=5)
    net = models.DecimalField(max_digits=20, decimal_places=8)
    vat = models.DecimalField(max_digits=20, decimal_places=8)
    total = models.DecimalField(max_digits=20, decimal_places=8)
    vat_treatment = models.CharField(max_length=8, choices=VatTreatment.choices)
    vat_rate = models.DecimalField(max_digits=5, decimal_places=2, default=0, help_text=_("Per cent, included"))
    supplier_name = models.CharField(max_length=160)
    supplier_address = models.CharField(max_length=300)
    supplier_vat_id = models.CharField(max_length=20, blank=True)
    recipient_name = models.CharField(max_length=160)
    recipient_address = models.CharField(max_length=300, blank=True)
    recipient_tax_number = models.CharField(max_length=40, blank=True)
    local_currency = models.CharField(
        max_length=5, blank=True, help_text=_("The brand's, where the invoice is in another one")
    )
    local_rate = models.DecimalField(max_digits=20, decimal_places=10, null=True, help_text=_("ECB reference rate"))
    local_on = models.DateField(null=True, help_text=_("Day of the rate"))
    local_vat = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    issued_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        triggers = [
            *append_only("self_billing_invoice"),
            pgtrigger.Trigger(
                name="self_billing_numbers_have_no_gaps",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func=NO_GAPS,
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["brand", "series", "number"], name="each_self_billing_number_once"),
            models.CheckConstraint(
                condition=Q(total=F("net") + F("vat"), total__gt=0, net__gt=0, vat__gte=0),
                name="self_billing_invoice_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(vat_treatment=VatTreatment.STANDARD, vat_rate__gt=0)
                | Q(vat_treatment__in=[VatTreatment.EXEMPT, VatTreatment.REVERSE_CHARGE], vat_rate=0, vat=0),
                name="self_billing_invoice_states_its_vat",
            ),
            models.CheckConstraint(
                condition=Q(local_currency="", local_rate__isnull=True, local_on__isnull=True, local_vat__isnull=True)
                | (~Q(local_currency="") & Q(local_rate__isnull=False, local_rate__gt=0, local_on__isnull=False)),
                name="self_billing_invoice_says_by_which_rate",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """As it is printed: brand, year, number."""
        return f"{self.brand.code.upper()}-SB-{self.series}-{self.number:06}"

    @property
    def is_standard(self) -> bool:
        return self.vat_treatment == VatTreatment.STANDARD

    @property
    def is_reverse_charge(self) -> bool:
        return self.vat_treatment == VatTreatment.REVERSE_CHARGE


class InvoiceFile(models.Model):
    """An invoice's PDF as it was issued, made once after its settlement."""

    invoice = models.OneToOneField(SelfBillingInvoice, on_delete=models.PROTECT, related_name="file")
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        triggers = append_only("invoice_file")

    def __str__(self) -> str:
        return self.sha256[:12]


class InvoiceCorrection(models.Model):
    """What the lines of a settlement take from an earlier invoice of its partner; negative where it is restored or written off.

    What isn't offset yet has no credit note: the sum of an invoice's corrections less its notes waits.
    """

    invoice = models.ForeignKey(
        SelfBillingInvoice, on_delete=models.PROTECT, related_name="corrections", db_index=False
    )
    settlement = models.ForeignKey(Settlement, on_delete=models.PROTECT, related_name="+", db_index=False)
    amount = models.DecimalField(max_digits=20, decimal_places=8)

    class Meta:
        ordering = ["id"]
        triggers = append_only("invoice_correction")
        constraints = [
            models.UniqueConstraint(fields=["invoice", "settlement"], name="one_correction_per_invoice_and_settlement"),
            models.CheckConstraint(condition=~Q(amount=0), name="invoice_correction_is_not_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id}: {self.amount}"


CREDITED_ONCE = """
IF NEW.number <> 1 + coalesce((SELECT max(n.number) FROM ib_creditnote n
                               WHERE n.brand_id = NEW.brand_id AND n.series = NEW.series), 0) THEN
  RAISE EXCEPTION 'credit note numbers follow each other without a gap'
    USING ERRCODE = 'check_violation', CONSTRAINT = 'credit_note_numbers_have_no_gaps';
END IF;
IF NOT EXISTS (
  SELECT 1 FROM ib_selfbillinginvoice i JOIN ib_settlement s ON s.id = NEW.settlement_id
  WHERE i.id = NEW.invoice_id AND i.settlement_id < s.id AND i.brand_id = NEW.brand_id AND i.vat_rate = NEW.vat_rate
    AND (i.partner_id, i.currency) = (NEW.partner_id, NEW.currency) AND (s.partner_id, s.currency) = (NEW.partner_id, NEW.currency)
    AND i.total >= NEW.total + coalesce((SELECT sum(n.total) FROM ib_creditnote n WHERE n.invoice_id = i.id), 0)
) OR EXISTS (SELECT 1 FROM ib_selfbillinginvoice o WHERE o.settlement_id = NEW.settlement_id) THEN
  RAISE EXCEPTION 'a credit note corrects an earlier invoice of its partner, and never more than that was'
    USING ERRCODE = 'check_violation', CONSTRAINT = 'credit_note_is_of_its_invoice';
END IF;
RETURN NEW;
"""


class CreditNote(models.Model):
    """What a settlement offset of an earlier invoice, by that invoice's VAT rate and parties. It never changes.

    net + vat = total, all of them positive: what is taken from the invoice.
    """

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="credit_notes")
    invoice = models.ForeignKey(SelfBillingInvoice, on_delete=models.PROTECT, related_name="credit_notes")
    settlement = models.ForeignKey(Settlement, on_delete=models.PROTECT, related_name="credit_notes")
    series = models.PositiveSmallIntegerField(help_text=_("Year of issue"))
    number = models.PositiveIntegerField(help_text=_("1, 2, 3 … per brand and year, without gaps"))
    currency = models.CharField(max_length=5)
    net = models.DecimalField(max_digits=20, decimal_places=8)
    vat = models.DecimalField(max_digits=20, decimal_places=8)
    total = models.DecimalField(max_digits=20, decimal_places=8)
    vat_rate = models.DecimalField(max_digits=5, decimal_places=2, default=0, help_text=_("Per cent, included"))
    local_vat = models.DecimalField(
        max_digits=20, decimal_places=8, null=True, help_text=_("In the currency and by the rate of its invoice")
    )
    issued_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        triggers = [
            *append_only("credit_note"),
            pgtrigger.Trigger(
                name="credit_note_corrects_an_invoice",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func=CREDITED_ONCE,
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["brand", "series", "number"], name="each_credit_note_number_once"),
            models.UniqueConstraint(
                fields=["invoice", "settlement"], name="one_credit_note_per_invoice_and_settlement"
            ),
            models.CheckConstraint(
                condition=Q(total=F("net") + F("vat"), total__gt=0, net__gt=0, vat__gte=0), name="credit_note_adds_up"
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """As it is printed: brand, year, number."""
        return f"{self.brand.code.upper()}-CN-{self.series}-{self.number:06}"


class CreditNoteFile(models.Model):
    """A credit note's PDF as it was issued, made once after its settlement."""

    note = models.OneToOneField(CreditNote, on_delete=models.PROTECT, related_name="file")
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        triggers = append_only("credit_note_file")

    def __str__(self) -> str:
        return self.sha256[:12]
