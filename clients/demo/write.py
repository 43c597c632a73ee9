"""Writing the people and what was done with them: a few statements per table."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from psycopg.types.json import Jsonb

from clients.audit_codes import ClientsAction
from clients.choices import STAGE_TRANSITIONS, CallDirection, CallOutcome, MessageState, Stage, TimelineKind
from clients.demo.journeys import Journey
from clients.followups import FOLLOW_UP
from clients.models import Call, Client, Message, Note, NoteVersion, Task
from clients.timeline import entry_texts
from crm.accounts import username_for
from crm.accounts.demo_mode import PASSWORD
from crm.audit_codes import AuditCode
from crm.choices import UserKind
from crm.db.bulk import copy_models, copy_rows
from crm.demo import Demo
from crm.due import DueItem, due_many
from crm.i18n.localized_text import LocalizedText, joined, phrase
from crm.models import User
from crm.security import audit

TIMELINE = ("client_id", "at", "kind", "title", "body", "actor_id", "url", "data", "dedupe_key", "is_visible_to_client")
SECOND = dt.timedelta(seconds=1)


def entry(  # noqa: PLR0913  one argument per column of one row, as `timeline.add_entry` has them
    client_id: int,
    at: dt.datetime,
    kind: TimelineKind,
    title: LocalizedText,
    *,
    body: LocalizedText = "",
    actor: User | None = None,
    data: dict[str, Any] | None = None,
    key: str = "",
) -> tuple[Any, ...]:
    """Return a row of the timeline in the order of `TIMELINE`, for COPY."""
    texts = entry_texts(title=title, body=body, data=data)
    who = actor.pk if actor else None
    return (client_id, at, kind.value, texts["title"], texts["body"], who, "", Jsonb(texts["data"]), key, False)


# ── people ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def write_people(demo: Demo, journeys: list[Journey]) -> None:
    users = _users(demo, journeys)
    clients = [_client(demo, journey, users.get(number)) for number, journey in enumerate(journeys)]
    copy_models(clients)
    for journey, client in zip(journeys, clients, strict=True):
        journey.client_id = client.pk
    _write_owners(journeys, clients)
    _write_history(journeys, clients)
    _write_moves(journeys)


def _users(demo: Demo, journeys: list[Journey]) -> dict[int, User]:
    """A portal login for everyone who registered. One hash: they all share the demo's password."""
    password = make_password(PASSWORD)
    users = {
        number: User(
            username=username_for(brand=journey.brand, email=journey.person.email),
            email=journey.person.email,
            password=password,
            kind=UserKind.CLIENT,
            brand=journey.brand,
            first_name=journey.person.first_name,
            last_name=journey.person.last_name,
            language=journey.person.country.language if journey.person.country.language in ("en", "de") else "en",
            time_zone=journey.desk.time_zone,
            date_joined=journey.registered_at,
        )
        for number, journey in enumerate(journeys)
        if journey.registered_at
    }
    copy_models(list(users.values()))
    return users


def _client(demo: Demo, journey: Journey, user: User | None) -> Client:
    person, rng = journey.person, demo.rng
    known = journey.registered_at is not None
    born = dt.date(rng.randrange(1955, 2004), rng.randrange(1, 13), rng.randrange(1, 29)) if known else None
    return Client(
        brand=journey.brand,
        book=journey.first_book or journey.book,
        owner=journey.first_agent,
        user=user,
        stage=journey.stage,
        first_name=person.first_name,
        last_name=person.last_name,
        email=person.email,
        phone=person.phone,
        country=person.country.code,
        language=person.country.language,
        time_zone=journey.desk.time_zone,
        date_of_birth=born,
        nationality=person.country.code if known else "",
        address_line=person.address_line if known else "",
        city=person.city if known else "",
        postal_code=person.postal_code if known else "",
        marketing_consent=rng.random() < 0.4,
        sales_status=journey.status,
        created_at=journey.captured_at,
        registered_at=journey.registered_at,
        last_contact_at=journey.last_contact_at,
    )


def _write_owners(journeys: list[Journey], clients: list[Client]) -> None:
    """Hand over to retention those who were, on the day they were."""
    moved = []
    for journey, client in zip(journeys, clients, strict=True):
        if journey.moved_at:
            client.book, client.owner = journey.book, journey.agent
            moved.append((client.pk, client.book_id, client.owner_id, journey.moved_at))
    copy_rows("clients_ownership", ("client_id", "book_id", "owner_id", "since"), moved)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE clients_client c SET book_id = o.book_id, owner_id = o.owner_id FROM clients_ownership o"
            " WHERE o.client_id = c.id AND o.since > '1970-01-01 00:00:00+00'"
        )


