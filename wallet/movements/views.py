"""From one movement to the next: the next one that waits, else the next of its list."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from clients.record.access import log_access
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from wallet.choices.deposits import DepositState
from wallet.choices.transfers import TransferState
from wallet.choices.withdrawals import WITHDRAWAL_OPEN
from wallet.core import queries
from wallet.core.queries import AnyMovement

# kind → rows in reach, the states that make up its queue, the list's address
QUEUES: dict[str, tuple[Any, frozenset[str], str]] = {
    "deposit": (queries.deposits_visible_to, frozenset({DepositState.HELD}), "wallet:deposits"),
    "withdrawal": (queries.withdrawals_visible_to, frozenset(WITHDRAWAL_OPEN), "wallet:withdrawal_queue"),
    "transfer": (
        queries.transfers_visible_to,
        frozenset({TransferState.SENDING, TransferState.UNKNOWN}),
        "wallet:transfers",
    ),
    "exchange": (queries.exchanges_visible_to, frozenset(), "wallet:exchanges"),
}


@staff_page("wallet.view_deposit")
def neighbour(request: UserRequest, kind: str, pk: int) -> HttpResponseBase:
    """Go to the next movement: queues run oldest first, so it is the newer one; `?way=back` goes back.

    At the end: the list.
    """
    if kind not in QUEUES:
        raise Http404
    rows_of, waiting, list_name = QUEUES[kind]
    permission = "wallet.view_transfer" if kind == "exchange" else f"wallet.view_{kind}"
    here = queries.one_of(rows_of(request.user), pk, request.user, permission)
    rows = rows_of(request.user)
    rows = rows.filter(state__in=waiting) if here.state in waiting else rows
    back = request.GET.get("way") == "back"
    rows = rows.filter(pk__lt=pk).order_by("-pk") if back else rows.filter(pk__gt=pk).order_by("pk")
    next_pk = rows.values_list("pk", flat=True).first()
    if next_pk is None:
        messages.info(request, _("There are none before this one.") if back else _("That was the last one."))
        return redirect(list_name)
    return redirect(f"wallet:{kind}", next_pk)


def note_view(request: UserRequest, movement: AnyMovement) -> None:
    client = movement.client
    log_access(request.user, client, f"wallet.{movement._meta.model_name}:{movement.pk}")
