"""The door through which KYC providers speak to us: no session, no CSRF token, a signature instead."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from crm.security.request_context import current
from crm.web.uploads import declared_length
from kyc.models import KycProvider
from kyc.providers.choices import MessageVerdict
from kyc.providers.webhooks import BODY_BYTES_MAX, receive_message


@csrf_exempt
@require_POST
def kyc_webhook(request: HttpRequest, code: str) -> HttpResponse:
    """Judge, store, and answer within the provider's five seconds: 200 for what is stored, 400 for what isn't believed.

    A connection that isn't in use any more still gets messages about checks of before.
    """
    provider = KycProvider.objects.filter(code=code).first()
    if provider is None:
        return HttpResponse(status=404)
    if declared_length(request) > BODY_BYTES_MAX:
        return HttpResponse(status=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    verdict = receive_message(provider=provider, body=request.body, headers=headers, ip=current().ip)
    # What is signed and unreadable is ours to look at: sending it again would not help.
    return HttpResponse(status=200 if verdict in (MessageVerdict.ACCEPTED, MessageVerdict.MALFORMED) else 400)
