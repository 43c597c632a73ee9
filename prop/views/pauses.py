"""Staff page: a challenge that is paused because its fee was charged back, resumed or ended by a person."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from clients.record.access import log_access
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from crm.work.queries import work_of
from prop.choices import PauseState
from prop.forms import PauseForm
from prop.pauses.reviews import can_decide_pause, decide_pause
from prop.queries import pauses_visible_to


@staff_page("prop.view_challenge")
def pause_page(request: UserRequest, pause_id: int) -> HttpResponse:
    """Show a pause with its dispute; the view is in the client's access log. An open one is decided here."""
    rows = pauses_visible_to(request.user).select_related(
        "challenge__client__book", "challenge__version__programme", "dispute__deposit", "decided_by"
    )
    pause = rows.filter(pk=pause_id).first()
    if pause is None:
        raise Http404
    challenge = pause.challenge
    log_access(request.user, challenge.client, f"prop.pause:{pause.pk}")
    form = PauseForm(request.POST or None)
    if request.method == "POST":
        done = run_action(
            request,
            lambda: decide_pause(pause_id=pause.pk, actor=request.user, **form.cleaned_data),
            _("Decision recorded."),
            form=form,
            show_forbidden=True,
        )
        if done:
            return redirect(pause)
    context = {
        "pause": pause,
        "challenge": challenge,
        "work": work_of(request.user, pause.work_id),
        "may_decide": pause.state == PauseState.OPEN and can_decide_pause(request.user, pause),
        "form": form,
    }
    return render(request, "prop/pause.html", context, status=422 if form.errors else 200)
