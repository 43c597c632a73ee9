"""Postbacks of a lead source, for the staff who set sources up: addresses, signing key, test, and the log of what was sent."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clients.views import dialogs
from crm.security.compression import sent_plain
from crm.security.scope import reach_of
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from ib.models import Postback, PostbackDelivery
from ib.tracking import postbacks
from ib.tracking.choices import PostbackEvent
from ib.tracking.forms import SourcePostbackForm
from ib.tracking.macros import SOURCE_MACROS
from ib.tracking.sending import SIGNATURE
from ib.tracking.tables import result_of
from leads.models import LeadSource

LOG_SHOWN = 50


@sent_plain
@staff_page("leads.manage_sources")
@require_safe
def overview(request: UserRequest, source_id: int) -> HttpResponse:
    """List a source's postbacks with the newest calls."""
    source = _source(request, source_id)
    log = PostbackDelivery.objects.filter(postback__source=source)[:LOG_SHOWN]
    context = {
        "source": source,
        "postbacks": [
            {"row": row, "steps": ", ".join(str(PostbackEvent(event).label) for event in row.events)}
            for row in source.postbacks.all()[: postbacks.POSTBACKS_MAX]
        ],
        "log": [{"row": row, "result": result_of(row)} for row in log],
        "signature": SIGNATURE,
    }
    return render(request, "ib/source_postbacks.html", context)


@staff_page("leads.manage_sources")
def edit(request: UserRequest, source_id: int, postback_id: int = 0) -> HttpResponseBase:
    """Set up a source's postback, or change one."""
    source = _source(request, source_id)
    row = _own(source, postback_id) if postback_id else None
    initial = {"url": row.url, "events": row.events} if row else {"events": PostbackEvent.values}
    form = SourcePostbackForm(request.POST or None, initial=initial)
    form.fields["url"].help_text = _("Macros: %(names)s") % {
        "names": ", ".join(f"{{{name}}}" for name in SOURCE_MACROS)
    }

    def do() -> None:
        about: dict[str, Any] = {"source_id": source.pk, "postback_id": row.pk if row else None, "actor": request.user}
        postbacks.save_source_postback(**about, **form.cleaned_data)

    return dialogs.run(
        request,
        form,
        do,
        url=reverse("source_postbacks", args=[source.pk]),
        success_message=_("Postback saved."),
        submit=_("Save postback"),
        title=_("Postback") if row else _("New postback"),
    )


@staff_page("leads.manage_sources")
@require_POST
def act(request: UserRequest, source_id: int, postback_id: int, verb: str) -> HttpResponse:
    """Test, pause or activate a source's postback, or replace its signing key."""
    row = _own(_source(request, source_id), postback_id)
    verbs: dict[str, tuple[Callable[..., Any], str]] = {
        "test": (postbacks.send_test, _("Test queued. Its result appears in the log.")),
        "pause": (partial(postbacks.switch_postback, is_active=False), _("Postback paused.")),
        "activate": (partial(postbacks.switch_postback, is_active=True), _("Postback activated.")),
        "key": (postbacks.renew_secret, _("Signing key replaced.")),
    }
    do, done = verbs[verb]
    run_action(request, lambda: do(postback_id=row.pk, actor=request.user), done)
    return redirect("source_postbacks", source_id)


@staff_page("leads.manage_sources")
@require_POST
def resend(request: UserRequest, source_id: int, delivery_id: int) -> HttpResponse:
    """Send a failed postback of a source again."""
    source = _source(request, source_id)
    row = get_object_or_404(PostbackDelivery, pk=delivery_id, postback__source=source)
    again = partial(postbacks.send_again, delivery_id=row.pk, actor=request.user)
    run_action(request, again, _("Queued. Its result appears in the log."))
    return redirect("source_postbacks", source_id)


def _source(request: UserRequest, source_id: int) -> LeadSource:
    return get_object_or_404(LeadSource, pk=source_id, brand_id__in=reach_of(request.user).brands)


def _own(source: LeadSource, postback_id: int) -> Postback:
    row = source.postbacks.filter(pk=postback_id).first()
    if row is None:
        raise Http404
    return row
