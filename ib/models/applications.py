"""Applications of partners: the answers, the agreement in the very words that were accepted, and the approval by two people."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from crm.models import TextWording
from crm.models.approvals import ApprovalMixin
from crm.models.audit import append_only
from ib.choices import ApplicantKind, ApplicationSource, ExpectedClients
from ib.models.offers import SubPartnerOffer
from ib.models.partners import Partner
from ib.models.plans import RATIO_MOST, Plan


class PartnerApplication(models.Model):
    """What somebody answered when they applied to become a partner, and the agreement that they accepted."""

    partner = models.OneToOneField(Partner, on_delete=models.PROTECT, related_name="application")
    source = models.CharField(max_length=8, choices=ApplicationSource.choices)
    kind = models.CharField(max_length=8, choices=ApplicantKind.choices)
    country = models.CharField(max_length=2)
    website = models.URLField(max_length=200, blank=True)
    channels = models.CharField(max_length=500)
    clients_per_month = models.CharField(max_length=8, choices=ExpectedClients.choices)
    licence = models.CharField(max_length=120, blank=True)
    offer = models.ForeignKey(SubPartnerOffer, on_delete=models.PROTECT, null=True, related_name="applications")
    wording = models.ForeignKey(TextWording, on_delete=models.PROTECT, related_name="+")
    ip = models.GenericIPAddressField(null=True)
    submitted_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        triggers = append_only(
            "partner_application",
            erased={"ip": "NULL", "website": "''", "channels": "''", "licence": "''"},
            client="(SELECT p.client_id FROM ib_partner p WHERE p.id = OLD.partner_id)",
        )

    def __str__(self) -> str:
        return f"application of {self.partner_id}"


class AgreementFile(models.Model):
    """The partner agreement as PDF, as it was accepted; made once after the application."""

    application = models.OneToOneField(PartnerApplication, on_delete=models.PROTECT, related_name="file")
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        triggers = append_only(
            "agreement_file",
            erased={"content": "'\\x'::bytea"},
            client="(SELECT p.client_id FROM ib_partnerapplication a JOIN ib_partner p ON p.id = a.partner_id "
            "WHERE a.id = OLD.application_id)",
        )

    def __str__(self) -> str:
        return self.sha256[:12]


class PartnerApproval(ApprovalMixin):
    """The activation of an applicant on a plan; a second person decides."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="approvals")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    percent = models.DecimalField(max_digits=5, decimal_places=2, default=100)

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("partner_approval"),
            ApprovalMixin.one_open("partner", name="one_approval_of_a_partner_waits"),
            models.CheckConstraint(
                condition=Q(percent__gt=0, percent__lte=RATIO_MOST), name="approved_ratio_is_within_bounds"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partner_id} on {self.plan_id}"
