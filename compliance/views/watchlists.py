"""The lists in force, their versions, a new file, and screening everybody again."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from compliance import queries
from compliance.lists import freshness
from compliance.models import ListVersion
from compliance.sources import SOURCES
from compliance.vendors.queries import freshness_of, vendors_visible_to
from compliance.watchlists import ImportRefused, import_watchlist
from crm.files.jobs import start_job
from crm.security.policies import require_permission
from crm.ui.actions import run_action
from crm.ui.views import StaffView
from crm.web.requests import UserRequest
from crm.web.uploads import takes_files

FILES_MAX = 3
FILE_BYTES_MAX = 40 * 1024 * 1024


class Watchlists(StaffView):
    permission = "compliance.view_watchlistsource"

    def get(self, request: UserRequest) -> HttpResponse:
        return self._page(request)

    def post(self, request: UserRequest) -> HttpResponse:
        """Import a new file of a list. OFAC's three files come together."""
        require_permission(request.user, "compliance.import_watchlist")
        files = request.FILES.getlist("files")
        if not 1 <= len(files) <= FILES_MAX:
            error = _("Choose the list's file. OFAC needs three: primary, alt and add.")
        elif any((file.size or 0) > FILE_BYTES_MAX for file in files):
            error = _("A file is larger than 40 MB. Import it with manage.py import_watchlist.")
        else:
            done = run_action(request, lambda: _take(request, files), self._imported, unshown=ImportRefused)
            if done:
                return redirect("compliance:watchlists")
            error = _("Import rejected; the version in force is unchanged. %(why)s") % {"why": done.message}
        return self._page(request, error)

    @staticmethod
    def _imported(version: ListVersion) -> str:
        return _("%(list)s: %(entries)d entries; %(added)d added, %(changed)d changed, %(removed)d removed.") % {
            "list": version.source,
            "entries": version.entry_count,
            "added": version.added,
            "changed": version.changed,
            "removed": version.removed,
        }

    def _page(self, request: UserRequest, error: str = "") -> HttpResponse:
        context = {
            "lists": freshness.list_states(),
            "brands": freshness.brand_states(request.user),
            "full": queries.last_full_screening(),
            "vendors": [(vendor, freshness_of(vendor)) for vendor in vendors_visible_to(request.user)[:50]],
            "known": SOURCES.values(),
            "error": error,
            "can_import": request.user.has_perm("compliance.import_watchlist"),
            "can_screen": request.user.has_perm("compliance.screen_client"),
        }
        return render(request, "compliance/watchlists.html", context, status=422 if error else 200)


def _take(request: UserRequest, files: list[UploadedFile[bytes]]) -> ListVersion:
    """Import the uploaded files under their own names from a folder that is deleted afterwards; the first is the primary one."""
    folder = Path(tempfile.mkdtemp(prefix="keelson-list-"))
    try:
        paths = []
        for file in files:
            path = folder / Path(file.name or "list").name.replace("\x00", "")
            with path.open("wb") as out:
                for piece in file.chunks():
                    out.write(piece)
            paths.append(path)
        primary = next((path for path in paths if path.name.startswith(("sdn.", "cons_prim."))), paths[0])
        return import_watchlist(
            source=request.POST.get("source", ""),
            path=primary,
            actor=request.user,
            may_shrink="may_shrink" in request.POST,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


watchlists = takes_files(Watchlists.as_view(), files=FILES_MAX, file_bytes_max=FILE_BYTES_MAX)


class ScreenAll(StaffView):
    """Everybody again, as a job with its progress."""

    permission = "compliance.screen_client"

    def post(self, request: UserRequest) -> HttpResponse:
        user = request.user
        job = start_job("compliance.screen_all", owner=user)
        return redirect(reverse("job", args=[job.pk]))