def _write_history(journeys: list[Journey], clients: list[Client]) -> None:
    """What the record said when it was made, and what it says since the person registered."""
    model = Client.history.model
    fields = [field.attname for field in model.tracked_fields]
    rows = []
    for journey, client in zip(journeys, clients, strict=True):
        now = {name: getattr(client, name) for name in fields}
        first = {
            **now,
            "stage": Stage.LEAD,
            "registered_at": None,
            "last_contact_at": None,
            "user_id": None,
            "sales_status": "new",
            "book_id": journey.first_book.pk if journey.first_book else client.book_id,
            "owner_id": journey.first_agent.pk if journey.first_agent else None,
            "date_of_birth": None,
            "nationality": "",
            "address_line": "",
            "city": "",
            "postal_code": "",
        }
        rows.append(model(history_date=journey.captured_at, history_type="+", **first))
        if journey.registered_at:
            rows.append(model(history_date=journey.moved_at or journey.registered_at, history_type="~", **now))
    copy_models(rows)


def _write_moves(journeys: list[Journey]) -> None:
    moved = [journey for journey in journeys if journey.moved_at and journey.first_book]
    audit.record_many(
        {
            "actor": None,
            "action": ClientsAction.MOVED,
            "target": ("clients.client", journey.client_id),
            "at": journey.moved_at,
            "client_id": journey.client_id,
            "brand_id": journey.brand.pk,
            "reason": "Retention takes over",
            "before": {"book": journey.first_book.name, "book_id": journey.first_book.pk},
            "after": {
                "book": journey.book.name,
                "book_id": journey.book.pk,
                "owner_id": journey.agent.pk if journey.agent else None,
            },
        }
        for journey in moved
        if journey.first_book
    )
    copy_rows(
        "clients_timelineentry",
        TIMELINE,
        (
            entry(
                journey.client_id,
                journey.moved_at or journey.captured_at,
                TimelineKind.LEAD,
                body="Handed over to retention",
                title=phrase("Moved from %(before)s to %(after)s")
                % {"before": journey.first_book.name if journey.first_book else "–", "after": journey.book.name},
            )
            for journey in moved
        ),
    )


# ── work ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def write_work(demo: Demo, journeys: list[Journey]) -> None:
    timeline: list[tuple[Any, ...]] = []
    log: list[dict[str, Any]] = []
    _write_calls(journeys, timeline, log)
    _write_notes(journeys, timeline, log)
    _write_tasks(demo, journeys, timeline, log)
    _write_messages(journeys, timeline, log)
    copy_rows("clients_timelineentry", TIMELINE, timeline)
    audit.record_many(log)


def _log(
    journey: Journey, actor: User | None, action: AuditCode, target: Any, at: dt.datetime, **details: Any
) -> dict[str, Any]:
    return {
        "actor": actor,
        "action": action,
        "target": target,
        "client_id": journey.client_id,
        "brand_id": journey.brand.pk,
        "at": at,
        **details,
    }


def _write_calls(journeys: list[Journey], timeline: list[Any], log: list[Any]) -> None:
    planned = [(journey, call) for journey in journeys for call in journey.calls]
    calls = [
        Call(
            client_id=journey.client_id,
            agent=call.agent,
            outcome=call.outcome,
            started_at=call.at,
            notes=call.notes,
            duration_seconds=call.seconds,
            created_at=call.at + dt.timedelta(seconds=call.seconds),
        )
        for journey, call in planned
    ]
    copy_models(calls)
    for (journey, call), row in zip(planned, calls, strict=True):
        data = {"call_id": row.pk, "outcome": str(call.outcome), "duration_seconds": call.seconds}
        title = joined([CallDirection.OUTBOUND.label, CallOutcome(call.outcome).label], ": ")
        timeline.append(
            entry(
                journey.client_id,
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
                journey,
                call.agent,
                ClientsAction.CALL_LOGGED,
                row,
                row.created_at,
                after={"outcome": str(call.outcome), "duration_seconds": call.seconds, "direction": "outbound"},
            )
        )


def _write_notes(journeys: list[Journey], timeline: list[Any], log: list[Any]) -> None:
    written = [(journey, at, who, body) for journey in journeys for at, who, body in journey.notes]
    notes = [
        Note(client_id=journey.client_id, author=who, body=body, created_at=at, is_pinned=journey.client_id % 9 == 0)
        for journey, at, who, body in written
    ]
    copy_models(notes)
    NoteVersion.objects.bulk_create(
        [NoteVersion(note=note, number=1, body=note.body, author=note.author, at=note.created_at) for note in notes],
        batch_size=2000,
    )
    for (journey, at, who, body), note in zip(written, notes, strict=True):
        timeline.append(
            entry(
                journey.client_id,
                at,
                TimelineKind.NOTE,
                phrase("Note"),
                body=body,
                actor=who,
                data={"note_id": note.pk},
                key=f"note:{note.pk}",
            )
        )
        log.append(_log(journey, who, ClientsAction.NOTE_ADDED, note, at, after={"body": body}))


