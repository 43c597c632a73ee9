"""One list with its versions and what the latest changed, its scheduled checks, and lists of the brokerage's own."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from compliance.lists import freshness, own_lists, refresh
from compliance.models import ListEntry, ListVersion, OwnListUpload, WatchlistSource
from compliance.sources import SOURCES
from compliance.sources.own import FIELDS, guessed
from crm.files.jobs import start_job
from crm.money.numbers import is_whole
from crm.security.policies import require_permission
from crm.ui.actions import run_action
from crm.ui.views import StaffView
from crm.web.requests import UserRequest
from crm.web.uploads import takes_files

CHANGES_SHOWN, VERSIONS_SHOWN = 50, 12


class ListPage(StaffView):
    permission = "compliance.view_watchlistsource"

    def get(self, request: UserRequest, source_id: int) -> HttpResponse:
        """Show a list: its state, its versions, and the names that the version in force added, changed and removed."""
        source = get_object_or_404(WatchlistSource, pk=source_id)
        state = next((state for state in freshness.list_states() if state.source == source), None)
        versions = source.versions.select_related("imported_by").prefetch_related("screenings")[:VERSIONS_SHOWN]
        current = state.version if state else None
        context = {
            "source": source,
            "state": state,
            "versions": list(versions),
            "changes": _changes(current) if current else [],
            "feed": SOURCES[source.code].url if source.code in SOURCES else "",
            "is_own": bool(source.columns),
            "can_import": request.user.has_perm("compliance.import_watchlist"),
        }
        return render(request, "compliance/watchlist.html", context)


def _changes(version: ListVersion) -> list[tuple[str, int, list[ListEntry]]]:
    """List what a version did, the first names of each kind."""
    rows = ListEntry.objects.filter(changed_in=version).order_by("primary_name", "pk")
    first = rows.filter(first_version=version)
    kept = rows.exclude(first_version=version)
    found = (
        (_("Added"), version.added, first),
        (_("Changed"), version.changed, kept.filter(is_listed=True)),
        (_("Removed"), version.removed, kept.filter(is_listed=False)),
    )
    return [(label, count, list(entries[:CHANGES_SHOWN])) for label, count, entries in found]


class Schedule(StaffView):
    permission = "compliance.view_watchlistsource"

    def post(self, request: UserRequest, source_id: int) -> HttpResponse:
        """Set where and how often a list is checked."""
        hours, stale = request.POST.get("refresh_hours", ""), request.POST.get("stale_after_hours", "")
        run_action(
            request,
            lambda: refresh.schedule_refresh(
                source_id=source_id,
                actor=request.user,
                refresh_from=request.POST.get("refresh_from", "")[:500],
                refresh_hours=int(hours) if is_whole(hours) else 0,
                stale_after_hours=int(stale) if is_whole(stale) else 0,
            ),
            _("Checks scheduled."),
        )
        return redirect("compliance:watchlist", source_id=source_id)


class Refresh(StaffView):
    permission = "compliance.import_watchlist"

    def post(self, request: UserRequest, source_id: int) -> HttpResponse:
        """Check a list at its publisher now, as a job; or take a shrunken version that waits."""
        source = get_object_or_404(WatchlistSource, pk=source_id)
        waiting = request.POST.get("version", "")
        parameters = {"source_id": source.pk, "version_id": int(waiting) if is_whole(waiting) else 0}
        job = start_job("compliance.refresh_list", owner=request.user, parameters=parameters)
        return redirect(reverse("job", args=[job.pk]))


class OwnList(StaffView):
    permission = "compliance.import_watchlist"

    def get(self, request: UserRequest) -> HttpResponse:
        return render(
            request, "compliance/own_list.html", {"uploads": OwnListUpload.objects.filter(made_by=request.user)[:5]}
        )

    def post(self, request: UserRequest) -> HttpResponse:
        """Upload a CSV of the brokerage's own, to map its columns next."""
        file = request.FILES.get("file")
        content = file.read(own_lists.BYTES_MAX + 1) if file else b""
        done = run_action(
            request,
            lambda: own_lists.upload_own_list(
                actor=request.user, file_name=(file and file.name) or "", content=content
            ),
        )
        return redirect("compliance:own_upload", upload_id=done.result.pk) if done else redirect("compliance:own_list")


own_list = takes_files(OwnList.as_view(), files=1, file_bytes_max=own_lists.BYTES_MAX)


class OwnUpload(StaffView):
    permission = "compliance.import_watchlist"

    def get(self, request: UserRequest, upload_id: int) -> HttpResponse:
        """Show the columns as guessed, with a dry run."""
        upload = self._upload(request, upload_id)
        columns = guessed(upload.headings)
        return render(request, "compliance/own_upload.html", self._context(upload, None, columns))

    def post(self, request: UserRequest, upload_id: int) -> HttpResponse:
        """Try these columns again, or import the file with them."""
        upload = self._upload(request, upload_id)
        source = self._source(request.POST.get("list", ""))
        columns = {
            field: request.POST.get(field, "") for field in FIELDS if request.POST.get(field, "") in upload.headings
        }
        if "check" in request.POST:
            return render(request, "compliance/own_upload.html", self._context(upload, source, columns))
        done = run_action(
            request,
            lambda: own_lists.import_own_list(
                upload_id=upload.pk,
                actor=request.user,
                columns=columns,
                list_name=request.POST.get("list_name", ""),
                source_id=source.pk if source else 0,
                may_shrink="may_shrink" in request.POST,
            ),
            lambda version: (
                _("%(list)s: %(entries)d entries; %(added)d added, %(changed)d changed, %(removed)d removed.")
                % {
                    "list": version.source,
                    "entries": version.entry_count,
                    "added": version.added,
                    "changed": version.changed,
                    "removed": version.removed,
                }
            ),
        )
        if done:
            return redirect("compliance:watchlist", source_id=done.result.source_id)
        return render(request, "compliance/own_upload.html", self._context(upload, source, columns), status=422)

    @staticmethod
    def _upload(request: UserRequest, upload_id: int) -> OwnListUpload:
        require_permission(request.user, "compliance.import_watchlist")
        upload = OwnListUpload.objects.filter(pk=upload_id, made_by=request.user).first()
        if upload is None:
            raise Http404
        return upload

    @staticmethod
    def _source(text: str) -> WatchlistSource | None:
        own = WatchlistSource.objects.exclude(columns={})
        return own.filter(pk=int(text)).first() if is_whole(text) else None

    @staticmethod
    def _context(upload: OwnListUpload, source: WatchlistSource | None, columns: dict[str, str]) -> dict[str, Any]:
        labels = {
            "number": _("ID"),
            "name": _("Full name"),
            "first_name": _("First name"),
            "last_name": _("Last name"),
            "aliases": _("Aliases"),
            "kind": _("Person or company"),
            "birth_date": _("Date of birth"),
            "gender": _("Gender"),
            "countries": _("Countries"),
            "passport": _("Passport number"),
            "national": _("National ID"),
            "tax": _("Tax number"),
            "registration": _("Registration number"),
            "address": _("Address"),
            "reason": _("Reason"),
        }
        return {
            "upload": upload,
            "source": source,
            "lists": WatchlistSource.objects.exclude(columns={}).order_by("name")[:50],
            "fields": [(name, labels[name], columns.get(name, "")) for name in FIELDS],
            "dry": own_lists.try_own_list(upload, columns, source),
        }
