"""Staff pages of chats: the list with who is online, the chat, hand-over, canned answers."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.chat import chats, presence
from clients.chat.canned import answers_for, answers_visible_to, archive_canned_answer, save_canned_answer
from clients.chat.choices import ChatState
from clients.chat.forms import CannedAnswerForm, HandOverForm
from clients.chat.lines import lines_of
from clients.chat.policies import ANSWERS, KEEPS_ANSWERS, READS, can_answer
from clients.chat.queries import chats_visible_to
from clients.chat.tables import ChatTable
from clients.models import CannedAnswer, Chat
from clients.record.access import log_access
from clients.views import dialogs
from crm.errors import DomainError
from crm.staff.company import brands_to_set_up
from crm.ui import panels
from crm.ui.actions import run_action
from crm.ui.tables import Table
from crm.ui.views import TableView, staff_page, wants_fragment
from crm.web.requests import UserRequest


class ChatList(TableView):
    """The chats in reach, below who takes chats now."""

    table = ChatTable
    template_name = "clients/chat/list.html"

    def get_context(self, table: Table) -> dict[str, Any]:
        user = table.user
        return {
            "desks": presence.desks_of(user),
            "is_available": presence.is_available(user),
            "may_answer": user.has_perm(ANSWERS),
        }


def _chat(request: UserRequest, chat_id: int) -> Chat:
    rows = chats_visible_to(request.user).select_related(
        "client__brand", "client__book__desk", "client__owner", "agent", "desk"
    )
    return get_object_or_404(rows, pk=chat_id)


def panel(chat: Chat | None, *, is_client: bool, may_write: bool, typed: str = "", refusal: str = "") -> dict[str, Any]:
    """Collect what both sides' panels show: the lines, and a form with a key of its own. No chat yet: the form alone."""
    return {
        "chat": chat,
        "lines": lines_of(chat) if chat is not None else [],
        "is_client": is_client,
        "may_write": may_write and (chat is None or chat.is_running),
        "key": str(uuid.uuid4()),
        "typed": typed,
        "refusal": refusal,
    }


@staff_page(READS)
def chat(request: UserRequest, chat_id: int) -> HttpResponse:
    """Show a chat; opening the page is logged, what comes in while it is open isn't again."""
    row = _chat(request, chat_id)
    may_write = bool(can_answer(request.user, row))
    if wants_fragment(request):
        return render(request, "clients/chat/_lines.html", panel(row, is_client=False, may_write=may_write))
    log_access(request.user, row.client, f"clients.chat:{row.pk}")
    context = panel(row, is_client=False, may_write=may_write) | {
        "client": row.client,
        "may_answer": may_write,
        "cards": panels.cards_html(request, "chat", row),
        "answers": answers_for(row.client) if may_write and row.is_running else [],
        "desks": presence.by_desk(presence.online_for(row.client).select_related("desk")[: presence.PEOPLE_MAX]),
    }
    return render(request, "clients/chat/chat.html", context)


@require_POST
@staff_page(ANSWERS)
def chat_write(request: UserRequest, chat_id: int) -> HttpResponseBase:
    """Answer in a chat."""
    row = _chat(request, chat_id)
    text, key = request.POST.get("text", ""), request.POST.get("key", "")
    done = run_action(
        request,
        lambda: chats.write_as_agent(chat_id=row.pk, actor=request.user, text=text, key=key),
        unshown=DomainError if wants_fragment(request) else (),
    )
    if done and row.state != ChatState.OPEN:
        return dialogs.back(request, row.get_absolute_url())  # it's theirs now: so say the buttons and details
    if not wants_fragment(request):
        return redirect(row.get_absolute_url())
    row = _chat(request, chat_id)
    context = panel(
        row, is_client=False, may_write=True, typed="" if done else text, refusal="" if done else str(done.message)
    )
    context |= {"write_url": request.path, "lines_url": row.get_absolute_url()}
    return render(request, "clients/chat/_panel.html", context, status=200 if done else 422)


@require_POST
@staff_page(ANSWERS)
def chat_do(request: UserRequest, chat_id: int, act: str) -> HttpResponseBase:
    """Take a chat, or end it."""
    row = _chat(request, chat_id)
    acts: dict[str, tuple[Callable[[], Any], str]] = {
        "take": (lambda: chats.take_chat(chat_id=row.pk, actor=request.user), _("You're answering this chat.")),
        "end": (lambda: chats.end_chat(chat_id=row.pk, actor=request.user), _("Chat ended.")),
    }
    if act not in acts:
        return HttpResponse(status=404)
    work, message = acts[act]
    run_action(request, work, message, show_forbidden=True)
    return redirect(row.get_absolute_url())


@staff_page(ANSWERS)
def chat_hand_over(request: UserRequest, chat_id: int) -> HttpResponseBase:
    """Give a chat to a colleague or a desk."""
    row = _chat(request, chat_id)
    form = HandOverForm(request.POST or None, chat=row, actor=request.user)
    return dialogs.run(
        request,
        form,
        lambda: chats.hand_over_chat(chat_id=row.pk, actor=request.user, note=form.cleaned_data["note"], **form.target),
        url=row.get_absolute_url(),
        success_message=_("Chat handed over."),
        title=_("Hand over chat"),
        submit=_("Hand over"),
    )


@require_POST
@staff_page(ANSWERS)
def chat_availability(request: UserRequest) -> HttpResponseBase:
    """Take chats from now on, or no longer."""
    wanted = request.POST.get("available") == "yes"
    run_action(
        request,
        lambda: presence.set_availability(actor=request.user, is_available=wanted),
        _("You take chats now.") if wanted else _("You no longer take chats."),
    )
    return redirect("chats")


@staff_page(KEEPS_ANSWERS)
def canned_answer(request: UserRequest, answer_id: int | None = None) -> HttpResponseBase:
    """Write a canned answer."""
    row = get_object_or_404(answers_visible_to(request.user), pk=answer_id) if answer_id is not None else None
    return _answer_dialog(request, row)


def _answer_dialog(request: UserRequest, row: CannedAnswer | None) -> HttpResponseBase:
    initial = (
        {} if row is None else {"brand": row.brand_id, "language": row.language, "title": row.title, "body": row.body}
    )
    brands = brands_to_set_up(request.user).filter(archived_at=None).order_by("name")
    form = CannedAnswerForm(request.POST or None, brands=brands, initial=initial)

    def do() -> None:
        entered = form.cleaned_data
        save_canned_answer(
            actor=request.user,
            brand_id=entered["brand"].pk,
            language=entered["language"],
            title=entered["title"],
            body=entered["body"],
            answer_id=row.pk if row is not None else None,
        )

    return dialogs.run(
        request,
        form,
        do,
        url="/chats/answers/",
        success_message=_("Canned answer saved."),
        title=_("Canned answer"),
        submit=_("Save answer"),
        also=None
        if row is None
        else {"url": f"/chats/answers/{row.pk}/archive/", "icon": "archive", "label": _("Archive")},
    )


@require_POST
@staff_page(KEEPS_ANSWERS)
def canned_answer_archive(request: UserRequest, answer_id: int) -> HttpResponseBase:
    """Take an answer off the list."""
    row = get_object_or_404(answers_visible_to(request.user), pk=answer_id)
    run_action(
        request, lambda: archive_canned_answer(answer_id=row.pk, actor=request.user), _("Canned answer archived.")
    )
    return dialogs.back(request, "/chats/answers/")
