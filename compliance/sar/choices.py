"""Kinds and states of reports, with their transitions, and the FIU's codes for what Keelson knows."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class ReportKind(models.TextChoices):
    """goAML's `report_code`: with the transactions, or without any."""

    STR = "STR", _("Suspicious transaction report (STR)")
    SAR = "SAR", _("Suspicious activity report (SAR)")


class ReportState(BadgeChoices):
    DRAFT = "draft", "secondary", _("Draft")
    IN_REVIEW = "in_review", "yellow", _("Awaiting approval")
    APPROVED = "approved", "azure", _("Approved")
    FILED = "filed", "green", _("Filed")
    NOT_REPORTED = "not_reported", "indigo", _("Not reported")


REPORT_TRANSITIONS: dict[str, set[str]] = {
    ReportState.DRAFT: {ReportState.IN_REVIEW},
    ReportState.IN_REVIEW: {ReportState.DRAFT, ReportState.APPROVED, ReportState.NOT_REPORTED},
    ReportState.APPROVED: {ReportState.FILED, ReportState.NOT_REPORTED},
    ReportState.FILED: set(),
    ReportState.NOT_REPORTED: set(),
}
UNFINISHED = (ReportState.DRAFT, ReportState.IN_REVIEW, ReportState.APPROVED)

# goAML's lookup values differ from FIU to FIU; "-" is its "not specified". What is here is what an FIU's list is asked for.
CODES = {
    "contact_private": (_("Contact: private"), "-"),
    "contact_business": (_("Contact: business"), "-"),
    "communication": (_("Communication: phone"), "-"),
    "passport": (_("Identification: passport"), "-"),
    "id_card": (_("Identification: identity card"), "-"),
    "driving_licence": (_("Identification: driving licence"), "-"),
    "residence_permit": (_("Identification: residence permit"), "-"),
    "legal_form": (_("Legal form: other"), "-"),
    "director": (_("Role: director"), "-"),
    "owner": (_("Role: beneficial owner"), "-"),
    "card": (_("Funds: card"), "-"),
    "wallet": (_("Funds: e-wallet"), "-"),
    "bank": (_("Funds: bank transfer"), "-"),
    "crypto": (_("Funds: crypto"), "-"),
    "cashier": (_("Funds: local method"), "-"),
    "at_broker": (_("Funds: account with the broker"), "-"),
    "electronic": (_("Transaction: electronic transfer"), "-"),
}
