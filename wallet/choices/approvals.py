"""States of what one person proposes and another decides."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class RequestState(BadgeChoices):
    """Of what one person asks for and another decides."""

    WAITING = "waiting", "azure", _("Waits for a second person")
    APPROVED = "approved", "green", _("Approved")
    REFUSED = "refused", "red", _("Refused")
    WITHDRAWN = "withdrawn", "secondary", _("Withdrawn")
