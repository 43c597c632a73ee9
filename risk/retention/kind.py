"""Clients who may leave as work: a queue in the order of what is at stake, and who sees which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy

from clients.models import Client
from clients.policies import can
from clients.queries import clients_visible_to
from crm import work
from crm.db.locking import lock
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, User
from crm.security.policies import Decision, require_permission
from risk.brand_policies import CASE_HOURS
from risk.retention.choices import DECISIONS, CaseState
from risk.retention.models import RetentionCase

SEES: Final = "risk.view_retentioncase"
WORKS: Final = "risk.work_retentioncase"
OF_CLIENT: Final = ("brand", "book", "owner", "trading_facts", "wallet_facts", "outlook")


class RetentionWork(work.WorkKind[RetentionCase]):
    """The queue of retention. Nobody has to claim; a claim keeps colleagues from calling the same client."""

    model = RetentionCase
    code, label = "risk.retention", gettext_lazy("Client retention")
    right = WORKS
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        state: work.Outcome(state.label, needs_reason=state == CaseState.NO_ACTION) for state in DECISIONS
    }
    hours = CASE_HOURS
    needs_claim = False
    by_client = False
    order = ("-priority", "-retention_case__value_at_risk", "-retention_case__weight", "opened_at", "pk")
    queue_url = "risk_retention"

    def visible_to(self, user: Actor) -> QuerySet[RetentionCase]:
        return cases_visible_to(user)

    def offered(self, user: Actor) -> QuerySet[RetentionCase]:
        return self.visible_to(user).filter(awake())

    def may_work(self, user: Actor, subject: RetentionCase) -> Decision:
        return can(user, subject.client, WORKS)

    def rows(self) -> QuerySet[RetentionCase]:
        return RetentionCase.objects.select_related("client__brand", "client__book")

    def lock(self, subject_id: int) -> RetentionCase:
        return locked(subject_id)

    def title(self, subject: RetentionCase) -> LocalizedText:
        return phrase("Retention: %(client)s") % {"client": str(subject.client)}


RETENTION: Final = work.register(RetentionWork)


def awake() -> Q:
    """Match cases that aren't snoozed."""
    return Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=timezone.now())


def locked(case_id: int) -> RetentionCase:
    """Lock a case and, before it, its client. Raises: NotFound."""
    client_id = RetentionCase.objects.filter(pk=case_id).values_list("client_id", flat=True).first()
    client = lock(Client, client_id or 0, "brand", "book", no_key=True)
    case = lock(RetentionCase, case_id, "work")
    case.client = client
    return case


def cases_visible_to(user: Actor) -> QuerySet[RetentionCase]:
    """Select the cases of clients in reach; those held back are nobody's work and in no list."""
    if user is None or not user.is_team or not user.has_perm(SEES):
        return RetentionCase.objects.none()
    rows = RetentionCase.objects.filter(client__in=clients_visible_to(user).order_by().values("pk"))
    return rows.exclude(state=CaseState.HELD_BACK)


def get_case(user: User, case_id: int) -> RetentionCase:
    """Find one with what its page reads, 403 without the right, 404 out of reach."""
    require_permission(user, SEES)
    rows = cases_visible_to(user).select_related(
        "brand", "decided_by", "work", *(f"client__{name}" for name in OF_CLIENT)
    )
    row = rows.filter(pk=case_id).first()
    if row is None:
        raise Http404
    return row
