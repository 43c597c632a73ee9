"""Help in the app: a list with search, and the text of one topic, as a page or beside the page it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from crm.choices import UserKind
from crm.ui import help as help_texts
from crm.ui.views import wants_fragment

if TYPE_CHECKING:
    from crm.web.requests import UserRequest

QUERY_MAX = 80


@login_required
@require_GET
def help_index(request: UserRequest) -> HttpResponse:
    """List the help on this person's pages, or what a search finds in it."""
    query = request.GET.get("q", "").strip()[:QUERY_MAX]
    topics = help_texts.search(request.user, query) if query else help_texts.topics_for(request.user)
    return render(request, "crm/pages/help.html", {"topics": topics, "query": query})


@login_required
@require_GET
def help_topic(request: UserRequest, slug: str) -> HttpResponse:
    """Show one topic: in a panel beside the page with HTMX, else as a page."""
    topic = help_texts.topics().get(slug)
    if topic is None or topic.audience != UserKind(request.user.kind):
        raise Http404
    context = {"topic": topic, "html": topic.text.html_for(request.user)}
    if wants_fragment(request):
        return render(request, "crm/pages/_help_panel.html", context)
    context["page_url"] = topic.page_url_for(request.user)
    return render(request, "crm/pages/help_topic.html", context)
