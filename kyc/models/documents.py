"""Documents of clients, and the files that may become one.

What was read from a document (names, numbers, dates) is kept under the client's own key; only what lists and rules need
stands in plain columns.
"""

from __future__ import annotations

from typing import Any

import orjson
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from clients.models import Client
from crm.db.states import HasState
from crm.i18n.localized_text import LocalizedText, joined, label_of, phrase
from crm.models import User, WorkItem
from crm.security import crypto
from kyc.choices import (
    CARD_KINDS,
    DECIDED_STATES,
    DOCUMENT_TRANSITIONS,
    INCOMING_TRANSITIONS,
    OPEN_STATES,
    DocumentKind,
    DocumentState,
    IncomingState,
    RejectReason,
    Side,
)

# Whatever code says: at the moment of an automatic approval the client isn't rated high.
HIGH_RISK_NEEDS_A_PERSON = """
IF NEW.state = 'approved' AND NEW.decided_by_policy_id IS NOT NULL
   AND (TG_OP = 'INSERT' OR OLD.state <> 'approved')
   AND EXISTS (SELECT 1 FROM clients_client WHERE id = NEW.client_id AND risk_rating = 'high') THEN
  RAISE EXCEPTION 'a document of a high-risk client is approved by a person' USING ERRCODE = 'check_violation';
END IF;
RETURN NEW;
"""


