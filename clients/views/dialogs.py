"""One shape for everything done in a dialog: GET shows the form, POST runs the action or shows what is wrong.

With HTMX the form fills the shared dialog and a success goes back to the page; without, it is a page of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render

from crm.ui.actions import run_action
from crm.ui.views import may_open, wants_fragment
from crm.web.requests import UserRequest


def done(request: HttpRequest, url: str, success_message: str) -> HttpResponseBase:
    """Go back to a page with a success message."""
    messages.success(request, success_message)
    return back(request, url)


def back(request: HttpRequest, url: str) -> HttpResponseBase:
    """Go to a page, with HTMX as a whole page instead of into the fragment."""
    if request.headers.get("HX-Request") == "true":
        response = HttpResponse(status=204)
        response["HX-Redirect"] = url
        return response
    return redirect(url)


def show(
    request: UserRequest, form: forms.BaseForm, *, url: str, title: Any, submit: Any, status: int = 200, **more: Any
) -> HttpResponse:
    """Render the form in the dialog, or on a page of its own with a link back to `url`, the page it belongs to."""
    template = "clients/_dialog.html" if wants_fragment(request) else "clients/dialog_page.html"
    context = {
        "form": form,
        "title": title,
        "submit": submit,
        "action": request.get_full_path(),
        "back": url if may_open(request.user, url) else "",
        **more,
    }
    return render(request, template, context, status=status)


def run(
    request: UserRequest,
    form: forms.BaseForm,
    do: Callable[[], Any],
    *,
    url: str,
    success_message: str,
    title: Any,
    submit: Any,
    **more: Any,
) -> HttpResponseBase:
    """Show the form, or run the action that it submits. Forbidden is a 403; any other refusal is shown in the form."""
    wrong = request.method == "POST"
    if wrong and run_action(request, do, success_message, form=form):
        return back(request, url)
    return show(request, form, url=url, title=title, submit=submit, status=422 if wrong else 200, **more)
