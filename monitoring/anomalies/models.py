"""What was unusual about a client, a partner or a part of the operations, and what services did in each ten minutes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_noop

from clients.models import Client
from crm.db.states import HasState, Transitions
from crm.models import Brand, User, WorkItem
from ib.models import Partner
from monitoring.choices import ANOMALY_TRANSITIONS, AnomalyState, Queue, Watched
from trading.models import TradingServer
from wallet.models import PaymentMethod, Psp

SUBJECTS = ("client", "partner", "psp", "method", "server", "queue")


def _one_subject() -> Q:
    """Exactly one of the subjects is set."""
    choice = Q()
    for subject in SUBJECTS:
        choice |= Q(**{f"{other}__isnull": other != subject for other in SUBJECTS})
    return choice


class ServiceSlot(models.Model):
    """What one signal of a service counted in ten minutes, out of how many. Written by `anomalies.services`, kept for weeks.

    `subject` is the id of the PSP, payment method or server, or a `Queue`, as the signal says.
    """

    signal = models.CharField(max_length=20, choices=Watched.choices)
    subject = models.BigIntegerField()
    at = models.DateTimeField(help_text="Start of the ten minutes")
    count = models.FloatField()
    trials = models.FloatField()

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["signal", "subject", "at"], name="one_service_slot_per_signal_and_subject")
        ]
        indexes = [models.Index(fields=["at"], name="service_slots_by_age")]

    def __str__(self) -> str:
        return f"{self.signal} {self.subject} {self.at:%H:%M}"


class Anomaly(HasState):
    """Figures of a subject far from its own baseline: a work item, with what was seen, expected, and how rare that is.

    Figures are statistics, so they are floats, in the signal's own unit (base currency, lots, pieces, seconds).
    """

    TRANSITIONS: ClassVar[Mapping[str, Transitions]] = {"state": ANOMALY_TRANSITIONS}

    signal = models.CharField(max_length=20, choices=Watched.choices)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    queue = models.PositiveSmallIntegerField(choices=Queue.choices, null=True)
    state = models.CharField(max_length=12, choices=AnomalyState.choices, default=AnomalyState.OPEN)
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, related_name="+")
    slots = models.PositiveSmallIntegerField(help_text="Over how many days, or ten minutes, it was seen")
    observed = models.FloatField()
    expected = models.FloatField()
    low = models.FloatField(help_text="Between low and high are nine of ten such times")
    high = models.FloatField()
    trials = models.FloatField(help_text="Out of how many; days for plain counts")
    probability = models.FloatField()
    course = ArrayField(models.FloatField(null=True), help_text="The figures up to it, the last one is the newest")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField(help_text="Last time that it was as unusual")
    recovered_at = models.DateTimeField(null=True, help_text="When a service was back to normal")
    raised_at = models.DateTimeField()
    reason = models.CharField(max_length=2000, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("decide_anomaly", gettext_noop("May decide anomalies of clients, partners and operations"))]
        indexes = [
            models.Index(fields=["signal", "-id"], name="anomalies_by_signal"),
            models.Index(fields=["client", "-id"], name="anomalies_of_a_client", condition=Q(client__isnull=False)),
            models.Index(fields=["id"], name="anomalies_open", condition=Q(state="open")),
        ]
        constraints = [
            models.CheckConstraint(condition=_one_subject(), name="anomaly_is_about_one_subject"),
            models.CheckConstraint(
                condition=Q(probability__gte=0, probability__lte=1), name="anomaly_has_a_probability"
            ),
            models.UniqueConstraint(
                fields=["signal", *SUBJECTS],
                condition=Q(state="open"),
                nulls_distinct=False,
                name="one_open_anomaly_per_signal_and_subject",
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_by__isnull=True, decided_at__isnull=True, reason="")
                | ~Q(state="open") & Q(decided_by__isnull=False, decided_at__isnull=False) & ~Q(reason=""),
                name="decided_anomaly_says_who_when_and_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.signal} {self.pk}"

    @property
    def subject_id(self) -> int:
        """The key of what it is about; a number of `Queue` for queues."""
        keys = (self.client_id, self.partner_id, self.psp_id, self.method_id, self.server_id, self.queue)
        return next(key for key in keys if key is not None)

    def get_absolute_url(self) -> str:
        return f"/monitoring/anomalies/{self.pk}/"
