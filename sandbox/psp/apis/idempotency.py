"""Idempotency keys as card PSPs keep them: the same key and body answer the first answer, another body is an error."""

import hashlib
import sqlite3
from collections.abc import Callable

from sandbox.psp.payments import ApiError
from sandbox.psp.server import Request, Response

NOT_KEPT = frozenset({401, 409, 429})  # nothing was begun: the key may be used again


def once(request: Request, key: str, answer: Callable[[], Response]) -> Response:
    """Answer a request, or repeat the answer that its key got. Raises ApiError 409 while the first is still at work."""
    psp, store = request.parts["psp"], request.store
    if not key:
        return answer()
    request_hash = hashlib.sha256(f"{request.method} {request.path}\n".encode() + request.body).hexdigest()
    try:
        store.insert("idempotency", psp=psp, key=key, request_hash=request_hash)
    except sqlite3.IntegrityError:
        known = store.row("SELECT * FROM idempotency WHERE psp = ? AND key = ?", psp, key)
        assert known is not None
        if known["request_hash"] != request_hash:
            raise ApiError(400, "idempotency_error", "This key was used for another request.") from None
        if known["status"] is None:
            raise ApiError(409, "idempotency_key_in_use", "A request with this key is still being worked on.") from None
        return Response(known["status"], known["body"], headers=(("Idempotent-Replayed", "true"),))
    try:
        response = answer()
    except BaseException:
        _forget(request, key)
        raise
    if response.status in NOT_KEPT:
        _forget(request, key)
    else:
        store.run(
            "UPDATE idempotency SET status = ?, body = ? WHERE psp = ? AND key = ?",
            response.status,
            response.body,
            psp,
            key,
        )
    return response


def _forget(request: Request, key: str) -> None:
    request.store.run("DELETE FROM idempotency WHERE psp = ? AND key = ?", request.parts["psp"], key)
