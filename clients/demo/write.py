"""Writing the people and what was done with them: a few statements per table."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.auth.hashers import make_password
from psycopg.types.json import Jsonb

from clients.choices import STAGE_TRANSITIONS, CallDirection, CallOutcome, MessageState, Stage, TimelineKind
from clients.demo.lives import Life
from clients.models import Call, Client, Message, Note, NoteVersion, Task
from crm.accounts import username_for
from crm.accounts.demo_mode import PASSWORD
from crm.choices import UserKind
from crm.db.bulk import copy_models, copy_rows
from crm.demo import Demo
from crm.models import User
from crm.security import audit

TIMELINE = ("client_id", "at", "kind", "title", "body", "actor_id", "url", "data", "dedupe_key", "is_visible_to_client")
SECOND = dt.timedelta(seconds=1)


def entry(
    client_id: int,
    at: dt.datetime,
    kind: TimelineKind,
    title: str,
    *,
    body: str = "",
    actor: User | None = None,
    data: dict[str, Any] | None = None,
    key: str = "",
) -> tuple[Any, ...]:
    """A timeline row, for COPY."""
    return (client_id, at, kind.value, title, body, actor.pk if actor else None, "", Jsonb(data or {}), key, False)


# ── people ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def write_people(demo: Demo, lives: list[Life]) -> None:
    users = _users(demo, lives)
    clients = [_client(demo, life, users.get(number)) for number, life in enumerate(lives)]
    copy_models(clients)
    for life, client in zip(lives, clients, strict=True):
        life.client_id = client.pk
    _write_history(lives, clients)
    _write_moves(lives)


def _users(demo: Demo, lives: list[Life]) -> dict[int, User]:
    """A portal login for everyone who registered. One hash: they all share the demo's password."""
    password = make_password(PASSWORD)
    users = {
        number: User(
            username=username_for(brand=life.brand, email=life.person.email),
            email=life.person.email,
            password=password,
            kind=UserKind.CLIENT,
            brand=life.brand,
            first_name=life.person.first_name,
            last_name=life.person.last_name,
            language=life.person.country.language if life.person.country.language in ("en", "de") else "en",
            time_zone=life.desk.time_zone,
            date_joined=life.registered_at,
        )
        for number, life in enumerate(lives)
        if life.registered_at
    }
    copy_models(list(users.values()))
    return users


def _client(demo: Demo, life: Life, user: User | None) -> Client:
    person, rng = life.person, demo.rng
    known = life.registered_at is not None
    born = dt.date(rng.randrange(1955, 2004), rng.randrange(1, 13), rng.randrange(1, 29)) if known else None
    return Client(
        brand=life.brand,
        book=life.book,
        owner=life.agent,
        user=user,
        stage=life.stage,
        first_name=person.first_name,
        last_name=person.last_name,
        email=person.email,
        phone=person.phone,
        country=person.country.code,
        language=person.country.language,
        time_zone=life.desk.time_zone,
        date_of_birth=born,
        nationality=person.country.code if known else "",
        address_line=person.address_line if known else "",
        city=person.city if known else "",
        postal_code=person.postal_code if known else "",
        marketing_consent=rng.random() < 0.4,
        sales_status=life.status,
        created_at=life.captured_at,
        registered_at=life.registered_at,
        last_contact_at=life.last_contact_at,
    )


def _write_history(lives: list[Life], clients: list[Client]) -> None:
    """What the record said when it was made, and what it says since the person registered."""
    model = Client.history.model  # type: ignore[attr-defined]
    fields = [field.attname for field in model.tracked_fields]
    rows = []
    for life, client in zip(lives, clients, strict=True):
        now = {name: getattr(client, name) for name in fields}
        first = {
            **now,
            "stage": Stage.LEAD,
            "registered_at": None,
            "last_contact_at": None,
            "user_id": None,
            "sales_status": "new",
            "book_id": life.first_book.pk if life.first_book else client.book_id,
            "owner_id": life.first_agent.pk if life.first_agent else None,
            "date_of_birth": None,
            "nationality": "",
            "address_line": "",
            "city": "",
            "postal_code": "",
        }
        rows.append(model(history_date=life.captured_at, history_type="+", **first))
        if life.registered_at:
            rows.append(model(history_date=life.moved_at or life.registered_at, history_type="~", **now))
    copy_models(rows)


