"""Closing an account, and opening it again, by staff."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.ui.views import StaffView
from trading import archive, queries


class ArchiveAccount(StaffView):
    permission = archive.ARCHIVES

    def post(self, request: HttpRequest, account_id: int) -> HttpResponse:
        account = queries.get_account(request.user, account_id)
        try:
            self.verb(account.pk, request)
        except DomainError as error:
            messages.error(request, error.message)
        return redirect("trading_account", account.pk)

    def verb(self, account_id: int, request: HttpRequest) -> None:
        archive.archive_account(account_id=account_id, actor=request.user, reason=request.POST.get("reason", ""))
        messages.success(request, _("The account is closed. Its history stays."))


class RestoreAccount(ArchiveAccount):
    def verb(self, account_id: int, request: HttpRequest) -> None:
        archive.restore_account(account_id=account_id, actor=request.user, reason=request.POST.get("reason", ""))
        messages.success(request, _("The account is open again."))
