"""Settlement reports of PSPs, held against our books row by row."""

from __future__ import annotations

from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import F, Q, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm.models import Brand, User
from crm.models.audit import append_only
from crm.money import from_minor
from wallet.choices import BreakKind, BreakState, MatchRule, RequestState, RowType
from wallet.models.bank import BankEntry
from wallet.models.ledger import Journal
from wallet.models.payments import PspMovement
from wallet.models.periods import FourEyesMixin
from wallet.models.psp import Psp
from wallet.models.reconciliation_guards import PAIRS_AGREE, never_goes
from wallet.reconciliation_choices import BREAKS_OF_A_MOVEMENT, Leg, PostingWay, SuggestionRule, SuggestionState


class SettlementImport(models.Model):
    """One report of one PSP: proved on arrival, kept as it came (encrypted), matched once."""

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="settlements")
    file_name = models.CharField(max_length=160)
    sha256 = models.CharField(max_length=64)
    # The original, encrypted on disk (`settlement_import.original_of`).
    stored_name = models.CharField(max_length=64, unique=True)
    size_bytes = models.BigIntegerField()
    format = models.CharField(max_length=40, blank=True, help_text=_("As which kind of report it was read"))
    first_day = models.DateField()
    last_day = models.DateField()
    row_count = models.PositiveIntegerField()
    # Per currency, in minor units: {"EUR": {"opening": 0, "gross": …, "fee": …, "net": …, "closing": …}}
    totals = models.JSONField(default=dict)
    matched = models.PositiveIntegerField(default=0)
    seen_before = models.PositiveIntegerField(default=0, help_text=_("Rows that an earlier report had already"))
    to_bank = models.PositiveIntegerField(default=0, help_text=_("Payouts to our own bank account"))
    breaks_found = models.PositiveIntegerField(default=0)
    imported_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    imported_at = models.DateTimeField()
    seconds = models.DecimalField(max_digits=8, decimal_places=3, default=0)
    # What of it is in the ledger, in minor units: {"fees": {"EUR": 215}, "fx": {"USD:EUR": [paid, got]}, "journals": 2}
    booked = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))

    class Meta:
        ordering = ["-id"]
        permissions = [("run_reconciliation", "May import settlement reports and resolve breaks")]
        constraints = [
            models.UniqueConstraint(fields=["psp", "sha256"], name="the_same_report_is_imported_once"),
            models.CheckConstraint(condition=Q(first_day__lte=models.F("last_day")), name="report_period_is_in_order"),
        ]

    def __str__(self) -> str:
        return self.file_name


