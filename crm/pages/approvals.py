"""Second approvals: one list of everything that waits for a person, and the page on which they decide."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm import approvals
from crm.accounts.guards import confirmed
from crm.approvals import queries
from crm.approvals.queries import Proposal
from crm.choices import AccessKind
from crm.errors import Refusal, outcome_of
from crm.money.numbers import is_whole
from crm.security import access_log
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest


@staff_page(queries.takes_part)
def approval_list(request: UserRequest) -> HttpResponse:
    """Show what waits for this person, the oldest first, and what they asked for themselves."""
    user = request.user
    code = request.GET.get("kind", "")
    waiting = queries.waiting_for(user)
    kinds = {one.kind.code: one.kind.label for one in waiting}
    shown = [one for one in waiting if code in ("", one.kind.code)]
    to_decide = [one for one in shown if not one.is_own]
    context = {
        "to_decide": to_decide,
        "has_choice": sum(not one.has_own_page for one in to_decide) > 1,
        "own": [one for one in shown if one.is_own],
        "kinds": sorted(kinds.items(), key=lambda pair: str(pair[1])),
        "current": code if code in kinds else "",
        "shown_max": queries.SHOWN_MAX,
    }
    return render(request, "crm/approvals/list.html", context)


@staff_page(queries.takes_part)
def approval(request: UserRequest, code: str, pk: int) -> HttpResponse:
    """One proposal: who asked, when and why, what changes, and the buttons."""
    proposal = queries.get_proposal(request.user, code, pk)
    _note_view(request, proposal)
    return _page(request, proposal)


def _note_view(request: UserRequest, proposal: Proposal) -> None:
    client_id = proposal.kind.client_id(proposal.item)
    if client_id is not None:
        access_log.note(
            user=request.user,
            kind=AccessKind.VIEW,
            client_id=client_id,
            brand_id=proposal.kind.brand_id(proposal.item),
            target=f"crm.approval:{proposal.kind.code}:{proposal.item.pk}",
        )


def _page(request: UserRequest, proposal: Proposal, note: str = "", status: int = 200) -> HttpResponse:
    return render(request, "crm/approvals/proposal.html", {"proposal": proposal, "note": note}, status=status)


@require_POST
@staff_page(queries.takes_part)
def decide(request: UserRequest, code: str, pk: int, act: str) -> HttpResponseBase:
    """Approve, reject or withdraw. What was typed stays on the page when it isn't possible."""
    proposal = queries.get_proposal(request.user, code, pk)
    view = confirmed(_decide) if proposal.kind.is_sensitive else _decide
    return view(request, proposal, act)


def _decide(request: UserRequest, proposal: Proposal, act: str) -> HttpResponse:
    verbs = {
        "approve": (approvals.approve, str(proposal.kind.done) or _("Approved.")),
        "reject": (approvals.reject, _("Rejected.")),
        "withdraw": (approvals.withdraw, _("Proposal withdrawn.")),
    }
    if act not in verbs:
        raise Http404
    verb, success_message = verbs[act]
    note, pk = request.POST.get("note", "")[:300], proposal.item.pk
    done = run_action(
        request,
        lambda: verb(proposal.kind.model, pk, actor=request.user, note=note),
        success_message,
        show_forbidden=True,
    )
    if not done:
        fresh = queries.get_proposal(request.user, proposal.kind.code, pk)
        return _page(request, fresh, note, status=422)
    onwards = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(onwards, allowed_hosts=None) and onwards.startswith("/")
    return redirect(onwards if is_ours else "approvals")


@require_POST
@staff_page(queries.takes_part)
def decide_selected(request: UserRequest) -> HttpResponse:
    """Approve or reject several proposals: first each with what it changes, then the result of each."""
    step, note = request.POST.get("step", ""), request.POST.get("note", "")[:300]
    verb = {"approve": approvals.approve, "reject": approvals.reject}.get(step)
    lines = []
    for one in queries.get_proposals(request.user, _chosen(request)):
        problem = _problem_of(one)
        if verb and not problem:
            done = outcome_of(partial(verb, one.kind.model, one.item.pk, actor=request.user, note=note))
            lines.append((one, done.message if isinstance(done, Refusal) else "", bool(done)))
        else:
            lines.append((one, problem, False))
    if not lines:
        messages.info(request, _("None of these proposals is open any more."))
        return redirect("approvals")
    if verb is None:
        for one, _problem, _is_done in lines:
            _note_view(request, one)
    context = {
        "lines": lines,
        "note": note,
        "is_decided": verb is not None,
        "done": _("Approved") if step == "approve" else _("Rejected"),
        "ready": sum(not problem and not is_done for _one, problem, is_done in lines),
    }
    return render(request, "crm/approvals/selected.html", context)


def _chosen(request: UserRequest) -> list[tuple[str, int]]:
    parts = [item.rpartition(":") for item in request.POST.getlist("items")[: queries.SHOWN_MAX]]
    return [(code, int(pk)) for code, _colon, pk in parts if is_whole(pk)]


def _problem_of(one: Proposal) -> str:
    """Say why a proposal isn't decided together with others; "" where it can be."""
    if not one.is_pending:
        return _("Already decided.")
    if one.has_own_page:
        return _("Open it and decide it on its own page.")
    return "" if one.may_decide else one.may_decide.reason
