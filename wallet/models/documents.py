"""Issued documents with their hashes, invoices with their numbers, and letterheads."""

from __future__ import annotations

import base64

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm.models import Brand, User
from crm.models.audit import append_only
from crm.money.amounts import Money
from wallet.choices.documents import FOR_CLIENTS, DocumentKind, Ending


class Letterhead(models.Model):
    """The letterhead of a brand's documents, beyond its name and colours."""

    brand = models.OneToOneField(Brand, on_delete=models.PROTECT, related_name="letterhead")
    logo = models.BinaryField(default=b"", blank=True, help_text=_("PNG, re-encoded on upload"))
    address = models.CharField(max_length=300, blank=True)
    tax_number = models.CharField(max_length=40, blank=True)
    tax_note = models.CharField(
        max_length=300, blank=True, help_text=_("Printed below invoices, e.g. why no tax is charged")
    )
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["brand_id"]
        permissions = [("manage_letterhead", "May change logo and address on a brand's documents")]

    def __str__(self) -> str:
        return f"{self.brand_id}"

    @property
    def logo_address(self) -> str:
        """The picture as a `data:` address; documents load nothing from outside."""
        return f"data:image/png;base64,{base64.b64encode(bytes(self.logo)).decode()}" if self.logo else ""


class FeeInvoice(models.Model):
    """The fees that a client paid in a month, under the next number of the brand's year. The figures never change."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="fee_invoices", db_index=False)
    series = models.PositiveSmallIntegerField(help_text=_("Year of issue"))
    number = models.PositiveIntegerField(help_text=_("1, 2, 3 … per brand and year, without gaps"))
    first_day = models.DateField()
    last_day = models.DateField()
    # [{"reference": "D-…", "kind": "deposit", "at": "2026-10-03T…", "currency": "EUR", "of": 10000, "fee": 150}, …]
    lines = models.JSONField()
    # {"EUR": 150}
    totals = models.JSONField()
    issued_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    issued_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["brand", "series", "number"], name="each_invoice_number_once"),
            models.UniqueConstraint(fields=["client", "first_day"], name="one_fee_invoice_per_client_and_month"),
            models.CheckConstraint(
                condition=Q(first_day__lte=F("last_day"), number__gte=1), name="invoice_is_in_order"
            ),
        ]
        triggers = [
            *append_only("fee_invoice"),
            # The last number is looked up under the unique index: two writers can't both find the same one.
            pgtrigger.Trigger(
                name="invoice_numbers_have_no_gaps",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func=(
                    "IF NEW.number <> 1 + COALESCE((SELECT max(i.number) FROM wallet_feeinvoice i WHERE i.brand_id = "
                    "NEW.brand_id AND i.series = NEW.series), 0) THEN "
                    "RAISE EXCEPTION 'invoice numbers follow each other without a gap' "
                    "USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_numbers_have_no_gaps'; END IF; RETURN NEW;"
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """As it is printed: brand, year, number."""
        return f"{self.brand.code.upper()}-{self.series}-{self.number:06}"

    @property
    def sums(self) -> list[Money]:
        return [Money.of_minor(minor, currency) for currency, minor in sorted(self.totals.items())]


class IssuedDocument(models.Model):
    """A file that was made, under the hash of its figures and of its bytes. The same figures are one document."""

    kind = models.CharField(max_length=12, choices=DocumentKind.choices)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="issued_documents", db_index=False)
    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, null=True, related_name="issued_documents", db_index=False
    )
    subject = models.CharField(max_length=80, help_text=_("Subject, e.g. deposit:D-4711 or report:12"))
    title = models.CharField(max_length=160)
    first_day = models.DateField(null=True)
    last_day = models.DateField(null=True)
    language = models.CharField(max_length=8)
    ending = models.CharField(max_length=4, choices=Ending.choices, default=Ending.PDF)
    file_name = models.CharField(max_length=160)
    content_hash = models.CharField(max_length=64, help_text=_("SHA-256 of the figures; printed on the document"))
    sha256 = models.CharField(max_length=64, help_text=_("SHA-256 of the file"))
    size_bytes = models.PositiveBigIntegerField()
    stored_name = models.CharField(max_length=40, unique=True, help_text=_("Name of the encrypted file"))
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        permissions = [("make_issueddocument", "May make documents: statements, invoices and packs, one or a month's")]
        triggers = append_only("issued_document")
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "kind", "subject", "language", "ending", "content_hash"],
                name="the_same_figures_are_one_document",
            ),
            models.CheckConstraint(
                condition=Q(content_hash__regex=r"^[0-9a-f]{64}$", sha256__regex=r"^[0-9a-f]{64}$"),
                name="document_has_both_hashes",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=FOR_CLIENTS, client__isnull=False)
                | (~Q(kind__in=FOR_CLIENTS) & Q(client__isnull=True)),
                name="document_is_a_client_s_or_the_house_s",
            ),
            models.CheckConstraint(
                condition=Q(first_day__isnull=True, last_day__isnull=True)
                | Q(first_day__isnull=False, last_day__isnull=False, first_day__lte=F("last_day")),
                name="document_period_is_in_order",
            ),
        ]
        indexes = [
            models.Index(fields=["client", "-id"], name="issued_by_client"),
            models.Index(fields=["brand", "-id"], name="issued_by_brand"),
            models.Index(fields=["content_hash"], name="issued_by_figures", opclasses=["text_pattern_ops"]),
            models.Index(fields=["sha256"], name="issued_by_file", opclasses=["text_pattern_ops"]),
        ]

    def __str__(self) -> str:
        return self.title