class SettlementRow(models.Model):
    """One row of a report, in minor units. It never goes away, and of it only `is_repeat` changes.

    `currency` is the one that the PSP holds for us: opening + net = closing in it. Where the payer paid in another one,
    `paid_currency` and `paid_minor` say what (empty and None where the report does not), and `rate` what one unit of it
    was worth in `currency`.
    """

    report = models.ForeignKey(SettlementImport, on_delete=models.PROTECT, related_name="rows", db_index=False)
    line = models.PositiveIntegerField(help_text=_("In the file, counted from 1"))
    type = models.CharField(max_length=20, choices=RowType.choices)
    psp_reference = models.CharField(max_length=100)
    merchant_reference = models.CharField(max_length=100, blank=True)
    original_reference = models.CharField(max_length=100, blank=True)
    client_reference = models.CharField(
        max_length=100, blank=True, db_default="", help_text=_("Whose it is, in the words that we gave the PSP")
    )
    batch = models.CharField(max_length=60, blank=True)
    booked_at = models.DateTimeField()
    value_at = models.DateTimeField(null=True)
    entry_reference = models.CharField(
        max_length=100, blank=True, db_default="", help_text=_("The PSP's id of the booking itself")
    )
    currency = models.CharField(max_length=5)
    gross_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    net_minor = models.BigIntegerField()
    paid_currency = models.CharField(max_length=5, blank=True, db_default="")
    paid_minor = models.BigIntegerField(null=True)
    rate = models.DecimalField(max_digits=24, decimal_places=12, null=True)
    is_repeat = models.BooleanField(
        default=False, db_default=False, help_text=_("An earlier report of the PSP had it already")
    )

    class Meta:
        ordering = ["report_id", "line"]
        constraints = [
            models.UniqueConstraint(fields=["report", "line"], name="each_report_line_once"),
            models.CheckConstraint(
                condition=Q(net_minor=models.F("gross_minor") - models.F("fee_minor")), name="row_net_is_gross_less_fee"
            ),
            models.CheckConstraint(condition=Q(rate__isnull=True) | Q(rate__gt=0), name="row_rate_is_above_zero"),
        ]
        indexes = [
            models.Index(fields=["psp_reference"], name="settlement_rows_by_reference"),
            models.Index(
                fields=["merchant_reference"], name="settlement_rows_by_our_ref", condition=~Q(merchant_reference="")
            ),
            models.Index(
                fields=["report", "line"], name="payout_rows_by_report", condition=Q(type=RowType.MERCHANT_PAYOUT)
            ),
        ]
        triggers = [
            never_goes("settlementrow"),
            pgtrigger.Trigger(
                name="settlementrow_keeps_what_it_says",
                operation=pgtrigger.UpdateOf(
                    "report_id", "line", "type", "psp_reference", "merchant_reference", "original_reference",
                    "client_reference", "entry_reference", "batch", "booked_at", "value_at", "currency", "gross_minor", "fee_minor",
                    "net_minor", "paid_currency", "paid_minor", "rate",
                ),
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                func="RAISE EXCEPTION 'what a report says never changes';",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.report} line {self.line}"

    @property
    def gross(self) -> Decimal:
        return from_minor(self.gross_minor, self.currency)

    @property
    def fee(self) -> Decimal:
        return from_minor(self.fee_minor, self.currency)


class PspCost(models.Model):
    """What we agreed to pay a PSP for a kind of row, from a day on. Rows whose fee is another one become breaks."""

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="costs")
    type = models.CharField(max_length=20, choices=RowType.choices)
    currency = models.CharField(max_length=5)
    basis_points = models.DecimalField(max_digits=8, decimal_places=2, default=0, help_text=_("Of the gross amount"))
    fixed_minor = models.BigIntegerField(default=0)
    tolerance_minor = models.BigIntegerField(default=1, help_text=_("How far a fee may be off for rounding"))
    valid_from = models.DateField()

    class Meta:
        ordering = ["psp_id", "type", "currency", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["psp", "type", "currency", "valid_from"], name="one_cost_term_per_kind_and_day"
            ),
            models.CheckConstraint(
                condition=Q(basis_points__gte=0, fixed_minor__gte=0, tolerance_minor__gte=0),
                name="cost_terms_are_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.psp} {self.get_type_display()} {self.currency}"


class MatchGroup(models.Model):
    """Several lines of either side that are one fact, or a pair whose difference was posted.

    `rows_minor` is the sum of the report's rows (on the bank leg: of the bank's entries), `books_minor` of our movements (on
    the bank leg: of what the PSP says it paid). What lies between them is `adjustment_minor`, and was posted with four eyes.
    A deferred trigger adds the lines up. A group that was undone keeps its row, and has no lines.
    """

    leg = models.CharField(max_length=8, choices=Leg.choices, default=Leg.PSP)
    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="+")
    rule = models.CharField(max_length=20, choices=MatchRule.choices)
    currency = models.CharField(max_length=5)
    rows_minor = models.BigIntegerField()
    books_currency = models.CharField(max_length=5)
    books_minor = models.BigIntegerField()
    adjustment_minor = models.BigIntegerField(default=0, help_text=_("Rows less books, in the books' currency"))
    adjustment = models.ForeignKey(Journal, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    made_at = models.DateTimeField()
    undone_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    undone_at = models.DateTimeField(null=True)
    undone_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(currency=F("books_currency"), rows_minor=F("books_minor") + F("adjustment_minor"))
                | (~Q(currency=F("books_currency")) & Q(adjustment__isnull=False)),
                name="group_agrees_in_sum_and_currency",
            ),
            models.CheckConstraint(
                condition=Q(adjustment_minor=0) | Q(adjustment__isnull=False), name="accepted_difference_is_posted"
            ),
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True, undone_reason="")
                | (Q(undone_at__isnull=False) & ~Q(undone_reason="")),
                name="undone_group_says_why",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="group_adds_up",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                func="PERFORM recon_check_group(NEW.id); RETURN NULL;",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_rule_display()} #{self.pk}"


