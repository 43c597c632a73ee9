"""Phone exchanges, the calls over them with their legs, agents' phones, and every webhook as received."""

from __future__ import annotations

import secrets
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from clients.choices import CallDirection
from clients.models.client import Client
from clients.models.work import Call
from clients.telephony.choices import (
    ENDS,
    LIVE,
    PHONE_TRANSITIONS,
    RECORDING_TRANSITIONS,
    DoNotCallReason,
    LegEnd,
    PhoneState,
    RecordingState,
)
from crm.connections.choices import WebhookState
from crm.connections.models import Connection, ConnectionProposal, Webhook
from crm.db.states import HasState
from crm.models import User
from crm.models.approvals import ApprovalMixin
from crm.security import crypto

CREDENTIALS_PURPOSE = "phone-exchange-credentials"
EVENT_PURPOSE = "phone-event"
NUMBER_PURPOSE = "phone-number"


def new_reference() -> str:
    """Make what an exchange knows a call by, as part of where its reports are sent."""
    return secrets.token_hex(16)


class PhoneExchange(Connection):
    """One account of one brand at one phone exchange."""

    CREDENTIALS_PURPOSE = CREDENTIALS_PURPOSE

    caller_number = models.CharField(
        max_length=20, help_text="E.164: shown to who is called, and rung by who calls back"
    )

    class Meta:
        ordering = ["brand_id", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["brand"], condition=Q(is_enabled=True), name="a_brand_uses_one_phone_exchange"
            ),
            models.CheckConstraint(condition=~Q(caller_number=""), name="phone_exchange_has_a_number"),
        ]

    def get_absolute_url(self) -> str:
        return f"/phone/exchanges/{self.pk}/"


class PhoneExchangeProposal(ConnectionProposal):
    """An exchange, or a change of one, that another person decides."""

    CREDENTIALS_PURPOSE = CREDENTIALS_PURPOSE

    connection = models.ForeignKey(PhoneExchange, on_delete=models.PROTECT, null=True, related_name="proposals")
    caller_number = models.CharField(max_length=20)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "-id"], name="phone_exchange_proposals")]
        constraints = [
            *ApprovalMixin.constraints("phone_exchange_proposal"),
            ApprovalMixin.one_open("brand", name="one_open_phone_exchange_per_brand"),
            ConnectionProposal.keeps_no_keys("phone_exchange_proposal"),
        ]


class AgentPhone(models.Model):
    """Where a person is rung: a number in E.164, or a SIP address."""

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="phone")
    address = models.CharField(max_length=120)
    takes_unknown = models.BooleanField(default=False, help_text="Rings for calls of which no client's owner is known")
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(address=""), name="agent_phone_has_an_address")]

    def __str__(self) -> str:
        return self.address


