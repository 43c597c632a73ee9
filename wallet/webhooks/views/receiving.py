"""The door through which PSPs speak to us: no session, no CSRF token, a signature instead."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from crm.security.request_context import current
from crm.web.uploads import declared_length
from wallet.choices.psp import Verdict
from wallet.models import Psp
from wallet.psp import adapter_of
from wallet.webhooks.processing import BODY_BYTES_MAX, receive_webhook


@csrf_exempt
@require_POST
def psp_webhook(request: HttpRequest, code: str) -> HttpResponse:
    """Judge, store, answer as this PSP wants to be answered. 404 for no such PSP.

    A PSP that is no longer offered still sends: chargebacks come for months.
    """
    psp = Psp.objects.filter(code=code).select_related("brand").first()
    if psp is None:
        return HttpResponse(status=404)
    if declared_length(request) > BODY_BYTES_MAX:
        return HttpResponse(status=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    messages = receive_webhook(psp=psp, body=request.body, headers=headers, ip=current().ip)
    reply = adapter_of(psp).reply_to(Verdict(messages[0].verdict), request.body)
    return HttpResponse(reply.body, status=reply.status, content_type=reply.content_type, headers=dict(reply.headers))
