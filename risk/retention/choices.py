"""What retention watches for at a client, and how a case ends."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class FlagKind(models.TextChoices):
    """What may say that a client is about to leave; `risk.retention.flags` has how each is found."""

    INACTIVE = "inactive", _("Inactive for longer than usual")
    LOGINS = "logins", _("Sign-ins without trades")
    LOSSES = "losses", _("Losing streak")
    DROP = "drop", _("Money lost")
    MARGIN = "margin", _("Margin call or stop-out")
    FILLS = "fills", _("Bad fills")
    DEPOSITS = "deposits", _("Deposits falling")
    WITHDRAWN = "withdrawn", _("Nearly everything withdrawn")
    DECLINED = "declined", _("Payment declined")
    TICKET = "ticket", _("Unanswered ticket")
    COMPLAINT = "complaint", _("Complaint")


class CaseState(BadgeChoices):
    """Where a retention case is, or how it ended."""

    OPEN = "open", "blue", _("Open")
    REACHED = "reached", "green", _("Reached, stays")
    HELPED = "helped", "green", _("Help offered")
    CONTENT = "content", "green", _("Client content")
    LOST = "lost", "red", _("Client lost")
    NO_ACTION = "no_action", "secondary", _("No action")
    ENDED = "ended", "secondary", _("Flags ended")
    HELD_BACK = "held_back", "purple", _("Control group")


DECISIONS: Final = (CaseState.REACHED, CaseState.HELPED, CaseState.CONTENT, CaseState.LOST, CaseState.NO_ACTION)
CASE_TRANSITIONS: Final[dict[str, set[str]]] = {
    CaseState.OPEN: {*DECISIONS, CaseState.ENDED},
    **{state: set() for state in (*DECISIONS, CaseState.ENDED, CaseState.HELD_BACK)},
}
