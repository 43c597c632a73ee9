"""The catalogue of problem codes (RFC 9457): what can go wrong in a call, with its status."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpResponse

from crm.errors import DomainError, IdempotencyConflict, NotAllowed, OutsideWorldError, WrongState
from crm.web.api_problem import problem

# code: status, title, what the caller does about it
CODES: Final[dict[str, tuple[int, str, str]]] = {
    "unauthorized": (401, "Unauthorized", "Send a valid token: it may have expired or been revoked."),
    "signature_missing": (401, "Signature missing", "Sign the request as the guide describes: its source demands it."),
    "signature_wrong": (
        401,
        "Signature wrong",
        "Sign the raw body, its id and its timestamp with the source's secret.",
    ),
    "signature_expired": (401, "Signature expired", "Set the clock, and sign each attempt with the present time."),
    "signature_replayed": (401, "Request repeated", "Sign each attempt with a webhook-id of its own."),
    "invalid_client": (401, "Invalid client", "Check client_id and client_secret."),
    "insufficient_scope": (403, "Insufficient scope", "Create a token with the scope that the answer names."),
    "wrong_network": (403, "Wrong network", "Call from an address of the token's allow-list."),
    "not_allowed": (403, "Not allowed", "The token's user lacks the right. The detail names it."),
    "not_found": (404, "Not found", "There is no such record, or the token's user may not see it."),
    "method_not_allowed": (405, "Method not allowed", "The header Allow names the methods."),
    "wrong_state": (409, "Wrong state", "Read the record again: this isn't possible in its state."),
    "idempotency_conflict": (409, "Idempotency conflict", "Use a new Idempotency-Key for another request."),
    "stale": (412, "Stale", "The record has changed. Read it again and send its new ETag."),
    "missing_idempotency_key": (400, "Idempotency-Key missing", "Send an Idempotency-Key of your own with each write."),
    "invalid_request": (400, "Invalid request", "The detail names the parameter."),
    "invalid_json": (400, "Invalid JSON", "Send one JSON object without duplicate keys and NUL characters."),
    "invalid_cursor": (400, "Invalid cursor", "Send the cursor of the last answer unchanged, with the same filters."),
    "expired_cursor": (410, "Expired cursor", "Read the list again with updated_since=beginning."),
    "invalid_scope": (400, "Invalid scope", "Ask for scopes that the client was given."),
    "unknown_version": (400, "Unknown version", "Send a Keelson-Version from the change log, or none."),
    "unusable": (400, "Unusable value", "A value is out of range or can't be stored."),
    "too_large": (413, "Too large", "Send less at a time."),
    "malformed": (422, "Malformed", "`errors` names each field."),
    "refused": (422, "Refused", "A rule of the business refuses this; the detail says why."),
    "too_many_requests": (429, "Too many requests", "Wait for the seconds of Retry-After."),
    "internal": (
        500,
        "Internal error",
        "The fault is ours and was logged. A write with the same Idempotency-Key may be sent again.",
    ),
    "unavailable": (503, "Unavailable", "Try again shortly."),
    "outside_world": (502, "Outside system", "A platform or PSP didn't answer as expected. Try again later."),
}


STATUS: Final = {NotAllowed: 403, WrongState: 409, IdempotencyConflict: 409, OutsideWorldError: 502}


def status_of(error: DomainError) -> int:
    """Return the status of a refusal by its kind."""
    return next((number for kind, number in STATUS.items() if isinstance(error, kind)), 422)


class ApiProblem(Exception):
    """A refusal with a code of the catalogue; `detail` says what is wrong, `more` what a program reads."""

    def __init__(self, code: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.code, self.detail, self.more = code, detail, more

    def response(self) -> HttpResponse:
        """Write the problem document."""
        status, title, _advice = CODES[self.code]
        return problem(status, title, self.detail, code=self.code, **self.more)
