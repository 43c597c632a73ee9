"""A document on its way from a client: a draft with its pages, the chunks of pages that aren't whole yet, and the phone that helps.

All content is in `kyc.store`, under the client's own key, from the first chunk on.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from clients.models import Client
from crm.db.states import HasState
from crm.models import User
from kyc.choices import UPLOAD_TRANSITIONS, DocumentKind, Side, UploadState


class UploadDraft(HasState):
    """One document that a client is putting together: its type, issuing country and pages, until they send it."""

    TRANSITIONS = {"state": UPLOAD_TRANSITIONS}

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="upload_drafts")
    kind = models.CharField(max_length=20, choices=DocumentKind.choices)
    country = models.CharField(max_length=2, blank=True, help_text="Issuing country, ISO 3166-1 alpha-2")
    state = models.CharField(max_length=9, choices=UploadState.choices, default=UploadState.OPEN)
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["client", "-id"], name="upload_drafts_by_client")]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "kind"], condition=Q(state="open"), name="one_open_upload_per_client_and_kind"
            ),
            models.CheckConstraint(
                condition=Q(state="open", finished_at__isnull=True) | ~Q(state="open") & Q(finished_at__isnull=False),
                name="finished_upload_has_an_end",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("opened_at")), name="upload_expires_after_it_began"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state == UploadState.OPEN


class UploadPage(models.Model):
    """One file of a draft: a photo of a page, or a PDF. Whole once it has a `store_key`; before that it lies in chunks."""

    draft = models.ForeignKey(UploadDraft, on_delete=models.CASCADE, related_name="pages")
    side = models.CharField(max_length=6, choices=Side.choices, default=Side.FRONT)
    position = models.PositiveSmallIntegerField()
    file_name = models.CharField(max_length=120)
    size_bytes = models.PositiveIntegerField(help_text="As announced; more is never taken")
    received_bytes = models.PositiveIntegerField(default=0)
    sha256 = models.CharField(
        max_length=64, blank=True, help_text="As announced by the sender; of the content once whole"
    )
    content_type = models.CharField(max_length=40, blank=True, help_text="By its first bytes, once whole")
    store_key = models.CharField(max_length=80, blank=True, help_text="Empty while it lies in chunks")
    is_from_phone = models.BooleanField(default=False, help_text="Sent by the phone that the draft was handed to")
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["side", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["draft", "side", "position"],
                name="upload_pages_are_in_order",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.UniqueConstraint(
                fields=["store_key"], condition=~Q(store_key=""), name="upload_page_has_its_own_key"
            ),
            models.CheckConstraint(
                condition=Q(size_bytes__gt=0, received_bytes__lte=F("size_bytes")), name="upload_page_keeps_to_its_size"
            ),
            models.CheckConstraint(
                condition=Q(store_key="", content_type="")
                | ~Q(store_key="") & ~Q(content_type="") & ~Q(sha256="") & Q(received_bytes=F("size_bytes")),
                name="whole_upload_page_has_all_its_bytes",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_whole(self) -> bool:
        return bool(self.store_key)

    @property
    def percent(self) -> int:
        """How much has arrived."""
        return 100 * self.received_bytes // self.size_bytes


class UploadChunk(models.Model):
    """A part of a page that isn't whole yet, sealed like every other file of the client."""

    page = models.ForeignKey(UploadPage, on_delete=models.CASCADE, related_name="chunks")
    offset = models.PositiveIntegerField()
    size_bytes = models.PositiveIntegerField()
    store_key = models.CharField(max_length=80, unique=True)

    class Meta:
        ordering = ["offset"]
        constraints = [
            models.UniqueConstraint(fields=["page", "offset"], name="a_chunk_has_its_own_place"),
            models.CheckConstraint(condition=Q(size_bytes__gt=0), name="upload_chunk_has_content"),
        ]

    def __str__(self) -> str:
        return f"{self.page_id} from {self.offset}"


class UploadHandover(models.Model):
    """A draft that a phone may add to, for a while, without signing in. Tokens are kept as hashes only."""

    draft = models.ForeignKey(UploadDraft, on_delete=models.CASCADE, related_name="handovers")
    secret_hash = models.BinaryField(max_length=32, unique=True, help_text="SHA-256 of the secret in the QR code")
    device_hash = models.BinaryField(max_length=32, null=True, help_text="SHA-256 of the secret in the phone's cookie")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="Of the code; once a phone has opened it, of the phone's page")
    opened_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["draft"],
                condition=Q(revoked_at__isnull=True, finished_at__isnull=True),
                name="one_live_handover_per_upload",
            ),
            models.CheckConstraint(
                condition=Q(opened_at__isnull=True, device_hash__isnull=True)
                | Q(opened_at__isnull=False, device_hash__isnull=False),
                name="opened_handover_is_bound_to_a_phone",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True) | Q(opened_at__isnull=False, revoked_at__isnull=True),
                name="finished_handover_was_opened",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="handover_expires_after_it_began"),
        ]

    def __str__(self) -> str:
        return f"Hand-over {self.pk}"