class Document(HasState):
    """One file of a client. The content is in `kyc.store` under `store_key`, encrypted under the client's own key."""

    TRANSITIONS = {"state": DOCUMENT_TRANSITIONS}

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=20, choices=DocumentKind.choices)
    side = models.CharField(max_length=6, choices=Side.choices, default=Side.FRONT)
    state = models.CharField(max_length=16, choices=DocumentState.choices, default=DocumentState.UPLOADED)

    # ── the file ───────────────────────────────────────────────────────────────────────────────────────────────────
    store_key = models.CharField(max_length=80, unique=True)
    file_name = models.CharField(max_length=120, help_text="As the client called it, cleaned")
    content_type = models.CharField(max_length=40)
    size_bytes = models.PositiveIntegerField(help_text="Of the stored file")
    sha256 = models.CharField(max_length=64, help_text="Of the file as it was sent")
    stored_sha256 = models.CharField(max_length=64, help_text="Of the file as it is kept: cleaned, before encryption")
    page_count = models.PositiveSmallIntegerField(default=1)
    phash = models.BinaryField(max_length=128, null=True, help_text="Perceptual hash, 1,024 bits")
    declared_country = models.CharField(
        max_length=2, blank=True, help_text="Issuing country as the client chose it, ISO 3166-1 alpha-2"
    )
    traces = models.JSONField(default=dict, blank=True, help_text="What the file's maker left in it: editor, changes")
    phash_bands = ArrayField(models.IntegerField(), default=list, blank=True)
    uploaded_at = models.DateTimeField()
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    # ── what the checks read ───────────────────────────────────────────────────────────────────────────────────────
    extracted_sealed = models.BinaryField(null=True, help_text="JSON under the client's key")
    number_fingerprint = models.CharField(max_length=64, blank=True, help_text="Keyed hash of the document number")
    issuing_country = models.CharField(max_length=3, blank=True)
    issued_on = models.DateField(null=True)
    expires_on = models.DateField(null=True)
    checked_at = models.DateTimeField(null=True)
    check_attempts = models.PositiveSmallIntegerField(default=0)
    check_lease_until = models.DateTimeField(null=True)

    # ── its place in the queue (`kyc.urgency`) ─────────────────────────────────────────────────────────────────────
    flaw = models.CharField(max_length=24, blank=True, help_text="What is named first of why a person decides")
    doubt = models.CharField(max_length=20, blank=True, help_text="The one unclear check, where all others passed")
    client_value = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    urgent_at = models.DateTimeField(null=True, help_text="What the queue is ordered by; see `kyc.urgency.order`")
    quarter_turns = models.PositiveSmallIntegerField(
        default=0, help_text="How pages are shown; the file stays as it is"
    )

    # ── review ─────────────────────────────────────────────────────────────────────────────────────────────────────
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, null=True, related_name="document")
    reviewed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_by_policy = models.ForeignKey("kyc.VerdictPolicy", on_delete=models.PROTECT, null=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True, help_text="When a person or the policy decided")
    reason_code = models.CharField(max_length=20, choices=RejectReason.choices, blank=True)
    reason = models.TextField(blank=True, help_text="Message to client")
    review_note = models.TextField(blank=True, help_text="For colleagues and auditors: why approved despite an issue")
    settled_at = models.DateTimeField(null=True, help_text="From then on the decision has its consequences")

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("open_document", "May open the document itself; every opening is logged"),
            ("review_document", "May claim, approve and reject documents"),
            ("send_document", "May upload a document for a client"),
        ]
        indexes = [
            models.Index(fields=["client", "-id"], name="documents_by_client"),
            models.Index(
                fields=["uploaded_at", "id"],
                name="documents_waiting",
                condition=Q(state__in=["uploaded", "checking", "pending_review"]),
            ),
            models.Index(
                fields=["urgent_at", "id"],
                name="documents_by_urgency",
                condition=Q(state__in=["uploaded", "checking", "pending_review"]),
            ),
            models.Index(
                fields=["flaw", "urgent_at", "id"], name="documents_by_flaw", condition=Q(state="pending_review")
            ),
            models.Index(
                fields=["doubt", "urgent_at"],
                name="documents_in_doubt",
                condition=Q(state="pending_review") & ~Q(doubt=""),
            ),
            models.Index(fields=["expires_on"], name="documents_expiring", condition=Q(state="approved")),
            models.Index(
                fields=["number_fingerprint"], name="documents_by_number", condition=~Q(number_fingerprint="")
            ),
            models.Index(fields=["sha256"], name="documents_by_hash"),
            models.Index(fields=["reviewed_by", "-reviewed_at"], name="documents_by_reviewer"),
            models.Index(fields=["uploaded_at"], name="documents_by_upload"),
            models.Index(fields=["reviewed_at"], name="documents_by_decision", condition=Q(reviewed_at__isnull=False)),
            GinIndex(fields=["phash_bands"], name="documents_by_phash"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "sha256"], condition=~Q(state="replaced"), name="a_client_sends_a_file_once"
            ),
            models.UniqueConstraint(
                fields=["client", "kind", "side"],
                condition=Q(state__in=["uploaded", "checking", "pending_review"]) & ~Q(kind="other"),
                name="one_open_document_per_client_and_kind",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "rejected"])
                | Q(reviewed_at__isnull=False)
                & (
                    Q(reviewed_by__isnull=False, decided_by_policy__isnull=True)
                    | Q(reviewed_by__isnull=True, decided_by_policy__isnull=False)
                ),
                name="decided_document_has_a_reviewer_or_a_policy",
            ),
            models.CheckConstraint(
                condition=Q(decided_by_policy__isnull=True) | Q(reviewed_by__isnull=True, settled_at__isnull=False),
                name="a_policy_decides_alone_and_finally",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True)
                | Q(uploaded_by__isnull=True)
                | ~Q(reviewed_by=models.F("uploaded_by")),
                name="reviewer_is_not_the_uploader",
            ),
            models.CheckConstraint(
                condition=~Q(state="rejected") | (~Q(reason_code="") & ~Q(reason="")),
                name="rejected_document_has_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state="pending_review") | Q(work__isnull=False), name="pending_document_is_a_work_item"
            ),
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True) | ~Q(state__in=["uploaded", "checking", "pending_review"]),
                name="settled_document_is_decided",
            ),
            models.CheckConstraint(
                condition=~Q(state="checking") | Q(check_lease_until__isnull=False),
                name="document_being_checked_has_a_lease",
            ),
            models.CheckConstraint(condition=Q(size_bytes__gt=0, page_count__gt=0), name="document_has_content"),
            models.CheckConstraint(condition=Q(quarter_turns__lte=3), name="document_is_turned_by_quarters"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="high_risk_is_approved_by_a_person",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                func=HIGH_RISK_NEEDS_A_PERSON,
            )
        ]

    def __str__(self) -> str:
        return f"{self.title} #{self.pk}"

    def get_absolute_url(self) -> str:
        return f"/kyc/documents/{self.pk}/"

    @property
    def title(self) -> str:
        return str(self.title_words)

    @property
    def title_words(self) -> LocalizedText:
        """The kind and, where there are two, the side."""
        kind: LocalizedText = label_of(self, "kind")
        if self.kind in CARD_KINDS or (self.kind == DocumentKind.DRIVING_LICENCE and self.side == Side.BACK):
            return joined([kind, joined(["(", label_of(self, "side"), ")"], "")], " ")
        return kind

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def is_overturnable(self) -> bool:
        """An approval that no person made."""
        return self.state == DocumentState.APPROVED and self.decided_by_policy_id is not None

    @property
    def decider(self) -> LocalizedText:
        """Who decided: an officer, or the policy; empty before."""
        if self.decided_by_policy is not None:
            return phrase("Automatic · policy %(number)d") % {"number": self.decided_by_policy.number}
        return str(self.reviewed_by) if self.reviewed_by is not None else ""

    @property
    def is_undoable(self) -> bool:
        """A decision whose consequences have not begun yet."""
        return self.state in DECIDED_STATES and self.settled_at is None

    @property
    def state_for_client(self) -> str:
        """What the client portal shows: an undoable decision is still a review."""
        return DocumentState.PENDING_REVIEW if self.is_undoable else self.state

    @property
    def extracted(self) -> dict[str, Any]:
        """What the checks read: names, number, dates. Empty before a check and after an erasure."""
        if not self.extracted_sealed:
            return {}
        try:
            extracted: dict[str, Any] = orjson.loads(
                crypto.decrypt_for_client(self.client_id, bytes(self.extracted_sealed))
            )
            return extracted
        except crypto.KeyDestroyed:
            return {}


