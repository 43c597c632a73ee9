"""Client categories on staff pages: the queue of requests, one request with its evidence, a client's category and history."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from clients.choices import Category
from clients.models import Client
from clients.queries import get_client
from clients.record.access import log_access
from crm.approvals.queries import proposal_of
from crm.choices import ApprovalState
from crm.pages.work import AssignSelected, ClaimNext
from crm.ui.actions import run_action
from crm.ui.views import TableView, staff_page
from crm.web.requests import UserRequest
from crm.work.queries import work_of
from kyc.categories import decisions, policies, requests
from kyc.categories.choices import Basis, Criterion, RequestState
from kyc.categories.figures import read_figures
from kyc.categories.forms import ProposeForm
from kyc.categories.models import CategoryDecision, CategoryProposal, CategoryRequest
from kyc.categories.tables import CategoryRequestTable

HISTORY_MAX: Final = 100


@dataclass(frozen=True)
class Period:
    """A category with its days, for the history."""

    decision: CategoryDecision
    until: dt.datetime | None

    @property
    def category(self) -> str:
        return str(Category(self.decision.category).label)


def history_of(client: Client) -> list[Period]:
    """List a client's categories, newest first, each until the next one began."""
    rows = CategoryDecision.objects.filter(client=client).select_related("decided_by", "approved_by")[:HISTORY_MAX]
    periods, until = [], None
    for row in rows:
        periods.append(Period(row, until))
        until = row.decided_at
    return periods


def section_of(client: Client) -> dict[str, Any]:
    """Describe a client's category for their KYC tab."""
    decision = decisions.latest_decision(client)
    review_at = decisions.review_due_at(decision)
    return {
        "decision": decision,
        "category": Category(client.category).label,
        "review_at": review_at,
        "is_review_due": review_at is not None and review_at <= timezone.now(),
        "request": requests.open_request_of(client),
    }


class Requests(TableView):
    """The queue; open ones first."""

    table = CategoryRequestTable

    def get(self, request: UserRequest, **kwargs: Any) -> Any:
        if not request.GET:
            return redirect(f"{request.path}?state={RequestState.OPEN.value}")
        return super().get(request, **kwargs)


class NextRequest(ClaimNext):
    kind, permission = requests.REQUESTS, policies.PROPOSES
    empty = gettext_lazy("There are no unclaimed requests.")


class AssignRequests(AssignSelected):
    table = CategoryRequestTable


def found(request: UserRequest, request_id: int) -> CategoryRequest:
    """Find a request of a client in reach, or 404."""
    rows = requests.requests_visible_to(request.user).select_related(
        "client__brand", "client__book", "work__claimed_by", "warning__version", "decided_by", "requested_by"
    )
    row = rows.filter(pk=request_id).first()
    if row is None:
        raise Http404
    return row


@staff_page(policies.SEES)
def category_request(request: UserRequest, request_id: int) -> HttpResponse:
    """Show a request: criteria, our own figures, the client's words and documents, the warning that they read."""
    return _page(request, found(request, request_id))


def _page(request: UserRequest, row: CategoryRequest, *, typed: str = "", status: int = 200) -> HttpResponse:
    log_access(request.user, row.client, f"kyc.category_request:{row.pk}")
    evidence = list(row.evidence.select_related("document"))
    statement = row.statement
    pending = (
        CategoryProposal.objects.filter(client=row.client, state=ApprovalState.PENDING)
        .select_related("client__brand", "request", "requested_by")
        .first()
    )
    context = {
        "item": row,
        "client": row.client,
        "criteria": [
            {
                "criterion": criterion,
                "is_claimed": criterion in row.criteria,
                "words": statement.get(criterion, ""),
                "documents": [one.document for one in evidence if one.criterion == criterion],
            }
            for criterion in Criterion
        ],
        "figures": read_figures(row.figures),
        "proposal": proposal_of(pending, request.user) if pending else None,
        "may_decline": policies.can_decline(request.user, row),
        "may_propose": policies.can_propose(request.user, row.client),
        "work": work_of(request.user, row.work_id),
        "can_open": request.user.has_perm("kyc.open_document"),
        "typed": typed,
    }
    return render(request, "kyc/categories/request.html", context, status=status)


@require_POST
@staff_page(policies.PROPOSES)
def decide(request: UserRequest, request_id: int) -> HttpResponse:
    """Propose the request to a second person, or decline it with an answer to the client."""
    row = found(request, request_id)
    act, text = request.POST.get("act", ""), request.POST.get("text", "")[:2_000]
    verbs = {
        "propose": lambda: decisions.propose_category(
            client_id=row.client_id,
            category=row.wanted,
            basis=Basis.REQUEST,
            request_id=row.pk,
            reason=text[:300],
            actor=request.user,
        ),
        "decline": lambda: requests.decline_request(request_id=row.pk, answer=text, actor=request.user),
    }
    if act not in verbs:
        raise Http404
    said = (
        _("Request declined. The client is notified.")
        if act == "decline"
        else _("Proposed. A second person must approve it.")
    )
    if run_action(request, verbs[act], said, show_forbidden=True):
        return redirect(row.get_absolute_url())
    return _page(request, found(request, request_id), typed=text, status=422)


@staff_page(policies.SEES)
def client_category(request: UserRequest, client_id: int) -> HttpResponse:
    """Show a client's category with its history, and propose another one."""
    client = get_client(request.user, client_id)
    form = ProposeForm(request.POST or None, client=client)
    if run_action(
        request,
        lambda: decisions.propose_category(
            client_id=client.pk,
            category=form.cleaned_data["category"],
            basis=form.cleaned_data["basis"],
            reason=form.cleaned_data["reason"],
            actor=request.user,
        ),
        _("Proposed. A second person must approve it."),
        form=form,
    ):
        return redirect(request.path)
    log_access(request.user, client, f"kyc.category:{client.pk}")
    pending = (
        CategoryProposal.objects.filter(client=client, state=ApprovalState.PENDING)
        .select_related("client__brand", "request", "requested_by")
        .first()
    )
    context = {
        "client": client,
        "form": form,
        "periods": history_of(client),
        "requests": client.category_requests.select_related("decided_by")[:HISTORY_MAX],
        "proposal": proposal_of(pending, request.user) if pending else None,
        "may_propose": policies.can_propose(request.user, client),
        **section_of(client),
    }
    return render(request, "kyc/categories/client.html", context, status=422 if form.errors else 200)
