"""Questions about a platform that only a person can settle: opened once, counted when met again, closed with a reason."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock_all, lock_or_none
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import phrase
from crm.models import Actor
from crm.notices.notify import notify, people_with
from crm.security import audit, policies
from trading.audit_codes import TradingAction
from trading.choices import IssueKind
from trading.core.notices import TradingNotice
from trading.models import PlatformIssue

TELLS = "trading.view_platform_health"
CLOSES = "trading.decide_break"


@transaction.atomic
def open_issue(*, server_id: int, kind: IssueKind, subject: str, details: dict[str, Any] | None = None) -> None:
    """Open an issue, or count the open one up. Those who watch platforms are told of a new one."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO trading_platformissue (server_id, kind, subject, details, times, first_at, last_at, resolution)
            VALUES (%s, %s, %s, %s, 1, %s, %s, '')
            ON CONFLICT (server_id, kind, subject) WHERE closed_at IS NULL
            DO UPDATE SET times = trading_platformissue.times + 1, last_at = excluded.last_at
            RETURNING id, times
            """,
            [server_id, kind.value, subject[:80], _json(details or {}), now, now],
        )
        issue_id, times = cursor.fetchone()
    if times == 1:
        notify(
            people_with(TELLS),
            kind=TradingNotice.ISSUE,
            title=phrase("Trading platform: %(what)s") % {"what": kind.label},
            body=subject,
            url="/trading/health/",
            dedupe_key=f"trading.issue:{issue_id}",
        )


def _json(value: dict[str, Any]) -> str:
    import orjson

    return orjson.dumps(value, default=str).decode()


@transaction.atomic
def close_issue(*, issue_id: int, actor: Actor, resolution: str) -> PlatformIssue:
    """Settle a question. Who: `trading.decide_break`. Raises: DomainError without a resolution, WrongState when closed already."""
    policies.require_permission(actor, CLOSES)
    issue = lock_or_none(PlatformIssue, issue_id)
    if issue is None:
        raise DomainError(_("This issue doesn't exist."))
    if issue.closed_at is not None:
        raise WrongState(_("This issue is already closed."))
    if not resolution.strip():
        raise DomainError(_("Enter how the issue was resolved."))
    issue.closed_at, issue.closed_by, issue.resolution = timezone.now(), actor, resolution.strip()[:300]
    issue.save(update_fields=["closed_at", "closed_by", "resolution"])
    audit.record(
        actor=actor,
        action=TradingAction.ISSUE_CLOSED,
        target=issue,
        reason=issue.resolution,
        after={"kind": issue.kind, "subject": issue.subject},
    )
    return issue


@transaction.atomic
def settle(*, server_id: int, kind: IssueKind, actor: Actor, resolution: str, subject: str = "") -> bool:
    """Close what is answered by a deed elsewhere (a login was attached, …). False when nothing was open."""
    rows = PlatformIssue.objects.filter(server_id=server_id, kind=kind, closed_at__isnull=True)
    if subject:
        rows = rows.filter(subject=subject)
    issues = lock_all(rows)
    for issue in issues:
        issue.closed_at, issue.closed_by, issue.resolution = timezone.now(), actor, resolution[:300]
        issue.save(update_fields=["closed_at", "closed_by", "resolution"])
        audit.record(
            actor=actor,
            action=TradingAction.ISSUE_CLOSED,
            target=issue,
            reason=issue.resolution,
            after={"kind": issue.kind, "subject": issue.subject},
        )
    return bool(issues)
