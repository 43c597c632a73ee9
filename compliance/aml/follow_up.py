"""What follows from a case: questionnaires and documents asked for through the portal, tasks, and the case's history in order."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Final, NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients import timeline
from clients.choices import TimelineKind
from clients.models import Client
from clients.proofs import identity_records
from compliance.aml import policies
from compliance.aml.follow_up_models import CaseRequest, CaseTask, RequestStanding
from compliance.aml.models import AmlAlert, AmlCase
from compliance.aml.queries import SEES_CASES
from compliance.aml.referral_models import AmlReferral
from compliance.audit_codes import ComplianceAction
from compliance.choices import ComplianceNotice
from crm.brand_policies.registry import today
from crm.db.locking import lock
from crm.due import DueKind, declare, due
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import Phrase, phrase
from crm.models import DueRow, User
from crm.notices.notify import notify
from crm.security import audit
from crm.security.policies import require

DAYS_MAX: Final = 90
SHOWN_MAX: Final = 50
# What would give a suspicion away to the client, in the languages of our officers: tipping-off is an offence.
TELLING: Final = re.compile(
    r"\b(?:(?-i:AML|SAR|STR|FIU|MLRO|goAML)|money.?launder\w*|suspic\w*|suspect\w*|investigat\w*|terror\w*|fraud\w*|"
    r"geldw(?:ä|ae)sche\w*|verdacht\w*|verd(?:ä|ae)chti\w*|ermittl\w*|betrug\w*|strafanzeige)\b",
    re.IGNORECASE,
)


@transaction.atomic
def request_answers(*, case_id: int, questionnaire_id: int, due_on: dt.date, actor: User) -> CaseRequest:
    """Ask the client to answer a questionnaire in the portal, in its own neutral words; the answer comes back to the case.

    Who: `compliance.decide_amlcase` in reach and KYC's own right to ask. Raises: NotAllowed, DomainError (day), WrongState.
    """
    case = _locked(case_id)
    require(policies.can_work(actor, case))
    _check_day(due_on, case)
    source = identity_records.source()
    if source is None:
        raise WrongState(_("There are no questionnaires."))
    # What the log and the client's page show of the request names no case: it must read like any review.
    name = source.ask(
        client_id=case.client_id,
        questionnaire_id=questionnaire_id,
        actor=actor,
        reason=_("Update of the client's information"),
    )
    request = CaseRequest.objects.create(
        case=case,
        questionnaire_id=questionnaire_id,
        name=name,
        due_on=due_on,
        requested_by=actor,
        requested_at=timezone.now(),
    )
    _record(case, ComplianceAction.AML_ANSWERS_REQUESTED, actor, {"questionnaire": name, "due_on": due_on.isoformat()})
    _schedule(f"request:{request.pk}", due_on, case)
    return request


@transaction.atomic
def ask_for_document(*, case_id: int, kind: str, due_on: dt.date, actor: User, message: str = "") -> CaseRequest:
    """Ask the client for a document in the portal, as any review does; what they send comes back to the case.

    message: what the client reads, in their language; a standard sentence without one.

    Who: `compliance.decide_amlcase` in reach and KYC's own right to ask. Raises: NotAllowed, DomainError (day, a message that
    could give a suspicion away), WrongState (requested already).
    """
    case = _locked(case_id)
    require(policies.can_work(actor, case))
    _check_day(due_on, case)
    telling = sorted({found.group().strip() for found in TELLING.finditer(message)})
    if telling:
        raise DomainError(
            _("The client reads this message. Leave out what could give a suspicion away: %(words)s.")
            % {"words": ", ".join(telling)},
            code="message",
        )
    source = identity_records.source()
    if source is None:
        raise WrongState(_("Documents can't be requested."))
    asked = source.ask_for_document(
        client_id=case.client_id, kind=kind, due_on=due_on, message=message.strip(), actor=actor
    )
    request = CaseRequest.objects.create(
        case=case,
        document_request_id=asked.pk,
        name=asked.title,
        due_on=due_on,
        requested_by=actor,
        requested_at=timezone.now(),
    )
    _record(case, ComplianceAction.AML_DOCUMENT_REQUESTED, actor, {"document": kind, "due_on": due_on.isoformat()})
    _schedule(f"request:{request.pk}", due_on, case)
    return request


@transaction.atomic
def withdraw_document(*, case_request_id: int, actor: User) -> CaseRequest:
    """Stop asking the client for a document. Who: as `ask_for_document`. Raises: NotAllowed, WrongState (not open)."""
    case = _locked(CaseRequest.objects.values_list("case_id", flat=True).get(pk=case_request_id))
    request = lock(CaseRequest, case_request_id)
    require(policies.can_work(actor, case))
    source = identity_records.source()
    if source is None or request.document_request_id is None or request.answered_at is not None:
        raise WrongState(_("This request can't be withdrawn."))
    source.withdraw_document(request_id=request.document_request_id, actor=actor)
    _record(case, ComplianceAction.AML_DOCUMENT_WITHDRAWN, actor, {"document": request.name})
    return request


@transaction.atomic
def note_document(*, client_id: int) -> None:
    """Write what a client sent into the cases that asked for it, and notify the officer. Run again it changes nothing."""
    source = identity_records.source()
    lock(Client, client_id, no_key=True)
    waiting = CaseRequest.objects.filter(
        case__client=client_id, answered_at=None, document_request_id__isnull=False
    ).select_related("case__client")[:SHOWN_MAX]
    asked = {request.document_request_id: request for request in waiting}
    if source is None or not asked:
        return
    for pk, document in source.requested_documents([pk for pk in asked if pk is not None]).items():
        if document.document_id is not None:
            request = asked[pk]
            request.answered_at, request.document_id = timezone.now(), document.document_id
            request.save(update_fields=["answered_at", "document_id"])
            _tell(
                request,
                phrase("Received for an AML case: %(name)s") % {"name": request.name},
                phrase("%(case)s: %(name)s received") % {"case": str(request.case), "name": request.name},
            )


@transaction.atomic
def note_answer(*, client_id: int, submission_id: int) -> None:
    """Write a client's answer into the case that asked for it, and notify the officer. Run again it changes nothing."""
    source = identity_records.source()
    lock(Client, client_id, no_key=True)
    open_requests = CaseRequest.objects.filter(case__client=client_id, answered_at=None)
    if source is None or not open_requests.exists():
        return
    open_requests = open_requests.filter(questionnaire_id=source.questionnaire_of(submission_id))
    for request in open_requests.select_related("case__client"):
        request.answered_at, request.submission_id = timezone.now(), submission_id
        request.save(update_fields=["answered_at", "submission_id"])
        _tell(
            request,
            phrase("Answered for an AML case: %(name)s") % {"name": request.name},
            phrase("%(case)s: %(name)s answered") % {"case": str(request.case), "name": request.name},
        )


