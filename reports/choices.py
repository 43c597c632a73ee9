"""Which figures have targets."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class TargetFigure(models.TextChoices):
    """What a target is of. Calls and talk time are per working day, the others per month; first contact is the most it may take."""

    CALLS = "calls", _("Calls per day")
    REGISTRATIONS = "registrations", _("Registrations")
    FIRST_DEPOSITS = "first_deposits", _("FTDs")
    NET_DEPOSITS = "net_deposits", _("Net deposits")
    FTD_RATE = "ftd_rate", _("FTD rate (%)")
    TALK_MINUTES = "talk_minutes", _("Talk time per day (minutes)")
    CONTACT_MINUTES = "contact_minutes", _("First contact (minutes)")


WHOLE_NUMBERS = tuple(figure for figure in TargetFigure if figure not in ("net_deposits", "ftd_rate"))
