"""Deciding an AML case: no suspicion, monitor, restrict, or report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients import timeline
from clients.choices import RiskRating, TimelineKind
from clients.models import Client
from compliance.aml import policies
from compliance.aml.choices import CaseState
from compliance.aml.models import AmlCase
from compliance.aml.queries import SEES_CASES, cases_visible_to
from compliance.audit_codes import ComplianceAction
from compliance.brand_policies import AML_CASE_HOURS, AML_CASE_SECOND_PERSON
from compliance.choices import RestrictionKind
from compliance.restrictions import place_restriction
from crm import work
from crm.approvals import Change
from crm.choices import WorkPriority
from crm.db.locking import lock
from crm.due import DueKind, declare, due
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, joined, phrase
from crm.models import Actor, DueRow, User
from crm.security import audit
from crm.security.policies import Decision, require

MONITORED_DAYS_MAX: Final = 366


def _closing_takes_two(case: AmlCase) -> bool:
    when = AML_CASE_SECOND_PERSON.of(case.client.brand)
    return when == "always" or (when == "high_risk" and case.client.risk_rating == RiskRating.HIGH)


class CaseReview(work.WorkKind[AmlCase]):
    """The queue of AML cases: a claim keeps colleagues out; nobody has to claim."""

    model = AmlCase
    code, label = "compliance.aml_case", gettext_lazy("AML cases")
    right = policies.DECIDES
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        CaseState.NO_SUSPICION: work.Outcome(CaseState.NO_SUSPICION.label, True, _closing_takes_two),
        CaseState.MONITORED: work.Outcome(CaseState.MONITORED.label, needs_reason=True),
        CaseState.RESTRICTED: work.Outcome(CaseState.RESTRICTED.label, needs_reason=True),
    }
    hours = AML_CASE_HOURS
    needs_claim = False
    queue_url = "compliance:aml_cases"

    def visible_to(self, user: Actor) -> QuerySet[AmlCase]:
        return cases_visible_to(user)

    def may_work(self, user: Actor, subject: AmlCase) -> Decision:
        return policies.can_work(user, subject)

    def rows(self) -> QuerySet[AmlCase]:
        return AmlCase.objects.select_related("client__brand", "client__book")

    def lock(self, subject_id: int) -> AmlCase:
        return _locked(subject_id)

    def title(self, subject: AmlCase) -> LocalizedText:
        return joined([str(subject), str(subject.client)])

    def described(self, subject: AmlCase, given: Mapping[str, Any]) -> Sequence[Change]:
        return ()

    def carry_out(self, subject: AmlCase, outcome: str, *, actor: User, reason: str, given: Mapping[str, Any]) -> None:
        _require_open(subject)
        _decide(subject, CaseState(outcome), actor, reason)


CASE = work.register(CaseReview)


@transaction.atomic
def decide_case(
    *, case_id: int, actor: User, outcome: str, reason: str, monitor_until: dt.date | None = None, restriction: str = ""
) -> AmlCase:
    """Decide a case. Where the brand's policy wants a second person to agree that there is no suspicion, it is proposed.

    monitor_until: the day on which the case comes back. restriction: what the client is blocked from.
    Who: `compliance.decide_amlcase` in reach. Raises: NotAllowed, WrongState, DomainError (no reason, no such outcome, day or
    restriction).
    """
    case = _locked(case_id)
    _require_open(case)
    state = CaseState(outcome)
    require(policies.can_decide(actor, case))
    if not reason.strip():
        raise DomainError(_("Enter a reason. Auditors read it."))
    if state == CaseState.MONITORED:
        _check_day(monitor_until)
    if work.needs_second_person(case, state):
        work.propose(case, actor=actor, outcome=state, reason=reason.strip(), given={})
        return case
    if state == CaseState.RESTRICTED:
        if restriction not in RestrictionKind.values:
            raise DomainError(_("Choose what the client is blocked from."))
        # What staff read of a restriction names the case, not the suspicion.
        place_restriction(
            client_id=case.client_id,
            kind=restriction,
            reason=_("Compliance case %(case)s") % {"case": case},
            actor=actor,
        )
    _decide(case, state, actor, reason.strip(), monitor_until if state == CaseState.MONITORED else None)
    return case


def _check_day(day: dt.date | None) -> None:
    today = timezone.localdate()
    if day is None or not today < day <= today + dt.timedelta(days=MONITORED_DAYS_MAX):
        raise DomainError(
            _("Enter a day from tomorrow to %(last)s.")
            % {"last": formats.day(today + dt.timedelta(days=MONITORED_DAYS_MAX))}
        )


def _locked(case_id: int) -> AmlCase:
    """Lock a case and, before it, its client."""
    client_id = AmlCase.objects.values_list("client_id", flat=True).get(pk=case_id)
    client = lock(Client, client_id, "brand", no_key=True)
    case = lock(AmlCase, case_id, "work")
    case.client = client
    return case


def _require_open(case: AmlCase) -> None:
    if case.state != CaseState.OPEN:
        raise WrongState(_("This case has already been decided."))


def _decide(case: AmlCase, state: CaseState, actor: User, reason: str, monitor_until: dt.date | None = None) -> None:
    case.move_to(state)
    case.decided_by, case.decided_at, case.reason, case.monitor_until = actor, timezone.now(), reason, monitor_until
    case.save(update_fields=["state", "decided_by", "decided_at", "reason", "monitor_until"])
    work.decide(case, actor=actor, outcome=state, reason=reason)
    if monitor_until is not None:
        at = dt.datetime.combine(monitor_until, dt.time(6), dt.UTC)
        due(MONITORING, key=case.pk, at=at, client_id=case.client_id, brand_id=case.client.brand_id)
    audit.record(
        actor=actor,
        action=ComplianceAction.AML_CASE_DECIDED,
        target=case,
        client_id=case.client_id,
        brand_id=case.client.brand_id,
        before={"state": CaseState.OPEN.value},
        after={"state": state.value},
        reason=reason,
        evidence={"alerts": list(case.alerts.order_by("pk").values_list("pk", flat=True)[:100])},
    )
    timeline.add_entry(
        client_id=case.client_id,
        kind=TimelineKind.COMPLIANCE,
        actor=actor,
        url=case.get_absolute_url(),
        title=phrase("AML case decided"),
        dedupe_key=f"aml-case:{case.pk}",
        needs=SEES_CASES,
    )


@transaction.atomic
def end_monitoring(row: DueRow) -> None:
    """Open a case again, as a new one, on the day until which the client was to be monitored; not while another is open."""
    before = AmlCase.objects.select_related("client__brand").get(pk=int(row.key))
    client = lock(Client, before.client_id, "brand", no_key=True)
    if AmlCase.objects.filter(client=client, state=CaseState.OPEN).exists():
        return
    now = timezone.now()
    item = work.open_item(CASE, client_id=client.pk, brand=client.brand, opened_at=now, priority=WorkPriority.NORMAL)
    AmlCase.objects.create(
        client=client, opened_at=now, last_alert_at=before.last_alert_at, score=before.score, work=item, follows=before
    )


MONITORING = declare(
    DueKind("compliance.aml_monitoring", gettext_lazy("AML monitoring ends"), end_monitoring, permission=SEES_CASES)
)