def _write_tasks(demo: Demo, journeys: list[Journey], timeline: list[Any], log: list[Any]) -> None:
    """Follow-ups that came due are done, but for a few of the last days; whoever owns the person now has the open ones."""
    rng, planned = demo.rng, [(journey, *task) for journey in journeys for task in journey.tasks]
    tasks = []
    for journey, set_at, due, who, title in planned:
        late = demo.now - due
        is_open = late < dt.timedelta(0) or (late < dt.timedelta(days=3) and rng.random() < 0.25)
        assignee = journey.agent or who if is_open else who
        done_at = None if is_open else min(due + dt.timedelta(minutes=rng.randrange(1, 200)), demo.now)
        tasks.append(
            Task(
                client_id=journey.client_id,
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
    reminders = [
        DueItem(task.pk, task.due_at, task.client_id, journey.brand.pk)
        for (journey, *_planned), task in zip(planned, tasks, strict=True)
        if task.done_at is None and task.due_at > demo.now
    ]
    with transaction.atomic():
        due_many(FOLLOW_UP, reminders)
    for (journey, set_at, due, who, title), task in zip(planned, tasks, strict=True):
        data = {"task_id": task.pk, "due_at": due.isoformat(), "assignee": str(task.assignee)}
        timeline.append(
            entry(journey.client_id, set_at, TimelineKind.TASK, title, actor=who, data=data, key=f"task:{task.pk}")
        )
        log.append(_log(journey, who, ClientsAction.TASK_ADDED, task, set_at, after={"title": title, "due_at": due}))
        if task.done_at:
            log.append(_log(journey, task.done_by, ClientsAction.TASK_COMPLETED, task, task.done_at))


def _write_messages(journeys: list[Journey], timeline: list[Any], log: list[Any]) -> None:
    """The letters with the registration link."""
    invited = [journey for journey in journeys if journey.invited_at]
    messages = []
    for journey in invited:
        assert journey.invited_at is not None
        german = journey.person.country.language == "de"
        subject = (
            f"Ihre Registrierung bei {journey.brand.name}" if german else f"Your registration at {journey.brand.name}"
        )
        greeting, button = ("Guten Tag", "Jetzt registrieren") if german else ("Hello", "Register now")
        messages.append(
            Message(
                client_id=journey.client_id,
                template="leads.registration_link",
                language="de" if german else "en",
                to_address=journey.person.email,
                subject=subject,
                sender=journey.first_agent,
                state=MessageState.SENT,
                attempts=1,
                body=f"{greeting} {journey.person.first_name},\n\n[{button}]({{{{ link }}}})",
                created_at=journey.invited_at,
                due_at=journey.invited_at,
                sent_at=journey.invited_at + 3 * SECOND,
            )
        )
    copy_models(messages)
    for journey, row in zip(invited, messages, strict=True):
        assert journey.invited_at is not None
        timeline.append(
            entry(
                journey.client_id,
                journey.invited_at,
                TimelineKind.EMAIL,
                row.subject,
                body=row.as_kept,
                actor=journey.first_agent,
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


def write_stages(demo: Demo, journeys: list[Journey]) -> None:
    """The steps between stages, at the times when the money and the trades of the other parts moved."""
    known = {client.pk: client for client in Client.objects.exclude(stage=Stage.LEAD)}
    opened = _first_trading_entries()
    timeline: list[tuple[Any, ...]] = []
    log: list[dict[str, Any]] = []
    for journey in journeys:
        client = known.get(journey.client_id)
        if client is None or journey.registered_at is None:
            continue
        before = Stage.LEAD
        for stage, at in _times(demo, journey, client, opened.get(client.pk)):
            assert stage in STAGE_TRANSITIONS[before]
            title = phrase("%(before)s → %(to)s") % {"before": before.label, "to": stage.label}
            data = {"before": before.value, "after": stage.value}
            timeline.append(entry(client.pk, at, TimelineKind.STAGE, title, data=data))
            log.append(
                _log(
                    journey,
                    None,
                    ClientsAction.STAGE_CHANGED,
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


def _times(demo: Demo, journey: Journey, client: Client, opened: dt.datetime | None) -> list[tuple[Stage, dt.datetime]]:
    """When each stage of the path was reached, in order, none later than now."""
    assert journey.registered_at is not None
    verified = (opened - 5 * SECOND) if opened else journey.registered_at + dt.timedelta(hours=9)
    paid = client.first_deposit_at or verified + dt.timedelta(hours=2)
    wanted = {
        Stage.REGISTERED: journey.registered_at,
        Stage.VERIFIED: verified,
        Stage.FUNDED: paid,
        Stage.ACTIVE: paid + dt.timedelta(minutes=25),
        Stage.DORMANT: (client.last_trade_at or paid) + dt.timedelta(days=45),
        Stage.CLOSED: journey.registered_at + dt.timedelta(days=30),
    }
    found: list[tuple[Stage, dt.datetime]] = []
    last = journey.captured_at
    for stage in PATHS[client.stage]:
        last = min(max(wanted[stage], last + SECOND), demo.now)
        found.append((stage, last))
    return found
