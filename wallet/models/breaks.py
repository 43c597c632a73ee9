"""Breaks: differences with a cause, comments on them, and the postings of those that are accepted."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q, Value
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm.choices import ApprovalState
from crm.db.states import HasState
from crm.models import Brand, User
from crm.models.approvals import ApprovalMixin
from crm.models.audit import append_only
from crm.money.amounts import Money, from_minor
from wallet.choices.reconciliation import (
    BREAK_TRANSITIONS,
    BREAKS_OF_A_MOVEMENT,
    CLOSED_ITSELF,
    BreakKind,
    BreakState,
    Detail,
    Leg,
    PostingWay,
    Resolved,
)
from wallet.models.bank import BankEntry
from wallet.models.files import AttachedFile
from wallet.models.ledger import Journal
from wallet.models.matches import MatchGroup
from wallet.models.payments import PspMovement
from wallet.models.psp import Psp
from wallet.models.settlements import SettlementImport, SettlementRow


class Break(HasState):
    """A difference with its kind: the other side's figure, ours, and the resolution.

    On the PSP leg it points at a report's row, a movement, or both. The bank leg points at an entry of a bank or a
    payout row; other legs at what `subject` names, e.g. 'deal:3:99123'. Open ones resolve automatically when a later
    file explains them.
    """

    TRANSITIONS = {"state": BREAK_TRANSITIONS}
    FIRST_STATES = {"state": {BreakState.OPEN, BreakState.RESOLVED}}

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    leg = models.CharField(max_length=8, choices=Leg.choices, default=Leg.PSP)
    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, null=True, related_name="breaks", db_index=False)
    report = models.ForeignKey(SettlementImport, on_delete=models.PROTECT, null=True, related_name="breaks")
    kind = models.CharField(max_length=16, choices=BreakKind.choices)
    row = models.ForeignKey(SettlementRow, on_delete=models.PROTECT, null=True, related_name="breaks")
    movement = models.ForeignKey(PspMovement, on_delete=models.PROTECT, null=True, related_name="breaks")
    entry = models.ForeignKey(BankEntry, on_delete=models.PROTECT, null=True, related_name="breaks")
    subject = models.CharField(max_length=120, blank=True, db_default="", help_text=_("Subject, if none of the above"))
    client = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    # Details beyond its kind: a code with values, written in the reader's language. `detail`: a sentence of older runs.
    detail_code = models.CharField(max_length=20, choices=Detail.choices, blank=True, db_default="")
    detail_values = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    detail = models.CharField(max_length=300, blank=True, db_default="")
    currency = models.CharField(max_length=5)
    difference_minor = models.BigIntegerField(help_text=_("Difference"))
    happened_at = models.DateTimeField(help_text=_("When the money moved; the age counts from here"))
    opened_at = models.DateTimeField()
    owner = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=BreakState.choices, default=BreakState.OPEN)
    resolved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    resolved_at = models.DateTimeField(null=True)
    # What somebody said, or a code with values.
    resolution = models.CharField(max_length=300, blank=True, db_default="")
    resolution_code = models.CharField(max_length=12, choices=Resolved.choices, blank=True, db_default="")
    resolution_values = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(row__isnull=False) | Q(movement__isnull=False) | Q(entry__isnull=False) | ~Q(subject=""),
                name="break_points_at_something",
            ),
            models.CheckConstraint(
                condition=Q(state=BreakState.OPEN)
                | (Q(resolved_at__isnull=False) & (~Q(resolution="") | ~Q(resolution_code=""))),
                name="resolved_break_says_how_and_when",
            ),
            models.CheckConstraint(
                condition=~Q(leg=Leg.PSP) | Q(psp__isnull=False), name="break_of_a_psp_says_of_which"
            ),
            # A fee may differ on a row that is matched; everything else leaves its row open, and has one name.
            models.UniqueConstraint(
                fields=["row", "leg"],
                condition=Q(state=BreakState.OPEN, row__isnull=False) & ~Q(kind=BreakKind.FEE),
                name="an_open_row_has_one_break",
            ),
            models.UniqueConstraint(
                fields=["row"],
                condition=Q(state=BreakState.OPEN, kind=BreakKind.FEE),
                name="one_open_fee_break_per_row",
            ),
            models.UniqueConstraint(
                fields=["movement"],
                condition=Q(state=BreakState.OPEN, kind__in=BREAKS_OF_A_MOVEMENT),
                name="an_open_movement_has_one_break",
            ),
            models.UniqueConstraint(
                fields=["leg", "subject"],
                condition=Q(state=BreakState.OPEN) & ~Q(subject=""),
                name="an_open_subject_has_one_break",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "id"], name="breaks_by_state"),
            models.Index(fields=["brand", "state", "-id"], name="breaks_by_brand"),
            models.Index(fields=["psp", "kind"], name="breaks_open_by_psp", condition=Q(state=BreakState.OPEN)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"

    @property
    def difference(self) -> Decimal:
        return from_minor(self.difference_minor, self.currency)

    @property
    def age_days(self) -> int:
        """Whole days since the money moved, until it was resolved."""
        return max(((self.resolved_at or timezone.now()) - self.happened_at).days, 0)

    @property
    def explanation(self) -> str:
        """The difference as a sentence; reads row and movement."""
        from wallet.choices.break_texts import explain

        return explain(self)

    @property
    def how_resolved(self) -> str:
        """The resolution, in the reader's language; empty while it is open."""
        from wallet.choices.break_texts import how_resolved

        return how_resolved(self)


