"""The client's tickets: a list, a new one, and one with its conversation, at the width of a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clients.messages.uploaded_files import FILES_MAX, check_files
from clients.models import Client
from crm.money.numbers import is_whole
from crm.ui.actions import run_action
from crm.web.requests import UserRequest
from crm.web.uploads import takes_files
from portal.guards import client_required
from support import queries, solving, tickets
from support.choices import TicketState
from support.forms import TicketForm
from support.models import Ticket
from support.talk import conversation
from support.talk.conversation import Written
from support.views import file_response

PAGE: Final = 25


@client_required
@require_safe
def ticket_list(request: UserRequest, client: Client) -> HttpResponse:
    """List the client's tickets, the one with the newest message first."""
    rows = queries.tickets_visible_to(request.user).filter(client=client).exclude(state=TicketState.MERGED)
    before = request.GET.get("before", "")
    if is_whole(before) and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    page = list(rows.order_by("-pk")[: PAGE + 1])
    context = {"client": client, "tickets": page[:PAGE], "next": page[PAGE - 1].pk if len(page) > PAGE else None}
    return render(request, "portal/tickets/list.html", context)


@takes_files(files=FILES_MAX)
@client_required
def ticket_new(request: UserRequest, client: Client) -> HttpResponse:
    """Take a new ticket, perhaps as the follow-up of a closed one."""
    follows = _followed(request, client)
    form = TicketForm(request.POST or None, initial=_begun(follows))

    def open_it() -> Ticket:
        entered = form.cleaned_data
        written = Written(entered["text"], check_files(request.FILES.getlist("files")))
        return tickets.open_ticket(
            client_id=client.pk,
            actor=request.user,
            new=tickets.NewTicket(
                subject=entered["subject"],
                written=written,
                category=entered["category"],
                follows_id=follows.pk if follows is not None else None,
            ),
        )

    if request.method == "POST":
        done = run_action(request, open_it, _("We have received your request and will reply soon."), form=form)
        if done:
            return redirect(done.result.portal_url)
    status = 422 if request.method == "POST" else 200
    return render(
        request, "portal/tickets/new.html", {"client": client, "form": form, "follows": follows}, status=status
    )


def _followed(request: UserRequest, client: Client) -> Ticket | None:
    number = request.GET.get("follows", "")
    if not is_whole(number) or len(number) > 18:
        return None
    return queries.tickets_visible_to(request.user).filter(client=client, pk=int(number)).first()


def _begun(follows: Ticket | None) -> dict[str, Any]:
    return {"subject": follows.subject, "category": follows.category} if follows is not None else {}


def _ticket(request: UserRequest, client: Client, ticket_id: int) -> Ticket:
    rows = queries.tickets_visible_to(request.user).filter(client=client).select_related("client__brand", "merged_into")
    return get_object_or_404(rows, pk=ticket_id)


@client_required
@require_safe
def ticket(request: UserRequest, client: Client, ticket_id: int) -> HttpResponse:
    """Show one of the client's tickets with what was written; internal notes are never among it."""
    row = _ticket(request, client, ticket_id)
    return redirect(row.merged_into.portal_url) if row.merged_into is not None else _page(request, row)


def _page(request: UserRequest, row: Ticket, *, typed: str = "", status: int = 200) -> HttpResponse:
    shown = conversation.conversation(row, is_for_client=True)
    context = {
        "ticket": row,
        "typed": typed,
        "stars": range(solving.RATING_MAX, 0, -1),
        "may_write": row.state not in (TicketState.CLOSED, TicketState.MERGED),
        "may_rate": row.state in (TicketState.SOLVED, TicketState.CLOSED),
        **conversation.context_of(shown),
    }
    return render(request, "portal/tickets/ticket.html", context, status=status)


@takes_files(files=FILES_MAX)
@client_required
@require_POST
def ticket_reply(request: UserRequest, client: Client, ticket_id: int) -> HttpResponse:
    """Take the client's reply; a solved ticket is reopened by it. A refusal keeps what was typed."""
    row, text = _ticket(request, client, ticket_id), request.POST.get("text", "")

    def send() -> None:
        written = Written(text, check_files(request.FILES.getlist("files")))
        tickets.reply_as_client(ticket_id=row.pk, actor=request.user, written=written)

    done = run_action(request, send, _("Message sent."))
    return redirect(row.portal_url) if done else _page(request, row, typed=text, status=422)


@client_required
@require_POST
def ticket_change(request: UserRequest, client: Client, ticket_id: int, act: str) -> HttpResponse:
    """Mark the client's ticket as solved, reopen it, or rate our help."""
    row, user, stars = _ticket(request, client, ticket_id), request.user, request.POST.get("rating", "")
    verbs: dict[str, tuple[Callable[[], Any], str]] = {
        "solve": (lambda: solving.solve_ticket(ticket_id=row.pk, actor=user), _("Ticket marked as solved.")),
        "reopen": (lambda: solving.reopen_ticket(ticket_id=row.pk, actor=user), _("Ticket reopened.")),
        "rate": (
            lambda: solving.rate_ticket(
                ticket_id=row.pk,
                actor=user,
                rating=int(stars) if is_whole(stars) and len(stars) == 1 else 0,
                comment=request.POST.get("comment", ""),
            ),
            _("Thank you for your rating."),
        ),
    }
    if act not in verbs:
        raise Http404
    run_action(request, *verbs[act])
    return redirect(row.portal_url)


@client_required
@require_safe
def ticket_file(request: UserRequest, client: Client, file_id: int) -> Any:
    """Send a file of one of the client's own tickets."""
    row = get_object_or_404(queries.files_visible_to(request.user).filter(message__ticket__client=client), pk=file_id)
    return file_response(row)
