"""Many writes in one request: each row is a write of its own, in its own transaction, with a verdict of its own.

    writes_many(router, "notes", create_note, scope="clients:write", body=NoteIn)      # POST /api/v1/bulk/notes

What is refused stops no other row. Every row that was done keeps the request's Idempotency-Key with its place, so the same
request again does only what was refused before, or what a crash left.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final

import orjson
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field, ValidationError, create_model

from crm.api import openapi
from crm.api.authentication import Principal
from crm.api.problems import CODES, ApiProblem, status_of
from crm.api.resources import Resource
from crm.api.writing import KEY, Body, Write, claim, hash_of, note_done, require_key
from crm.errors import DomainError, IdempotencyConflict

ROWS_MAX: Final = 100
ERRORS_MAX: Final = 10


def writes_many(router: Router, resource: Resource, write: Write, *, scope: str, body: type[Body]) -> None:
    """Add `POST /v1/bulk/<resource>`: up to ROWS_MAX bodies of the write of one record."""
    name = resource.name.replace("-", "_")
    # Each row is read alone, so that a wrong one refuses no other; `openapi.complete` says what a row is.
    rows: Any = (list[Any], Field(..., min_length=1, max_length=ROWS_MAX))
    payload_type = create_model(f"{openapi.MANY}{body.__name__}", __base__=Body, rows=rows)

    def operation(request: HttpRequest, payload: Any, idempotency_key: Any = "") -> HttpResponse:
        principal: Principal = request.auth  # type: ignore[attr-defined]
        principal.require(scope)
        key = require_key(idempotency_key)
        digest = hash_of(request, request.body)
        one = _writer(principal, write, body, resource)
        verdicts = [
            {"row": place, **_verdict(one, _key(key, place), digest, row)} for place, row in enumerate(payload.rows)
        ]
        return HttpResponse(orjson.dumps({"results": verdicts}), content_type="application/json")

    operation.__annotations__ |= {"payload": payload_type, "idempotency_key": KEY}
    operation.__name__ = f"create_many_{name}"
    router.add_api_operation(
        f"/v1/bulk/{resource.name}",
        ["POST"],
        operation,
        operation_id=operation.__name__,
        url_name=operation.__name__,
        summary=f"Create many {name.replace('_', ' ')}",
        tags=[resource.name],
        auth=openapi.auth(),
        openapi_extra=openapi.of_bulk(scope),
    )


def _key(key: str, place: int) -> str:
    """Give each row a key of its own that no other request's key equals."""
    return "bulk:" + hashlib.sha256(f"{place}:{key}".encode()).hexdigest()


WriteRow = Callable[[str, bytes, Any], dict[str, Any]]


def _writer(principal: Principal, write: Write, body: type[Body], resource: Resource) -> WriteRow:
    def one(key: str, digest: bytes, row: Any) -> dict[str, Any]:
        parsed = body.model_validate(row)
        with transaction.atomic():
            claimed = claim(principal.user, key, digest)
            if claimed.known is not None:
                return {"status": claimed.known.status, "id": claimed.known.record_id, "is_replay": True}
            record_id = write(principal, parsed, None)
            note_done(claimed, 201, resource, record_id)
        return {"status": 201, "id": record_id}

    return one


def _verdict(one: WriteRow, key: str, digest: bytes, row: Any) -> dict[str, Any]:
    """Run one row; what refuses it becomes its verdict. Raises: IdempotencyConflict, which concerns the whole request."""
    try:
        return one(key, digest, row)
    except IdempotencyConflict:
        raise
    except ValidationError as error:
        errors = [
            {"field": ".".join(map(str, detail["loc"])), "message": detail["msg"]}
            for detail in error.errors(include_url=False, include_input=False, include_context=False)[:ERRORS_MAX]
        ]
        return {"status": 422, "code": "malformed", "detail": "Some fields are missing or wrong.", "errors": errors}
    except ApiProblem as error:
        return {"status": CODES[error.code][0], "code": error.code, "detail": error.detail}
    except Http404:
        return {"status": 404, "code": "not_found", "detail": CODES["not_found"][2]}
    except DomainError as error:
        return {"status": status_of(error), "code": error.code, "detail": str(error.message)}
