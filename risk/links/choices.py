"""Why two people who share something are known to be two."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class KnownAs(models.TextChoices):
    HOUSEHOLD = "household", _("One household")
    WORKPLACE = "workplace", _("Same workplace")
    ADVISER = "adviser", _("Same adviser or partner")
    OTHER = "other", _("Other reason")