class DoNotCall(models.Model):
    """That a client must not be called: why, by whom and when; and who lifted it."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="do_not_call", db_index=False)
    reason = models.CharField(max_length=16, choices=DoNotCallReason.choices)
    note = models.TextField(blank=True)
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField(default=timezone.now)
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lift_reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-set_at", "-id"]
        indexes = [models.Index(fields=["client", "-id"], name="do_not_call_by_client")]
        constraints = [
            models.UniqueConstraint(
                fields=["client"],
                condition=Q(lifted_at__isnull=True),
                name="a_client_is_marked_once_as_not_to_be_called",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True, lift_reason="")
                | (Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~Q(lift_reason="")),
                name="a_lifted_do_not_call_says_by_whom_and_why",
            ),
        ]
        permissions = [("lift_do_not_call", "Can let a client be called again")]

    def __str__(self) -> str:
        return str(self.get_reason_display())


class PhoneCall(HasState):
    """One call over an exchange, as far as it is. What was said in it is logged as a `Call` once it has ended."""

    TRANSITIONS = {"state": PHONE_TRANSITIONS}
    FIRST_STATES = {"state": {PhoneState.REQUESTED, PhoneState.RINGING}}

    exchange = models.ForeignKey(PhoneExchange, on_delete=models.PROTECT, related_name="calls", db_index=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, related_name="phone_calls", db_index=False)
    agent = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="phone_calls", db_index=False)
    direction = models.CharField(max_length=8, choices=CallDirection.choices)
    state = models.CharField(max_length=16, choices=PhoneState.choices, default=PhoneState.REQUESTED)
    reference = models.CharField(max_length=32, unique=True, default=new_reference)
    leg_id = models.CharField(
        max_length=80, blank=True, help_text="The exchange's id of the first leg; empty until known"
    )
    sealed_number = models.BinaryField(help_text="The other side's number, under the instance's key")
    agent_address = models.CharField(max_length=120, blank=True)
    is_recorded = models.BooleanField(default=False)
    requested_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    duration_seconds = models.PositiveIntegerField(default=0, help_text="How long both sides were connected")
    end = models.CharField(
        max_length=10, choices=LegEnd.choices, blank=True, help_text="How the other side's leg ended"
    )
    was_dialled = models.BooleanField(default=False, help_text="Whether the other side was rung at all")
    has_voicemail = models.BooleanField(default=False)
    due_at = models.DateTimeField(null=True, help_text="When to place it, look it up, or log it without the agent")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Without a usable answer")
    problem = models.CharField(max_length=300, blank=True)
    call = models.OneToOneField(
        Call, on_delete=models.PROTECT, null=True, related_name="phone_call", help_text="What it was logged as"
    )

    class Meta:
        ordering = ["-requested_at", "-id"]
        indexes = [
            models.Index(fields=["client", "-requested_at"], name="phone_calls_by_client"),
            models.Index(fields=["agent", "-requested_at"], name="phone_calls_by_agent"),
            models.Index(fields=["exchange", "-id"], name="phone_calls_by_exchange"),
            models.Index(fields=["due_at", "id"], name="phone_calls_due", condition=Q(due_at__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["exchange", "leg_id"], condition=~Q(leg_id=""), name="a_leg_begins_one_phone_call"
            ),
            models.UniqueConstraint(
                fields=["agent"],
                condition=Q(state__in=sorted(LIVE), direction=CallDirection.OUTBOUND),
                name="an_agent_places_one_call_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(ENDS), ended_at__isnull=False)
                | Q(state__in=sorted(LIVE), ended_at__isnull=True),
                name="an_ended_phone_call_says_when",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True) | Q(ended_at__isnull=True) | Q(ended_at__gte=F("answered_at")),
                name="a_phone_call_ends_after_its_answer",
            ),
            models.CheckConstraint(
                condition=Q(call__isnull=True) | Q(client__isnull=False, agent__isnull=False),
                name="a_logged_phone_call_has_client_and_agent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_direction_display()} · {self.get_state_display()}"

    @property
    def number(self) -> str:
        """The other side's number in E.164; "" where the caller withheld it."""
        return crypto.decrypt(bytes(self.sealed_number), purpose=NUMBER_PURPOSE).decode()

    @staticmethod
    def sealed(number: str) -> bytes:
        return crypto.encrypt(number.encode(), purpose=NUMBER_PURPOSE)

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def is_outbound(self) -> bool:
        return self.direction == CallDirection.OUTBOUND


class PhoneLeg(models.Model):
    """One leg of a call: what was reported of it, the earliest time of each step, in whatever order it came."""

    phone_call = models.ForeignKey(PhoneCall, on_delete=models.CASCADE, related_name="legs", db_index=False)
    leg_id = models.CharField(max_length=80)
    is_first = models.BooleanField()
    started_at = models.DateTimeField(null=True)
    ringing_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    held_at = models.DateTimeField(null=True, help_text="When it was last put on hold")
    resumed_at = models.DateTimeField(null=True, help_text="When it was last taken off hold")
    ended_at = models.DateTimeField(null=True)
    end = models.CharField(max_length=10, choices=LegEnd.choices, blank=True)
    seconds = models.PositiveIntegerField(null=True, help_text="As the exchange counts it")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["phone_call", "leg_id"], name="a_leg_is_kept_once")]

    def __str__(self) -> str:
        return self.leg_id


