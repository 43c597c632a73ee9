"""Staff pages of providers: which brand uses which, how it is doing, its set-up with a second approval, and its webhooks."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from crm.connections import views as connections
from crm.models import User
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from kyc.brand_policies import KYC_PROVIDER_FALLBACK_HOURS, KYC_VERIFIED_BY
from kyc.models import ProviderMessage
from kyc.providers import policies, setup, webhooks
from kyc.providers.choices import VerifiedBy
from kyc.providers.forms import ProviderForm
from kyc.providers.modes import is_replaced
from kyc.providers.queries import messages_visible_to

PAGES: Final = connections.ConnectionPages(
    kind=setup.KycProviderApproval,
    form=ProviderForm,
    list_name="providers",
    name="provider",
    key="provider_id",
    proposes=setup.propose_provider,
    tests=setup.test_connection,
    webhook="kyc:webhook",
    messages_path="/kyc/providers/messages/",
    reads=policies.READS,
    templates="kyc/providers",
    icon="scan-face",
    title=gettext_lazy("KYC providers"),
    subtitle=gettext_lazy("Outside services that check identity and address, per brand"),
    propose=gettext_lazy("Propose KYC provider"),
    messages_title=gettext_lazy("KYC webhooks"),
    steps=(
        gettext_lazy("Copy the webhook address into the provider's settings and test the connection."),
        gettext_lazy("Which clients are sent there is a policy of the brand: “Identity and address are checked by”."),
    ),
    unmatched=gettext_lazy(
        "No check of ours has this applicant. It may have been created in the provider's dashboard."
    ),
    sees=policies.sees_providers,
    brand_facts=lambda brand: {
        "decides": VerifiedBy(KYC_VERIFIED_BY.of(brand)),
        "fallback_hours": KYC_PROVIDER_FALLBACK_HOURS.of(brand),
    },
    connection_facts=lambda provider: {"is_replaced": is_replaced(provider, provider.brand)},
)


@csrf_exempt
@require_POST
def kyc_webhook(request: HttpRequest, code: str) -> HttpResponse:
    """Store and judge what a provider sends, within its five seconds."""
    return connections.webhook(request, code, kind=setup.KycProviderApproval, model=ProviderMessage, task=webhooks.TASK)


@staff_page(policies.READS)
def message_page(request: UserRequest, message_id: int) -> HttpResponse:
    """Show a webhook as it was received; every view is logged."""
    return connections.message_page(request, PAGES, _message(request.user, message_id))


@require_POST
@staff_page(policies.READS)
def message_retry(request: UserRequest, message_id: int) -> HttpResponseBase:
    """Process a message about an unknown applicant again."""
    return connections.retry_page(
        request,
        _message(request.user, message_id),
        lambda pk: webhooks.retry_message(message_id=pk, actor=request.user),
    )


def _message(user: User, message_id: int) -> ProviderMessage | None:
    rows = messages_visible_to(user).select_related("connection", "check_at_provider__client")
    return rows.filter(pk=message_id).first()
