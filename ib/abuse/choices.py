"""States and signals of referral abuse, with labels and badge colours."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices
from crm.db.states import Transitions


class AbuseSignal(models.TextChoices):
    """What a partner's referrals show."""

    SELF = "self", _("Clients who share a device, account or document with the partner")
    CLUSTER = "cluster", _("Clients who share a device, account or document with two others")
    NETWORK = "network", _("Clients from one network")
    AGAIN = "again", _("Clients who were here before under another record")
    QUICK = "quick", _("Clients with volume without risk")
    GONE = "gone", _("Clients who qualified for a CPA and left")


class AbuseState(BadgeChoices):
    OPEN = "open", "azure", _("Under review")
    ABUSE = "abuse", "red", _("Abuse confirmed")
    CLEARED = "cleared", "green", _("No abuse")


ABUSE_TRANSITIONS: Transitions = {
    AbuseState.OPEN: {AbuseState.ABUSE, AbuseState.CLEARED},
    AbuseState.ABUSE: set(),
    AbuseState.CLEARED: set(),
}
