"""Platform health: servers and their lag, operations whose outcome is unknown, and questions for a person."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.ui.views import StaffView, wants_fragment
from trading import issues, operations, policies, queries, type_checks
from trading.forms import CloseIssueForm, DecideForm
from trading.models import BalanceOperation


class HealthPage(StaffView):
    """Whole, or only the part that refreshes itself."""

    permission = "trading.view_platform_health"

    def get(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        unknown = queries.unknown_operations(user)
        context = {
            "servers": queries.server_health(user),
            "issues": queries.open_issues(user),
            "type_problems": [] if wants_fragment(request) else type_checks.all_problems(user),
            "unknown": [(operation, policies.can_resolve(user, operation)) for operation in unknown],
        }
        template = "trading/_health.html" if wants_fragment(request) else "trading/health.html"
        return render(request, template, context)


class DecideOperation(StaffView):
    """A person settles an operation whose outcome the platform does not tell."""

    permission = "trading.resolve_operation"

    def get(self, request: HttpRequest, operation_id: int) -> HttpResponse:
        return self._page(request, self._operation(request, operation_id), DecideForm())

    def post(self, request: HttpRequest, operation_id: int) -> HttpResponse:
        operation = self._operation(request, operation_id)
        form = DecideForm(request.POST)
        if form.is_valid():
            try:
                operations.decide_operation(
                    operation_id=operation.pk, actor=request.user, ticket=form.cleaned_data["ticket"],
                    reason=form.cleaned_data["reason"],
                )  # fmt: skip
            except DomainError as error:
                form.add_error(None, error.message)
            else:
                messages.success(request, _("The operation is decided."))
                return redirect("trading_health")
        return self._page(request, operation, form)

    @staticmethod
    def _operation(request: HttpRequest, operation_id: int) -> BalanceOperation:
        visible = queries.accounts_visible_to(request.user)
        found = BalanceOperation.objects.filter(account__in=visible, pk=operation_id)
        operation = found.select_related("account__client", "account__server", "created_by").first()
        if operation is None:
            raise Http404
        return operation

    @staticmethod
    def _page(request: HttpRequest, operation: BalanceOperation, form: DecideForm) -> HttpResponse:
        context = {"operation": operation, "form": form, "decision": policies.can_resolve(request.user, operation)}
        return render(request, "trading/decide_operation.html", context, status=422 if form.errors else 200)


class CloseIssue(StaffView):
    permission = "trading.view_platform_health"

    def post(self, request: HttpRequest, issue_id: int) -> HttpResponse:
        form = CloseIssueForm(request.POST)
        try:
            resolution = form.cleaned_data["resolution"] if form.is_valid() else ""
            issues.close_issue(issue_id=issue_id, actor=request.user, resolution=resolution)
            messages.success(request, _("The question is closed."))
        except DomainError as error:
            messages.error(request, error.message)
        return redirect("trading_health")
