"""The list of mail services' webhooks."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from clients.mail_services.policies import READS
from clients.models import MailServiceEvent
from crm.connections.tables import WebhookTable
from crm.models import User
from crm.security.scope import reach_of


def mail_events_visible_to(user: User) -> QuerySet[MailServiceEvent]:
    """Select the webhooks of the brands that a person reaches as a whole, without their bodies."""
    rows = MailServiceEvent.objects.filter(connection__brand__in=reach_of(user).whole_brands)
    return rows.defer("body_sealed", "connection__sealed_credentials")


class MailEventTable(WebhookTable):
    name, title, permission = "mail-events", _("E-mail webhooks"), READS
    subtitle = _("Every message from e-mail services as received")

    def queryset(self) -> QuerySet[MailServiceEvent]:
        return mail_events_visible_to(self.user).select_related("connection")