class Match(models.Model):
    """A report's row and our movement (or a bank's entry and what a PSP paid) are the same thing.

    One line has both sides, or one side and a group. Each side is consumed once, by unique indexes; that both sides agree
    in kind, currency and amount is looked at by a trigger. The sides have no foreign keys, whose checks would cost more than
    the matching: rows, movements and entries never go away (triggers).
    """

    leg = models.CharField(max_length=8, choices=Leg.choices, default=Leg.PSP, db_default=Leg.PSP)
    row = models.ForeignKey(
        SettlementRow, on_delete=models.PROTECT, null=True, related_name="matches", db_constraint=False, db_index=False
    )
    movement = models.ForeignKey(
        PspMovement, on_delete=models.PROTECT, null=True, related_name="matches", db_constraint=False, db_index=False
    )
    entry = models.ForeignKey(
        BankEntry, on_delete=models.PROTECT, null=True, related_name="matches", db_constraint=False, db_index=False
    )
    group = models.ForeignKey(
        MatchGroup, on_delete=models.PROTECT, null=True, related_name="lines", db_constraint=False, db_index=False
    )
    rule = models.CharField(max_length=20, choices=MatchRule.choices)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["row"], condition=Q(leg=Leg.PSP, row__isnull=False), name="a_row_is_consumed_once"
            ),
            models.UniqueConstraint(
                fields=["row"], condition=Q(leg=Leg.BANK, row__isnull=False), name="a_payout_row_reaches_one_entry"
            ),
            models.UniqueConstraint(
                fields=["movement"], condition=Q(movement__isnull=False), name="a_movement_is_consumed_once"
            ),
            models.UniqueConstraint(
                fields=["entry"], condition=Q(entry__isnull=False), name="a_bank_entry_is_consumed_once"
            ),
            models.CheckConstraint(
                condition=Q(
                    leg=Leg.PSP, entry__isnull=True, group__isnull=True, row__isnull=False, movement__isnull=False
                )
                | Q(leg=Leg.PSP, entry__isnull=True, group__isnull=False, row__isnull=False, movement__isnull=True)
                | Q(leg=Leg.PSP, entry__isnull=True, group__isnull=False, row__isnull=True, movement__isnull=False)
                | Q(leg=Leg.BANK, movement__isnull=True, group__isnull=True, row__isnull=False, entry__isnull=False)
                | Q(leg=Leg.BANK, movement__isnull=True, group__isnull=False, row__isnull=False, entry__isnull=True)
                | Q(leg=Leg.BANK, movement__isnull=True, group__isnull=False, row__isnull=True, entry__isnull=False),
                name="match_has_both_sides_or_a_group",
            ),
        ]
        indexes = [models.Index(fields=["group"], name="match_lines_by_group", condition=Q(group__isnull=False))]
        triggers = [
            pgtrigger.Trigger(
                name="pairs_agree",
                operation=pgtrigger.Insert,
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                referencing=pgtrigger.Referencing(new="fresh"),
                func=PAIRS_AGREE,
            ),
            pgtrigger.Trigger(
                name="match_never_changes",
                operation=pgtrigger.Update,
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                func="RAISE EXCEPTION 'a match never changes: undo it and make another one';",
            ),
            pgtrigger.Trigger(
                name="lines_add_up",
                operation=pgtrigger.Insert,
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                referencing=pgtrigger.Referencing(new="fresh"),
                # The lines of a group come in one statement, so that a group of thousands is added up once.
                func=(
                    "PERFORM recon_check_group(g.id) FROM (SELECT DISTINCT group_id AS id FROM fresh "
                    "WHERE group_id IS NOT NULL) g; RETURN NULL;"
                ),
            ),
            pgtrigger.Trigger(
                name="lines_left_add_up",
                operation=pgtrigger.Delete,
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                referencing=pgtrigger.Referencing(old="gone"),
                func=(
                    "PERFORM recon_check_group(g.id) FROM (SELECT DISTINCT group_id AS id FROM gone "
                    "WHERE group_id IS NOT NULL) g; RETURN NULL;"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.row_id or '–'} = {self.movement_id or self.entry_id or '–'}"


class NotTheSame(models.Model):
    """A person said that these two are not the same thing: no rule takes or suggests them again."""

    row = models.ForeignKey(SettlementRow, on_delete=models.PROTECT, related_name="+", db_index=False)
    movement = models.ForeignKey(PspMovement, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    entry = models.ForeignKey(BankEntry, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    said_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    said_at = models.DateTimeField()
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["row", "movement", "entry"], nulls_distinct=False, name="two_are_told_apart_once"
            ),
            models.CheckConstraint(
                condition=Q(movement__isnull=False, entry__isnull=True) | Q(movement__isnull=True, entry__isnull=False),
                name="told_apart_from_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.row_id} is not {self.movement_id or self.entry_id}"


class Suggestion(models.Model):
    """A row and a movement that may be the same. A rule with a tolerance only suggests; a person decides."""

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="suggestions", db_index=False)
    row = models.ForeignKey(SettlementRow, on_delete=models.PROTECT, related_name="suggestions")
    movement = models.ForeignKey(PspMovement, on_delete=models.PROTECT, related_name="suggestions")
    rule = models.CharField(max_length=20, choices=SuggestionRule.choices)
    difference_minor = models.BigIntegerField(help_text=_("Row less movement, in the row's currency"))
    state = models.CharField(max_length=10, choices=SuggestionState.choices, default=SuggestionState.OPEN)
    made_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["row", "movement"], condition=Q(state=SuggestionState.OPEN), name="one_open_suggestion_per_pair"
            ),
            models.CheckConstraint(
                condition=Q(state__in=[SuggestionState.OPEN, SuggestionState.VOID]) | Q(decided_by__isnull=False),
                name="decided_suggestion_says_by_whom",
            ),
        ]
        indexes = [models.Index(fields=["psp", "state", "-id"], name="suggestions_by_psp")]

    def __str__(self) -> str:
        return f"{self.row_id} ~ {self.movement_id}"

    @property
    def difference(self) -> Decimal:
        return from_minor(self.difference_minor, self.row.currency)


class Break(models.Model):
    """A difference with its name: what they say, what we say, and what became of it.

    On the PSP leg it points at a report's row, a movement, or both. The bank leg points at an entry of a bank or a payout
    row; other legs at what `subject` names, e.g. 'deal:3:99123'. Open ones close themselves when a later file explains them.
    """

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    leg = models.CharField(max_length=8, choices=Leg.choices, default=Leg.PSP)
    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, null=True, related_name="breaks", db_index=False)
    report = models.ForeignKey(SettlementImport, on_delete=models.PROTECT, null=True, related_name="breaks")
    kind = models.CharField(max_length=16, choices=BreakKind.choices)
    row = models.ForeignKey(SettlementRow, on_delete=models.PROTECT, null=True, related_name="breaks")
    movement = models.ForeignKey(PspMovement, on_delete=models.PROTECT, null=True, related_name="breaks")
    entry = models.ForeignKey(BankEntry, on_delete=models.PROTECT, null=True, related_name="breaks")
    subject = models.CharField(
        max_length=120, blank=True, db_default="", help_text=_("What it is about where it is none of the above")
    )
    client = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    detail = models.CharField(max_length=300, blank=True, db_default="", help_text=_("More than its kind says"))
    currency = models.CharField(max_length=5)
    difference_minor = models.BigIntegerField(help_text=_("Theirs less ours"))
    happened_at = models.DateTimeField(help_text=_("When the money moved; its age counts from here"))
    opened_at = models.DateTimeField()
    owner = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=BreakState.choices, default=BreakState.OPEN)
    resolved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    resolved_at = models.DateTimeField(null=True)
    resolution = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(row__isnull=False) | Q(movement__isnull=False) | Q(entry__isnull=False) | ~Q(subject=""),
                name="break_points_at_something",
            ),
            models.CheckConstraint(
                condition=Q(state=BreakState.OPEN) | (Q(resolved_at__isnull=False) & ~Q(resolution="")),
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
        """What differs, as a sentence; reads row and movement."""
        from wallet.reconciliation.words import explain

        return explain(self)


class BreakNote(models.Model):
    """A comment on a break, or what happened to it (without an author). A file that proves it is kept encrypted."""

    one = models.ForeignKey(Break, on_delete=models.PROTECT, related_name="notes")
    author = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField()
    body = models.CharField(max_length=1000, blank=True)
    file_name = models.CharField(max_length=160, blank=True)
    file_path = models.CharField(max_length=200, blank=True)
    file_sha256 = models.CharField(max_length=64, blank=True)
    file_bytes = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=~Q(body="") | ~Q(file_path=""), name="break_note_says_something"),
        ]
        triggers = append_only("breaknote")

    def __str__(self) -> str:
        return self.body[:60] or self.file_name


