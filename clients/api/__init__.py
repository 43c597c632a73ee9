"""Clients, their notes, calls and tasks, and segments in the API: what the pages show, to whom the pages show it."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db.models import QuerySet
from ninja import Field, Router

from clients import calls, followups, notes
from clients.api.client_facts import add_facts
from clients.api.tags import tags
from clients.choices import CallDirection, CallOutcome, Category, RiskRating, SalesStatus, Stage
from clients.custom_fields.registry import SeenVocabulary
from clients.models import Call, Note, Task
from clients.queries import clients_visible_to
from clients.segments.policies import segments_visible_to
from crm.api.authentication import Principal
from crm.api.bulk import writes_many
from crm.api.fields import boolean, email, integer, money, phone, text, texts, time
from crm.api.reading import register
from crm.api.resources import Resource
from crm.api.writing import Body, require_visible, writes
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
    tracks_changes=True,
    vocabulary=SeenVocabulary,
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
        tags(),
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
add_facts(router)


class NoteIn(Body):
    """A remark on a client."""

    client_id: int = Field(..., ge=1, le=2**63 - 1)
    body: str = Field(..., min_length=1, max_length=5000, examples=["Asked for a call on Monday"])
    is_pinned: bool = False


class CallIn(Body):
    """A call that took place."""

    client_id: int = Field(..., ge=1, le=2**63 - 1)
    outcome: CallOutcome
    direction: CallDirection = CallDirection.OUTBOUND
    duration_seconds: int = Field(0, ge=0, le=86_400)
    started_at: dt.datetime | None = Field(None, description="UTC; empty: it has just ended")
    notes: str = Field("", max_length=5000)


class TaskIn(Body):
    """Something to do for a client."""

    client_id: int = Field(..., ge=1, le=2**63 - 1)
    title: str = Field(..., min_length=1, max_length=160, examples=["Call back"])
    due_at: dt.datetime = Field(..., description="With its zone, e.g. 2026-12-01T09:00:00Z")
    assignee_id: int | None = Field(None, ge=1, le=2**63 - 1, description="Empty: the token's user")


def _aware(moment: dt.datetime | None) -> dt.datetime | None:
    """Read a time without a zone as UTC."""
    return moment.replace(tzinfo=dt.UTC) if moment is not None and moment.tzinfo is None else moment


@writes(router, "/v1/notes", NOTES, scope="clients:write", body=NoteIn, summary="Add a note")
def create_note(principal: Principal, body: NoteIn, _id: int | None) -> int:
    """Add a note in the token's user's name."""
    require_visible(clients_visible_to(principal.user), body.client_id)
    note = notes.add_note(client_id=body.client_id, actor=principal.user, body=body.body, is_pinned=body.is_pinned)
    return note.pk


@writes(router, "/v1/calls", CALLS, scope="clients:write", body=CallIn, summary="Log a call")
def create_call(principal: Principal, body: CallIn, _id: int | None) -> int:
    """Log a call of the token's user."""
    require_visible(clients_visible_to(principal.user), body.client_id)
    details = calls.CallDetails(
        body.outcome, body.duration_seconds, body.notes, body.direction, _aware(body.started_at)
    )
    return calls.log_call(client_id=body.client_id, actor=principal.user, details=details).pk


@writes(router, "/v1/tasks", TASKS, scope="clients:write", body=TaskIn, summary="Add a task")
def create_task(principal: Principal, body: TaskIn, _id: int | None) -> int:
    """Set a follow-up, for the token's user or a colleague."""
    require_visible(clients_visible_to(principal.user), body.client_id)
    if body.assignee_id is not None:
        require_visible(User.objects.filter(is_active=True), body.assignee_id)
    due_at = _aware(body.due_at)
    assert due_at is not None
    task = followups.add_task(
        client_id=body.client_id, actor=principal.user, title=body.title, due_at=due_at, assignee_id=body.assignee_id
    )
    return task.pk


@writes(
    router,
    "/v1/tasks/{id}/complete",
    TASKS,
    scope="clients:write",
    body=None,
    summary="Complete a task",
    needs_match=True,
)
def complete_task(principal: Principal, _body: None, task_id: int | None) -> int:
    """Mark a task as done."""
    assert task_id is not None
    return followups.complete_task(task_id=task_id, actor=principal.user).pk


writes_many(router, NOTES, create_note, scope="clients:write", body=NoteIn)
writes_many(router, CALLS, create_call, scope="clients:write", body=CallIn)
writes_many(router, TASKS, create_task, scope="clients:write", body=TaskIn)
