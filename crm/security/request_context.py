"""Who is acting, from where, in which request: kept in a context variable so that verbs need not carry it along."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
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


def act_as(context: RequestContext) -> None:
    """Say within a request who acts, where that is known only now; the request's own `acting_in` takes it back."""
    _current.set(context)


_afterwards: ContextVar[list[Callable[[], None]] | None] = ContextVar("keelson_afterwards", default=None)


def afterwards(work: Callable[[], None]) -> None:
    """Run `work` when the request has been answered, also where its transaction was rolled back; outside of one, now."""
    waiting = _afterwards.get()
    if waiting is None:
        work()
    else:
        waiting.append(work)


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """Run what was put off with `afterwards` when the answer is made, whatever became of it."""
    waiting: list[Callable[[], None]] = []
    token = _afterwards.set(waiting)
    try:
        yield
    finally:
        _afterwards.reset(token)
        for work in waiting:
            work()
