"""Kinds of consent a client gives, and the steps of getting started."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ConsentKind(models.TextChoices):
    TERMS = "terms", _("Terms of business")
    PRIVACY = "privacy", _("Privacy notice")
    RISK = "risk", _("Risk disclosure")
    MARKETING = "marketing", _("News and offers")


# Without these nobody registers; marketing is free.
REQUIRED_CONSENTS = (ConsentKind.TERMS, ConsentKind.PRIVACY, ConsentKind.RISK)
