"""What an agreement settles beside its rates."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ClientNames(models.TextChoices):
    """How a partner reads the name of a client of theirs."""

    FULL = "full", _("Full name")
    SHORT = "short", _("First name and initial")
    NUMBER = "number", _("Client number only")