def _write_moves(lives: list[Life]) -> None:
    moved = [life for life in lives if life.moved_at and life.first_book]
    audit.record_many(
        {
            "actor": None,
            "action": "clients.moved",
            "target": ("clients.client", life.client_id),
            "at": life.moved_at,
            "client_id": life.client_id,
            "brand_id": life.brand.pk,
            "reason": "Retention takes over",
            "before": {"book": life.first_book.name, "book_id": life.first_book.pk},
            "after": {
                "book": life.book.name,
                "book_id": life.book.pk,
                "owner_id": life.agent.pk if life.agent else None,
            },
        }
        for life in moved
        if life.first_book
    )
    copy_rows(
        "clients_timelineentry",
        TIMELINE,
        (
            entry(
                life.client_id,
                life.moved_at or life.captured_at,
                TimelineKind.LEAD,
                body="Retention takes over",
                title=f"Moved from {life.first_book.name if life.first_book else '–'} to {life.book.name}",
            )
            for life in moved
        ),
    )


# ── work ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def write_work(demo: Demo, lives: list[Life]) -> None:
    timeline: list[tuple[Any, ...]] = []
    log: list[dict[str, Any]] = []
    _write_calls(lives, timeline, log)
    _write_notes(lives, timeline, log)
    _write_tasks(demo, lives, timeline, log)
    _write_messages(lives, timeline, log)
    copy_rows("clients_timelineentry", TIMELINE, timeline)
    audit.record_many(log)


def _log(life: Life, actor: User | None, action: str, target: Any, at: dt.datetime, **details: Any) -> dict[str, Any]:
    return {
        "actor": actor,
        "action": action,
        "target": target,
        "client_id": life.client_id,
        "brand_id": life.brand.pk,
        "at": at,
        **details,
    }


def _write_calls(lives: list[Life], timeline: list[Any], log: list[Any]) -> None:
    planned = [(life, call) for life in lives for call in life.calls]
    calls = [
        Call(
            client_id=life.client_id,
            agent=call.agent,
            outcome=call.outcome,
            started_at=call.at,
            notes=call.notes,
            duration_seconds=call.seconds,
            created_at=call.at + dt.timedelta(seconds=call.seconds),
        )
        for life, call in planned
    ]
    copy_models(calls)
    out = CallDirection.OUTBOUND.label
    for (life, call), row in zip(planned, calls, strict=True):
        data = {"call_id": row.pk, "outcome": str(call.outcome), "duration_seconds": call.seconds}
        title = f"{out}: {CallOutcome(call.outcome).label}"
        timeline.append(
            entry(
                life.client_id,
                call.at,
                TimelineKind.CALL,
                title,
                body=call.notes,
                actor=call.agent,
                data=data,
                key=f"call:{row.pk}",
            )
        )
        log.append(
            _log(
                life,
                call.agent,
                "clients.call_logged",
                row,
                row.created_at,
                after={"outcome": str(call.outcome), "duration_seconds": call.seconds, "direction": "outbound"},
            )
        )


def _write_notes(lives: list[Life], timeline: list[Any], log: list[Any]) -> None:
    written = [(life, at, who, body) for life in lives for at, who, body in life.notes]
    notes = [
        Note(client_id=life.client_id, author=who, body=body, created_at=at, is_pinned=life.client_id % 9 == 0)
        for life, at, who, body in written
    ]
    copy_models(notes)
    NoteVersion.objects.bulk_create(
        [NoteVersion(note=note, number=1, body=note.body, author=note.author, at=note.created_at) for note in notes],
        batch_size=2000,
    )
    for (life, at, who, body), note in zip(written, notes, strict=True):
        timeline.append(
            entry(
                life.client_id,
                at,
                TimelineKind.NOTE,
                "Note",
                body=body,
                actor=who,
                data={"note_id": note.pk},
                key=f"note:{note.pk}",
            )
        )
        log.append(_log(life, who, "clients.note_added", note, at, after={"body": body}))


def _write_tasks(demo: Demo, lives: list[Life], timeline: list[Any], log: list[Any]) -> None:
    """Follow-ups that came due are done, but for a few of the last days; whoever owns the person now has the open ones."""
    rng, planned = demo.rng, [(life, *task) for life in lives for task in life.tasks]
    tasks = []
    for life, set_at, due, who, title in planned:
        late = demo.now - due
        is_open = late < dt.timedelta(0) or (late < dt.timedelta(days=3) and rng.random() < 0.25)
        assignee = life.agent or who if is_open else who
        done_at = None if is_open else min(due + dt.timedelta(minutes=rng.randrange(1, 200)), demo.now)
        tasks.append(
            Task(
                client_id=life.client_id,
                assignee=assignee,
                title=title,
                due_at=due,
                created_by=who,
                created_at=set_at,
                done_at=done_at,
                done_by=assignee if done_at else None,
            )
        )
    copy_models(tasks)
    for (life, set_at, due, who, title), task in zip(planned, tasks, strict=True):
        data = {"task_id": task.pk, "due_at": due.isoformat(), "assignee": str(task.assignee)}
        timeline.append(
            entry(life.client_id, set_at, TimelineKind.TASK, title, actor=who, data=data, key=f"task:{task.pk}")
        )
        log.append(_log(life, who, "clients.task_added", task, set_at, after={"title": title, "due_at": due}))
        if task.done_at:
            log.append(_log(life, task.done_by, "clients.task_completed", task, task.done_at))


