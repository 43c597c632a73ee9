"""A file of leads on its way in: checked first, shown to the person, then imported in batches."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.db.states import HasState
from crm.models import Brand, Job, User
from leads.choices import IMPORT_TRANSITIONS, ImportState, RowVerdict
from leads.models.campaigns import Campaign


class LeadImport(HasState):
    TRANSITIONS = {"state": IMPORT_TRANSITIONS}

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="lead_imports")
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="lead_imports")
    file_name = models.CharField(max_length=160)
    sha256 = models.CharField(max_length=64, blank=True)
    header = models.JSONField(default=list, help_text="The file's column names, in order")
    mapping = models.JSONField(default=dict, help_text="Field ← column, and how the file is read")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    source = models.CharField(max_length=60, blank=True)
    language = models.CharField(max_length=8, blank=True, help_text=_("For lines without a value"))
    country = models.CharField(max_length=2, blank=True, help_text=_("For lines without a value"))
    is_routed = models.BooleanField(default=True, help_text=_("Assign the leads by the routing rules"))
    state = models.CharField(max_length=10, choices=ImportState.choices, default=ImportState.MAPPING)
    counts = models.JSONField(default=dict, help_text="Rows per verdict")
    problems = models.JSONField(default=list, help_text="The file's own: an unknown column, a wrong encoding")
    written = models.JSONField(default=dict, help_text="Leads imported so far: new, known, and new ones by agent")
    check_job = models.ForeignKey(Job, on_delete=models.PROTECT, null=True, related_name="+")
    import_job = models.ForeignKey(Job, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["owner", "-id"], name="lead_imports_by_owner")]

    def __str__(self) -> str:
        return self.file_name

    def get_absolute_url(self) -> str:
        return f"/leads/imports/{self.pk}/"


class LeadImportRow(models.Model):
    """One line of the file, as it will be written. It is deleted in the transaction that writes it; wrong ones stay."""

    batch = models.ForeignKey(LeadImport, on_delete=models.CASCADE, related_name="rows", db_index=False)
    line = models.PositiveIntegerField(help_text="Line in the file; the header is line 1")
    verdict = models.CharField(max_length=10, choices=RowVerdict.choices)
    errors = models.JSONField(default=list, help_text='[{"column": "phone", "message": "…"}]')
    first_name = models.CharField(max_length=80, blank=True)
    last_name = models.CharField(max_length=80, blank=True)
    email = models.CharField(max_length=254, blank=True)
    email_canonical = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, blank=True)
    language = models.CharField(max_length=8, blank=True)
    source = models.CharField(max_length=60, blank=True)
    campaign_code = models.CharField(max_length=60, blank=True)
    message = models.TextField(blank=True)
    consent = models.BooleanField(default=False)
    custom = models.JSONField(default=dict, help_text="Custom fields as they were entered, by the field's id")
    declared = models.JSONField(default=dict, help_text="Trading experience and intended deposit")
    client_id = models.BigIntegerField(null=True, help_text="The known client, or the one that was made")
    same_as_line = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["batch_id", "line"]
        constraints = [models.UniqueConstraint(fields=["batch", "line"], name="import_line_is_read_once")]
        indexes = [models.Index(fields=["batch", "verdict", "line"], name="import_rows_by_verdict")]

    def __str__(self) -> str:
        return f"{self.batch_id}:{self.line}"
