"""Whether this installation can serve: for load balancers, containers and the supervisor."""

from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from crm.errors import outcome_of
from crm.files import antivirus

TIMEOUT_SECONDS = 2
PATH = "/healthz"


class HealthProbeMiddleware:
    """Answers probes before host names and TLS are asked for: they come over plain http, with the machine's own address.

    Nothing of the answer depends on the host name, and nobody's data is in it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return healthz(request) if request.path == PATH else self.get_response(request)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when the database answers, else 503.

    A queue or a virus scanner that is away is reported but is no failure: the outbox and clients' files wait for them.
    """
    state = {"database": _database_answers(), "queue": _queue_answers()}
    if antivirus.is_configured():
        state["virus_scanner"] = bool(outcome_of(antivirus.version, only=antivirus.ScannerAway))
    return JsonResponse(state, status=200 if state["database"] else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _queue_answers() -> bool:
    client = redis.from_url(settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
