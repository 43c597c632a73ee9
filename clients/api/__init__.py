"""Clients, their notes, calls and tasks, and segments in the API: what the pages show, to whom the pages show it."""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet
from ninja import Router

from clients.choices import CallOutcome, Category, RiskRating, SalesStatus, Stage
from clients.models import Call, Note, Task
from clients.queries import clients_visible_to
from clients.segments.policies import segments_visible_to
from crm.api.fields import boolean, email, integer, money, phone, text, texts, time
from crm.api.reading import register
from crm.api.resources import Resource
from crm.models import User

router = Router()

CLIENTS: Final = Resource(
    "clients",
    "client",
    scope="clients:read",
    permission="clients.view_client",
    rows=clients_visible_to,
    summary="One record per person or company and brand, from the first click to the closed account.",
    client="id",
    fields=(
        integer("id"),
        text("brand", "brand__code"),
        text("stage", choices=Stage.values),
        text("kind"),
        text("first_name"),
        text("last_name"),
        email(),
        phone(),
        text("country", note="ISO 3166-1 alpha-2", example="DE"),
        text("language", example="de"),
        integer("owner_id", note="The agent"),
        integer("book_id"),
        text("sales_status", choices=SalesStatus.values),
        integer("score"),
        integer("kyc_level"),
        text("risk_rating", choices=RiskRating.values),
        text("category", choices=Category.values),
        texts("restrictions"),
        money("net_deposits", currency="brand__base_currency", note="In the brand's base currency"),
        time("first_deposit_at"),
        time("last_trade_at"),
        time("last_contact_at"),
        text("source"),
        text("campaign"),
        boolean("marketing_consent"),
        integer("merged_into_id", note="Another record of the same person, into which this one was merged"),
        time("created_at"),
        time("registered_at"),
    ),
    filters=(
        "brand",
        "stage",
        "country",
        "owner_id",
        "sales_status",
        "kyc_level",
        "risk_rating",
        "category",
        "source",
        "campaign",
        "created_at",
        "registered_at",
        "first_deposit_at",
        "last_trade_at",
    ),
)


def _notes(user: User) -> QuerySet[Note]:
    return Note.objects.filter(client__in=clients_visible_to(user))


def _calls(user: User) -> QuerySet[Call]:
    return Call.objects.filter(client__in=clients_visible_to(user))


def _tasks(user: User) -> QuerySet[Task]:
    return Task.objects.filter(client__in=clients_visible_to(user))


NOTES: Final = Resource(
    "notes",
    "note",
    scope="clients:read",
    permission="clients.view_client",
    rows=_notes,
    summary="Remarks on clients; `body` is the latest version.",
    client="client_id",
    fields=(
        integer("id"),
        integer("client_id"),
        integer("author_id"),
        text("body"),
        boolean("is_pinned"),
        integer("version"),
        time("created_at"),
    ),
    filters=("client_id", "author_id", "is_pinned", "created_at"),
    expand={"client": CLIENTS},
)
CALLS: Final = Resource(
    "calls",
    "call",
    scope="clients:read",
    permission="clients.view_client",
    rows=_calls,
    summary="Phone calls as they were logged.",
    client="client_id",
    fields=(
        integer("id"),
        integer("client_id"),
        integer("agent_id"),
        text("direction"),
        text("outcome", choices=CallOutcome.values),
        time("started_at"),
        integer("duration_seconds"),
        text("notes"),
        time("created_at"),
    ),
    filters=("client_id", "agent_id", "outcome", "started_at"),
    expand={"client": CLIENTS},
)
TASKS: Final = Resource(
    "tasks",
    "task",
    scope="clients:read",
    permission="clients.view_client",
    rows=_tasks,
    summary="What is to be done for a client, by whom and until when.",
    client="client_id",
    fields=(
        integer("id"),
        integer("client_id"),
        integer("assignee_id"),
        text("title"),
        time("due_at"),
        integer("created_by_id"),
        time("created_at"),
        time("done_at"),
        integer("done_by_id"),
    ),
    filters=("client_id", "assignee_id", "due_at", "done_at", "created_at"),
    expand={"client": CLIENTS},
)


SEGMENTS: Final = Resource(
    "segments",
    "segment",
    scope="marketing:read",
    permission="clients.manage_segment",
    rows=segments_visible_to,
    summary="Sets of clients by conditions or by hand.",
    fields=(
        integer("id"),
        text("brand", "brand__code"),
        text("name"),
        text("description"),
        text("kind"),
        integer("size", note="Members at the last refresh"),
        time("refreshed_at"),
        time("created_at"),
        time("archived_at"),
    ),
    filters=("brand", "kind", "created_at"),
)
register(router, CLIENTS, NOTES, CALLS, TASKS, SEGMENTS)
