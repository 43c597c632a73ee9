"""Screenings of clients against the lists, and the possible matches they found."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from clients.models import Client
from compliance.choices import HIT_TRANSITIONS, ClearReason, HitState, ScreeningTrigger
from compliance.models.parties import ScreenedParty
from compliance.models.watchlists import ListEntry, ListVersion
from crm.db.states import HasState
from crm.models import User, WorkItem


class Screening(models.Model):
    """One client against all active lists: with which rules, lists and threshold, and what came of it."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="screenings")
    party = models.ForeignKey(
        ScreenedParty,
        on_delete=models.PROTECT,
        null=True,
        related_name="screenings",
        help_text="Who was compared, where it wasn't the client",
    )
    at = models.DateTimeField()
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    trigger = models.CharField(max_length=12, choices=ScreeningTrigger.choices)
    matcher_version = models.CharField(max_length=20, help_text="Of our matcher, or the vendor's adapter")
    vendor = models.ForeignKey(
        "compliance.ScreeningVendor",
        on_delete=models.PROTECT,
        null=True,
        related_name="screenings",
        db_index=False,
        help_text="Who compared, where it wasn't our matcher",
    )
    threshold = models.DecimalField(max_digits=4, decimal_places=3)
    # [{"source": "un", "version": 3, "sha256": "…", "dated_on": "2026-02-27"}]
    lists = models.JSONField(default=list)
    client_hash = models.CharField(max_length=64, help_text="Of the data that was compared")
    candidate_count = models.PositiveIntegerField(default=0)
    hit_count = models.PositiveIntegerField(default=0, help_text="New possible matches")
    known_count = models.PositiveIntegerField(default=0, help_text="Matches that were decided before and are unchanged")
    duration_ms = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        permissions = [("screen_client", "May screen a client against the watchlists")]
        indexes = [models.Index(fields=["client", "-id"], name="screenings_by_client")]
        constraints = [
            models.CheckConstraint(
                condition=Q(threshold__gt=0, threshold__lte=1), name="screening_threshold_is_a_fraction"
            )
        ]

    def __str__(self) -> str:
        return f"Screening {self.pk}"


class ClientKeys(models.Model):
    """How a new entry of a list finds a client: the name as it was when the keys were made, and the keys.

    Refreshed from the clients' names before each screening of a list, so that no writer of names can forget it.
    """

    client = models.OneToOneField(Client, on_delete=models.CASCADE, primary_key=True, related_name="screening_keys")
    text = models.CharField(max_length=200)
    matcher_version = models.CharField(max_length=20)
    normalised = models.CharField(max_length=400)
    pair_keys = ArrayField(models.CharField(max_length=60), default=list)
    made_at = models.DateTimeField(
        db_default=Now(), help_text="A screening of all clients that began later has covered this name"
    )

    class Meta:
        ordering = ["client_id"]
        indexes = [
            # Without a pending list, which the first look-up after an import would read from end to end.
            GinIndex(
                fields=["normalised"], name="client_keys_by_spelling", opclasses=["gin_trgm_ops"], fastupdate=False
            ),
            GinIndex(fields=["pair_keys"], name="client_keys_by_sound", fastupdate=False),
        ]

    def __str__(self) -> str:
        return self.text


class ListScreening(models.Model):
    """All clients against what a list's version changed, or, without a version, against everything in force."""

    version = models.ForeignKey(ListVersion, on_delete=models.PROTECT, null=True, related_name="screenings")
    matcher_version = models.CharField(max_length=20)
    lists = models.JSONField(default=list, help_text="The lists in force, as in a screening of one client")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    client_count = models.PositiveIntegerField(help_text="Clients that could be found")
    party_count = models.PositiveIntegerField(default=0, help_text="Payers, payees, owners and partners among them")
    nameless_count = models.PositiveIntegerField(default=0, help_text="Clients without a name, who can't be screened")
    entry_count = models.PositiveIntegerField(help_text="Entries that were looked for")
    compared_count = models.PositiveIntegerField(default=0)
    hit_count = models.PositiveIntegerField(default=0, help_text="New possible matches")
    outdated_count = models.PositiveIntegerField(default=0, help_text="Open matches that the change ended")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at__gte=models.F("started_at")), name="list_screening_ends_after_its_start"
            )
        ]

    def __str__(self) -> str:
        return f"Screening of {self.version or 'all lists'}"


class Hit(HasState):
    """A possible match of a client, or of a party connected with them, and an entry.

    Decided for the data and the entry's content as they were.
    """

    TRANSITIONS = {"state": HIT_TRANSITIONS}

    screening = models.ForeignKey(Screening, on_delete=models.PROTECT, related_name="hits")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="screening_hits")
    party = models.ForeignKey(
        ScreenedParty,
        on_delete=models.PROTECT,
        null=True,
        related_name="hits",
        help_text="Who was compared, where it wasn't the client",
    )
    entry = models.ForeignKey(ListEntry, on_delete=models.PROTECT, related_name="hits")
    client_hash = models.CharField(max_length=64)
    entry_hash = models.CharField(max_length=64)
    score = models.DecimalField(max_digits=5, decimal_places=4)
    explanation = models.JSONField(default=dict, help_text="What was compared and what it counted")
    state = models.CharField(max_length=14, choices=HitState.choices, default=HitState.OPEN)
    found_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason_code = models.CharField(max_length=20, choices=ClearReason.choices, blank=True)
    reason = models.TextField(blank=True)
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, null=True, related_name="hit")
    part_of = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="parts",
        help_text="The match that leads the review of this listed person, who has several entries",
    )

    class Meta:
        ordering = ["-id"]
        permissions = [("decide_hit", "May clear or confirm a possible match")]
        indexes = [
            models.Index(fields=["client", "-id"], name="hits_by_client"),
            models.Index(fields=["found_at", "id"], name="hits_open", condition=Q(state="open")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "entry", "client_hash", "entry_hash"],
                name="a_match_is_raised_once_per_content",
                condition=~Q(state="outdated"),
            ),
            models.CheckConstraint(
                condition=~Q(state="open") | Q(work__isnull=False) | Q(part_of__isnull=False),
                name="open_match_is_a_work_item",
            ),
            models.CheckConstraint(
                condition=Q(part_of__isnull=True) | Q(work__isnull=True), name="part_of_a_review_has_no_item"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "outdated"]) | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="decided_hit_has_a_person",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["false_positive", "confirmed"]) | ~Q(reason=""), name="decided_hit_has_a_reason"
            ),
            models.CheckConstraint(condition=Q(score__gte=0, score__lte=1), name="hit_score_is_a_fraction"),
        ]

    def __str__(self) -> str:
        return f"{self.party or self.client} ~ {self.entry}"

    def get_absolute_url(self) -> str:
        return f"/compliance/hits/{self.part_of_id or self.pk}/"
