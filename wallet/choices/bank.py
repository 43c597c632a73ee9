"""States of what happens on a bank account."""

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


class OrderState(BadgeChoices):
    WAITING = "waiting", "azure", _("Waits for a payment file")
    IN_FILE = "in_file", "yellow", _("In a payment file")
    SENT = "sent", "indigo", _("Sent to the bank")
    SETTLED = "settled", "green", _("Booked by the bank")
    RETURNED = "returned", "red", _("Came back")
