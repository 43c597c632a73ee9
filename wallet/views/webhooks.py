"""The door through which PSPs speak to us: no session, no CSRF token, a signature instead."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from crm.request_context import current
from wallet.choices import Verdict
from wallet.inbox import BODY_BYTES_MAX, receive_webhook
from wallet.models import Psp

# A signed message that we can't read is ours to look at; sending it again would not help.
TAKEN = frozenset({Verdict.ACCEPTED, Verdict.DUPLICATE, Verdict.MALFORMED})


@csrf_exempt
@require_POST
def psp_webhook(request: HttpRequest, code: str) -> HttpResponse:
    """Store, judge, answer. 200 when it is taken, 400 when its signature or time does not hold, 404 for no such PSP."""
    psp = Psp.objects.filter(code=code, is_enabled=True).select_related("brand").first()
    if psp is None:
        return HttpResponse(status=404)
    if int(request.headers.get("Content-Length") or 0) > BODY_BYTES_MAX:
        return HttpResponse(status=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    message = receive_webhook(psp=psp, body=request.body, headers=headers, ip=current().ip)
    return HttpResponse(status=200 if message.verdict in TAKEN else 400)
