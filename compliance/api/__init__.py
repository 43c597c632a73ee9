"""AML cases in the API. That a suspicion was reported is said nowhere here."""

from __future__ import annotations

from typing import Final

from ninja import Router

from clients.api import CLIENTS
from compliance.aml.choices import CaseState
from compliance.aml.queries import SEES_CASES, cases_visible_to
from crm.api.fields import day, integer, text, time
from crm.api.reading import register
from crm.api.resources import Resource

router = Router()
CASES: Final = Resource(
    "cases",
    "case",
    scope="compliance:read",
    permission=SEES_CASES,
    rows=cases_visible_to,
    summary="AML cases of clients.",
    client="client_id",
    fields=(
        integer("id"),
        integer("client_id"),
        text("state", choices=CaseState.values),
        integer("score"),
        time("opened_at"),
        time("last_alert_at"),
        integer("decided_by_id"),
        time("decided_at"),
        day("monitor_until"),
        integer("follows_id"),
    ),
    filters=("client_id", "state", "opened_at", "decided_at"),
    expand={"client": CLIENTS},
)
register(router, CASES)
