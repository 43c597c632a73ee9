"""Set-up of account types."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from crm.ui.actions import run_action
from crm.ui.views import StaffView
from crm.web.requests import UserRequest
from trading.cap_breaches import account_types, group_checks
from trading.cap_breaches import type_checks as class_checks
from trading.cap_breaches.forms import AccountTypeForm
from trading.models import AccountType
from trading.platforms.errors import PlatformError

TYPES_MAX = 300


class AccountTypeList(StaffView):
    permission = "trading.view_accounttype"

    def get(self, request: UserRequest) -> HttpResponse:
        rows = list(account_types.types_visible_to(request.user)[:TYPES_MAX])
        doubts = {one.account_type.pk: one.words for one in group_checks.problems(request.user)}
        wrong: dict[int, list[str]] = {}
        for one in group_checks.margin_problems(request.user):
            wrong.setdefault(one.account_type.pk, []).append(one.words)
        shown = [(one, doubts.get(one.pk, ""), "; ".join(wrong.get(one.pk, []))) for one in rows]
        return render(request, "trading/cap_breaches/account_types.html", {"types": shown})


class AccountTypePage(StaffView):
    """One type, or a new one."""

    permission = account_types.CHANGES

    def get(self, request: UserRequest, type_id: int | None = None) -> HttpResponse:
        account_type = self._type(request, type_id)
        return self._page(request, account_type, AccountTypeForm(instance=account_type, user=request.user))

    def post(self, request: UserRequest, type_id: int | None = None) -> HttpResponse:
        account_type = self._type(request, type_id)
        form = AccountTypeForm(request.POST, instance=account_type, user=request.user)
        if form.is_valid() and self._group_is_there(request, form):
            values = {name: form.cleaned_data[name] for name in account_types.FIELDS}

            def save() -> AccountType:
                if account_type is None:
                    brand_id = form.cleaned_data["brand"].pk
                    return account_types.add_type(brand_id=brand_id, actor=request.user, **values)
                return account_types.change_type(type_id=account_type.pk, actor=request.user, **values)

            message = _("Account type saved. Existing accounts keep their settings.")
            if run_action(request, save, message, form=form, show_forbidden=True):
                return redirect("trading_types")
        return self._page(request, account_type, form)

    @staticmethod
    def _group_is_there(request: HttpRequest, form: AccountTypeForm) -> bool:
        """Ask the server before anything is saved; one that is away stands against nothing, but it is said."""
        data = form.cleaned_data
        if not data["is_enabled"]:
            return True
        try:
            problem = group_checks.check(data["server"], data["group"].strip(), data["currency"].strip().upper())
        except PlatformError:
            messages.warning(
                request,
                _("The server couldn't be reached to check the group. Check the list of account types again later."),
            )
            return True
        if problem:
            form.add_error("group", problem)
        return not problem

    @staticmethod
    def _type(request: UserRequest, type_id: int | None) -> AccountType | None:
        if type_id is None:
            return None
        account_type = account_types.types_visible_to(request.user).filter(pk=type_id).first()
        if account_type is None:
            raise Http404
        return account_type

    @staticmethod
    def _page(request: HttpRequest, account_type: AccountType | None, form: AccountTypeForm) -> HttpResponse:
        classes, are_told = class_checks.page_rows(account_type) if account_type else ([], False)
        context = {"account_type": account_type, "form": form, "classes": classes, "margins_are_told": are_told}
        return render(request, "trading/cap_breaches/account_type.html", context, status=422 if form.errors else 200)