class IncomingFile(HasState):
    """A file as it was sent, encrypted and not opened yet: a job opens it in a child process, and it becomes a document or is
    refused in words. Its content is deleted with that."""

    TRANSITIONS = {"state": INCOMING_TRANSITIONS}

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="incoming_files")
    kind = models.CharField(max_length=20, choices=DocumentKind.choices)
    side = models.CharField(max_length=6, choices=Side.choices, default=Side.FRONT)
    country = models.CharField(max_length=2, blank=True, help_text="Issuing country as the client chose it")
    state = models.CharField(max_length=8, choices=IncomingState.choices, default=IncomingState.WAITING)
    file_name = models.CharField(max_length=120)
    store_key = models.CharField(max_length=80, blank=True, help_text="Empty once the file was opened")
    size_bytes = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    language = models.CharField(max_length=10, help_text="In which the sender reads a refusal")
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    received_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, help_text="A worker has it until then")
    attempts = models.PositiveSmallIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True, help_text="Why it was refused, as the sender reads it")
    document = models.OneToOneField(Document, on_delete=models.PROTECT, null=True, related_name="incoming_file")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["client", "-received_at"], name="incoming_files_by_client"),
            models.Index(fields=["received_at"], name="incoming_files_waiting", condition=Q(state="waiting")),
            models.Index(
                fields=["finished_at"], name="incoming_files_finished", condition=Q(finished_at__isnull=False)
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["store_key"], condition=~Q(store_key=""), name="incoming_file_has_its_own_key"
            ),
            models.UniqueConstraint(
                fields=["client", "sha256"], condition=Q(state="waiting"), name="a_client_has_a_file_opened_once"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", finished_at__isnull=True) & ~Q(store_key="")
                | ~Q(state="waiting") & Q(finished_at__isnull=False, store_key=""),
                name="only_a_waiting_file_has_content",
            ),
            models.CheckConstraint(
                condition=Q(state="taken", document__isnull=False) | ~Q(state="taken") & Q(document__isnull=True),
                name="taken_file_is_a_document",
            ),
            models.CheckConstraint(condition=~Q(state="refused") | ~Q(reason=""), name="refused_file_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.file_name}"


class IncomingPage(models.Model):
    """A further page of a document that was sent as several files, from the second on; joined with the first when it is opened."""

    incoming = models.ForeignKey(IncomingFile, on_delete=models.CASCADE, related_name="more_pages")
    number = models.PositiveSmallIntegerField()
    store_key = models.CharField(max_length=80, unique=True)
    file_name = models.CharField(max_length=120)
    size_bytes = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["incoming", "number"], name="incoming_pages_are_in_order"),
            models.CheckConstraint(condition=Q(number__gte=2), name="first_page_is_the_incoming_file"),
        ]

    def __str__(self) -> str:
        return self.file_name
