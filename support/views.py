"""Staff pages of tickets: the queue, one ticket with its conversation, and the tab on the client's page."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from clients.chat.queries import chats_visible_to
from clients.messages.queries import threads_visible_to
from clients.messages.uploaded_files import FILES_MAX, check_files
from clients.models import Chat, Client, MailThread
from clients.queries import get_client
from clients.record.access import log_access
from clients.views import dialogs
from crm.choices import AccessKind
from crm.models import User
from crm.money.numbers import is_whole
from crm.pages.work import AssignSelected, ClaimNext
from crm.security.crypto import KeyDestroyed
from crm.security.sealed_files import FileDamaged, FileMissing
from crm.ui.actions import run_action
from crm.ui.views import TableView, embedded_table, staff_page
from crm.web.requests import UserRequest
from crm.web.uploads import takes_files
from crm.work.queries import work_of
from support import changing, merging, policies, queries, solving, tickets
from support.choices import TicketCategory, TicketState
from support.forms import AssignForm, MergeForm, StaffTicketForm
from support.intake import chat_intake, mail_intake
from support.kind import TICKETS
from support.macro import macros
from support.models import Macro, Ticket, TicketFile
from support.tables import ClientTicketTable, TicketTable
from support.talk import conversation, files
from support.talk.conversation import Written


class Queue(TableView):
    """The queue; what awaits us first."""

    table, template_name = TicketTable, "support/queue.html"

    def get(self, request: UserRequest, **kwargs: Any) -> Any:
        if not request.GET:
            return redirect(f"{request.path}?stage=ours")
        return super().get(request, **kwargs)


class NextTicket(ClaimNext):
    kind, permission = TICKETS, policies.WORKS
    empty = gettext_lazy("There are no unclaimed tickets.")


class AssignTickets(AssignSelected):
    table = TicketTable


@staff_page(policies.SEES)
def ticket(request: UserRequest, ticket_id: int) -> HttpResponse:
    """Show a ticket: its conversation, its clocks, and what can be done; every view is logged."""
    row = queries.get_ticket(request.user, ticket_id)
    _note_view(request, row)
    return _page(request, row)


def _note_view(request: UserRequest, row: Ticket) -> None:
    log_access(request.user, row.client, f"support.ticket:{row.pk}")


def _page(request: UserRequest, row: Ticket, *, typed: str = "", status: int = 200) -> HttpResponse:
    shown, macro = conversation.conversation(row, is_for_client=False), _macro(request, row)
    context = {
        "ticket": row,
        "client": row.client,
        "work": work_of(request.user, row.work_id),
        "may_work": policies.can_work(request.user, row.client),
        "categories": TicketCategory.choices,
        "macros": macros.macros_for(request.user, row),
        "macro": macro,
        "merged": list(row.merged.order_by("number")) if row.is_unsolved or row.solved_at else [],
        "typed": typed or (macros.filled(macro, row) if macro is not None else ""),
        **conversation.context_of(shown),
    }
    return render(request, "support/ticket.html", context, status=status)


def _macro(request: UserRequest, row: Ticket) -> Macro | None:
    """Find the macro that was chosen for this reply."""
    number = request.POST.get("macro") or request.GET.get("macro", "")
    if not is_whole(number) or len(number) > 18:
        return None
    return macros.macros_visible_to(request.user).filter(brand=row.brand_id, is_active=True, pk=int(number)).first()


@takes_files(files=FILES_MAX)
@require_POST
@staff_page(policies.WORKS)
def write(request: UserRequest, ticket_id: int) -> HttpResponse:
    """Reply to the client and leave the ticket open, waiting or solved; or add an internal note. A refusal keeps what was typed."""
    row = queries.get_ticket(request.user, ticket_id)
    text, act = request.POST.get("text", ""), request.POST.get("act", "")
    sent, macro = request.FILES.getlist("files"), _macro(request, row)
    verbs: dict[str, tuple[Callable[[Written], Any], str]] = {
        "note": (
            lambda written: tickets.add_note(ticket_id=row.pk, actor=request.user, written=written),
            _("Note added."),
        ),
        "open": (lambda written: _reply(request.user, row, written, TicketState.OPEN), _("Reply sent.")),
        "pending": (lambda written: _reply(request.user, row, written, TicketState.PENDING), _("Reply sent.")),
        "solve": (lambda written: _reply_and_solve(request.user, row, written), _("Reply sent and ticket solved.")),
    }
    if act not in verbs:
        raise Http404
    verb, said = verbs[act]

    def send() -> None:
        checked = check_files(sent)
        with transaction.atomic():
            verb(Written(text, checked))
            if macro is not None and act in ("open", "pending"):
                macros.apply_settings(macro, ticket_id=row.pk, actor=request.user)

    done = run_action(request, send, said, show_forbidden=True)
    return redirect(row.get_absolute_url()) if done else _page(request, row, typed=text, status=422)


def _reply(user: User, row: Ticket, written: Written, then: str) -> None:
    tickets.reply_to_client(ticket_id=row.pk, actor=user, written=written, then=then)


def _reply_and_solve(user: User, row: Ticket, written: Written) -> None:
    if written.text.strip():
        _reply(user, row, written, TicketState.OPEN)
    solving.solve_ticket(ticket_id=row.pk, actor=user)


@require_POST
@staff_page(policies.WORKS)
def change(request: UserRequest, ticket_id: int, act: str) -> HttpResponse:
    """Reopen a ticket, take it, change its category, or undo its merge."""
    row, user = queries.get_ticket(request.user, ticket_id), request.user
    verbs: dict[str, tuple[Callable[[], Any], str]] = {
        "reopen": (lambda: solving.reopen_ticket(ticket_id=row.pk, actor=user), _("Ticket reopened.")),
        "unmerge": (lambda: merging.undo_ticket_merge(ticket_id=row.pk, actor=user), _("Merge undone.")),
        "take": (lambda: changing.assign_ticket(ticket_id=row.pk, actor=user, to_id=user.pk), _("Ticket is yours.")),
        "category": (
            lambda: changing.change_category(
                ticket_id=row.pk, actor=user, category=request.POST.get("category", "")[:20]
            ),
            _("Category changed."),
        ),
    }
    if act not in verbs:
        raise Http404
    run_action(request, *verbs[act], show_forbidden=True)
    return redirect(row.get_absolute_url())


@staff_page(policies.WORKS)
def assign(request: UserRequest, ticket_id: int) -> HttpResponseBase:
    """Assign a ticket to a colleague, in a dialog."""
    row = queries.get_ticket(request.user, ticket_id)
    form = AssignForm(request.POST or None, initial={"to": row.work.assigned_to_id, "priority": row.work.priority})
    form.fields["to"].queryset = changing.colleagues_for(row)  # type: ignore[attr-defined]

    def do() -> None:
        entered = form.cleaned_data
        changing.assign_ticket(
            ticket_id=row.pk, actor=request.user, to_id=entered["to"].pk, priority=entered["priority"]
        )

    return dialogs.run(
        request,
        form,
        do,
        url=row.get_absolute_url(),
        success_message=_("Ticket assigned."),
        title=_("Assign ticket"),
        submit=_("Assign ticket"),
    )


@staff_page(policies.WORKS)
def merge(request: UserRequest, ticket_id: int) -> HttpResponseBase:
    """Merge a ticket into another of the same client, in a dialog."""
    row = queries.get_ticket(request.user, ticket_id)
    form = MergeForm(request.POST or None, others=queries.others_unsolved(row))

    def do() -> None:
        merging.merge_tickets(ticket_id=row.pk, into_number=int(form.cleaned_data["into"]), actor=request.user)

    return dialogs.run(
        request,
        form,
        do,
        url=row.get_absolute_url(),
        success_message=_("Tickets merged."),
        title=_("Merge ticket #%(number)s") % {"number": row.number},
        submit=_("Merge tickets"),
    )


@require_POST
@staff_page(policies.WORKS)
def from_thread(request: UserRequest, thread_id: int) -> HttpResponse:
    """Open a ticket from an e-mail thread."""
    thread = get_object_or_404(threads_visible_to(request.user), pk=thread_id)
    done = run_action(
        request,
        lambda: mail_intake.open_from_thread(thread_id=thread.pk, actor=request.user),
        _("Ticket opened."),
        show_forbidden=True,
    )
    return redirect(done.result.get_absolute_url() if done else thread.get_absolute_url())


@require_POST
@staff_page(policies.WORKS)
def from_chat(request: UserRequest, chat_id: int) -> HttpResponse:
    """Open a ticket from a chat."""
    chat = get_object_or_404(chats_visible_to(request.user), pk=chat_id)
    done = run_action(
        request,
        lambda: chat_intake.open_from_chat(chat_id=chat.pk, actor=request.user),
        _("Ticket opened."),
        show_forbidden=True,
    )
    return redirect(done.result.get_absolute_url() if done else chat.get_absolute_url())


def chat_card(request: UserRequest, chat: Chat) -> dict[str, Any] | None:
    """Show the ticket of a chat beside it, or offer to open one."""
    found = Ticket.objects.filter(chat=chat).first()
    if found is None and not policies.can_work(request.user, chat.client):
        return None
    return {"ticket": found, "chat_id": chat.pk}


def thread_card(request: UserRequest, thread: MailThread) -> dict[str, Any] | None:
    """Show the ticket of an e-mail thread beside it, or offer to open one."""
    found = mail_intake.ticket_of_thread(thread.pk)
    if found is None and not policies.can_work(request.user, thread.client):
        return None
    return {"ticket": found, "thread_id": thread.pk}


@staff_page(policies.WORKS)
def client_ticket_new(request: UserRequest, client_id: int) -> HttpResponseBase:
    """Open a ticket for a client who called, in a dialog."""
    client = get_client(request.user, client_id)
    form = StaffTicketForm(request.POST or None)
    follows = request.GET.get("follows", "")

    def do() -> Ticket:
        entered = form.cleaned_data
        return tickets.open_ticket(
            client_id=client.pk,
            actor=request.user,
            new=tickets.NewTicket(
                subject=entered["subject"],
                written=Written(entered["text"]),
                category=entered["category"],
                priority=entered["priority"],
                channel=entered["channel"],
                follows_id=int(follows) if is_whole(follows) else None,
            ),
        )

    return dialogs.run(
        request,
        form,
        do,
        url=f"{client.get_absolute_url()}?tab=tickets",
        success_message=_("Ticket opened."),
        title=_("Open ticket for %(client)s") % {"client": client},
        submit=_("Open ticket"),
    )


def tickets_tab(request: UserRequest, client: Client) -> HttpResponseBase:
    """Show a client's tickets on their page."""
    table = ClientTicketTable(request.user, request.GET, path=request.path, scope={"client_id": client.pk})
    return embedded_table(request, table)


@staff_page(policies.SEES)
def file(request: UserRequest, file_id: int) -> HttpResponseBase:
    """Download a file of a ticket; every download is logged."""
    row = get_object_or_404(
        queries.files_visible_to(request.user).select_related("message__ticket__client"), pk=file_id
    )
    found = row.message.ticket
    log_access(request.user, found.client, f"support.ticketfile:{row.pk}", kind=AccessKind.DOWNLOAD)
    return file_response(row)


def file_response(row: TicketFile) -> HttpResponseBase:
    """Send a file as a download that no browser opens. Raises: Http404 for what can't be decrypted any more."""
    pieces = files.stream(row)
    try:
        first = next(pieces, b"")
    except (FileDamaged, FileMissing, KeyDestroyed):
        raise Http404 from None
    response = StreamingHttpResponse(itertools.chain([first], pieces), content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(True, row.name) or "attachment"
    response["Content-Length"] = str(row.size_bytes)
    response["Cache-Control"] = "no-store, private"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
