"""Services that send a brand's e-mails and report on them: the account, a proposal of one, and every webhook as received."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from crm.connections.choices import WebhookState
from crm.connections.models import Connection, ConnectionProposal, Webhook
from crm.models.approvals import ApprovalMixin

MAIL_SERVICE_CREDENTIALS_PURPOSE = "mail-service-credentials"
MAIL_SERVICE_EVENT_PURPOSE = "mail-service-event"


class MailService(Connection):
    """One account of one brand at one mail service, whose webhooks we take. E-mails go to it over SMTP."""

    CREDENTIALS_PURPOSE = MAIL_SERVICE_CREDENTIALS_PURPOSE

    class Meta:
        ordering = ["brand_id", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["brand"], condition=Q(is_enabled=True), name="a_brand_uses_one_mail_service"
            )
        ]

    def get_absolute_url(self) -> str:
        return f"/mail/services/{self.pk}/"


class MailServiceProposal(ConnectionProposal):
    """A mail service, or a change of one, that another person decides."""

    CREDENTIALS_PURPOSE = MAIL_SERVICE_CREDENTIALS_PURPOSE

    connection = models.ForeignKey(MailService, on_delete=models.PROTECT, null=True, related_name="proposals")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "-id"], name="mail_service_proposals")]
        constraints = [
            *ApprovalMixin.constraints("mail_service_proposal"),
            ApprovalMixin.one_open("brand", name="one_open_mail_service_per_brand"),
            ConnectionProposal.keeps_no_keys("mail_service_proposal"),
        ]


class MailServiceEvent(Webhook):
    """A webhook of a mail service: reports on e-mails, or an e-mail that came in. correlation_id: its content type."""

    BODY_PURPOSE = MAIL_SERVICE_EVENT_PURPOSE

    connection = models.ForeignKey(MailService, on_delete=models.PROTECT, related_name="events", db_index=False)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["connection", "-id"], name="mail_service_events_by_service"),
            models.Index(
                fields=["due_at", "id"], name="mail_service_events_due", condition=Q(state=WebhookState.WAITING)
            ),
        ]
        constraints = Webhook.constraints("mail_service_event")

    def get_absolute_url(self) -> str:
        return f"/mail/events/{self.pk}/"
