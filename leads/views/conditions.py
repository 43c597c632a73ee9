"""Trying a routing rule's condition out on the newest leads."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from clients.custom_fields.arrivals import named_of
from clients.segments.membership import segments_of
from crm.choices import AccessKind
from crm.conditions import Condition
from crm.conditions.fields import ADDED
from crm.security import access_log
from crm.security.scope import reach_of
from crm.ui.conditions import Preview, preview
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from leads.models import Lead
from leads.routing import Candidate
from leads.vocabulary import SEGMENTS, SeenLeadVocabulary

NEWEST: Final = 1_000
SAMPLE: Final = 5


@require_POST
@staff_page("leads.manage_rules")
def lead_condition(request: UserRequest) -> HttpResponse:
    """Count how many of the newest leads in reach meet a condition, and name a few. One query, one more for custom fields."""

    def dry_run(condition: Condition) -> Preview:
        now = timezone.now()
        rows = list(
            Lead.objects.filter(client__book_id__in=reach_of(request.user).books)
            .select_related("client", "campaign")
            .order_by("-id")[:NEWEST]
        )
        asked = [int(field.name.removeprefix(ADDED)) for field in condition.fields() if field.name.startswith(ADDED)]
        ids = {row.client_id for row in rows}
        custom = named_of(ids, asked)
        if any(field.name == SEGMENTS for field in condition.fields()):
            for client_id, segments in segments_of(ids).items():
                custom.setdefault(client_id, {})[SEGMENTS] = [str(pk) for pk, _name in segments]
        found = [row for row in rows if condition.holds(_candidate(row, custom.get(row.client_id, {})), now)]
        sample = [
            (row.client.full_name or f"#{row.client_id}", row.client.get_absolute_url()) for row in found[:SAMPLE]
        ]
        access_log.note(
            user=request.user,
            kind=AccessKind.SEARCH,
            target="condition",
            rows=len(sample),
            reason=condition.sentence()[:200],
        )
        return Preview(condition.sentence(), len(found), sample, of=len(rows))

    return preview(request, SeenLeadVocabulary(request.user), dry_run)


def _candidate(lead: Lead, custom: dict[str, Any]) -> Candidate:
    return Candidate(
        language=lead.client.language,
        country=lead.client.country,
        source=lead.source,
        campaign=lead.campaign.code if lead.campaign else "",
        score=lead.score,
        custom=custom,
        experience=lead.experience,
        intended_deposit=lead.intended_in_base,
    )
