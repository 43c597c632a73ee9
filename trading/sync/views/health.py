"""Platform health: servers and their lag, operations whose outcome is unknown, and questions for a person."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from crm.approvals.queries import proposal_of
from crm.choices import ApprovalState
from crm.ui.actions import run_action
from crm.ui.views import StaffView, wants_fragment
from crm.web.requests import UserRequest
from trading import policies, queries
from trading.accounts import operation_decisions
from trading.accounts.forms import CloseIssueForm, DecideForm
from trading.cap_breaches import group_checks
from trading.core import issues
from trading.models import BalanceOperation


class HealthPage(StaffView):
    """Whole, or only the part that refreshes itself."""

    permission = "trading.view_platform_health"

    def get(self, request: UserRequest) -> HttpResponse:
        user = request.user
        unknown = queries.unknown_operations(user)
        context = {
            "servers": queries.server_health(user),
            "issues": queries.open_issues(user),
            "type_problems": [] if wants_fragment(request) else group_checks.all_problems(user),
            "unknown": [(operation, policies.can_resolve(user, operation)) for operation in unknown],
        }
        template = "trading/sync/_health.html" if wants_fragment(request) else "trading/sync/health.html"
        return render(request, template, context)


class DecideOperation(StaffView):
    """How an operation ended that the platform doesn't answer for: one person proposes, another approves."""

    permission = "trading.resolve_operation"

    def get(self, request: UserRequest, operation_id: int) -> HttpResponse:
        return self._page(request, self._operation(request, operation_id), DecideForm())

    def post(self, request: UserRequest, operation_id: int) -> HttpResponse:
        operation = self._operation(request, operation_id)
        form = DecideForm(request.POST)
        done = run_action(
            request,
            lambda: operation_decisions.propose_decision(
                operation_id=operation.pk,
                actor=request.user,
                ticket=form.cleaned_data["ticket"],
                reason=form.cleaned_data["reason"],
            ),
            _("Outcome proposed. A second person approves it."),
            form=form,
        )
        if done:
            return redirect("trading_operation", operation_id=operation.pk)
        return self._page(request, operation, form)

    @staticmethod
    def _operation(request: UserRequest, operation_id: int) -> BalanceOperation:
        visible = queries.accounts_visible_to(request.user)
        operations = BalanceOperation.objects.filter(account__in=visible, pk=operation_id)
        operation = operations.select_related("account__client", "account__server", "created_by").first()
        if operation is None:
            raise Http404
        return operation

    @staticmethod
    def _page(request: UserRequest, operation: BalanceOperation, form: DecideForm) -> HttpResponse:
        user = request.user
        decisions = list(operation.decisions.select_related("requested_by", "decided_by")[:20])
        waiting = next((decision for decision in decisions if decision.state == ApprovalState.PENDING), None)
        if waiting is not None:
            waiting.operation = operation
        context = {
            "operation": operation,
            "form": form,
            "decision": policies.can_resolve(user, operation),
            "waiting": waiting,
            "before": [decision for decision in decisions if decision != waiting],
            "proposal": waiting and proposal_of(waiting, user),
        }
        return render(request, "trading/accounts/decide_operation.html", context, status=422 if form.errors else 200)


class CloseIssue(StaffView):
    permission = issues.CLOSES

    def post(self, request: UserRequest, issue_id: int) -> HttpResponse:
        form = CloseIssueForm(request.POST)
        resolution = form.cleaned_data["resolution"] if form.is_valid() else ""
        run_action(
            request,
            lambda: issues.close_issue(issue_id=issue_id, actor=request.user, resolution=resolution),
            _("Issue closed."),
            show_forbidden=True,
        )
        return redirect("trading_health")