class BreakPosting(FourEyesMixin):
    """A difference that somebody wants to post: what it is, and why. Another person says yes, then it is in the ledger.

    When the break has both a row and a movement they become a group whose difference is this posting.
    """

    one = models.ForeignKey(Break, on_delete=models.PROTECT, related_name="postings")
    way = models.CharField(max_length=12, choices=PostingWay.choices)
    currency = models.CharField(max_length=5)
    amount_minor = models.BigIntegerField(help_text=_("What the PSP's account holds more (or less) than our books say"))
    business_on = models.DateField()
    journal = models.OneToOneField(Journal, on_delete=models.PROTECT, null=True, related_name="break_posting")
    group = models.ForeignKey(MatchGroup, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        ordering = ["-id"]
        permissions = [("post_break", "May post the difference of a break that somebody else proposed")]
        constraints = [
            *FourEyesMixin.constraints("break_posting"),
            models.CheckConstraint(
                condition=Q(state=RequestState.APPROVED, journal__isnull=False)
                | (~Q(state=RequestState.APPROVED) & Q(journal__isnull=True)),
                name="approved_break_posting_is_posted",
            ),
            models.CheckConstraint(condition=~Q(amount_minor=0), name="break_posting_moves_something"),
            models.UniqueConstraint(
                fields=["one"], condition=Q(state=RequestState.WAITING), name="one_posting_of_a_break_waits"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_way_display()} {self.amount}"

    @property
    def amount(self) -> Decimal:
        return from_minor(self.amount_minor, self.currency)
