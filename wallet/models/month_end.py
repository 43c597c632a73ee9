"""Daily runs per source, client money per day, and who signed a month."""

from __future__ import annotations

from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.db.states import HasState
from crm.models import Brand, User
from crm.models.audit import append_only
from crm.money.amounts import from_minor
from trading.models import TradingServer
from wallet.choices.month_end import RUN_TRANSITIONS, Cover, RunState, SourceKind
from wallet.models.periods import Period
from wallet.models.psp import Psp


class OfSourceMixin(models.Model):
    """A brand's source: one of its PSPs, its account at a bank, or a trading server on which it has accounts."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    source = models.CharField(max_length=8, choices=SourceKind.choices)
    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        abstract = True

    @staticmethod
    def one_source(name: str) -> models.CheckConstraint:
        return models.CheckConstraint(
            condition=Q(source=SourceKind.PLATFORM, server__isnull=False, psp__isnull=True)
            | (~Q(source=SourceKind.PLATFORM) & Q(server__isnull=True, psp__isnull=False)),
            name=f"{name}_names_its_source",
        )

    @property
    def label(self) -> str:
        return str(self.server or self.psp)


class SourceRun(HasState, OfSourceMixin):
    """One source compared with the ledger for one day (UTC). A further run of the day replaces the earlier one."""

    TRANSITIONS = {"state": RUN_TRANSITIONS}
    FIRST_STATES = {"state": {*RunState}}

    day = models.DateField()
    state = models.CharField(max_length=8, choices=RunState.choices)
    checked = models.PositiveIntegerField(default=0, help_text=_("Rows checked on both sides"))
    breaks_open = models.PositiveIntegerField(default=0, help_text=_("After the run, for all days"))
    covered_to = models.DateField(null=True, help_text=_("Last day covered by the source's own data"))
    words = models.CharField(max_length=300, blank=True)
    runs = models.PositiveSmallIntegerField(default=1)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()

    class Meta:
        ordering = ["-day", "-id"]
        constraints = [
            OfSourceMixin.one_source("source_run"),
            models.UniqueConstraint(
                fields=["brand", "source", "psp", "server", "day"],
                nulls_distinct=False,
                name="one_run_per_source_and_day",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__gte=F("started_at")), name="source_run_ends_after_it_began"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} {self.day}"


class ClientMoneyDay(models.Model):
    """Client money of a brand in one currency at the end of a day (UTC): what is owed and what is held. Append-only.

    Minor units, all above zero unless stated otherwise. requirement: what each client is owed, those below zero not
    netted, and what can't be allocated yet. resource: at the client-money bank (the lower of our books and the bank's
    statement of that day) and, where the brand counts it, at PSPs. A day that is computed again gets a further
    version.
    """

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    currency = models.CharField(max_length=5)
    day = models.DateField()
    version = models.PositiveSmallIntegerField(default=1)
    wallets_minor = models.BigIntegerField()
    trading_minor = models.BigIntegerField(help_text=_("Equity on trading platforms; can be negative"))
    debit_minor = models.BigIntegerField(
        help_text=_("Negative client balances, which other clients' money must not cover")
    )
    unallocated_minor = models.BigIntegerField(help_text=_("Received but not yet allocated to a client"))
    requirement_minor = models.BigIntegerField()
    bank_books_minor = models.BigIntegerField(help_text=_("Client-money bank balance in the ledger"))
    bank_statement_minor = models.BigIntegerField(null=True, help_text=_("Balance on the bank's latest statement"))
    statement_on = models.DateField(null=True)
    bank_minor = models.BigIntegerField(help_text=_("Portion that counts towards cover"))
    transit_minor = models.BigIntegerField(help_text=_("At PSPs, in transit to the bank"))
    transit_counts = models.BooleanField()
    resource_minor = models.BigIntegerField()
    difference_minor = models.BigIntegerField(
        help_text=_("Resource less requirement; a negative amount is a shortfall")
    )
    cover = models.CharField(max_length=8, choices=Cover.choices)
    clients = models.PositiveIntegerField(help_text=_("Clients with money in this currency"))
    places = models.JSONField(default=list, help_text="[[what, name, signed minor units], …]")
    content_hash = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-day", "currency", "-version"]
        triggers = append_only("client_money_day")
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "day", "currency", "version"], name="one_client_money_day_per_version"
            ),
            models.CheckConstraint(
                condition=Q(
                    requirement_minor=F("wallets_minor")
                    + F("trading_minor")
                    + F("debit_minor")
                    + F("unallocated_minor")
                ),
                name="requirement_is_the_sum_of_what_is_owed",
            ),
            models.CheckConstraint(
                condition=Q(transit_counts=True, resource_minor=F("bank_minor") + F("transit_minor"))
                | Q(transit_counts=False, resource_minor=F("bank_minor")),
                name="resource_is_the_bank_and_what_counts_of_transit",
            ),
            models.CheckConstraint(
                condition=Q(difference_minor=F("resource_minor") - F("requirement_minor")),
                name="difference_is_resource_less_requirement",
            ),
            models.CheckConstraint(
                condition=Q(cover=Cover.SHORT, difference_minor__lt=0)
                | (~Q(cover=Cover.SHORT) & Q(difference_minor__gte=0)),
                name="short_client_money_is_called_short",
            ),
            models.CheckConstraint(
                condition=Q(bank_statement_minor__isnull=True, statement_on__isnull=True)
                | Q(bank_statement_minor__isnull=False, statement_on__isnull=False),
                name="statement_balance_has_its_day",
            ),
            models.CheckConstraint(condition=Q(version=1) | ~Q(reason=""), name="client_money_computed_again_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.currency} v{self.version}"

    def _amount(self, minor: int) -> Decimal:
        return from_minor(minor, self.currency)

    @property
    def wallets(self) -> Decimal:
        return self._amount(self.wallets_minor)

    @property
    def trading(self) -> Decimal:
        return self._amount(self.trading_minor)

    @property
    def debit(self) -> Decimal:
        return self._amount(self.debit_minor)

    @property
    def unallocated(self) -> Decimal:
        return self._amount(self.unallocated_minor)

    @property
    def requirement(self) -> Decimal:
        return self._amount(self.requirement_minor)

    @property
    def bank_books(self) -> Decimal:
        return self._amount(self.bank_books_minor)

    @property
    def bank_statement(self) -> Decimal | None:
        return None if self.bank_statement_minor is None else self._amount(self.bank_statement_minor)

    @property
    def bank(self) -> Decimal:
        return self._amount(self.bank_minor)

    @property
    def transit(self) -> Decimal:
        return self._amount(self.transit_minor)

    @property
    def resource(self) -> Decimal:
        return self._amount(self.resource_minor)

    @property
    def difference(self) -> Decimal:
        return self._amount(self.difference_minor)

    @property
    def bank_short(self) -> Decimal:
        """What the bank alone lacks of the requirement: to be paid in, or to come from PSPs. Zero when it has it all."""
        return self._amount(max(self.requirement_minor - self.bank_minor, 0))

    @property
    def named_places(self) -> list[tuple[str, str, Decimal]]:
        return [
            (what, gettext(name) if what == "bank" else name, self._amount(minor)) for what, name, minor in self.places
        ]


class MonthSignOff(models.Model):
    """A person's signature under a month that is about to be closed, over the figures that they saw (their digest).

    A closing needs two people under the same figures. Once figures change, earlier signatures no longer count.
    """

    period = models.ForeignKey(Period, on_delete=models.PROTECT, related_name="sign_offs")
    closing = models.PositiveSmallIntegerField(help_text=_("Number of this closing of the month, from 1"))
    figures_hash = models.CharField(max_length=64)
    checks = models.JSONField(default=list, help_text=_("Items open at sign-off, as text"))
    note = models.CharField(max_length=300, blank=True)
    signed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    signed_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["period_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["period", "closing", "figures_hash", "signed_by"],
                condition=Q(withdrawn_at__isnull=True),
                name="nobody_signs_a_month_twice",
            ),
            models.CheckConstraint(condition=Q(closing__gt=0), name="sign_off_names_its_closing"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="sign_off_keeps_what_was_signed",
                operation=pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                func=(
                    "IF TG_OP = 'UPDATE' THEN IF OLD.withdrawn_at IS NULL AND (NEW.period_id, NEW.closing, "
                    "NEW.figures_hash, NEW.checks, NEW.note, NEW.signed_by_id, NEW.signed_at) IS NOT DISTINCT FROM "
                    "(OLD.period_id, OLD.closing, OLD.figures_hash, OLD.checks, OLD.note, OLD.signed_by_id, OLD.signed_at) "
                    "THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'a signature is withdrawn, never changed';"
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.period} signed by {self.signed_by_id}"
