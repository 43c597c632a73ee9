"""Logins that people found for accounts whose opening was not answered: proposed by one, attached by another."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from clients.record.access import log_access
from clients.views import dialogs
from crm.approvals.queries import proposal_of
from crm.choices import ApprovalState
from crm.errors import outcome_of
from crm.models import User
from crm.ui.views import StaffView
from crm.web.requests import UserRequest
from trading import queries
from trading.accounts.forms import AttachForm
from trading.imports import login_proposals
from trading.models import LoginProposal

OPENS = "trading.open_account"


class ProposeLogin(StaffView):
    """What an attempt without an answer made was found on the platform."""

    permission = OPENS

    def get(self, request: UserRequest, account_id: int) -> HttpResponseBase:
        account = queries.get_account(request.user, account_id)
        form = AttachForm(request.POST or None)
        return dialogs.run(
            request,
            form,
            lambda: login_proposals.propose_login(
                account_id=account.pk,
                login=form.cleaned_data["login"],
                actor=request.user,
                reason=form.cleaned_data["reason"],
            ),
            url=reverse("trading_account", args=[account.pk]),
            success_message=_("Login proposed. A second person must approve it."),
            title=_("Propose login"),
            submit=_("Propose login"),
            body="trading/imports/_attach_dialog.html",
            account=account,
        )

    post = get


def proposal_visible_to(user: User, proposal_id: int) -> LoginProposal:
    """Find a proposal whose account the user sees. Raises: Http404."""
    rows = LoginProposal.objects.filter(account__in=queries.accounts_visible_to(user), pk=proposal_id)
    proposal = rows.select_related(
        "account__client__brand", "account__server", "account__account_type", "requested_by", "decided_by"
    ).first()
    if proposal is None:
        raise Http404
    return proposal


class LoginProposalPage(StaffView):
    """What the platform shows of the login now, beside the client's own record, for whoever decides."""

    permission = OPENS

    def get(self, request: UserRequest, proposal_id: int) -> HttpResponse:
        user = request.user
        proposal = proposal_visible_to(user, proposal_id)
        account = proposal.account
        log_access(user, account.client, f"trading.loginproposal:{proposal.pk}")
        evidence: Any = None
        problem = ""
        if proposal.state == ApprovalState.PENDING:
            reading = outcome_of(lambda: login_proposals.evidence_of(account, proposal.login))
            evidence, problem = reading.result, reading.message
        context = {
            "proposal": proposal,
            "account": account,
            "evidence": evidence,
            "problem": problem,
            "shown": proposal_of(proposal, user),
        }
        return render(request, "trading/imports/login_proposal.html", context)
