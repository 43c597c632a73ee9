"""Set-up of account types, and the leverage caps of regulators."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.policies import require_permission
from crm.ui.views import StaffView
from trading import account_types, caps
from trading.forms_types import AccountTypeForm, CapForm
from trading.models import AccountType, LeverageCap

TYPES_MAX = 300
LINES_MAX = 500


class AccountTypeList(StaffView):
    permission = "trading.view_accounttype"

    def get(self, request: HttpRequest) -> HttpResponse:
        rows = list(account_types.types_visible_to(request.user)[:TYPES_MAX])
        return render(request, "trading/account_types.html", {"types": rows})


class AccountTypePage(StaffView):
    """One type, or a new one."""

    permission = account_types.CHANGES

    def get(self, request: HttpRequest, type_id: int | None = None) -> HttpResponse:
        account_type = self._type(request, type_id)
        return self._page(request, account_type, AccountTypeForm(instance=account_type, user=request.user))

    def post(self, request: HttpRequest, type_id: int | None = None) -> HttpResponse:
        account_type = self._type(request, type_id)
        form = AccountTypeForm(request.POST, instance=account_type, user=request.user)
        if form.is_valid():
            values = {name: form.cleaned_data[name] for name in account_types.FIELDS}
            try:
                if account_type is None:
                    account_types.add_type(brand_id=form.cleaned_data["brand"].pk, actor=request.user, **values)
                else:
                    account_types.change_type(type_id=account_type.pk, actor=request.user, **values)
            except DomainError as error:
                form.add_error(None, error.message)
            else:
                messages.success(request, _("Saved. Accounts that are open keep what they have."))
                return redirect("trading_types")
        return self._page(request, account_type, form)

    @staticmethod
    def _type(request: HttpRequest, type_id: int | None) -> AccountType | None:
        if type_id is None:
            return None
        found = account_types.types_visible_to(request.user).filter(pk=type_id).first()
        if found is None:
            raise Http404
        return found

    @staticmethod
    def _page(request: HttpRequest, account_type: AccountType | None, form: AccountTypeForm) -> HttpResponse:
        context = {"account_type": account_type, "form": form}
        return render(request, "trading/account_type.html", context, status=422 if form.errors else 200)


class CapsPage(StaffView):
    """Every line with its day and source; what held and what holds."""

    permission = "trading.view_leveragecap"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(request, CapForm(initial={"valid_from": timezone.now().date()}))

    def post(self, request: HttpRequest) -> HttpResponse:
        require_permission(request.user, caps.CHANGES)
        form = CapForm(request.POST)
        if form.is_valid():
            try:
                caps.add_line(actor=request.user, **form.cleaned_data)
            except DomainError as error:
                form.add_error(None, error.message)
            else:
                messages.success(request, _("The line is added; the one before it ends the day before."))
                return redirect("trading_caps")
        return self._page(request, form)

    @staticmethod
    def _page(request: HttpRequest, form: CapForm) -> HttpResponse:
        user: Any = request.user
        today = timezone.now().date()
        lines = list(
            LeverageCap.objects.order_by("authority", "category", "instrument_class", "-valid_from")[:LINES_MAX]
        )
        context = {
            "rows": [(line, line.valid_from <= today and (not line.valid_until or line.valid_until >= today)) for line in lines],
            "form": form if user.has_perm(caps.CHANGES) else None, "today": today,
        }  # fmt: skip
        return render(request, "trading/caps.html", context, status=422 if form.errors else 200)
