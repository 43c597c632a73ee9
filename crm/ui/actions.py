"""One way to run a verb from a page: success is a message, a refusal is shown where the person looks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.contrib import messages
from django.http import HttpRequest

from crm.errors import DomainError, NotAllowed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ActionResult(Generic[T]):
    """What the verb returned. Always true, even where that is None."""

    result: T


def run_action(
    request: HttpRequest,
    work: Callable[[], T],
    success_message: str | Callable[[T], str],
    *,
    form: Any = None,
    show_forbidden: bool = False,
) -> ActionResult[T] | None:
    """Run `work` and show the person its result; the view redirects after an `ActionResult` and shows its form after None.

    Success: `success_message`, or what it returns for the result, becomes a success message. Refusal (a DomainError): its
    message goes into the form, or is an error message where there is none (a button). An invalid form runs nothing.
    NotAllowed isn't shown but answered with 403 by the middleware; with `show_forbidden` it is shown like any other
    refusal, for pages whose buttons stay and name who may press them (four eyes). Any other exception passes through.
    """
    if form is not None and not form.is_valid():
        return None
    try:
        result = work()
    except DomainError as error:
        if isinstance(error, NotAllowed) and not show_forbidden:
            raise
        if form is not None:
            form.add_error(None, error.message)
        else:
            messages.error(request, error.message)
        return None
    messages.success(request, success_message(result) if callable(success_message) else success_message)
    return ActionResult(result)
