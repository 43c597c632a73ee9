"""The tabs that the clients app itself puts on the client's page."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core import signing
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render

from clients import policies
from clients.forms import NoteForm
from clients.identifiers.links import linked_to
from clients.identifiers.places import countries_of
from clients.models import Client, MailThread, Message, TextThread
from clients.record import timeline_page
from clients.views.page import pinned_notes
from crm.choices import AccessKind
from crm.models import AccessEvent
from crm.security import confidential
from crm.ui.views import wants_fragment
from crm.web.requests import UserRequest

VIEWS_PAGE = 50
THREADS_SHOWN = 20
VIEWS_SALT = "clients.looks"


def timeline_tab(request: UserRequest, client: Client) -> HttpResponse:
    """Show the client's activity, newest first; `?kind=` filters, `?older=` is the next page."""
    page = timeline_page.read_page(
        client, request.user, kind=request.GET.get("kind", ""), cursor=request.GET.get("older", "")
    )
    if wants_fragment(request) and request.GET.get("older"):
        return render(request, "clients/_timeline_items.html", {"client": client, "page": page})
    context: dict[str, Any] = {
        "client": client,
        "page": page,
        "kinds": timeline_page.kinds_of(client, request.user, page),
        "pinned": pinned_notes(client),
        "can_log": bool(policies.can_log(request.user, client)),
        "form": NoteForm(auto_id="note_%s"),
    }
    return render(request, "clients/_timeline.html", context)


def mail_tab(request: UserRequest, client: Client) -> HttpResponse:
    """Show the newest threads with the client, and the newest hundred e-mails to them with their state."""
    rows = Message.objects.filter(client=client).select_related("sender").defer("secret").order_by("-id")[:100]
    context = {
        "client": client,
        "threads": MailThread.objects.filter(client=client)[:THREADS_SHOWN],
        "messages_sent": rows,
        "can_log": bool(policies.can_log(request.user, client)),
    }
    return render(request, "clients/_mail.html", context)


def text_tab(request: UserRequest, client: Client) -> HttpResponse:
    """Show the conversations with the client by SMS and WhatsApp."""
    rows = TextThread.objects.filter(client=client).defer("sealed", "for_client")
    context = {
        "client": client,
        "threads": rows[:THREADS_SHOWN],
        "can_write": bool(policies.can_log(request.user, client)),
    }
    return render(request, "clients/texting/_tab.html", context)


def linked_tab(request: UserRequest, client: Client) -> HttpResponse:
    """Show who shares an e-mail address, phone, device, network, account or document with this client, and where they signed in."""
    context = {"client": client, "links": linked_to(request.user, client), "countries": countries_of(client)}
    return render(request, "clients/_linked_tab.html", context)


def views_tab(request: UserRequest, client: Client) -> HttpResponse:
    """Show who viewed this client, when, and what: the access log of one record."""
    rows = AccessEvent.objects.filter(client_id=client.pk).select_related("user")
    rows = confidential.access_for(request.user, rows)
    kind = request.GET.get("kind", "")
    if kind in AccessKind.values:
        rows = rows.filter(kind=kind)
    place = _read_place(request.GET.get("older", ""))
    if place:
        at, pk = place
        rows = rows.filter(Q(at__lt=at) | Q(at=at, id__lt=pk))
    events = list(rows.order_by("-at", "-id")[: VIEWS_PAGE + 1])
    last = events[VIEWS_PAGE - 1] if len(events) > VIEWS_PAGE else None
    context = {
        "client": client,
        "views": events[:VIEWS_PAGE],
        "kind": kind,
        "kinds": AccessKind.choices,
        "older": signing.dumps([last.at.isoformat(), last.id], salt=VIEWS_SALT) if last else "",
    }
    return render(request, "clients/_record_views.html", context)


def _read_place(text: str) -> tuple[dt.datetime, int] | None:
    try:
        at, pk = signing.loads(text, salt=VIEWS_SALT)
        return dt.datetime.fromisoformat(at), int(pk)
    except (signing.BadSignature, ValueError, TypeError):
        return None
