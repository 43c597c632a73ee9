"""Pages of reports, for the MLRO's circle: the list, a report from draft to filing, its files, and the reporting entities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from clients.choices import ClientKind
from compliance.aml import queries as aml_queries
from compliance.aml.choices import OF_TRADES
from compliance.sar import circle, entities, pdf, policies, reports
from compliance.sar.choices import CODES, ReportState
from compliance.sar.forms import EntityForm, FilingForm, KindForm, ReasonForm, WriteForm, chosen_movements
from compliance.sar.models import ReportingEntity, SuspicionReport
from crm.approvals.queries import proposal_of
from crm.choices import AccessKind
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest


@require_POST
@staff_page(circle.is_member)
def draft(request: UserRequest, case_id: int) -> HttpResponse:
    """Draft a report from a case."""
    case, form = aml_queries.get_case(request.user, case_id), KindForm(request.POST)
    done = run_action(
        request,
        lambda: reports.draft_report(case_id=case.pk, kind=form.cleaned_data["kind"], actor=request.user),
        _("Draft created."),
        show_forbidden=True,
        form=form,
    )
    return redirect(done.result if done else case)


@staff_page(circle.is_member)
def report(request: UserRequest, report_id: int) -> HttpResponseBase:
    """Show a report; a draft is written here."""
    found = circle.get_report(request.user, report_id)
    if request.method != "POST":
        circle.note_view(request.user, found)
        return show_report(request, found)
    form = _write_form(request, found, request.POST)
    done = run_action(
        request,
        lambda: reports.write_report(
            report_id=found.pk, actor=request.user, movements=chosen_movements(request.POST), **form.cleaned_data
        ),
        _("Draft saved."),
        form=form,
    )
    return redirect(found) if done else show_report(request, found, written=form)


def _write_form(request: UserRequest, found: SuspicionReport, data: Any = None) -> WriteForm:
    is_company = found.client.kind == ClientKind.COMPANY
    return WriteForm(data, report=found, entity=circle.entity_of(found), is_company=is_company)


def show_report(
    request: UserRequest,
    found: SuspicionReport,
    *,
    written: WriteForm | None = None,
    reason: ReasonForm | None = None,
    filing: FilingForm | None = None,
) -> HttpResponse:
    content, user = found.content, request.user
    is_draft = found.state == ReportState.DRAFT
    entity = circle.entity_of(found)
    chosen = set(found.chosen.values_list("movement_id", flat=True))
    movements = aml_queries.movements_of(found.case) if is_draft else []
    movements = [row for row in movements if row.kind not in OF_TRADES]
    names = entity.indicators if entity else {}
    context = {
        "report": found,
        "client": found.client,
        "content": content,
        "subjects": _subjects(content),
        "transactions": [
            (row, pdf.described(row), parse_datetime(f"{row['at']}+00:00"))
            for row in content.get("facts", {}).get("transactions", [])
        ],
        "indicators": [(code, names.get(code, "")) for code in content["indicators"]],
        "entity": entity,
        "movements": [(row, row.pk in chosen) for row in movements],
        "missing": reports.missing_from(found) if is_draft else [],
        "written": written or (_write_form(request, found) if is_draft else None),
        "can_write": policies.can_write(user, found),
        "can_decide": policies.can_decide(user, found),
        "can_drop": policies.can_drop(user, found),
        "can_file": policies.can_file(user, found),
        "can_amend": policies.can_amend(user, found),
        "reason_form": reason or ReasonForm(),
        "filing_form": filing or FilingForm(),
    }
    refused = any(form is not None and form.errors for form in (written, reason, filing))
    return render(request, "compliance/sar/report.html", context, status=422 if refused else 200)


def _subjects(content: dict[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """List who a submitted report is about: the client, then the people behind a company."""
    if "facts" not in content:
        return []
    subject = content["facts"]["subject"]
    roles = {"director": _("Director"), "owner": _("Beneficial owner")}
    people = [(roles.get(person["role"], person["role"]), pdf.about(person)) for person in subject.get("people", [])]
    return [(_("Subject"), pdf.about(subject, content["occupation"])), *people]


@require_POST
@staff_page(circle.is_member)
def act(request: UserRequest, report_id: int, act: str) -> HttpResponse:
    """Submit, return, approve, file or amend a report, or decide not to report."""
    found = circle.get_report(request.user, report_id)
    given: dict[str, Any] = {"report_id": found.pk, "actor": request.user}
    reason, filing = ReasonForm(request.POST), FilingForm(request.POST)
    verbs: dict[str, tuple[Callable[[], SuspicionReport], str, forms.Form | None]] = {
        "submit": (lambda: reports.submit_report(**given), _("Submitted. A second person has to decide."), None),
        "approve": (lambda: reports.approve_report(**given), _("Report approved. File it with the FIU."), None),
        "return": (
            lambda: reports.return_report(**given, **reason.cleaned_data),
            _("Report returned to its writer."),
            reason,
        ),
        "not_report": (
            lambda: reports.decide_not_to_report(**given, **reason.cleaned_data),
            _("Decision saved: not reported."),
            reason,
        ),
        "file": (lambda: reports.file_report(**given, **filing.cleaned_data), _("Filing saved."), filing),
        "amend": (lambda: reports.amend_report(**given), _("Draft of the amendment created."), None),
    }
    if act not in verbs:
        raise Http404
    verb, message, form = verbs[act]
    done = run_action(request, verb, message, form=form, show_forbidden=True)
    if done:
        return redirect(done.result)
    if form is None:
        return redirect(found)
    return show_report(
        request, found, reason=reason if form is reason else None, filing=filing if form is filing else None
    )


@require_GET
@staff_page(circle.is_member)
def report_file(request: UserRequest, report_id: int, kind: str) -> HttpResponse:
    """Send a submitted report as goAML XML or PDF."""
    found = circle.get_report(request.user, report_id)
    entity = circle.entity_of(found)
    if found.state == ReportState.DRAFT or entity is None or kind not in ("xml", "pdf"):
        raise Http404
    circle.note_view(request.user, found, AccessKind.DOWNLOAD)
    content = found.xml if kind == "xml" else pdf.write(found, entity)
    answer = HttpResponse(content, content_type=f"application/{kind}")
    answer["Content-Disposition"] = f'attachment; filename="{found}.{kind}"'
    return answer


@staff_page(circle.is_member)
def reporting_entities(request: UserRequest) -> HttpResponse:
    """List the legal entities in reach and how they report."""
    found = entities.entities_for(request.user)
    known = ReportingEntity.objects.in_bulk([row.pk for row in found])
    waiting = entities.awaiting_proposals([row.pk for row in found])
    rows = [(row, known.get(row.pk), row.pk in waiting) for row in found]
    return render(request, "compliance/sar/entities.html", {"entities": rows})


@staff_page(circle.is_member)
def reporting_entity(request: UserRequest, entity_id: int) -> HttpResponse:
    """Propose how a legal entity reports; a second member of the circle decides here."""
    legal_entity = next((row for row in entities.entities_for(request.user) if row.pk == entity_id), None)
    if legal_entity is None:
        raise Http404
    known = ReportingEntity.objects.filter(legal_entity=legal_entity).first()
    is_post = request.method == "POST"
    form = EntityForm(request.POST if is_post else None, request.FILES if is_post else None, entity=known)
    if is_post:
        done = run_action(
            request,
            lambda: entities.propose_reporting_entity(
                legal_entity_id=legal_entity.pk,
                actor=request.user,
                values=form.values(),
                schema=form.given_schema(),
                reason=form.cleaned_data["reason"],
            ),
            _("Submitted. A second person has to decide."),
            form=form,
        )
        if done:
            return redirect("compliance:sar_entities")
    waiting = entities.awaiting_proposals([legal_entity.pk]).get(legal_entity.pk)
    context = {
        "legal_entity": legal_entity,
        "known": known,
        "form": form,
        "code_names": [f"code_{c}" for c in CODES],
        "proposal": proposal_of(waiting, request.user) if waiting else None,
    }
    return render(request, "compliance/sar/entity.html", context, status=422 if form.errors else 200)
