"""The wallet on the client's page: the Money tab, and a statement for the client."""

from __future__ import annotations

import datetime as dt

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from clients.models import Client
from clients.queries import get_client
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from wallet.bonuses import granting
from wallet.bonuses.policies import can_grant_bonus
from wallet.closing.forms import PeriodForm
from wallet.documents.policies import can_have_documents
from wallet.documents.statement import order_statement
from wallet.movements import queries

LINES, BONUSES = 25, 5


def money_tab(request: UserRequest, client: Client) -> HttpResponse:
    """Show wallets, recent movements and balances; more lines by cursor."""
    lines = queries.history_of(client, after=request.GET.get("after", ""), limit=LINES)
    today = timezone.now().date()
    first = (today.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    context = {
        "client": client,
        "wallets": queries.wallets_of(client),
        "lines": lines,
        "next_cursor": lines[-1].cursor if len(lines) == LINES else "",
        "form": PeriodForm(initial={"first": first, "last": today}),
        "credits": granting.credits_of(client),
        "may_give_bonus": can_grant_bonus(request.user, client),
        "bonuses": [
            (grant, granting.how_it_becomes_free(grant)) for grant in granting.grants_of(client, limit=BONUSES)
        ],
        "may_order": can_have_documents(request.user, client),
    }
    return render(request, "wallet/client_tab.html", context)


@require_POST
@staff_page("wallet.make_issueddocument")
def statement(request: UserRequest, client_id: int) -> HttpResponseBase:
    """Start a statement for a client; the job's page shows its progress and the PDF."""
    client = get_client(request.user, client_id)
    form = PeriodForm(request.POST)
    done = run_action(
        request,
        lambda: order_statement(
            client=client, first=form.cleaned_data["first"], last=form.cleaned_data["last"], actor=request.user
        ),
        form=form,
        show_forbidden=True,
    )
    if not done:
        return render(request, "wallet/documents/statement_form.html", {"client": client, "form": form}, status=422)
    return redirect("job", pk=done.result.pk)
