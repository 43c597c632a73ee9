"""Payment service providers, and the inbox that stores every webhook as it was received."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.conditions import always
from crm.db.states import HasState
from crm.i18n.localized_text import LocalizedText
from crm.models import Brand
from crm.security import crypto
from wallet.choices.psp import INBOX_TRANSITIONS, CallOutcome, InboxState, PspKind, Verdict, method_name

CREDENTIALS_PURPOSE = "psp-credentials"
FEE_BASIS_POINTS_MAX = 2_000


class Psp(models.Model):
    """One merchant account of one brand at one provider. Its keys are encrypted under the instance's field key."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="psps")
    code = models.SlugField(max_length=30, unique=True, help_text=_("Used in the webhook's address"))
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=8, choices=PspKind.choices)
    adapter = models.CharField(max_length=20, default="sandbox", help_text=_("Protocol it uses"))
    base_url = models.CharField(
        max_length=200, blank=True, help_text=_("Address of its API; empty: the adapter's default")
    )
    is_enabled = models.BooleanField(default=True)
    is_fetched_daily = models.BooleanField(default=False, help_text=_("The report is fetched and matched every day"))
    reserve_days = models.PositiveSmallIntegerField(
        default=180, db_default=180, help_text=_("Maximum days in reserve, if the report doesn't state a date")
    )
    sealed_credentials = models.BinaryField(null=True, editable=False)
    last_checked_at = models.DateTimeField(null=True)
    last_check_error = models.CharField(max_length=300, blank=True)
    # Set by the recorder of calls (`wallet.psp.calls`) when a PSP stops answering; until then others replace it.
    is_down_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["brand_id", "name", "id"]
        permissions = [("manage_psp", "May set up PSPs and test their connection")]

    def __str__(self) -> str:
        return self.name

    def client_name(self, currency: str = "") -> LocalizedText:
        """Name for clients how a payment over it is made: they never read the provider's name."""
        return method_name(self.kind, currency=currency)

    @property
    def is_down(self) -> bool:
        """Whether it has stopped answering: its methods are not offered meanwhile."""
        return self.is_down_until is not None and self.is_down_until > timezone.now()

    @property
    def credentials(self) -> dict[str, Any]:
        """Keys in the clear; for adapters only, never for a page."""
        if not self.sealed_credentials:
            return {}
        credentials: dict[str, Any] = json.loads(
            crypto.decrypt(bytes(self.sealed_credentials), purpose=CREDENTIALS_PURPOSE)
        )
        return credentials

    def seal_credentials(self, values: dict[str, Any]) -> None:
        self.sealed_credentials = crypto.encrypt(json.dumps(values).encode(), purpose=CREDENTIALS_PURPOSE)


