"""What a client agreed to, on the client's page, for compliance and auditors: the very words, their hash, time and address."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from clients.models import Client
from portal import consents
from portal.choices import ConsentKind
from portal.models import Consent

SHOWN_MAX = 200


def consents_tab(request: HttpRequest, client: Client) -> HttpResponse:
    """List every yes and no of a client, the newest first, and what is outstanding."""
    rows = Consent.objects.filter(client=client).select_related("text__version").order_by("-at", "-id")[:SHOWN_MAX]
    asked = consents.must_accept(client.brand, client.language)
    outstanding = consents.outstanding(client, asked) if asked else []
    context = {"client": client, "rows": rows, "outstanding": [ConsentKind(kind).label for kind in outstanding]}
    return render(request, "portal/staff_consents.html", context)
