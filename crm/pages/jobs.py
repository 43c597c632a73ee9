"""What a person asked for and waits on: a list, a progress bar that moves, a cancel button, the result."""

from __future__ import annotations

import itertools
import mimetypes
from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from crm.errors import WrongState
from crm.files.jobs import RESULT_DAYS, cancel_job, result_of
from crm.models import Job, User
from crm.security.sealed_files import FileDamaged, FileMissing
from crm.ui.actions import run_action
from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, Table
from crm.ui.views import show_table, wants_fragment

if TYPE_CHECKING:
    from crm.web.requests import UserRequest


class JobTable(Table):
    name = "jobs"
    title = gettext_lazy("My exports and jobs")
    subtitle = gettext_lazy(
        "Exports, imports and reports that you started. They keep running while you work elsewhere."
    )
    columns = [
        Column("title", gettext_lazy("Job"), link=True),
        BadgeColumn("state", gettext_lazy("State")),
        Column("message", gettext_lazy("Progress"), css="muted"),
        AgoColumn("created_at", gettext_lazy("Started")),
        AgoColumn("finished_at", gettext_lazy("Finished")),
    ]
    row_url_name = "job"
    is_adjustable = False
    empty = Empty(
        gettext_lazy("No jobs yet"),
        gettext_lazy(
            "Large exports, imports and PDFs run in the background. Start one from any list and it appears here."
        ),
        icon="package",
    )

    def queryset(self) -> QuerySet[Job]:
        return Job.objects.filter(owner=self.user)


def _own(request: HttpRequest, pk: int) -> Job:
    return get_object_or_404(Job, pk=pk, owner=request.user)


@login_required
@require_GET
def jobs(request: UserRequest) -> HttpResponseBase:
    """List the person's own exports and jobs."""
    table = JobTable(request.user, request.GET, path=request.path)
    return show_table(request, table, "crm/pages/jobs.html")


@login_required
@require_GET
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one job. Its progress fragment refreshes itself when the server says so, and every few seconds where it can't."""
    row = _own(request, pk)
    return render(
        request,
        "crm/pages/_job.html" if wants_fragment(request) else "crm/pages/job.html",
        {"job": row, "result_days": RESULT_DAYS},
    )


@login_required
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel one's own job."""
    row = _own(request, pk)
    assert isinstance(request.user, User)
    actor, is_fragment = request.user, wants_fragment(request)
    message = "" if is_fragment else _("Job cancelled. A running job stops at its next step.")
    run_action(request, lambda: cancel_job(job_id=row.pk, actor=actor), message)
    if not is_fragment:
        return redirect("job", pk=row.pk)
    row.refresh_from_db()
    return render(request, "crm/pages/_job.html", {"job": row, "result_days": RESULT_DAYS})


@login_required
@require_GET
def download(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Serve the result file to its owner only. The browser never displays it in place, and nobody else caches it."""
    row = _own(request, pk)
    chunks = result_of(row)
    try:
        first = next(chunks, b"")
    except FileMissing:
        raise Http404 from None
    except FileDamaged as error:
        raise WrongState(_("The result is damaged. Run the job again.")) from error
    kind = mimetypes.guess_type(row.result_name)[0] or "application/octet-stream"
    response = StreamingHttpResponse(itertools.chain([first], chunks), content_type=kind)
    response["Content-Disposition"] = content_disposition_header(True, row.result_name) or "attachment"
    response["Cache-Control"] = "private, no-store"
    return response