def _tell(request: CaseRequest, entry: Phrase, title: Phrase) -> None:
    """Write an answer into the activity that only who sees cases reads, and notify who asked."""
    timeline.add_entry(
        client_id=request.case.client_id,
        kind=TimelineKind.COMPLIANCE,
        title=entry,
        url=request.case.get_absolute_url(),
        dedupe_key=f"aml-request:{request.pk}",
        needs=SEES_CASES,
    )
    notify(
        [request.requested_by_id],
        kind=ComplianceNotice.CASE_FOLLOW_UP,
        title=title,
        url=request.case.get_absolute_url(),
        dedupe_key=f"aml-request:{request.pk}",
    )


@transaction.atomic
def add_task(*, case_id: int, text: str, due_on: dt.date, actor: User) -> CaseTask:
    """Add a task to a case; whoever added it is reminded on its day.

    Who: `compliance.decide_amlcase` in reach. Raises: NotAllowed, DomainError (no text, or the day).
    """
    case = _locked(case_id)
    require(policies.can_work(actor, case))
    if not text.strip():
        raise DomainError(_("Enter what has to be done."))
    _check_day(due_on, case)
    task = CaseTask.objects.create(
        case=case, text=text.strip()[:300], due_on=due_on, created_by=actor, created_at=timezone.now()
    )
    _record(case, ComplianceAction.AML_TASK_ADDED, actor, {"task": task.text, "due_on": due_on.isoformat()})
    _schedule(f"task:{task.pk}", due_on, case)
    return task


@transaction.atomic
def finish_task(*, task_id: int, actor: User) -> CaseTask:
    """Mark a case's task as done. Who: `compliance.decide_amlcase` in reach. Raises: NotAllowed, WrongState."""
    case = _locked(CaseTask.objects.values_list("case_id", flat=True).get(pk=task_id))
    task = lock(CaseTask, task_id)
    require(policies.can_work(actor, case))
    if task.done_at is not None:
        raise WrongState(_("This task is already done."))
    task.done_by, task.done_at = actor, timezone.now()
    task.save(update_fields=["done_by", "done_at"])
    _record(case, ComplianceAction.AML_TASK_DONE, actor, {"task": task.text})
    return task


