"""Closing an account, and opening it again, by staff: each a dialog of the account page."""

from __future__ import annotations

from django.http import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from clients.views import dialogs
from crm.ui.views import StaffView
from crm.web.requests import UserRequest
from trading import queries
from trading.accounts import archive
from trading.accounts.forms import WhyForm
from trading.accounts.request_rules import against_archive


class ArchiveAccount(StaffView):
    """With what prevents it instead of the form, where something does."""

    permission = archive.ARCHIVES

    def get(self, request: UserRequest, account_id: int) -> HttpResponseBase:
        account = queries.get_account(request.user, account_id)
        form = WhyForm(request.POST or None)
        held = [str(obstacle.label) for obstacle in against_archive(account)] if request.method == "GET" else []
        return dialogs.run(
            request,
            form,
            lambda: archive.archive_account(
                account_id=account.pk, actor=request.user, reason=form.cleaned_data["reason"]
            ),
            url=reverse("trading_account", args=[account.pk]),
            success_message=_("Account closed. Its history is kept."),
            title=_("Close account"),
            submit="" if held else _("Close account"),
            tone="danger",
            held=held,
            body="trading/accounts/_archive_dialog.html",
            about=_("The client can no longer sign in or trade. The history is kept, and the account can be reopened."),
        )

    post = get


class RestoreAccount(StaffView):
    permission = archive.ARCHIVES

    def get(self, request: UserRequest, account_id: int) -> HttpResponseBase:
        account = queries.get_account(request.user, account_id)
        form = WhyForm(request.POST or None)
        return dialogs.run(
            request,
            form,
            lambda: archive.restore_account(
                account_id=account.pk, actor=request.user, reason=form.cleaned_data["reason"]
            ),
            url=reverse("trading_account", args=[account.pk]),
            success_message=_("Account reopened."),
            title=_("Reopen account"),
            submit=_("Reopen account"),
            body="trading/accounts/_archive_dialog.html",
            about=_("The client can sign in again, and trade unless a restriction applies."),
        )

    post = get
