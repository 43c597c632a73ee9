"""The command palette (Ctrl-K): every page that the user may open, help, and whatever the apps' search providers find."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from crm.choices import AccessKind
from crm.security import access_log
from crm.ui import help as help_texts
from crm.ui import menu, panels
from crm.ui.views import staff_page

if TYPE_CHECKING:
    from crm.models import User
    from crm.web.requests import UserRequest

QUERY_MAX = 80
PAGES_MAX = 8
HELP_MAX = 4


def _pages(user: User, query: str) -> Iterator[panels.SearchResult]:
    terms = query.casefold().split()
    for link in menu.links_for(user):
        area = menu.AREAS.get(link.entry.section) if link.entry.section else None
        hint = str(area.label) if area else ""
        haystack = f"{hint} {link.entry.label} {link.entry.words}".casefold()
        if all(word in haystack for word in terms):
            yield panels.SearchResult(str(link.entry.label), link.url, hint, link.entry.icon)


@staff_page()
def palette(request: UserRequest) -> HttpResponse:
    """Show results as HTML. Searches for records are noted in the access log, like every other search."""
    query = request.GET.get("q", "").strip()[:QUERY_MAX]
    groups = []
    pages = list(_pages(request.user, query))[: PAGES_MAX if query else None]
    if len(query) >= 2:
        for source, results in panels.search_everything(request.user, query):
            groups.append((source.label, results))
            access_log.note(
                user=request.user,
                kind=AccessKind.SEARCH,
                target=f"palette:{source.slug}",
                rows=len(results),
                reason=query,
            )
    if pages:
        groups.append((_("Pages"), pages))
    if len(query) >= 2 and (topics := help_texts.search(request.user, query)[:HELP_MAX]):
        rows = [panels.SearchResult(topic.text.title, topic.url, "", "circle-question-mark") for topic in topics]
        groups.append((_("Help"), rows))
    return render(request, "crm/ui/_palette_results.html", {"groups": groups, "query": query})
