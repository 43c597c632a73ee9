"""How well we are in step with a platform: checked days, breaks, backfills, and what changed in a server's settings."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection, models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.db.states import HasState
from crm.errors import WrongState
from crm.models import Job, User
from trading.choices import BACKFILL_TRANSITIONS, BREAK_TRANSITIONS, BackfillState, BreakKind, BreakState, ChangeKind
from trading.models.accounts import TradingAccount
from trading.models.servers import TradingServer

BACKFILL_LOCK: Final = 0x42_46
"""First half of the advisory lock of whoever reads a span of the past; the second half is the row."""
HELD: Final = """
SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = %s AND objid = %s AND objsubid = 2
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


class PlatformGroup(models.Model):
    """A group of accounts on one server, as the server last described it."""

    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="groups")
    name = models.CharField(max_length=120)
    company = models.CharField(max_length=120, blank=True)
    currency = models.CharField(max_length=8)
    currency_digits = models.PositiveSmallIntegerField(default=2)
    is_hedging = models.BooleanField(default=True)
    margin_call = models.DecimalField(max_digits=12, decimal_places=2, default=0, help_text=_("Percent"))
    stop_out = models.DecimalField(max_digits=12, decimal_places=2, default=0, help_text=_("Percent"))
    leverage = models.PositiveIntegerField(null=True, help_text=_("1:n that the group sets itself; empty: unknown"))
    margin_rules = models.JSONField(null=True, help_text=_("By symbol path; empty: unknown"))
    margin_profile = models.CharField(
        max_length=64, blank=True, help_text=_("Margin table by volume whose figures aren't available")
    )
    uses_discounts = models.BooleanField(
        default=False, help_text=_("Margin is based on instrument discounts, as on an exchange")
    )
    class_margins = models.JSONField(default=dict, help_text=_("Leverage per instrument class"))
    first_seen_at = models.DateTimeField(default=timezone.now)
    gone_at = models.DateTimeField(null=True, help_text=_("The server no longer lists it"))
    read_at = models.DateTimeField()

    class Meta:
        ordering = ["server_id", "name"]
        constraints = [models.UniqueConstraint(fields=["server", "name"], name="group_name_is_unique_on_its_server")]

    def __str__(self) -> str:
        return self.name


class PlatformChange(models.Model):
    """One change of a group's or symbol's settings on a server. Rows are added, never changed."""

    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="changes", db_index=False)
    kind = models.CharField(max_length=8, choices=ChangeKind.choices)
    name = models.CharField(max_length=120)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["server", "-id"], name="platform_changes_of_a_server"),
            models.Index(fields=["server", "kind", "name"], name="platform_changes_of_one"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.name}"


class DayCheck(models.Model):
    """A day of a server, in the server's own zone, compared with ours deal by deal."""

    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="day_checks", db_index=False)
    day = models.DateField(help_text=_("Server time"))
    platform_deals = models.PositiveIntegerField()
    our_deals = models.PositiveIntegerField(help_text=_("After missing deals were fetched"))
    missing = models.PositiveIntegerField(default=0)
    extra = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    checked_at = models.DateTimeField()

    class Meta:
        ordering = ["server_id", "-day"]
        constraints = [models.UniqueConstraint(fields=["server", "day"], name="one_check_per_server_and_day")]
        indexes = [models.Index(fields=["server", "checked_at"], name="day_checks_oldest_first")]

    def __str__(self) -> str:
        return f"{self.server} {self.day}"

    @property
    def is_equal(self) -> bool:
        return self.platform_deals == self.our_deals


class ReconcileBreak(HasState):
    """A difference between a platform and us, with its evidence. What can be repaired is, and marked so; the rest is decided
    by a person, with a reason. The same difference is one open break, however often it is found."""

    TRANSITIONS = {"state": BREAK_TRANSITIONS}
    FIRST_STATES = {"state": {BreakState.OPEN, BreakState.HEALED}}

    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="breaks", db_index=False)
    kind = models.CharField(max_length=8, choices=BreakKind.choices)
    state = models.CharField(max_length=8, choices=BreakState.choices, default=BreakState.OPEN)
    subject = models.CharField(max_length=60, help_text=_("A login, a day or a ticket"))
    day = models.DateField(null=True, help_text=_("Server time"))
    login = models.CharField(max_length=32, blank=True)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, null=True, related_name="+")
    ticket = models.BigIntegerField(null=True)
    evidence = models.JSONField(default=dict)
    times = models.PositiveIntegerField(default=1)
    found_at = models.DateTimeField()
    last_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("decide_break", "May settle differences between a platform and us")]
        constraints = [
            models.UniqueConstraint(
                fields=["server", "kind", "subject"], condition=Q(state="open"), name="one_open_break_per_subject"
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True) | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="closed_break_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="settled") | (Q(decided_by__isnull=False) & ~Q(reason="")),
                name="settled_break_has_who_and_why",
            ),
        ]
        indexes = [
            models.Index(F("found_at").desc(), F("id").desc(), name="breaks_by_age"),
            models.Index(fields=["found_at", "id"], name="breaks_open", condition=Q(state="open")),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject}"

    def require_open(self) -> None:
        """Refuse a difference that is closed already. Raises: WrongState."""
        if self.state != BreakState.OPEN:
            raise WrongState(gettext("This break has already been closed."))


class Backfill(HasState):
    """A span of the past being read from a server, and how far that came: a cut one goes on from there."""

    TRANSITIONS = {"state": BACKFILL_TRANSITIONS}

    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="backfills")
    state = models.CharField(max_length=8, choices=BackfillState.choices, default=BackfillState.RUNNING)
    first_day = models.DateField(help_text=_("Server time"))
    last_day = models.DateField()
    position_msc = models.BigIntegerField(help_text=_("Server milliseconds up to which everything has been read"))
    deals = models.PositiveBigIntegerField(default=0, help_text=_("Read"))
    new = models.PositiveBigIntegerField(default=0)
    changed = models.PositiveBigIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+")
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("backfill_deals", "May read deals of the past from a trading server again")]
        constraints = [
            models.UniqueConstraint(
                fields=["server"], condition=~Q(state="done"), name="one_unfinished_backfill_per_server"
            ),
            models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="backfill_ends_after_it_begins"),
            models.CheckConstraint(
                condition=Q(state="done", finished_at__isnull=False) | ~Q(state="done"), name="done_backfill_has_an_end"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.server} {self.first_day} – {self.last_day}"

    @property
    def days(self) -> int:
        return (self.last_day - self.first_day).days + 1

    @property
    def days_done(self) -> int:
        start = dt.datetime.combine(self.first_day, dt.time(), dt.UTC).timestamp() * 1000
        return min(self.days, max(0, int((self.position_msc - start) // 86_400_000)))

    @property
    def percent(self) -> int:
        return round(100 * self.days_done / self.days)

    @cached_property
    def is_at_work(self) -> bool:
        """Whether a worker holds it at this moment. One that was killed lets go at once, with its database session."""
        with connection.cursor() as cursor:
            cursor.execute(HELD, [BACKFILL_LOCK, self.pk])
            is_held: bool = cursor.fetchone()[0]
            return is_held
