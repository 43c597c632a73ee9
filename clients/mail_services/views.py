"""Pages of mail services: the webhooks' address, the services of each brand, and what they sent."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from clients.mail_services import hearing, policies, setup
from clients.mail_services.tables import mail_events_visible_to
from clients.models import MailServiceEvent
from crm.connections import views as connections
from crm.connections.forms import ConnectionForm
from crm.connections.setup import ConnectionSetup
from crm.models import User
from crm.ui.views import staff_page
from crm.web.requests import UserRequest


class MailServiceForm(ConnectionForm):
    kind, setup_class = setup.MailServiceApproval, ConnectionSetup


PAGES: Final = connections.ConnectionPages(
    kind=setup.MailServiceApproval,
    form=MailServiceForm,
    list_name="mail_services",
    name="mail_service",
    key="service_id",
    proposes=setup.propose_mail_service,
    tests=setup.test_mail_service,
    webhook="mail_service_webhook",
    messages_path="/mail/events/",
    reads=policies.READS,
    templates="clients/mail_services",
    icon="mail",
    title=gettext_lazy("E-mail services"),
    subtitle=gettext_lazy("Services that send our e-mails and report on them, per brand"),
    propose=gettext_lazy("Propose e-mail service"),
    messages_title=gettext_lazy("E-mail webhooks"),
    checks_path="/mail/suppressions/",
    checks_title=gettext_lazy("Suppression list"),
    steps=(
        gettext_lazy(
            "At the service, enter the webhook address for delivered, bounced, complained, opened and unsubscribed."
        ),
        gettext_lazy(
            "For incoming e-mails, enter the same address and have the service send the raw e-mail; Brevo sends its parts."
        ),
    ),
    unmatched=gettext_lazy("None of our e-mails is meant by this report."),
)


@csrf_exempt
@require_http_methods(["POST", "HEAD"])
def mail_service_webhook(request: HttpRequest, code: str) -> HttpResponse:
    """Store and judge what a service sends."""
    return hearing.receive_webhook(request, code)


@staff_page(policies.READS)
def mail_event(request: UserRequest, event_id: int) -> HttpResponse:
    """Show a webhook as it was received; every view is logged."""
    return connections.message_page(request, PAGES, _event(request.user, event_id))


@require_POST
@staff_page(policies.READS)
def mail_event_retry(request: UserRequest, event_id: int) -> HttpResponseBase:
    """Process an unmatched message again."""
    return connections.retry_page(
        request, _event(request.user, event_id), lambda pk: hearing.retry_event(event_id=pk, actor=request.user)
    )


def _event(user: User, event_id: int) -> MailServiceEvent | None:
    return mail_events_visible_to(user).select_related("connection").filter(pk=event_id).first()
