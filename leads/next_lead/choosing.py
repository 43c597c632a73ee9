"""Choosing the next lead in one query: follow-ups that are due and new leads, by the clock first and the score after it.

Left out: who must not be called, for whom it is no hour to call, and whom the agent passed over in the last hours, as the audit log
says.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from django.db import models, transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Least
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.choices import SalesStatus, Stage
from clients.models import Client, DoNotCall, Task
from clients.policies import can_log
from clients.queries import clients_visible_to
from clients.telephony.hours import allowed_from
from crm.db.locking import lock
from crm.errors import DomainError
from crm.i18n import formats
from crm.models import AuditEvent, User
from crm.security import audit
from crm.security.policies import require
from leads.audit_codes import LeadsAction
from leads.models import Lead

CANDIDATES_MAX: Final = 100
SKIPPED_FOR: Final = dt.timedelta(hours=4)


class SkipReason(models.TextChoices):
    """Why an agent passes over a lead."""

    REACHED = "reached", gettext_lazy("Spoke to them already")
    WAITING = "waiting", gettext_lazy("Waiting for their answer")
    COLLEAGUE = "colleague", gettext_lazy("A colleague is on it")
    LATER = "later", gettext_lazy("Better later today")


@dataclass(frozen=True)
class NextLead:
    """The lead to work next. client: None where there is none; asleep: how many wait for an hour at which they may be called."""

    client: Client | None
    reasons: tuple[str, ...] = ()
    asleep: int = 0


def choose(user: User, now: dt.datetime | None = None) -> NextLead:
    """Choose a person's next lead. One query; the hour of each is judged in Python, for the hundred most urgent at most."""
    now = now or timezone.now()
    asleep = 0
    for client in _candidates(user, now)[:CANDIDATES_MAX]:
        if allowed_from(client, now) is None:
            return NextLead(client, tuple(_reasons(client, now)), asleep)
        asleep += 1
    return NextLead(None, asleep=asleep)


@transaction.atomic
def skip(*, client_id: int, actor: User, reason: str) -> None:
    """Pass over a lead for some hours; the audit log has the reason.

    Who: `clients.log_call` in reach. Raises: NotAllowed; DomainError for an unknown reason.
    """
    client = lock(Client, client_id, "brand", no_key=True)
    require(can_log(actor, client))
    if reason not in SkipReason.values:
        raise DomainError(_("Choose a reason."), code="reason")
    audit.record(
        actor=actor,
        action=LeadsAction.NEXT_SKIPPED,
        target=client,
        client_id=client.pk,
        brand_id=client.brand_id,
        reason=str(SkipReason(reason).label),
    )


def _candidates(user: User, now: dt.datetime) -> QuerySet[Any]:
    """Select leads with a follow-up that is due or no first contact yet, the most urgent first, then those worth most."""
    due = Task.objects.filter(assignee=user, done_at=None, due_at__lte=now)
    new = Lead.objects.filter(assigned_to=user, touched_at=None, is_duplicate=False)
    skipped = AuditEvent.objects.filter(
        actor=user, action=LeadsAction.NEXT_SKIPPED, at__gte=now - SKIPPED_FOR, client_id__isnull=False
    )
    marked = DoNotCall.objects.filter(lifted_at=None)
    rows = clients_visible_to(user).filter(stage=Stage.LEAD).exclude(sales_status=SalesStatus.DO_NOT_CALL)
    rows = rows.filter(Q(pk__in=due.values("client_id")) | Q(pk__in=new.values("client_id")))
    rows = rows.exclude(pk__in=skipped.values("client_id")).exclude(pk__in=marked.values("client_id"))
    of_row = {"client": OuterRef("pk")}
    rows = rows.annotate(
        task_at=Subquery(due.filter(**of_row).order_by("due_at").values("due_at")[:1]),
        task_title=Subquery(due.filter(**of_row).order_by("due_at").values("title")[:1]),
        clock_at=Subquery(new.filter(**of_row).order_by("sla_due_at").values("sla_due_at")[:1]),
    )
    # Least() of PostgreSQL passes over NULL.
    rows = rows.annotate(urgent_at=Least("task_at", "clock_at"))
    return (
        rows.order_by(F("urgent_at").asc(nulls_last=True), "-score", "-pk").select_related("brand").defer("search_text")
    )


def _reasons(row: Any, now: dt.datetime) -> list[str]:
    found = []
    if row.clock_at is not None:
        text = _("First contact overdue: %(when)s") if row.clock_at < now else _("First contact due %(when)s")
        found.append(text % {"when": formats.ago(row.clock_at)})
    if row.task_at is not None:
        when = formats.ago(row.task_at)
        found.append(_("Follow-up due: %(title)s (%(when)s)") % {"title": row.task_title, "when": when})
    if not found:
        found.append(_("New lead, not contacted yet"))
    return [*found, _("Score %(score)s") % {"score": formats.number(row.score)}, _("May be called at this hour")]
