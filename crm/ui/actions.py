"""One way to run a verb from a page: success is a message, a refusal is shown where the person looks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest

from crm.errors import DomainError, ExpectedErrors, NotAllowed, Refusal, Success, outcome_of

T = TypeVar("T")


def run_action(
    request: HttpRequest,
    work: Callable[[], T],
    success_message: str | Callable[[T], str] = "",
    *,
    form: forms.BaseForm | None = None,
    field: str | Callable[[DomainError], str | None] | None = None,
    show_forbidden: bool = False,
    unshown: ExpectedErrors = (),
) -> Success[T] | Refusal:
    """Run `work` and show the person its result; the view redirects after a `Success` and shows its form otherwise.

    Success: `success_message`, or what it returns for the result, becomes a success message; with none the page itself
    shows what was done. Refusal (a DomainError): its message goes into the form (at `field`, or where that function of
    the error says), or is an error message where there is no form (a button). An invalid form runs nothing and is refused.
    NotAllowed isn't shown but answered with 403 by the middleware; with `show_forbidden` it is shown like any other
    refusal, for pages whose buttons stay and name who may press them (four eyes). Refusals in `unshown` are returned
    without a message, for the view to answer with another page. Any other exception passes through.
    """
    if form is not None and not form.is_valid():
        return Refusal(DomainError("", code="invalid_form"))
    done = outcome_of(work)
    if done:
        message = success_message(done.result) if callable(success_message) else success_message
        if message:
            messages.success(request, message)
    elif not isinstance(done.error, unshown):
        if isinstance(done.error, NotAllowed) and not show_forbidden:
            raise done.error
        _show_refusal(request, done.error, form, field(done.error) if callable(field) else field)
    return done


def _show_refusal(request: HttpRequest, error: DomainError, form: forms.BaseForm | None, field: str | None) -> None:
    if form is None:
        messages.error(request, error.message)
        return
    for reason in error.reasons:
        form.add_error(field, reason)