class BreakNote(AttachedFile):
    """A comment on a break, or an event (without an author). A file that proves it is stored encrypted."""

    one = models.ForeignKey(Break, on_delete=models.PROTECT, related_name="notes")
    author = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField()
    body = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=~Q(body="") | ~Q(file_path=""), name="break_note_says_something")
        ]
        triggers = append_only("breaknote")

    def __str__(self) -> str:
        return self.body[:60] or self.file_name


class BreakPosting(ApprovalMixin):
    """A difference that somebody wants to post: what it is, and why. Another person says yes, then it is in the ledger.

    When the break has both a row and a movement they become a group whose difference is this posting.
    """

    one = models.ForeignKey(Break, on_delete=models.PROTECT, related_name="postings")
    way = models.CharField(max_length=12, choices=PostingWay.choices)
    currency = models.CharField(max_length=5)
    amount_minor = models.BigIntegerField(help_text=_("PSP balance less ledger balance"))
    business_on = models.DateField()
    # What it was proposed for: a later file may give the break another partner.
    movement = models.ForeignKey(PspMovement, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    # Between two currencies: what our books have, and what that is worth in `currency` at the rate of a day.
    books_currency = models.CharField(max_length=5, blank=True, db_default="")
    books_minor = models.BigIntegerField(null=True)
    converted_minor = models.BigIntegerField(null=True)
    rate = models.DecimalField(max_digits=24, decimal_places=12, null=True)
    rate_on = models.DateField(null=True)
    is_psp_rate = models.BooleanField(default=False, db_default=False)
    # Of money that a PSP paid to our own bank: what of it came in there.
    entry = models.ForeignKey(BankEntry, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    journal = models.OneToOneField(Journal, on_delete=models.PROTECT, null=True, related_name="break_posting")
    group = models.ForeignKey(MatchGroup, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        ordering = ["-id"]
        permissions = [("post_break", "May post the difference of a break that somebody else proposed")]
        constraints = [
            *ApprovalMixin.constraints("break_posting"),
            models.CheckConstraint(
                condition=Q(state=ApprovalState.APPROVED, journal__isnull=False)
                | (~Q(state=ApprovalState.APPROVED) & Q(journal__isnull=True)),
                name="approved_break_posting_is_posted",
            ),
            models.CheckConstraint(
                condition=~Q(amount_minor=0) | ~Q(books_currency=""), name="break_posting_moves_something"
            ),
            models.CheckConstraint(
                condition=Q(
                    books_currency="",
                    books_minor__isnull=True,
                    converted_minor__isnull=True,
                    rate__isnull=True,
                    rate_on__isnull=True,
                )
                | (
                    ~Q(books_currency="")
                    & ~Q(books_currency=F("currency"))
                    & Q(
                        books_minor__isnull=False,
                        converted_minor__isnull=False,
                        rate__isnull=False,
                        rate__gt=0,
                        rate_on__isnull=False,
                    )
                ),
                name="posting_between_currencies_names_its_rate",
            ),
            ApprovalMixin.one_open("one", name="one_posting_of_a_break_waits"),
            models.CheckConstraint(
                condition=Q(way=PostingWay.OWN_BANK, entry__isnull=False)
                | (~Q(way=PostingWay.OWN_BANK) & Q(entry__isnull=True)),
                name="only_what_reached_our_bank_names_its_entry",
            ),
            models.UniqueConstraint(
                fields=["entry"],
                condition=Q(entry__isnull=False, state__in=[ApprovalState.PENDING, ApprovalState.APPROVED]),
                name="a_bank_entry_is_one_payout_to_our_bank",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_way_display()} {self.amount}"

    @property
    def amount(self) -> Decimal:
        return from_minor(self.amount_minor, self.currency)

    @property
    def note_words(self) -> str:
        """What the second person said, or that none was needed any more."""
        return (
            gettext("The break was closed automatically.")
            if self.decision_note == CLOSED_ITSELF
            else self.decision_note
        )

    @property
    def books(self) -> Money | None:
        return Money.of_minor(self.books_minor, self.books_currency) if self.books_minor is not None else None

    @property
    def converted(self) -> Money | None:
        return Money.of_minor(self.converted_minor, self.currency) if self.converted_minor is not None else None
