"""Accounts that are on a platform already: what an import read, and what became of each login."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm.db.states import HasState
from crm.models import Job, User
from trading.choices import IMPORT_TRANSITIONS, STAGED_TRANSITIONS, UNDECIDED, ImportState, StagedState, Verdict
from trading.models.accounts import MONEY, AccountType, TradingAccount
from trading.models.servers import TradingServer


class AccountImport(HasState):
    """One reading of a server's logins. Repeating it changes nothing about what was decided."""

    TRANSITIONS = {"state": IMPORT_TRANSITIONS}

    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="imports")
    mask = models.CharField(max_length=300, help_text=_("Groups, e.g. real*,!real\\test"))
    first_login = models.BigIntegerField(null=True, blank=True)
    last_login = models.BigIntegerField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=ImportState.choices, default=ImportState.READING)
    problem = models.CharField(max_length=300, blank=True)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+")
    read = models.PositiveIntegerField(default=0, help_text=_("Logins listed by the platform"))
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_login__isnull=True)
                | Q(first_login__isnull=True)
                | Q(last_login__gte=models.F("first_login")),
                name="import_range_goes_upwards",
            )
        ]

    def __str__(self) -> str:
        return f"{self.server} {self.mask}"

    def get_absolute_url(self) -> str:
        return reverse("trading_import", args=[self.pk])


class StagedLogin(HasState):
    """One login as the platform described it, whom it fits and why, and what a person decided.

    `reasons`: the clients that fit, best first: `[{"client": 7, "codes": ["email"], "weight": 4, "type": 3}]`.
    `proposed_…`: a client whom the platform's data doesn't name, chosen by one person and approved by another. They stay
    when it is attached, and go when it is refused or withdrawn.
    """

    TRANSITIONS = {"state": STAGED_TRANSITIONS}

    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="staged_logins")
    batch = models.ForeignKey(AccountImport, on_delete=models.PROTECT, related_name="rows")
    login = models.CharField(max_length=32)
    group = models.CharField(max_length=120)
    currency = models.CharField(max_length=5, blank=True)
    leverage = models.IntegerField()
    allowed = models.JSONField(default=list)
    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    email_canonical = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    phone_canonical = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, blank=True)
    balance = models.DecimalField(**MONEY)
    credit = models.DecimalField(**MONEY)
    registered_at = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    reasons = models.JSONField(default=list)
    problem = models.CharField(max_length=300, blank=True, help_text=_("Why it can't be imported or assigned"))
    client = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, related_name="+")
    account_type = models.ForeignKey(AccountType, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=StagedState.choices, default=StagedState.WAITING)
    account = models.OneToOneField(TradingAccount, on_delete=models.PROTECT, null=True, related_name="staged")
    note = models.CharField(max_length=300, blank=True)
    proposed_client = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, related_name="+")
    proposed_type = models.ForeignKey(
        AccountType, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    proposed_at = models.DateTimeField(null=True)
    proposal_reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["server", "login"], name="login_is_staged_once"),
            models.CheckConstraint(
                condition=(Q(state="attached") & Q(account__isnull=False))
                | (~Q(state="attached") & Q(account__isnull=True)),
                name="attached_login_has_its_account",
            ),
            models.CheckConstraint(
                condition=~Q(verdict="clean") | (Q(client__isnull=False) & Q(account_type__isnull=False)),
                name="clean_login_has_client_and_type",
            ),
            models.CheckConstraint(condition=~Q(state="ignored") | ~Q(note=""), name="ignored_login_says_why"),
            models.CheckConstraint(
                condition=~Q(state="proposed")
                | (
                    Q(proposed_by__isnull=False, proposed_client__isnull=False, proposed_at__isnull=False)
                    & ~Q(proposal_reason="")
                ),
                name="proposed_client_has_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(proposed_by__isnull=True)
                | Q(state="proposed", decided_by__isnull=True)
                | (Q(state="attached", decided_by__isnull=False) & ~Q(decided_by=F("proposed_by"))),
                name="proposed_client_is_attached_by_somebody_else",
            ),
        ]
        indexes = [
            models.Index(fields=["batch", "verdict", "id"], name="staged_by_verdict"),
            models.Index(fields=["server", "id"], name="staged_undecided", condition=Q(state__in=UNDECIDED)),
            models.Index(fields=["batch"], name="staged_proposed", condition=Q(state="proposed")),
        ]

    def __str__(self) -> str:
        return f"{self.login} {self.name}"

    def get_absolute_url(self) -> str:
        return reverse("trading_staged", args=[self.pk])
