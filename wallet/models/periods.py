"""Accounting periods: closed with every account's carry-forward, reopened only by two people."""

from __future__ import annotations

from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.db.states import HasState
from crm.models import Brand, User
from crm.models.approvals import ApprovalMixin
from crm.models.audit import append_only
from crm.money.amounts import from_minor
from wallet.choices.month_end import PERIOD_TRANSITIONS, PeriodState
from wallet.models.ledger import Account


class Period(HasState):
    """A month of a brand's books. Once it is not open, `ledger_post` puts late facts into the first day after it."""

    TRANSITIONS = {"state": PERIOD_TRANSITIONS}

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+")
    first_day = models.DateField()
    last_day = models.DateField()
    state = models.CharField(max_length=8, choices=PeriodState.choices, default=PeriodState.OPEN)
    closings = models.PositiveSmallIntegerField(default=0, help_text=_("Number of closings"))
    closed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    closed_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["brand_id", "-first_day"]
        permissions = [
            ("close_period", "May close a period of the books and ask to open one again"),
            ("reopen_period", "May approve that a closed period is opened again"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["brand", "first_day"], name="each_period_of_a_brand_once"),
            models.CheckConstraint(condition=Q(first_day__lte=F("last_day")), name="period_runs_forward"),
            models.CheckConstraint(
                condition=~Q(state=PeriodState.CLOSED)
                | Q(closed_by__isnull=False, closed_at__isnull=False, closings__gt=0),
                name="closed_period_names_who_closed_it",
            ),
        ]
        indexes = [
            models.Index(fields=["brand", "-last_day"], name="closed_periods", condition=~Q(state=PeriodState.OPEN))
        ]
        triggers = [
            # Periods of a brand follow each other: none is closed while an earlier one is open, none overlaps.
            pgtrigger.Trigger(
                name="periods_close_in_order",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                func=(
                    "IF EXISTS (SELECT 1 FROM wallet_period p WHERE p.brand_id = NEW.brand_id AND p.id <> NEW.id AND "
                    "daterange(p.first_day, p.last_day, '[]') && daterange(NEW.first_day, NEW.last_day, '[]')) THEN "
                    "RAISE EXCEPTION 'periods of a brand do not overlap' USING ERRCODE = 'check_violation'; END IF; "
                    "IF (NEW.state <> 'open' AND EXISTS (SELECT 1 FROM wallet_period p WHERE p.brand_id = NEW.brand_id "
                    "AND p.last_day < NEW.first_day AND p.state = 'open')) OR (NEW.state = 'open' AND EXISTS (SELECT 1 "
                    "FROM wallet_period p WHERE p.brand_id = NEW.brand_id AND p.first_day > NEW.last_day AND "
                    "p.state <> 'open')) THEN "
                    "RAISE EXCEPTION 'periods are closed in order and opened again from the last one' "
                    "USING ERRCODE = 'check_violation'; END IF; RETURN NEW;"
                ),
            ),
            pgtrigger.Trigger(
                name="signed_by_two_before_it_is_closed",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func=(
                    "IF OLD.state = 'open' AND NEW.state <> 'open' AND NOT EXISTS (SELECT 1 FROM wallet_monthsignoff s "
                    "WHERE s.period_id = NEW.id AND s.closing = OLD.closings + 1 AND s.withdrawn_at IS NULL "
                    "GROUP BY s.figures_hash HAVING count(DISTINCT s.signed_by_id) >= 2) THEN "
                    "RAISE EXCEPTION 'a month is signed by two people before it is closed' "
                    "USING ERRCODE = 'check_violation'; END IF; RETURN NEW;"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_day:%Y-%m}"


class ClosingBalance(models.Model):
    """An account's opening, turnover and closing in one closing of a period, in signed minor units. Append-only."""

    period = models.ForeignKey(Period, on_delete=models.PROTECT, related_name="balances", db_index=False)
    closing = models.PositiveSmallIntegerField(help_text=_("Number of this closing of the period, from 1"))
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="closing_balances", db_index=False)
    opening_minor = models.BigIntegerField()
    debits_minor = models.BigIntegerField()
    credits_minor = models.BigIntegerField()
    closing_minor = models.BigIntegerField()

    class Meta:
        ordering = ["period_id", "closing", "account_id"]
        triggers = append_only("closing_balance")
        constraints = [
            models.UniqueConstraint(
                fields=["period", "closing", "account"], name="one_closing_balance_per_account_and_closing"
            ),
            models.CheckConstraint(
                condition=Q(closing_minor=F("opening_minor") + F("credits_minor") - F("debits_minor")),
                name="closing_is_opening_and_turnover",
            ),
            models.CheckConstraint(
                condition=Q(debits_minor__gte=0, credits_minor__gte=0), name="turnover_is_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} in {self.period_id}/{self.closing}"

    def _amount(self, minor: int) -> Decimal:
        return from_minor(minor, self.account.currency)

    @property
    def opening(self) -> Decimal:
        return self._amount(self.opening_minor)

    @property
    def debits(self) -> Decimal:
        return self._amount(self.debits_minor)

    @property
    def credits(self) -> Decimal:
        return self._amount(self.credits_minor)

    @property
    def balance(self) -> Decimal:
        return self._amount(self.closing_minor)


class PeriodReopening(ApprovalMixin):
    """The proposal to reopen a closed period."""

    period = models.ForeignKey(Period, on_delete=models.PROTECT, related_name="reopenings")
    closing = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("period_reopening"),
            ApprovalMixin.one_open("period", name="one_wish_to_reopen_at_a_time"),
        ]

    def __str__(self) -> str:
        return f"Reopening of {self.period_id}"
