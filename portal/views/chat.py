"""Chat in the client portal: the running one, a message where no agent is online, and earlier ones to read."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clients.brand_policies import CHAT_IN_PORTAL
from clients.chat import chats
from clients.chat.lines import lines_of
from clients.chat.presence import online_for
from clients.chat.queries import current_chat_of
from clients.chat.views import panel
from clients.models import Chat, Client
from crm.errors import DomainError
from crm.ui.actions import run_action
from crm.ui.views import wants_fragment
from crm.web.requests import UserRequest
from portal.guards import client_required

EARLIER_SHOWN = 20


@client_required
@require_safe
def chat(request: UserRequest, client: Client) -> HttpResponse:
    """Show the running chat, or the form that starts one; its lines alone for a page that is open."""
    row = current_chat_of(client)
    if wants_fragment(request):
        return render(request, "clients/chat/_lines.html", _panel(row))
    is_offered = CHAT_IN_PORTAL.of(client.brand)
    shown = row if row is not None and row.is_running else None
    earlier = Chat.objects.filter(client=client, state="ended").order_by("-pk")
    context = _panel(shown) | {
        "client": client,
        "is_offered": is_offered,
        "is_online": is_offered and shown is None and online_for(client).exists(),
        "earlier": earlier[:EARLIER_SHOWN],
    }
    return render(request, "portal/chat/chat.html", context)


@client_required
@require_POST
def write(request: UserRequest, client: Client) -> HttpResponse:
    """Write in the running chat, or start one."""
    text, key = request.POST.get("text", ""), request.POST.get("key", "")
    done = run_action(
        request,
        lambda: chats.start_chat(client_id=client.pk, actor=request.user, text=text, key=key),
        unshown=DomainError if wants_fragment(request) else (),
    )
    if not wants_fragment(request):
        return redirect("portal_chat")
    row = current_chat_of(client)
    context = _panel(row if row is not None and row.is_running else None)
    context |= {"typed": "" if done else text, "refusal": "" if done else str(done.message)}
    context |= {"write_url": "/portal/chat/write/", "lines_url": "/portal/chat/"}
    return render(request, "clients/chat/_panel.html", context, status=200 if done else 422)


@client_required
@require_POST
def end(request: UserRequest, client: Client) -> HttpResponse:
    """End one's chat."""
    row = current_chat_of(client)
    if row is not None:
        run_action(request, lambda: chats.end_chat(chat_id=row.pk, actor=request.user), _("Chat ended."))
    return redirect("portal_chat")


@client_required
@require_safe
def earlier(request: UserRequest, client: Client, chat_id: int) -> HttpResponse:
    """Show a chat that has ended."""
    row = get_object_or_404(Chat, client=client, state="ended", pk=chat_id)
    return render(request, "portal/chat/earlier.html", {"chat": row, "lines": lines_of(row), "is_client": True})


def _panel(row: Chat | None) -> dict[str, Any]:
    return panel(row, is_client=True, may_write=True)
