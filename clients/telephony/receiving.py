"""An exchange's webhook as it comes in: stored, judged, and answered; an incoming call is answered with where it goes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from clients.models import PhoneEvent, PhoneExchange
from clients.telephony.adapters import adapter_of
from clients.telephony.addresses import URL_HEADER, public
from clients.telephony.hearing import TASK
from clients.telephony.incoming import take_call
from crm.connections.choices import WebhookVerdict
from crm.connections.webhooks import BODY_BYTES_MAX, receive
from crm.security.request_context import current
from crm.web.uploads import declared_length


def receive_webhook(request: HttpRequest, code: str) -> HttpResponse:
    """Store, judge and answer: 200 for what is believed, 400 for what isn't. No session and no CSRF token: a signature.

    An exchange that isn't in use any more still gets reports on its calls of before.
    """
    exchange = PhoneExchange.objects.select_related("brand").filter(code=code).first()
    if exchange is None:
        return HttpResponse(status=404)
    if declared_length(request) > BODY_BYTES_MAX:
        return HttpResponse(status=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    # The address as we gave it to the exchange: behind a proxy, the request names another one.
    headers[URL_HEADER] = public(request.get_full_path())
    adapter = adapter_of(exchange)
    verdict = receive(
        PhoneEvent, exchange, adapter=adapter, task=TASK, body=request.body, headers=headers, ip=current().ip
    )
    if verdict == WebhookVerdict.ACCEPTED and (caller := adapter.incoming(request.body)) is not None:
        kind, answer = adapter.answer(take_call(exchange, caller))
        return HttpResponse(answer, content_type=kind)
    # What is signed and unreadable is ours to look at: sending it again would not help.
    return HttpResponse(status=200 if verdict in (WebhookVerdict.ACCEPTED, WebhookVerdict.MALFORMED) else 400)