def _check_day(day: dt.date, case: AmlCase) -> None:
    first = today(case.client.brand)
    if not first < day <= first + dt.timedelta(days=DAYS_MAX):
        raise DomainError(
            _("Enter a day from tomorrow to %(last)s.") % {"last": formats.day(first + dt.timedelta(days=DAYS_MAX))}
        )


def _locked(case_id: int) -> AmlCase:
    client_id = AmlCase.objects.values_list("client_id", flat=True).get(pk=case_id)
    client = lock(Client, client_id, "brand", no_key=True)
    case = AmlCase.objects.get(pk=case_id)
    case.client = client
    return case


def _record(case: AmlCase, action: ComplianceAction, actor: User, after: dict[str, Any]) -> None:
    audit.record(
        actor=actor, action=action, target=case, client_id=case.client_id, brand_id=case.client.brand_id, after=after
    )


def _schedule(key: str, day: dt.date, case: AmlCase) -> None:
    at = dt.datetime.combine(day, dt.time(6), dt.UTC)
    due(FOLLOW_UP, key=key, at=at, client_id=case.client_id, brand_id=case.client.brand_id)


def remind(row: DueRow) -> None:
    """Notify the officer on the day of a task that isn't done, or of a request that isn't answered."""
    what, _colon, number = row.key.partition(":")
    if what == "task":
        task = CaseTask.objects.select_related("case").filter(pk=int(number), done_at=None).first()
        found = (task.case, task.created_by_id, task.text) if task else None
    else:
        request = CaseRequest.objects.select_related("case").filter(pk=int(number), answered_at=None).first()
        is_open = request is not None and standing_of(request).is_open
        found = (request.case, request.requested_by_id, request.name) if request and is_open else None
    if found is not None:
        case, user_id, text = found
        notify(
            [user_id],
            kind=ComplianceNotice.CASE_FOLLOW_UP,
            title=phrase("%(case)s is due today: %(what)s") % {"case": str(case), "what": text},
            url=case.get_absolute_url(),
            dedupe_key=f"aml-due:{row.key}",
        )


FOLLOW_UP = declare(
    DueKind("compliance.aml_follow_up", gettext_lazy("Follow-up of an AML case"), remind, permission=SEES_CASES)
)


def standing_of(request: CaseRequest) -> RequestStanding:
    """Tell how a single request stands today."""
    return standings_of([request], request.case)[request.pk]


def standings_of(requests: list[CaseRequest], case: AmlCase) -> dict[int, RequestStanding]:
    """Tell how a case's requests stand today, by their ids. One query where documents were asked for."""
    source, day = identity_records.source(), today(case.client.brand)
    asked = [row.document_request_id for row in requests if row.document_request_id and row.answered_at is None]
    states = source.requested_documents(asked) if source is not None else {}
    return {
        row.pk: row.standing(day, states[pk].state if (pk := row.document_request_id) in states else "")
        for row in requests
    }


class Step(NamedTuple):
    """A line of a case's history."""

    at: dt.datetime
    icon: str
    title: str
    note: str


def history_of(case: AmlCase, alerts: list[AmlAlert]) -> list[Step]:
    """List what happened in a case, the newest first: opened, alerts, requests, answers, tasks, decision."""
    steps = [Step(case.opened_at, "folder", _("Case opened"), "")]
    steps += [Step(alert.raised_at, "siren", _("Alert"), str(alert.version.rule)) for alert in alerts]
    for referral in AmlReferral.objects.filter(case=case).select_related("referred_by")[:SHOWN_MAX]:
        by = f"{referral.title} · {referral.referred_by}"
        steps.append(Step(referral.referred_at, "siren", _("Suspicion referred"), by))
    for request in case.requests.select_related("requested_by").all()[:SHOWN_MAX]:
        by = f"{request.name} · {request.requested_by}"
        is_document = request.document_request_id is not None
        asked, got = (
            (_("Document requested"), _("Received from the client"))
            if is_document
            else (_("Answers requested"), _("Answered by the client"))
        )
        steps.append(Step(request.requested_at, "send", asked, by))
        if request.answered_at:
            steps.append(Step(request.answered_at, "circle-check", got, request.name))
    for task in case.tasks.select_related("created_by", "done_by").all()[:SHOWN_MAX]:
        steps.append(Step(task.created_at, "list-checks", _("Task added"), f"{task.text} · {task.created_by}"))
        if task.done_at:
            steps.append(Step(task.done_at, "check", _("Task done"), f"{task.text} · {task.done_by}"))
    if case.decided_at:
        steps.append(Step(case.decided_at, "gavel", _("Case decided"), str(case.decided_by)))
    return sorted(steps, key=lambda step: step.at, reverse=True)
