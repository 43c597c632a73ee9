"""The queue of what clients ask for on their accounts, and one request: claim, grant, refuse, undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Case, Q, Value, When
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from clients.record.access import log_access
from crm.models import User
from crm.ui.actions import run_action
from crm.ui.views import StaffView, TableView
from crm.web.requests import UserRequest
from trading import policies, queries
from trading.accounts import request_rules, requests
from trading.accounts.request_notices import DECIDES
from trading.accounts.tables import RequestTable
from trading.choices import RequestState
from trading.models import AccountRequest


class RequestList(TableView):
    table = RequestTable


def _request(user: User, request_id: int) -> AccountRequest:
    visible = queries.requests_visible_to(user).select_related(
        "account__client__brand", "account__server", "account__account_type", "account_type", "claimed_by", "decided_by"
    )
    row = visible.filter(pk=request_id).first()
    if row is None:
        raise Http404
    return row


class RequestPage(StaffView):
    permission = DECIDES

    def get(self, request: UserRequest, request_id: int) -> HttpResponse:
        user = request.user
        row = _request(user, request_id)
        account = row.account
        log_access(user, account.client, f"trading.accountrequest:{row.pk}")
        return self.page(request, row)

    @staticmethod
    def page(request: UserRequest, row: AccountRequest, note: str = "", *, status: int = 200) -> HttpResponse:
        is_decided = row.state in (RequestState.GRANTED, RequestState.REFUSED)
        context = {
            "one": row,
            "account": row.account,
            "client": row.account.client,
            "what": request_rules.what(row),
            "held": request_rules.words_of(row),
            "decision": policies.can_decide_request(request.user, row),
            "note": note,
            "positions": queries.positions_of(row.account),
            "may_undo": is_decided and not row.is_by_rule,
            "following": _following(request.user, row),
        }
        return render(request, "trading/accounts/request.html", context, status=status)


def _following(user: User, row: AccountRequest) -> AccountRequest | None:
    """Find the request that waits longest after this one; at the end of the queue, the first again."""
    waiting = queries.requests_visible_to(user).filter(state=RequestState.WAITING).exclude(pk=row.pk)
    is_later = Case(
        When(Q(asked_at__gt=row.asked_at) | Q(asked_at=row.asked_at, pk__gt=row.pk), then=Value(0)), default=Value(1)
    )
    return waiting.order_by(is_later, "asked_at", "pk").first()


class DecideRequest(StaffView):
    """claim, grant, refuse or undo."""

    permission = DECIDES

    def post(self, request: UserRequest, request_id: int, act: str) -> HttpResponse:
        account_request = _request(request.user, request_id)
        note = request.POST.get("note", "")
        verbs: dict[str, tuple[Callable[..., Any], str]] = {
            "claim": (requests.claim, _("Request claimed for ten minutes.")),
            "grant": (requests.grant, _("Request approved and applied.")),
            "refuse": (requests.refuse, _("Request rejected. The client has been notified.")),
            "undo": (requests.undo, _("Decision undone.")),
        }
        if act not in verbs:
            raise Http404
        arguments = {"note": note} if act in ("grant", "refuse") else {}
        done = run_action(
            request,
            lambda: verbs[act][0](request_id=account_request.pk, actor=request.user, **arguments),
            verbs[act][1],
            show_forbidden=True,
        )
        if not done:
            return RequestPage.page(request, _request(request.user, request_id), note, status=422)
        return redirect("trading_request", account_request.pk)
