"""Tables of reports to the FIU: how a legal entity reports, a report with what it says under the client's key, its transactions."""

from __future__ import annotations

from typing import Any

import orjson
from django.db import models
from django.db.models import F, Q

from clients.models import Client
from compliance.aml.models import AmlCase, AmlMovement
from compliance.sar.choices import CODES, REPORT_TRANSITIONS, UNFINISHED, ReportKind, ReportState
from crm.db.states import HasState
from crm.models import LegalEntity, User
from crm.models.approvals import ApprovalMixin
from crm.security import crypto


class ReportingEntity(models.Model):
    """How a legal entity is known to its FIU's goAML, who reports for it, and the FIU's own schema and codes."""

    legal_entity = models.OneToOneField(LegalEntity, on_delete=models.PROTECT, primary_key=True, related_name="+")
    rentity_id = models.PositiveIntegerField(help_text="As the FIU registered it")
    rentity_branch = models.CharField(max_length=255)
    currency = models.CharField(max_length=3, help_text="goAML's currency_code_local")
    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    email = models.EmailField()
    phone = models.CharField(max_length=20)
    occupation = models.CharField(max_length=255)
    address = models.CharField(max_length=100)
    city = models.CharField(max_length=255)
    postal_code = models.CharField(max_length=10, blank=True)
    country = models.CharField(max_length=2)
    indicators = models.JSONField(default=dict, help_text="The FIU's codes of grounds, with their names")
    codes = models.JSONField(default=dict, help_text="The FIU's lookup values, by what they stand for")
    schema = models.TextField(blank=True, help_text="The FIU's XSD; empty: the structure alone is checked")
    schema_name = models.CharField(max_length=120, blank=True)
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["legal_entity_id"]
        verbose_name_plural = "reporting entities"
        constraints = [models.CheckConstraint(condition=Q(rentity_id__gt=0), name="reporting_entity_has_an_id")]

    def __str__(self) -> str:
        return f"{self.legal_entity_id}: {self.rentity_id}"

    def code(self, name: str) -> str:
        """Return the FIU's code for something; goAML's "-" where none was entered."""
        return str(self.codes.get(name) or CODES[name][1])


class ReportingEntityProposal(ApprovalMixin):
    """How a legal entity should report from now on, as a second member of the circle approves it."""

    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.PROTECT, related_name="+", db_index=False)
    values = models.JSONField(help_text="By the columns' names")
    schema = models.TextField(blank=True, help_text="A new XSD of the FIU; empty: the one in use stays")
    schema_name = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("reporting_entity_proposal"),
            ApprovalMixin.one_open("legal_entity", name="one_open_proposal_per_reporting_entity"),
        ]

    def __str__(self) -> str:
        return f"{self.legal_entity_id}: {self.state}"


class SuspicionReport(HasState):
    """A report about a client, from one case. Content, reasons and XML are sealed under the client's key.

    While it is a draft `content` holds what the officer wrote; from its review on everything that is reported, as it was then.
    """

    TRANSITIONS = {"state": REPORT_TRANSITIONS}

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    case = models.ForeignKey(AmlCase, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=3, choices=ReportKind.choices)
    state = models.CharField(max_length=12, choices=ReportState.choices, default=ReportState.DRAFT)
    amends = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="+", help_text="The filed report that this one amends"
    )
    written_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    written_at = models.DateTimeField()
    content_sealed = models.BinaryField(help_text="JSON under the client's key")
    xml_sealed = models.BinaryField(null=True, help_text="goAML XML under the client's key")
    xml_sha256 = models.CharField(max_length=64, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)
    fiu_reference = models.CharField(max_length=255, blank=True)
    filed_on = models.DateField(null=True)
    filed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        ordering = ["-id"]
        verbose_name = "suspicion report"
        indexes = [models.Index(fields=["client", "-id"], name="suspicion_reports_by_client")]
        constraints = [
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(state__in=[str(state) for state in UNFINISHED]),
                name="one_report_in_the_making",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("written_by")),
                name="report_is_approved_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "filed", "not_reported"]) | Q(decided_by__isnull=False),
                name="decided_suspicion_report_says_by_whom",
            ),
            models.CheckConstraint(
                condition=Q(state="draft", xml_sealed__isnull=True, xml_sha256="")
                | ~Q(state="draft") & Q(xml_sealed__isnull=False) & ~Q(xml_sha256=""),
                name="report_in_review_has_its_xml",
            ),
            models.CheckConstraint(
                condition=Q(state="filed", filed_on__isnull=False, filed_by__isnull=False) & ~Q(fiu_reference="")
                | ~Q(state="filed") & Q(filed_on__isnull=True, filed_by__isnull=True, fiu_reference=""),
                name="filed_report_has_a_reference",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}-{self.pk}"

    def get_absolute_url(self) -> str:
        return f"/aml/reports/{self.pk}/"

    @property
    def content(self) -> dict[str, Any]:
        """Open what it says. Raises: crypto.KeyDestroyed after the client's erasure."""
        content: dict[str, Any] = orjson.loads(crypto.decrypt_for_client(self.client_id, bytes(self.content_sealed)))
        return content

    def seal(self, content: dict[str, Any]) -> None:
        """Keep what it says under the client's key."""
        body = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
        self.content_sealed = crypto.encrypt_for_client(self.client_id, body)

    def keep_xml(self, xml: bytes, sha256: str) -> None:
        """Keep the XML under the client's key, with the digest of what was written."""
        self.xml_sealed, self.xml_sha256 = crypto.encrypt_for_client(self.client_id, xml), sha256

    @property
    def xml(self) -> bytes:
        """Open the XML as it was approved; b"" for a draft."""
        return crypto.decrypt_for_client(self.client_id, bytes(self.xml_sealed)) if self.xml_sealed else b""


class ReportMovement(models.Model):
    """A movement that a report names as a transaction."""

    report = models.ForeignKey(SuspicionReport, on_delete=models.PROTECT, related_name="chosen", db_index=False)
    movement = models.ForeignKey(AmlMovement, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        ordering = ["movement_id"]
        constraints = [models.UniqueConstraint(fields=["report", "movement"], name="reported_movement_once")]

    def __str__(self) -> str:
        return f"{self.report_id}: {self.movement_id}"
