"""Which figures have targets."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class TargetFigure(models.TextChoices):
    """What a target is of. Calls are per working day, the others per month."""

    CALLS = "calls", _("Calls per day")
    REGISTRATIONS = "registrations", _("Registrations")
    FIRST_DEPOSITS = "first_deposits", _("FTDs")
    NET_DEPOSITS = "net_deposits", _("Net deposits")


WHOLE_NUMBERS = (TargetFigure.CALLS, TargetFigure.REGISTRATIONS, TargetFigure.FIRST_DEPOSITS)
