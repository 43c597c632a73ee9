"""How every write is done: a scope, an Idempotency-Key, unknown fields refused, and the very verb that the pages use.

    @writes(router, "/v1/notes", NOTES, scope="clients:write", body=NoteIn, summary="Add a note")
    def create_note(principal: Principal, body: NoteIn, _id: int | None) -> int:
        return add_note(client_id=body.client_id, actor=principal.user, body=body.body).pk

The function returns the id of a record of the resource, which is the answer. The key's row is written in the verb's own
transaction, under a unique index: of two requests with one key the second waits for the first, and changes nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Schema
from ninja.params.functions import Header
from pydantic import ConfigDict

from crm.api import openapi
from crm.api.authentication import Principal
from crm.api.problems import ApiProblem
from crm.api.reading import RecordId, etag_of, is_among, json_of, read_one
from crm.api.resources import Resource
from crm.db.locking import lock_or_none
from crm.errors import IdempotencyConflict
from crm.models import IdempotentRequest, User

KEPT: Final = dt.timedelta(days=30)
KEY_CHARS_MAX: Final = 80
CLAIM: Final = """
INSERT INTO crm_idempotentrequest (user_id, key, request_hash, status, resource, created_at)
VALUES (%s, %s, %s, 0, '', %s) ON CONFLICT (user_id, key) DO NOTHING RETURNING id
"""
Write = Callable[[Principal, Any, int | None], int]
KEY = Annotated[
    str, Header("", alias="Idempotency-Key", max_length=KEY_CHARS_MAX, description="Your own, one per write")
]


class Body(Schema):
    """Base of all bodies: a field that there isn't is refused by its name."""

    model_config = ConfigDict(extra="forbid")


def writes(  # noqa: PLR0913  what one line of the API's list of writes says
    router: Router,
    path: str,
    resource: Resource,
    *,
    scope: str,
    body: type[Body] | None,
    summary: str,
    method: str = "POST",
    needs_match: bool = False,
) -> Callable[[Write], Write]:
    """Add a write to a router. With `{id}` in its path it is about a record of the resource.

    needs_match: an If-Match of the record's ETag is heeded: a record that has changed since is refused with 412.
    """

    def decorate(write: Write) -> Write:
        def operation(request: HttpRequest, **given: Any) -> HttpResponse:
            principal: Principal = request.auth  # type: ignore[attr-defined]
            principal.require(scope)
            key = require_key(given.get("idempotency_key"))
            expected = request.headers.get("If-Match", "") if needs_match else ""
            record_id = given.get("id")

            def work() -> int:
                _require_record(resource, principal, record_id, expected)
                return write(principal, given.get("payload"), record_id)

            status = 201 if method == "POST" and record_id is None else 200
            return answer_once(resource, principal, (key, hash_of(request, request.body)), work, status)

        operation.__signature__ = _signature(body, has_id="{id}" in path)  # type: ignore[attr-defined]
        operation.__name__, operation.__doc__ = write.__name__, write.__doc__
        router.add_api_operation(
            path,
            [method],
            operation,
            operation_id=write.__name__,
            url_name=write.__name__,
            summary=summary,
            tags=[resource.name],
            auth=openapi.auth(),
            openapi_extra=openapi.of_write(resource, scope, needs_match=needs_match, is_new="{id}" not in path),
        )
        return write

    return decorate


def require_key(given: str | None) -> str:
    """Require an Idempotency-Key. Raises: ApiProblem."""
    if not given:
        raise ApiProblem("missing_idempotency_key", "Send an Idempotency-Key of your own with each write.")
    return given


def require_visible(rows: Any, pk: int) -> None:
    """Refuse an id in a body that the principal doesn't see, as if there were none. Raises: Http404."""
    if not rows.filter(pk=pk).exists():
        raise Http404


def forget_old_requests(now: dt.datetime | None = None) -> int:
    """Delete keys whose time is over. Returns how many."""
    return IdempotentRequest.objects.filter(created_at__lt=(now or timezone.now()) - KEPT).delete()[0]


def _signature(body: type[Body] | None, *, has_id: bool) -> inspect.Signature:
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    if has_id:
        parameters.append(inspect.Parameter("id", keyword, annotation=RecordId))
    if body is not None:
        parameters.append(inspect.Parameter("payload", keyword, annotation=body))
    parameters.append(inspect.Parameter("idempotency_key", keyword, annotation=KEY))
    return inspect.Signature(parameters)


def _require_record(resource: Resource, principal: Principal, record_id: int | None, expected: str) -> None:
    """Find the record, and where a state is expected lock it and compare. Raises: Http404, ApiProblem."""
    if record_id is None:
        return
    rows = resource.rows(principal.user)
    if not rows.filter(pk=record_id).exists():
        raise Http404
    if expected and expected != "*":
        lock_or_none(rows.model, record_id)
        body, _client = read_one(resource, principal, record_id)
        if not is_among(etag_of(body), expected):
            raise ApiProblem("stale", "The record has changed since you read it. Read it again and send its new ETag.")


@dataclass(frozen=True, slots=True)
class Claimed:
    """An Idempotency-Key that is this request's from now on (`pk`), or what was done under it before (`known`)."""

    pk: int = 0
    known: IdempotentRequest | None = None


def hash_of(request: HttpRequest, content: bytes) -> bytes:
    """Tell one request from another: method, address and what was sent."""
    return hashlib.sha256(b"\n".join((str(request.method).encode(), request.path.encode(), content))).digest()


def claim(user: User, key: str, digest: bytes) -> Claimed:
    """Write the key down in the caller's transaction. Waits for a request with the same key that still runs.

    Raises: IdempotencyConflict where it was used for another request.
    """
    now = timezone.now()
    IdempotentRequest.objects.filter(user=user, key=key, created_at__lt=now - KEPT).delete()
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [user.pk, key, digest, now])
        row = cursor.fetchone()
    if row:
        return Claimed(pk=row[0])
    known = IdempotentRequest.objects.get(user=user, key=key)
    if bytes(known.request_hash) != digest:
        raise IdempotencyConflict("This Idempotency-Key was used for another request.")
    return Claimed(known=known)


def note_done(claimed: Claimed, status: int, resource: Resource, record_id: int) -> None:
    """Keep which record came of the request."""
    IdempotentRequest.objects.filter(pk=claimed.pk).update(status=status, resource=resource.name, record_id=record_id)


def answer_once(
    resource: Resource, principal: Principal, key: tuple[str, bytes], work: Callable[[], int], status: int
) -> HttpResponse:
    """Do the work unless its key, with the request's hash, is known; answer with the record."""
    with transaction.atomic():
        claimed = claim(principal.user, *key)
        if claimed.known is not None:
            record_id, status = claimed.known.record_id or 0, claimed.known.status
        else:
            record_id = work()
            note_done(claimed, status, resource, record_id)
    body, _client = read_one(resource, principal, record_id)
    response = HttpResponse(json_of(body), status=status, content_type="application/json")
    response["ETag"] = etag_of(body)
    if claimed.known is not None:
        response["Idempotent-Replay"] = "true"
    return response
