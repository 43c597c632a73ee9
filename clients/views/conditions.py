"""Trying a condition on clients out: how many it selects now, and a few of them."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from clients.custom_fields.registry import SeenVocabulary
from clients.queries import clients_visible_to
from crm.choices import AccessKind
from crm.conditions import Condition
from crm.db.counting import count_matching
from crm.security import access_log
from crm.ui.conditions import Preview, preview
from crm.ui.views import staff_page
from crm.web.requests import UserRequest

SAMPLE = 5


@require_POST
@staff_page("clients.view_client")
def client_condition(request: UserRequest) -> HttpResponse:
    """Count the clients in reach that meet a condition, and name the newest of them. Two queries."""

    def dry_run(condition: Condition) -> Preview:
        found = clients_visible_to(request.user).filter(condition.q(timezone.now())).order_by()
        newest = list(found.order_by("-id").only("id", "first_name", "last_name")[:SAMPLE])
        access_log.note(
            user=request.user,
            kind=AccessKind.SEARCH,
            target="condition",
            rows=len(newest),
            reason=condition.sentence()[:200],
        )
        sample = [(client.full_name or f"#{client.pk}", client.get_absolute_url()) for client in newest]
        return Preview(condition.sentence(), count_matching(found), sample)

    return preview(request, SeenVocabulary(request.user), dry_run)
