"""States of bank entries, payment orders and their files."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class EntryState(BadgeChoices):
    WAITING = "waiting", "azure", _("Waiting")
    MATCHED = "matched", "green", _("Matched by reference")
    ASSIGNED = "assigned", "teal", _("Assigned manually")
    PAYOUT = "payout", "indigo", _("Paid out")
    RETURNED = "returned", "red", _("Payout returned")
    UNMATCHED = "unmatched", "orange", _("Unmatched")
    SETTLEMENT = "settlement", "teal", _("From PSP")
    OTHER = "other", "secondary", _("Not client-related")


ENTRY_TRANSITIONS: dict[str, set[str]] = {
    EntryState.WAITING: {
        EntryState.MATCHED,
        EntryState.PAYOUT,
        EntryState.RETURNED,
        EntryState.UNMATCHED,
        EntryState.OTHER,
    },
    EntryState.MATCHED: set(),
    EntryState.ASSIGNED: set(),
    EntryState.PAYOUT: set(),
    EntryState.RETURNED: set(),
    EntryState.UNMATCHED: {EntryState.ASSIGNED, EntryState.OTHER, EntryState.SETTLEMENT},
    EntryState.SETTLEMENT: set(),
    EntryState.OTHER: {EntryState.SETTLEMENT},
}


class OrderState(BadgeChoices):
    WAITING = "waiting", "azure", _("Awaiting payment file")
    IN_FILE = "in_file", "yellow", _("In a payment file")
    SENT = "sent", "indigo", _("Sent to the bank")
    SETTLED = "settled", "green", _("Booked by the bank")
    RETURNED = "returned", "red", _("Returned")


ORDER_TRANSITIONS: dict[str, set[str]] = {
    OrderState.WAITING: {OrderState.IN_FILE, OrderState.SETTLED, OrderState.RETURNED},
    OrderState.IN_FILE: {OrderState.SENT, OrderState.SETTLED, OrderState.RETURNED},
    OrderState.SENT: {OrderState.SETTLED, OrderState.RETURNED},
    OrderState.SETTLED: {OrderState.RETURNED},
    OrderState.RETURNED: {OrderState.RETURNED},
}
