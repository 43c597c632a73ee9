"""Who is acting, from where, in which request: kept in a context variable so that verbs need not carry it along."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class RequestContext:
    user_id: int | None = None
    user_kind: str = ""
    ip: str | None = None
    request_id: str = ""
    session: str = ""
    device: str = ""


_current: ContextVar[RequestContext] = ContextVar("keelson_request", default=RequestContext())  # noqa: B039 — frozen


def current() -> RequestContext:
    """Return who asks from where: the context of the request or task that runs."""
    return _current.get()


@contextlib.contextmanager
def acting_in(context: RequestContext) -> Iterator[None]:
    """Set the context of what runs inside, for the audit and access logs."""
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)