def _write_messages(lives: list[Life], timeline: list[Any], log: list[Any]) -> None:
    """The letters with the registration link."""
    invited = [life for life in lives if life.invited_at]
    messages = []
    for life in invited:
        assert life.invited_at is not None
        german = life.person.country.language == "de"
        subject = f"Ihre Registrierung bei {life.brand.name}" if german else f"Your registration at {life.brand.name}"
        greeting, button = ("Guten Tag", "Jetzt registrieren") if german else ("Hello", "Register now")
        messages.append(
            Message(
                client_id=life.client_id,
                template="leads.registration_link",
                language="de" if german else "en",
                to_address=life.person.email,
                subject=subject,
                sender=life.first_agent,
                state=MessageState.SENT,
                attempts=1,
                body=f"{greeting} {life.person.first_name},\n\n[{button}]({{{{ link }}}})",
                created_at=life.invited_at,
                due_at=life.invited_at,
                sent_at=life.invited_at + 3 * SECOND,
            )
        )
    copy_models(messages)
    for life, row in zip(invited, messages, strict=True):
        assert life.invited_at is not None
        timeline.append(
            entry(
                life.client_id,
                life.invited_at,
                TimelineKind.EMAIL,
                row.subject,
                body=row.as_kept,
                actor=life.first_agent,
                data={"message_id": row.pk, "template": row.template},
                key=f"message:{row.pk}",
            )
        )


# ── stages ─────────────────────────────────────────────────────────────────────────────────────────────────────────
PATHS: dict[str, list[Stage]] = {
    Stage.REGISTERED: [Stage.REGISTERED],
    Stage.VERIFIED: [Stage.REGISTERED, Stage.VERIFIED],
    Stage.FUNDED: [Stage.REGISTERED, Stage.VERIFIED, Stage.FUNDED],
    Stage.ACTIVE: [Stage.REGISTERED, Stage.VERIFIED, Stage.FUNDED, Stage.ACTIVE],
    Stage.DORMANT: [Stage.REGISTERED, Stage.VERIFIED, Stage.FUNDED, Stage.ACTIVE, Stage.DORMANT],
    Stage.CLOSED: [Stage.REGISTERED, Stage.CLOSED],
}


def write_stages(demo: Demo, lives: list[Life]) -> None:
    """The steps between stages, at the times when the money and the trades of the other parts moved."""
    known = {client.pk: client for client in Client.objects.exclude(stage=Stage.LEAD)}
    opened = _first_trading_entries()
    timeline: list[tuple[Any, ...]] = []
    log: list[dict[str, Any]] = []
    for life in lives:
        client = known.get(life.client_id)
        if client is None or life.registered_at is None:
            continue
        before = Stage.LEAD
        for stage, at in _times(demo, life, client, opened.get(client.pk)):
            assert stage in STAGE_TRANSITIONS[before]
            title = f"{before.label} → {stage.label}"
            data = {"before": before.value, "after": stage.value}
            timeline.append(entry(client.pk, at, TimelineKind.STAGE, title, data=data))
            log.append(
                _log(
                    life,
                    None,
                    "clients.stage_changed",
                    ("clients.client", client.pk),
                    at,
                    before={"stage": before.value},
                    after={"stage": stage.value},
                )
            )
            before = stage
    copy_rows("clients_timelineentry", TIMELINE, timeline)
    audit.record_many(log)


def _first_trading_entries() -> dict[int, dt.datetime]:
    from django.db.models import Min

    from clients.models import TimelineEntry

    rows = TimelineEntry.objects.filter(kind=TimelineKind.TRADING).values_list("client_id").annotate(Min("at"))
    return dict(rows.order_by())


def _times(demo: Demo, life: Life, client: Client, opened: dt.datetime | None) -> list[tuple[Stage, dt.datetime]]:
    """When each stage of the path was reached, in order, none later than now."""
    assert life.registered_at is not None
    verified = (opened - 5 * SECOND) if opened else life.registered_at + dt.timedelta(hours=9)
    paid = client.first_deposit_at or verified + dt.timedelta(hours=2)
    wanted = {
        Stage.REGISTERED: life.registered_at,
        Stage.VERIFIED: verified,
        Stage.FUNDED: paid,
        Stage.ACTIVE: paid + dt.timedelta(minutes=25),
        Stage.DORMANT: (client.last_trade_at or paid) + dt.timedelta(days=45),
        Stage.CLOSED: life.registered_at + dt.timedelta(days=30),
    }
    found: list[tuple[Stage, dt.datetime]] = []
    last = life.captured_at
    for stage in PATHS[client.stage]:
        last = min(max(wanted[stage], last + SECOND), demo.now)
        found.append((stage, last))
    return found