class PhoneRecording(HasState):
    """A recording of a call, as the exchange has it and as we keep it. `sealed_for`: whose key opens the file."""

    TRANSITIONS = {"state": RECORDING_TRANSITIONS}

    phone_call = models.ForeignKey(PhoneCall, on_delete=models.PROTECT, related_name="recordings", db_index=False)
    recording_id = models.CharField(max_length=80, help_text="The exchange's")
    state = models.CharField(max_length=8, choices=RecordingState.choices, default=RecordingState.WAITING)
    seconds = models.PositiveIntegerField(default=0)
    is_voicemail = models.BooleanField(default=False)
    sealed_for = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    store_key = models.CharField(max_length=32, blank=True)
    size_bytes = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    kept_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, help_text="When to fetch it")
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["due_at", "id"], name="phone_recordings_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["kept_at"], name="phone_recordings_kept", condition=Q(state="kept")),
            models.Index(fields=["sealed_for"], name="phone_recordings_by_key", condition=Q(sealed_for__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["phone_call", "recording_id"], name="a_recording_is_kept_once"),
            models.CheckConstraint(
                condition=(Q(state="kept") & ~Q(store_key="") & Q(kept_at__isnull=False))
                | (~Q(state="kept") & Q(store_key="")),
                name="a_kept_recording_has_its_file",
            ),
        ]
        permissions = [("listen_recording", "Can listen to recordings of calls")]

    def __str__(self) -> str:
        return f"{self.phone_call_id} · {self.get_state_display()}"


class PhoneEvent(Webhook):
    """A webhook of an exchange."""

    BODY_PURPOSE = EVENT_PURPOSE

    connection = models.ForeignKey(PhoneExchange, on_delete=models.PROTECT, related_name="events", db_index=False)
    phone_call = models.ForeignKey(
        PhoneCall, on_delete=models.PROTECT, null=True, related_name="events", db_index=False
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["connection", "-id"], name="phone_events_by_exchange"),
            models.Index(fields=["connection", "subject_id"], name="phone_events_by_leg"),
            models.Index(fields=["phone_call"], name="phone_events_by_call", condition=Q(phone_call__isnull=False)),
            models.Index(fields=["due_at", "id"], name="phone_events_due", condition=Q(state=WebhookState.WAITING)),
        ]
        constraints = Webhook.constraints("phone_event")

    def get_absolute_url(self) -> str:
        return f"/phone/events/{self.pk}/"

    @property
    def client(self) -> Any:
        return self.phone_call.client if self.phone_call is not None else None


class DialList(models.Model):
    """The clients that a person calls one after the other."""

    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="dial_lists", db_index=False)
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["owner", "-id"], name="dial_lists_by_owner")]
        constraints = [
            models.UniqueConstraint(
                fields=["owner"], condition=Q(ended_at__isnull=True), name="a_person_dials_one_list_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("created_at")),
                name="a_dial_list_ends_after_its_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.owner_id} · {self.created_at:%Y-%m-%d}"

    def get_absolute_url(self) -> str:
        return "/phone/dial/"


class DialEntry(models.Model):
    """One client on a list. That they were called, their calls say."""

    dial_list = models.ForeignKey(DialList, on_delete=models.PROTECT, related_name="entries", db_index=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="dial_entries", db_index=False)
    place = models.PositiveSmallIntegerField()
    skipped_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["place"]
        indexes = [models.Index(fields=["client"], name="dial_entries_by_client")]
        constraints = [
            models.UniqueConstraint(fields=["dial_list", "client"], name="a_client_is_on_a_dial_list_once"),
            models.UniqueConstraint(fields=["dial_list", "place"], name="a_dial_list_has_an_order"),
        ]

    def __str__(self) -> str:
        return f"{self.dial_list_id} · {self.place}"