class PaymentMethod(models.Model):
    """A payment method that a brand offers through one of its PSPs, with its conditions, fee and position.

    `code` is one of the adapter's methods. Limits and the fixed fee are in minor units of the brand's base currency.
    Two methods with the same `fallback_group` replace one another: while a PSP is down the next in order is offered.
    """

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="methods")
    code = models.CharField(max_length=30, blank=True)
    label = models.CharField(max_length=60)
    kind = models.CharField(max_length=8, choices=PspKind.choices)
    currencies = ArrayField(models.CharField(max_length=5), default=list)
    condition = models.JSONField(default=always, help_text="To whom it is offered, as crm.conditions stores it")
    takes_deposits = models.BooleanField(default=True)
    pays_out = models.BooleanField(default=True)
    deposit_minimum_minor = models.BigIntegerField(default=1_000)
    deposit_maximum_minor = models.BigIntegerField(default=100_000_000)
    payout_minimum_minor = models.BigIntegerField(default=1_000)
    payout_maximum_minor = models.BigIntegerField(default=100_000_000)
    deposit_fee_basis_points = models.PositiveIntegerField(
        default=0, help_text=_("Fee paid by the client, as a share of the amount")
    )
    deposit_fee_fixed_minor = models.BigIntegerField(default=0)
    payout_fee_basis_points = models.PositiveIntegerField(default=0)
    payout_fee_fixed_minor = models.BigIntegerField(default=0)
    minutes = models.PositiveIntegerField(default=5, help_text=_("Usual processing time"))
    position = models.PositiveSmallIntegerField(default=0)
    fallback_group = models.CharField(max_length=30, blank=True)
    is_enabled = models.BooleanField(default=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["position", "id"]
        indexes = [models.Index(fields=["position", "id"], name="methods_in_order")]
        constraints = [
            models.UniqueConstraint(fields=["psp", "code"], name="each_method_of_a_psp_once"),
            models.CheckConstraint(
                condition=Q(deposit_minimum_minor__gt=0, deposit_maximum_minor__gte=models.F("deposit_minimum_minor"))
                & Q(payout_minimum_minor__gt=0, payout_maximum_minor__gte=models.F("payout_minimum_minor")),
                name="method_limits_are_in_order",
            ),
            models.CheckConstraint(
                condition=Q(
                    deposit_fee_basis_points__lte=FEE_BASIS_POINTS_MAX,
                    payout_fee_basis_points__lte=FEE_BASIS_POINTS_MAX,
                )
                & Q(deposit_fee_fixed_minor__gte=0, payout_fee_fixed_minor__gte=0),
                name="method_fees_are_sane",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def title(self) -> str:
        """The name that clients read: a provider's ("SEPA direct debit") is translated, a brand's own words stay."""
        currency = self.currencies[0] if len(self.currencies) == 1 else ""
        return str(method_name(self.kind, label=self.label, psp_name=self.psp.name, currency=currency))


class PspCall(models.Model):
    """The result of a call to a PSP, with its duration.

    `wallet.psp.calls` keeps the newest few per PSP and per movement.
    A call about a movement (`reference`) also has request and answer, without keys and account numbers
    (`psp.redaction`).
    """

    psp = models.ForeignKey(Psp, on_delete=models.CASCADE, related_name="calls", db_index=False)
    at = models.DateTimeField()
    operation = models.CharField(max_length=60, help_text=_("Method and path, without references"))
    outcome = models.CharField(max_length=11, choices=CallOutcome.choices)
    status = models.PositiveSmallIntegerField(default=0, help_text=_("HTTP status; 0 if there was no response"))
    milliseconds = models.PositiveIntegerField()
    reference = models.CharField(max_length=100, blank=True, help_text=_("Movement it relates to"))
    request = models.TextField(blank=True)
    answer = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["psp", "-id"], name="calls_by_psp"),
            models.Index(fields=["reference", "id"], name="calls_by_reference", condition=~Q(reference="")),
        ]

    def __str__(self) -> str:
        return f"{self.operation}: {self.outcome}"


class WebhookMessage(HasState):
    """A webhook as received: the raw bytes are stored and verified first, and processed later by a worker."""

    TRANSITIONS = {"state": INBOX_TRANSITIONS}
    FIRST_STATES = {"state": {InboxState.WAITING, InboxState.REFUSED, InboxState.DONE}}

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="webhooks", db_index=False)
    received_at = models.DateTimeField()
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    # Some PSPs put several events into one message: each has a row of its own.
    item = models.PositiveSmallIntegerField(default=0)
    ip = models.GenericIPAddressField(null=True)
    verdict = models.CharField(max_length=16, choices=Verdict.choices)
    # The PSP's own event id; empty when the signature did not hold and so nothing in the body can be believed.
    event_id = models.CharField(max_length=120, blank=True)
    event_type = models.CharField(max_length=80, blank=True)
    reference = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=10, choices=InboxState.choices, default=InboxState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=300, blank=True, help_text=_("What was done, or why nothing was"))
    processed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["psp", "event_id"],
                condition=Q(verdict=Verdict.ACCEPTED),
                name="each_psp_event_is_accepted_once",
            ),
            models.CheckConstraint(
                condition=Q(verdict=Verdict.ACCEPTED) | Q(state=InboxState.REFUSED) | Q(state=InboxState.IGNORED),
                name="only_an_accepted_webhook_is_acted_on",
            ),
        ]
        indexes = [
            models.Index(fields=["psp", "-id"], name="webhooks_by_psp"),
            models.Index(fields=["reference", "id"], name="webhooks_by_reference", condition=~Q(reference="")),
            models.Index(fields=["due_at", "id"], name="webhooks_due", condition=Q(state=InboxState.WAITING)),
            models.Index(
                fields=["psp", "verdict", "received_at"],
                name="webhooks_refused",
                condition=~Q(verdict__in=[Verdict.ACCEPTED, Verdict.DUPLICATE]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.psp.code} {self.event_type or self.verdict}"


class WebhookCount(models.Model):
    """How many webhooks of one PSP and day had this verdict, and how many are stored: all are counted, few are stored.

    Accepted ones are not counted here: each has its row in the inbox.
    """

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="webhook_counts", db_index=False)
    day = models.DateField()
    verdict = models.CharField(max_length=16, choices=Verdict.choices)
    received = models.BigIntegerField(default=0)
    kept = models.IntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        ordering = ["-day", "verdict"]
        constraints = [
            models.UniqueConstraint(fields=["psp", "day", "verdict"], name="one_webhook_count_per_psp_day_and_verdict"),
            models.CheckConstraint(
                condition=Q(kept__gte=0, kept__lte=models.F("received")), name="only_what_came_is_kept"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.psp_id} {self.day} {self.verdict}: {self.received}"
