"""What a bulk change would do: for each lead that a person sees, what changes, or why it is left out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from clients.choices import SALES_NOT_CHOSEN, SalesStatus, Stage
from clients.custom_fields import tagging
from clients.models import Client, Segment, SegmentMember
from clients.policies import can
from clients.queries import clients_visible_to
from clients.segments.policies import can_manage, segments_visible_to
from crm.errors import DomainError
from crm.i18n import formats
from crm.models import User
from crm.security.policies import has_permission, require_permission
from leads.automations.starting import problems_of, startable
from leads.bulk.mailing import clean_mail, mail_problems
from leads.choices import CHANGES_MAX, BulkKind
from leads.pipeline import can_change_status

MOST_STARTS: Final = 1_000  # written in a few statements, as many as a list selects
MOST_BY_KIND: Final[Mapping[str, int]] = {**dict.fromkeys(BulkKind, CHANGES_MAX), BulkKind.START: MOST_STARTS}
DAYS_MAX: Final = 365
RIGHTS: Final[Mapping[str, str]] = {
    BulkKind.STATUS: "leads.change_sales_status",
    BulkKind.LIST: "clients.manage_segment",
    BulkKind.TASK: "clients.log_call",
    BulkKind.TAG: tagging.RIGHT,
    BulkKind.START: "leads.manage_automation",
    BulkKind.MAIL: "clients.log_call",
}
Options = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """A lead of a preview. `problem`: why it is left out; empty for one that is changed."""

    client: Client
    problem: str = ""


def clean_options(kind: BulkKind, options: Options, actor: User) -> dict[str, Any]:
    """Check what a bulk change sets. Raises: NotAllowed, DomainError."""
    require_permission(actor, RIGHTS[kind])
    if kind == BulkKind.STATUS:
        if options.get("status") not in SalesStatus.values or options["status"] in SALES_NOT_CHOSEN:
            raise DomainError(_("Choose a status."), code="status")
        return {"status": str(options["status"])}
    if kind == BulkKind.LIST:
        row = segments_visible_to(actor).filter(pk=options.get("segment") or 0, kind="list", archived_at=None).first()
        if row is None or not can_manage(actor, row.brand_id):
            raise DomainError(_("Choose a list."), code="segment")
        return {"segment": row.pk}
    if kind == BulkKind.MAIL:
        return clean_mail(options)
    if kind == BulkKind.TAG:
        return {"tag": tagging.find_tag(actor, options.get("tag")).pk, "how": clean_how(options)}
    if kind == BulkKind.START:
        return {"automation": startable(actor, options.get("automation") or 0).pk}
    title, days = str(options.get("title") or "").strip()[:160], options.get("days")
    if not title:
        raise DomainError(_("Enter a task."), code="title")
    if not isinstance(days, int) or not 0 <= days <= DAYS_MAX:
        raise DomainError(
            _("Enter a number of days from 0 to %(most)s.") % {"most": formats.number(DAYS_MAX)}, code="days"
        )
    return {"title": title, "days": days}


def plan(*, kind: BulkKind, options: Options, client_ids: Iterable[int], user: User) -> list[Line]:
    """Say for each lead that a person sees whether it would be changed. Nothing is written. Raises: as `clean_options`."""
    given = clean_options(kind, options, user)
    ids, most = list(client_ids), MOST_BY_KIND[kind]
    if len(ids) > most:
        raise DomainError(_("Select at most %(count)s leads.") % {"count": formats.number(most)})
    rows = clients_visible_to(user).filter(pk__in=ids).select_related("brand", "book", "owner").defer("search_text")
    clients = list(rows.order_by("pk"))
    if kind == BulkKind.STATUS:
        to = SalesStatus(given["status"])
        return [Line(client, _status_problem(client, to, user)) for client in clients]
    if kind == BulkKind.LIST:
        segment = Segment.objects.get(pk=given["segment"])
        rows_there = SegmentMember.objects.filter(segment=segment, left_at=None, client__in=clients)
        there = set(rows_there.values_list("client_id", flat=True))
        return [Line(client, _list_problem(client, segment, there)) for client in clients]
    if kind == BulkKind.TAG:
        tag, is_adding = tagging.find_tag(user, given["tag"]), given["how"] == "add"
        problems = tagging.tag_problems(clients, tag, user, is_adding=is_adding)
        return [Line(client, problems.get(client.pk, "")) for client in clients]
    if kind == BulkKind.START:
        problems = problems_of(startable(user, given["automation"]), clients)
        return [Line(client, problems.get(client.pk, "")) for client in clients]
    if kind == BulkKind.MAIL:
        problems = mail_problems(clients, user)
        return [Line(client, problems.get(client.pk, "")) for client in clients]
    return [Line(client, can(user, client, RIGHTS[kind]).reason) for client in clients]


def clean_how(options: Options) -> str:
    """Read whether something is added or taken off; adding where nothing is said."""
    return "remove" if options.get("how") == "remove" else "add"


def _status_problem(client: Client, to: SalesStatus, user: User) -> str:
    before = SalesStatus(client.sales_status)
    if not (allowed := can_change_status(user, client)):
        return allowed.reason
    if before == to:
        return _("Is “%(status)s” already") % {"status": to.label}
    lifts = before != SalesStatus.DO_NOT_CALL or has_permission(user, "leads.lift_do_not_call")
    if client.stage != Stage.LEAD or not lifts or not client.can_move_to(to, "sales_status"):
        return _("Can't move from “%(before)s” to “%(to)s”") % {"before": before.label, "to": to.label}
    return ""


def _list_problem(client: Client, segment: Segment, there: set[int]) -> str:
    if client.brand_id != segment.brand_id:
        return _("Belongs to another brand")
    return _("Is on the list already") if client.pk in there else ""


def due_at(days: int) -> dt.datetime:
    """Return when a follow-up is due: in so many days, or in an hour."""
    return timezone.now() + (dt.timedelta(days=days) if days else dt.timedelta(hours=1))
