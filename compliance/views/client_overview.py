"""Compliance on top of the client's page: matches that wait for a decision, for those who may know of them."""

from __future__ import annotations

from django.utils.translation import gettext as _

from clients.models import Client
from compliance import queries
from compliance.choices import HitState
from crm.i18n import formats
from crm.ui.records import NextStep
from crm.web.requests import UserRequest

MATCH = 15
SHOWN = 3


def next_steps(request: UserRequest, client: Client) -> list[NextStep]:
    """Suggest the review of open matches; nobody who talks to the client learns of them here."""
    decides = request.user.has_perm("compliance.decide_hit")
    rows = (
        queries.hits_visible_to(request.user).filter(client=client, state=HitState.OPEN).select_related("entry__source")
    )
    return [
        NextStep(
            MATCH,
            _("Possible match: %(name)s") % {"name": hit.entry.primary_name},
            _("Review match") if decides else _("View"),
            hit.get_absolute_url(),
            f"{hit.entry.source.name} · {formats.number(hit.score, 2)}",
            "shield-alert",
            "danger",
        )
        for hit in rows.order_by("-score", "-pk")[:SHOWN]
    ]
