"""Kinds of documents."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class DocumentKind(models.TextChoices):
    STATEMENT = "statement", _("Statement of account")
    RECEIPT = "receipt", _("Deposit receipt")
    FEE_INVOICE = "fee_invoice", _("Fee invoice")
    PSP_PACK = "psp_pack", _("PSP pack")
    MONTH_PACK = "month_pack", _("Month pack")
    CLIENT_MONEY = "client_money", _("Client money calculation")
    CERTIFICATE = "certificate", _("Challenge certificate")


# What a client may have: it is about them, and they find it in the client portal.
FOR_CLIENTS = (DocumentKind.STATEMENT, DocumentKind.RECEIPT, DocumentKind.FEE_INVOICE, DocumentKind.CERTIFICATE)


class Ending(models.TextChoices):
    PDF = "pdf", "PDF"
    XLSX = "xlsx", "XLSX"


CONTENT_TYPES = {
    Ending.PDF: "application/pdf",
    Ending.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
