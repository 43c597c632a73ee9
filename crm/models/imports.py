"""Another system's records on their way in: a file, how it is read, its rows with their verdicts, and what became of them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import DATA_IMPORT_TRANSITIONS, EXISTING_ROWS, DataImportState, ExistingRecords, ImportVerdict
from crm.db.states import HasState
from crm.models.jobs import Job
from crm.models.people import Brand, User


class ImportMapping(models.Model):
    """How a kind of file is read, kept under a name and found again by the file's column names."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=80)
    header_mark = models.CharField(max_length=64, help_text="SHA-256 of the column names")
    definition = models.JSONField(default=dict)
    saved_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["brand", "kind", "name"], name="import_mapping_has_its_own_name"),
            models.CheckConstraint(condition=~models.Q(name=""), name="import_mapping_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name


class DataImport(HasState):
    """One file of another system's records. Checked as a whole, then applied in batches that can be resumed."""

    TRANSITIONS = {"state": DATA_IMPORT_TRANSITIONS}

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="data_imports")
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="data_imports", null=True, db_index=False)
    kind = models.CharField(max_length=20)
    system = models.CharField(max_length=40, help_text=_("Name of the other system, e.g. uptrader"))
    file_name = models.CharField(max_length=160)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    mapping = models.JSONField(default=dict, help_text="Field ← column; empty until somebody maps the columns")
    header = models.JSONField(default=list, help_text="The file's column names, in order")
    state = models.CharField(max_length=10, choices=DataImportState.choices, default=DataImportState.MAPPING)
    existing_records = models.CharField(
        max_length=6,
        choices=ExistingRecords.choices,
        default=ExistingRecords.KEEP,
        help_text="Chosen when it is confirmed",
    )
    counts = models.JSONField(default=dict, help_text="Rows per verdict, 'flagged' and 'updated'")
    problems = models.JSONField(default=list, help_text="Of the file as a whole")
    applied = models.PositiveIntegerField(default=0)
    job = models.ForeignKey(Job, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    result_url = models.CharField(max_length=200, blank=True, help_text="What waits for a second person, if anything")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    rows_deleted_at = models.DateTimeField(null=True, help_text="When the rows that were kept of it were deleted")

    class Meta:
        ordering = ["-id"]
        permissions = [("import_data", "May import another system's clients, leads, notes, partners and balances")]
        indexes = [models.Index(fields=["brand", "-id"], name="data_imports_by_brand")]
        constraints = [
            models.CheckConstraint(condition=~models.Q(system=""), name="data_import_names_its_system"),
            models.CheckConstraint(
                condition=~models.Q(state=DataImportState.DONE) | models.Q(finished_at__isnull=False),
                name="finished_data_import_has_a_date",
            ),
            models.CheckConstraint(
                condition=models.Q(rows_deleted_at__isnull=True)
                | models.Q(state__in=[DataImportState.DONE, DataImportState.DISCARDED]),
                name="unfinished_data_import_keeps_its_rows",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    def get_absolute_url(self) -> str:
        return f"/imports/{self.pk}/"

    @property
    def existing_count(self) -> int:
        """Count the rows of records that are here already."""
        return sum(self.counts.get(verdict.value, 0) for verdict in EXISTING_ROWS)

    @property
    def taken_count(self) -> int:
        """Count the rows that are, or can be, imported."""
        return self.existing_count + int(self.counts.get(ImportVerdict.NEW.value, 0))


class ImportRow(models.Model):
    """One row of the file. `values` are as they will be written, and are emptied once they are."""

    batch = models.ForeignKey(DataImport, on_delete=models.CASCADE, related_name="rows", db_index=False)
    line = models.PositiveIntegerField(help_text="Line in the file; the header is line 1")
    verdict = models.CharField(max_length=10, choices=ImportVerdict.choices)
    is_applied = models.BooleanField(default=False)
    errors = models.JSONField(default=list, help_text='[{"column": "Phone", "message": "…"}]')
    warnings = models.JSONField(default=list, help_text="The same, of what is taken as it is")
    changes = models.JSONField(
        default=list,
        help_text='How the record here differs: [{"field", "column", "before", "after", "kept"}]; without values once imported',
    )
    cells = models.JSONField(default=list, help_text="The row as the file has it, until it is imported")
    values = models.JSONField(default=dict)
    key = models.CharField(max_length=120, blank=True, help_text="What makes the record one and the same")
    match_key = models.CharField(max_length=254, blank=True, help_text="A second such key, e.g. the e-mail address")
    same_as_line = models.PositiveIntegerField(null=True)
    subject_id = models.BigIntegerField(null=True, help_text="The client or partner that the record refers to")
    object_id = models.BigIntegerField(null=True, help_text="The known record, or the one that was made")

    class Meta:
        ordering = ["batch_id", "line"]
        constraints = [models.UniqueConstraint(fields=["batch", "line"], name="data_import_line_is_read_once")]
        indexes = [
            models.Index(fields=["batch", "verdict", "line"], name="data_import_rows_by_verdict"),
            models.Index(fields=["batch", "key"], name="data_import_rows_by_key"),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}:{self.line}"


class ExternalReference(models.Model):
    """The number that another system has for a record of ours. What has one is never imported twice."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    system = models.CharField(max_length=40)
    kind = models.CharField(max_length=20)
    external_id = models.CharField(max_length=120)
    object_id = models.BigIntegerField()
    batch = models.ForeignKey(DataImport, on_delete=models.PROTECT, related_name="references")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "system", "kind", "external_id"], name="external_record_is_imported_once"
            ),
            models.CheckConstraint(condition=~models.Q(external_id=""), name="external_reference_has_an_id"),
        ]
        indexes = [models.Index(fields=["kind", "object_id"], name="external_refs_by_record")]

    def __str__(self) -> str:
        return f"{self.system}:{self.kind}:{self.external_id}"
