"""Pages of another system's history: upload, mapping, and what its scoring found."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.files.jobs import RESULT_DAYS
from crm.security.sealed_files import FileDamaged, FileMissing
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from crm.web.uploads import takes_files
from monitoring.history.files import (
    DAYS_KEPT,
    RIGHT,
    delete_history,
    histories_visible_to,
    preview,
    score_history,
    upload_history,
)
from monitoring.history.forms import SHOW, HistoryMappingForm, HistoryUploadForm, fields_of
from monitoring.history.models import HistoryFile

SHOWN_MAX = 50


@takes_files
@staff_page(RIGHT)
def histories(request: UserRequest) -> HttpResponse:
    """List one's own uploaded histories, and take another."""
    form = HistoryUploadForm(request.POST or None, request.FILES or None)

    def keep() -> HistoryFile:
        file = form.cleaned_data["file"]
        return upload_history(actor=request.user, file_name=file.name, content=file.read())

    if request.method == "POST":
        done = run_action(request, keep, form=form, field="file")
        if done:
            return redirect(done.result)
    context = {
        "form": form,
        "rows": histories_visible_to(request.user).select_related("job")[:SHOWN_MAX],
        "limit": filesizeformat(settings.UPLOAD_MAX_BYTES),
        "days": DAYS_KEPT,
    }
    return render(request, "monitoring/histories.html", context, status=422 if request.method == "POST" else 200)


@staff_page(RIGHT)
def history(request: UserRequest, history_id: int) -> HttpResponse:
    """Map a file's fields and kinds and have it scored; “Show again” reads the file as it is chosen, and keeps nothing."""
    row = _visible(request, history_id)
    is_post = request.method == "POST"
    try:
        shown = preview(row, fields_of(request.POST) if is_post else None)
    except (FileMissing, FileDamaged) as error:
        raise Http404 from error
    is_scored = is_post and request.POST.get("act") != SHOW
    form = HistoryMappingForm(request.POST if is_scored else None, history=row, preview=shown)

    def score() -> HistoryFile:
        return score_history(
            history_id=row.pk,
            actor=request.user,
            fields=form.chosen_fields(),
            kinds=form.chosen_kinds(),
            per_100=form.cleaned_data["per_100"],
        )

    if is_scored and run_action(
        request, score, form=form, field=lambda error: error.code if error.code in form.fields else None
    ):
        return redirect(row)
    context: dict[str, Any] = {
        "row": row,
        "form": form,
        "job": row.job,
        "result_days": RESULT_DAYS,
        "report": row.report,
        "unknown": list(row.report.get("unknown_kinds", {}).items())[:10],
    }
    return render(request, "monitoring/history.html", context, status=422 if is_scored else 200)


@staff_page(RIGHT)
@require_POST
def remove(request: UserRequest, history_id: int) -> HttpResponse:
    """Delete a file before its week is over."""
    row = _visible(request, history_id)
    done = run_action(
        request, lambda: delete_history(history_id=row.pk, actor=request.user), _("The file was deleted.")
    )
    return redirect("monitoring_histories" if done else row)


def _visible(request: UserRequest, history_id: int) -> HistoryFile:
    row = histories_visible_to(request.user).select_related("job").filter(pk=history_id).first()
    if row is None:
        raise Http404
    return row
