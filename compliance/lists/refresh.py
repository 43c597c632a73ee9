"""Checking a list at its publisher: on a schedule, or when somebody asks. What fails leaves the list in force as it is."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.audit_codes import ComplianceAction
from compliance.choices import ComplianceNotice, VersionState
from compliance.lists import fetching, freshness
from compliance.models import ListVersion, WatchlistSource
from compliance.watchlists import ImportRefused, import_watchlist
from crm.db.locking import lock
from crm.errors import DomainError
from crm.i18n.localized_text import Phrase, phrase
from crm.models import Actor
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import require_permission

ERROR_CHARS_MAX = 1_000


class RefreshFailed(DomainError):
    """The list wasn't refreshed; the version in force is unchanged."""

    code = "refresh_failed"


@transaction.atomic
def schedule_refresh(
    *, source_id: int, actor: Actor, refresh_from: str, refresh_hours: int = 24, stale_after_hours: int = 72
) -> WatchlistSource:
    """Set where a list is checked and how often; an empty address ends the checks.

    Who: `compliance.import_watchlist`. Raises: NotAllowed, DomainError for an address inside our network or odd hours.
    """
    row = lock(WatchlistSource, source_id)
    require_permission(actor, "compliance.import_watchlist")
    address = refresh_from.strip()
    if not (1 <= refresh_hours <= 168 and refresh_hours <= stale_after_hours <= 8760):
        raise DomainError(
            _("Check at least once a week, and mark a list as stale after the next check at the earliest.")
        )
    if address:
        try:
            fetching.require_reachable(address)
        except fetching.FetchFailed as error:
            raise DomainError(str(error)) from error
    before = {
        "refresh_from": row.refresh_from,
        "refresh_hours": row.refresh_hours,
        "stale_after": row.stale_after_hours,
    }
    if address != row.refresh_from:
        row.etag = row.last_modified = row.refresh_error = ""
        row.tried_at = None
    row.refresh_from, row.refresh_hours, row.stale_after_hours = address, refresh_hours, stale_after_hours
    row.save()
    audit.record(
        actor=actor,
        action=ComplianceAction.WATCHLIST_REFRESH_SET,
        target=row,
        before=before,
        after={"refresh_from": address, "refresh_hours": refresh_hours, "stale_after": stale_after_hours},
    )
    return row


def refresh_list(
    *, source_id: int, actor: Actor, is_scheduled: bool = False, confirmed: str = ""
) -> ListVersion | None:
    """Fetch a list and load it if it changed; None when it hasn't.

    confirmed: the hash of a shrunken file that waits; only this very file is taken although it is so short.
    Who: `compliance.import_watchlist`, or the schedule. Raises: NotAllowed, RefreshFailed.
    """
    require_permission(actor, "compliance.import_watchlist")
    row = WatchlistSource.objects.get(pk=source_id)
    if not row.refresh_from:
        raise RefreshFailed(_("This list has no address. Upload its file instead."))
    WatchlistSource.objects.filter(pk=row.pk).update(tried_at=timezone.now())
    marks = {} if confirmed else {"etag": row.etag, "last_modified": row.last_modified}
    with tempfile.TemporaryDirectory(prefix="keelson-list-") as folder:
        try:
            fetched = fetching.fetch(row.refresh_from, Path(folder), **marks)
            version = _load(row, fetched, actor, is_scheduled, confirmed) if fetched else None
        except (fetching.FetchFailed, ImportRefused) as error:
            _note_failure(row, str(error))
            raise RefreshFailed(str(error)) from error
    now = timezone.now()
    new = {"etag": fetched.etag, "last_modified": fetched.last_modified} if fetched else {}
    WatchlistSource.objects.filter(pk=row.pk).update(checked_at=now, tried_at=now, refresh_error="", **new)
    return version


def _load(
    row: WatchlistSource, fetched: fetching.Fetched, actor: Actor, is_scheduled: bool, confirmed: str
) -> ListVersion | None:
    before = ListVersion.objects.filter(source=row, state=VersionState.CURRENT).values_list("pk", flat=True).first()
    version = import_watchlist(
        source=row.code, path=fetched.path, actor=actor, is_scheduled=is_scheduled, may_shrink_to=confirmed
    )
    return version if version.pk != before else None


def _note_failure(row: WatchlistSource, error: str) -> None:
    WatchlistSource.objects.filter(pk=row.pk).update(refresh_error=error[:ERROR_CHARS_MAX])
    waiting = ListVersion.objects.filter(source=row, state=VersionState.WAITING).first()
    if waiting is not None:
        _tell(
            row, phrase("The new version is much shorter. Confirm it, or ask the publisher."), f"waiting:{waiting.pk}"
        )


def _tell(row: WatchlistSource, body: Phrase, key: str) -> None:
    notify(
        people_with("compliance.import_watchlist"),
        kind=ComplianceNotice.LIST_PROBLEM,
        title=phrase("Watchlist needs attention: %(list)s") % {"list": row.name},
        body=body,
        url=f"/compliance/watchlists/{row.pk}/",
        dedupe_key=f"compliance.list_problem:{row.pk}:{key}",
    )


def confirm_shorter(*, version_id: int, actor: Actor) -> ListVersion | None:
    """Take a shrunken version that waits, if the publisher still has that very file.

    Who: `compliance.import_watchlist`. Raises: NotAllowed, RefreshFailed.
    """
    require_permission(actor, "compliance.import_watchlist")
    waiting = ListVersion.objects.filter(pk=version_id, state=VersionState.WAITING).first()
    if waiting is None:
        raise RefreshFailed(_("This version no longer awaits confirmation."))
    return refresh_list(source_id=waiting.source_id, actor=actor, is_scheduled=True, confirmed=waiting.sha256)


def refresh_due() -> int:
    """Check every list whose time has come, each by one worker, and notify about stale ones. Returns how many changed."""
    now, changed = timezone.now(), 0
    rows = WatchlistSource.objects.filter(is_active=True).exclude(refresh_from="")
    due = rows.filter(Q(tried_at=None) | Q(tried_at__lt=now - F("refresh_hours") * dt.timedelta(hours=1)))
    for row in due.order_by("pk"):
        mine = WatchlistSource.objects.filter(pk=row.pk, tried_at=row.tried_at).update(tried_at=now)
        if not mine:
            continue  # another worker has it
        try:
            changed += refresh_list(source_id=row.pk, actor=None, is_scheduled=True) is not None
        except RefreshFailed:
            continue  # noted with the list
    notify_stale(now)
    return changed


def notify_stale(now: dt.datetime) -> None:
    """Notify once a day about each list that nobody has checked for too long."""
    for state in freshness.list_states(now):
        if state.is_stale:
            error = state.source.refresh_error
            body = (
                phrase("The last check failed: %(error)s") % {"error": error}
                if error
                else phrase("Load a current file.")
            )
            _tell(state.source, body, f"stale:{now:%Y-%m-%d}")
