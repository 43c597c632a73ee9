"""One way to run a verb from a page: what came of it is a message, a refusal stands where the person looks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.contrib import messages
from django.http import HttpRequest

from crm.errors import DomainError, NotAllowed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """It was done; with what the verb gave back. Always true, whatever that is."""

    result: T


def attempt(
    request: HttpRequest,
    work: Callable[[], T],
    said: str | Callable[[T], str],
    *,
    form: Any = None,
    forbidden_is_said: bool = False,
) -> Done[T] | None:
    """Run `work` and say what came of it; the view redirects after `Done` and decides what to show after None.

    Done: `said`, or what it makes of the result, is a success message. Refused (a DomainError): its words stand in the
    form, or are an error message where there is none (a button). With a form that isn't valid nothing is run.
    NotAllowed is no word on a page but a 403, by the middleware; with `forbidden_is_said` it is said like any other
    refusal, for pages whose buttons stay and name who may press them (four eyes). Any other error goes on.
    """
    if form is not None and not form.is_valid():
        return None
    try:
        result = work()
    except DomainError as error:
        if isinstance(error, NotAllowed) and not forbidden_is_said:
            raise
        if form is not None:
            form.add_error(None, error.message)
        else:
            messages.error(request, error.message)
        return None
    messages.success(request, said(result) if callable(said) else said)
    return Done(result)
