"""Matches of reports' rows with our movements: accepted, rejected by a person, or only suggested."""

from __future__ import annotations

from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.db.states import HasState
from crm.models import User
from crm.money.amounts import from_minor
from wallet.choices.reconciliation import (
    JUDGED_ANEW,
    SUGGESTION_TRANSITIONS,
    Leg,
    MatchRule,
    SuggestionRule,
    SuggestionState,
)
from wallet.models.bank import BankEntry
from wallet.models.ledger import Journal
from wallet.models.payments import PspMovement
from wallet.models.psp import Psp
from wallet.models.reconciliation_guards import PAIRS_AGREE, PAIRS_AGREE_DECLARE
from wallet.models.settlements import SettlementRow


class MatchGroup(models.Model):
    """Several lines of either side that are one fact, or a pair whose difference was posted.

    `rows_minor` is the sum of the report's rows (on the bank leg: of the bank's entries), `books_minor` of our
    movements (on the bank leg: of the PSP's reported payouts). The difference is `adjustment_minor`, and was posted
    with four eyes. Between two currencies the books are converted at the rate that the posting names. A deferred
    trigger adds the lines up, and compares the posting, currency by currency. A group that was undone keeps its row,
    and has no lines.
    """

    leg = models.CharField(max_length=8, choices=Leg.choices, default=Leg.PSP)
    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="+")
    rule = models.CharField(max_length=20, choices=MatchRule.choices)
    currency = models.CharField(max_length=5)
    rows_minor = models.BigIntegerField()
    books_currency = models.CharField(max_length=5)
    books_minor = models.BigIntegerField()
    converted_minor = models.BigIntegerField(
        null=True, help_text=_("For two currencies: the ledger amount in the rows' currency, at the posting's rate")
    )
    adjustment_minor = models.BigIntegerField(default=0, help_text=_("Report rows less ledger, in the rows' currency"))
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
                condition=Q(
                    currency=F("books_currency"),
                    converted_minor__isnull=True,
                    rows_minor=F("books_minor") + F("adjustment_minor"),
                )
                | (
                    ~Q(currency=F("books_currency"))
                    & Q(
                        adjustment__isnull=False,
                        converted_minor__isnull=False,
                        rows_minor=F("converted_minor") + F("adjustment_minor"),
                    )
                ),
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
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_rule_display()} #{self.pk}"

    @property
    def undone_why(self) -> str:
        """The reason, in the reader's language where no person undid it."""
        return gettext("Reassessed with a later file") if self.undone_reason == JUDGED_ANEW else self.undone_reason


class Match(models.Model):
    """A report's row and our movement (or a bank's entry and a PSP's payout) are the same thing.

    One line has both sides, or one side and a group. Each side is matched once, by unique indexes; that both sides
    agree in kind, currency and amount is checked by a trigger. The sides have no foreign keys, whose checks would cost
    more than the matching: rows, movements and entries are never deleted (triggers).
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
                declare=PAIRS_AGREE_DECLARE,
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
    """A person's decision that these two are not the same thing: no rule matches or suggests them again."""

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


class Suggestion(HasState):
    """A row and a movement that may be the same. A rule with a tolerance only suggests; a person decides."""

    TRANSITIONS = {"state": SUGGESTION_TRANSITIONS}

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="suggestions", db_index=False)
    row = models.ForeignKey(SettlementRow, on_delete=models.PROTECT, related_name="suggestions")
    movement = models.ForeignKey(PspMovement, on_delete=models.PROTECT, related_name="suggestions")
    rule = models.CharField(max_length=20, choices=SuggestionRule.choices)
    difference_minor = models.BigIntegerField(help_text=_("Report row less movement, in the row's currency"))
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
