"""States of bank entries, payment orders and their files."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class EntryState(BadgeChoices):
    WAITING = "waiting", "azure", _("Waiting")
    MATCHED = "matched", "green", _("Matched by reference")
    ASSIGNED = "assigned", "teal", _("Assigned by hand")
    PAYOUT = "payout", "indigo", _("Paid out")
    RETURNED = "returned", "red", _("Payout came back")
    UNMATCHED = "unmatched", "orange", _("No known reference")
    SETTLEMENT = "settlement", "teal", _("From a PSP")
    OTHER = "other", "secondary", _("Not of a client")


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
    WAITING = "waiting", "azure", _("Waits for a payment file")
    IN_FILE = "in_file", "yellow", _("In a payment file")
    SENT = "sent", "indigo", _("Sent to the bank")
    SETTLED = "settled", "green", _("Booked by the bank")
    RETURNED = "returned", "red", _("Came back")


ORDER_TRANSITIONS: dict[str, set[str]] = {
    OrderState.WAITING: {OrderState.IN_FILE, OrderState.SETTLED, OrderState.RETURNED},
    OrderState.IN_FILE: {OrderState.SENT, OrderState.SETTLED, OrderState.RETURNED},
    OrderState.SENT: {OrderState.SETTLED, OrderState.RETURNED},
    OrderState.SETTLED: {OrderState.RETURNED},
    OrderState.RETURNED: {OrderState.RETURNED},
}
