"""Lists of sanctioned people and firms, version by version, with every name in every script."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from compliance.choices import VERSION_TRANSITIONS, EntryKind, ListTopic, NameKind, VersionState
from crm.db.states import HasState
from crm.models import User


class WatchlistSource(models.Model):
    """A publisher's list. The codes are those of `compliance.sources`."""

    code = models.CharField(max_length=30, unique=True)
    name = models.CharField(max_length=120)
    publisher = models.CharField(max_length=120)
    licence = models.CharField(max_length=160)
    url = models.URLField(max_length=300, blank=True)
    is_active = models.BooleanField(default=True, help_text="Whether clients are screened against it")
    # {"name": "Customer", "birth_date": "DoB", …}: which column of the brokerage's own list is what; empty for published lists
    columns = models.JSONField(default=dict, blank=True)
    refresh_from = models.CharField(max_length=500, blank=True, help_text="Address or file that is read regularly")
    refresh_hours = models.PositiveSmallIntegerField(default=24)
    stale_after_hours = models.PositiveSmallIntegerField(default=72, help_text="Without a successful check for so long")
    etag = models.CharField(max_length=200, blank=True)
    last_modified = models.CharField(max_length=80, blank=True)
    checked_at = models.DateTimeField(null=True, help_text="Last check that ended well, with or without a new version")
    tried_at = models.DateTimeField(null=True)
    keyed_by = models.CharField(max_length=20, blank=True, help_text="Version of the matcher that made the names' keys")
    refresh_error = models.TextField(blank=True, help_text="Why the last check failed; empty when it didn't")

    class Meta:
        ordering = ["name"]
        permissions = [("import_watchlist", "May load a new version of a watchlist")]
        constraints = [
            models.CheckConstraint(
                condition=Q(refresh_hours__gte=1, refresh_hours__lte=168, stale_after_hours__gte=1),
                name="list_is_refreshed_within_a_week",
            )
        ]

    def __str__(self) -> str:
        return self.name


class OwnListUpload(models.Model):
    """A CSV of the brokerage's own between its upload and its import; forgotten after a day."""

    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    file_name = models.CharField(max_length=120)
    content = models.BinaryField()
    headings = ArrayField(models.TextField(), default=list)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["made_by", "-id"], name="own_list_uploads_by_person")]

    def __str__(self) -> str:
        return self.file_name


class ListVersion(HasState):
    """One file of a list: loaded, or refused with the reason."""

    TRANSITIONS = {"state": VERSION_TRANSITIONS}
    FIRST_STATES = {"state": {VersionState.CURRENT, VersionState.WAITING, VersionState.REFUSED}}

    source = models.ForeignKey(WatchlistSource, on_delete=models.PROTECT, related_name="versions")
    state = models.CharField(max_length=12, choices=VersionState.choices)
    file_name = models.CharField(max_length=160)
    sha256 = models.CharField(max_length=64)
    dated_on = models.DateField(null=True, help_text="The publisher's own date, where the file has one")
    imported_at = models.DateTimeField()
    imported_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    entry_count = models.PositiveIntegerField(default=0)
    name_count = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    left_out = models.JSONField(default=dict, help_text="Parts of the file that are no entries: how many, by reason")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["source", "-id"], name="versions_by_source")]
        constraints = [
            models.UniqueConstraint(
                fields=["source"], condition=Q(state="current"), name="a_source_has_one_current_version"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["refused", "waiting"]) | ~Q(error=""), name="refused_version_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.dated_on or self.imported_at.date()}"


class ListEntry(models.Model):
    """A person, firm or ship on a list, through all versions: what it says now, and whether it is still listed."""

    source = models.ForeignKey(WatchlistSource, on_delete=models.PROTECT, related_name="entries")
    external_id = models.CharField(max_length=120, help_text="The publisher's key")
    kind = models.CharField(max_length=8, choices=EntryKind.choices)
    primary_name = models.CharField(max_length=300)
    # [{"first": "1972-01-01", "last": "1972-12-31", "exact": false}]
    births = models.JSONField(default=list)
    countries = ArrayField(models.CharField(max_length=2), default=list)
    programs = ArrayField(models.CharField(max_length=120), default=list)
    gender = models.CharField(max_length=1, blank=True)
    # [{"kind": "passport", "value": "A1234567", "country": "IR"}], [{"text": "Tehran", "country": "IR"}]
    identifiers = models.JSONField(default=list)
    addresses = models.JSONField(default=list)
    topics = ArrayField(
        models.CharField(max_length=12), default=list, help_text="What it is listed for: sanction, pep, …"
    )
    listed_on = models.DateField(null=True)
    remarks = models.TextField(blank=True)
    content_hash = models.CharField(max_length=64)
    first_version = models.ForeignKey(ListVersion, on_delete=models.PROTECT, related_name="+")
    last_version = models.ForeignKey(ListVersion, on_delete=models.PROTECT, related_name="+")
    is_listed = models.BooleanField(default=True)
    changed_in = models.ForeignKey(
        ListVersion,
        on_delete=models.PROTECT,
        related_name="changed_entries",
        help_text="The version that last added, changed or removed it",
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="an_entry_stands_once_in_its_source")
        ]

    def __str__(self) -> str:
        return self.primary_name

    @property
    def topic_labels(self) -> list[str]:
        return [str(ListTopic(topic).label) for topic in self.topics]


class EntryName(models.Model):
    """One name of an entry. `normalised` and `pair_keys` are how a client's name finds it."""

    entry = models.ForeignKey(ListEntry, on_delete=models.CASCADE, related_name="names")
    text = models.CharField(max_length=300)
    kind = models.CharField(max_length=8, choices=NameKind.choices)
    is_weak = models.BooleanField(default=False, help_text="The publisher calls the alias weak or of low quality")
    normalised = models.CharField(max_length=400)
    pair_keys = ArrayField(models.CharField(max_length=60), default=list)

    class Meta:
        ordering = ["id"]
        indexes = [
            GinIndex(fields=["normalised"], name="entry_names_by_spelling", opclasses=["gin_trgm_ops"]),
            GinIndex(fields=["pair_keys"], name="entry_names_by_sound"),
        ]

    def __str__(self) -> str:
        return self.text


class EntryMark(models.Model):
    """A number of an entry as a client's is kept, so that the database finds who has it: `mark` is the same keyed hash."""

    entry = models.ForeignKey(ListEntry, on_delete=models.CASCADE, related_name="marks")
    kind = models.CharField(max_length=14, help_text="An `IdentifierKind`, or imo: ships are no clients")
    mark = models.BinaryField(max_length=32)
    listed_kind = models.CharField(max_length=14, help_text="What the list calls the number: passport, tax, …")
    value = models.CharField(max_length=80)
    country = models.CharField(max_length=2, blank=True, help_text="Who issued it, or is assumed to have")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["kind", "mark"], name="entry_marks_by_value")]

    def __str__(self) -> str:
        return f"{self.listed_kind} {self.value}"
