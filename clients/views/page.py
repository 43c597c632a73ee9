"""The client's page: who this is at a glance, what others know about them in cards and tabs, what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from clients import contacts, policies
from clients.countries import country_name
from clients.country_rules.rules import rule_of
from clients.languages import language_name
from clients.models import Client, Note, Task
from clients.queries import clients_visible_to, get_client, is_in_own_book
from clients.record.access import log_access
from clients.record.local_time import local_time
from clients.record.profile_facts import lines_of
from clients.record.stage_path import path_of
from clients.telephony.do_not_call import mark_of
from clients.telephony.policies import can_call
from clients.views.next_steps import next_tasks
from crm.db.prepared import ByKey
from crm.models import User
from crm.security import access_log
from crm.ui import panels
from crm.ui.views import staff_page, wants_fragment
from crm.web.requests import UserRequest

DEFAULT_TAB = "timeline"
MOST_PINNED = 5
MOST_STEPS = 6


def follow_merge(request: UserRequest, client: Client) -> HttpResponseBase | None:
    """Lead from the address of a merged record to the one that is kept, if the reader reaches that; its tabs stay open."""
    if client.merged_into_id is None:
        return None
    kept = clients_visible_to(request.user).filter(pk=client.merged_into_id).first()
    if kept is None:
        return None
    messages.info(request, gettext("Record #%(number)s was merged into this one.") % {"number": client.pk})
    return redirect(kept.get_absolute_url())


@dataclass(frozen=True)
class TabLink:
    slug: str
    label: Any
    url: str
    icon: str
    count: int | None = None


@staff_page("clients.view_client")
def client_page(request: UserRequest, client_id: int, slug: str = "") -> HttpResponseBase:
    """Show a client, `/clients/7/` and `/clients/7/tab/money/`. A fragment is what a tab's own list or form asks for."""
    if not slug and (requested_tab := request.GET.get("tab")):
        if panels.tab_for(request.user, "client", requested_tab) is None:
            raise Http404
        return redirect("client_tab", client_id=client_id, slug=requested_tab)
    client = get_client(request.user, client_id)
    if not slug and not wants_fragment(request) and (onward := follow_merge(request, client)):
        return onward
    tab = panels.tab_for(request.user, "client", slug or DEFAULT_TAB)
    if tab is None:
        raise Http404
    inner: HttpResponseBase = tab.view(request, client)
    if wants_fragment(request):
        if inner.status_code == 200:
            note_part(request, client, slug)
        return inner
    if getattr(inner, "streaming", False) or inner.status_code != 200 or _is_file(inner):
        return inner
    note_view(request, client, slug)
    return render(request, "clients/client.html", page_context(request, client, tab.slug, inner))


def _is_file(response: HttpResponseBase) -> bool:
    return "attachment" in response.headers.get("Content-Disposition", "")


def note_view(request: UserRequest, client: Client, slug: str = "") -> None:
    log_access(request.user, client, f"clients.client:{slug}" if slug else "clients.client")


def note_part(request: UserRequest, client: Client, slug: str) -> None:
    """Log a view for a part of the page, unless the page itself was opened shortly before."""
    if not access_log.was_seen(user=request.user, client_id=client.pk):
        note_view(request, client, slug)


def page_context(request: UserRequest, client: Client, slug: str, inner: Any) -> dict[str, Any]:
    if hasattr(inner, "render") and not getattr(inner, "is_rendered", True):
        inner.render()
    return {
        "client": client,
        "tabs": [_link(request, client, tab) for tab in panels.tabs_for(request.user, "client")],
        "current": slug,
        "content": SafeString(inner.content.decode()),
        "side": _cards(request, client, "side", slug),
        "top": _cards(request, client, "top", slug),
        "foot": _cards(request, client, "foot", slug),
        "path": path_of(client),
        "facts": lines_of(client, request.user),
        "figures": panels.parts_for(request, "client", "figure", client),
        "steps": sorted(panels.parts_for(request, "client", "step", client), key=lambda step: step.urgency)[
            :MOST_STEPS
        ],
        "creations": panels.parts_for(request, "client", "creation", client),
        "tasks": open_tasks(client, request.user),
        **header_context(request, client),
    }


def header_context(request: UserRequest, client: Client) -> dict[str, Any]:
    user = request.user
    return {
        "country": country_name(client.country),
        "country_rule": rule_of(client.brand, client.country) if client.country else None,
        "language": language_name(client.language),
        "local_time": local_time(client),
        "sees_contacts": policies.sees_contacts(user),
        "can_reveal": bool(policies.can_reveal(user, client)),
        "asks_why": contacts.needs_reason(user, client),
        "can_log": bool(policies.can_log(user, client)),
        "can_call": bool(can_call(user, client)),
        "can_change": bool(policies.can(user, client, "clients.change_client")),
        "can_move": bool(policies.can_move(user, client)),
        "can_close": bool(policies.can_close(user, client)) and client.stage != "closed",
        "can_merge": bool(policies.can_merge(user, client)) and client.merged_into_id is None,
        "can_explain": user.has_perm("crm.explain_access"),
        "is_own": is_in_own_book(user, client),
        "do_not_call": mark_of(client),
    }


def _link(request: HttpRequest, client: Client, tab: panels.Tab) -> TabLink:
    url = (
        reverse("client", args=[client.pk])
        if tab.slug == DEFAULT_TAB
        else reverse("client_tab", kwargs={"client_id": client.pk, "slug": tab.slug})
    )
    return TabLink(tab.slug, tab.label, url, tab.icon, tab.count(request.user, client) if tab.count else None)


def _cards(request: UserRequest, client: Client, place: str, tab: str) -> list[SafeString]:
    """Render the cards of other apps with what each of them loaded."""
    cards = panels.cards_for(request, "client", client, place, tab=tab)
    return [
        SafeString(render_to_string(card["template"], {"client": client, **card["context"]}, request)) for card in cards
    ]


def open_tasks(client: Client, user: User) -> list[tuple[Task, bool]]:
    """List the client's open follow-ups, each with whether the reader may only read it."""
    tasks = next_tasks(client, user)
    if not tasks or not policies.can_log(user, client):
        return [(task, True) for task in tasks]
    is_head = bool(policies.can_move(user, client))
    return [(task, not is_head and task.assignee_id != user.pk) for task in tasks]


_PINNED: Final = ByKey(
    lambda: Note.objects.filter(is_pinned=True).select_related("author").order_by("-id"), "client_id", most=MOST_PINNED
)


def pinned_notes(client: Client) -> list[Note]:
    return _PINNED.all(client_id=client.pk)
