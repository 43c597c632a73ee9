"""Notifications: a row for the bell with a live push to open pages, which the e-mail channel sends on where one wants it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction
from django.db.models import FilteredRelation, Q
from django.utils import timezone

from crm.i18n.localized_text import LocalizedText, localize, stored_messages
from crm.models import Notification, User
from crm.models.notifications import SUMMARY_AT
from crm.notices.kinds import NotificationKind
from crm.notices.schedule import email_due_at

CHANNEL = "keelson_live"
TITLE_CHARS: Final = 160
BODY_CHARS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Reader:
    """One person's language and channels for a kind."""

    language: str
    is_in_app: bool
    email: str
    email_due_at: dt.datetime | None


def notify(
    users: Iterable[User] | Iterable[int],
    *,
    kind: NotificationKind,
    title: LocalizedText,
    body: LocalizedText = "",
    url: str = "",
    dedupe_key: str = "",
    replaces: bool = False,
) -> list[Notification]:
    """Notify people through the channels each of them chose: the bell, pushed live when the transaction commits, and e-mail.

    title, body: a `phrase` is pushed in the language of each reader, whoever caused it, and read in the one they have when
    they open the bell; a plain string stays as it is.
    dedupe_key: a person gets one notification per key, e.g. `f"{kind}:{event_id}"`.
    replaces: a changed text takes the place of the one under this key, unread; the same text notifies once.
    """
    readers = _readers({user if isinstance(user, int) else user.pk for user in users}, kind)
    texts = _texts_by_reader(readers, title, body)
    if replaces:
        texts = _drop_replaced(texts, dedupe_key)
    messages = stored_messages(title, body)
    rows = Notification.objects.bulk_create(
        [
            Notification(
                user_id=pk,
                kind=kind,
                title=head,
                body=more,
                said=messages,
                url=url,
                dedupe_key=dedupe_key,
                is_in_app=readers[pk].is_in_app,
                email=readers[pk].email,
                email_due_at=readers[pk].email_due_at,
            )
            for pk, (head, more) in texts.items()
        ],
        ignore_conflicts=bool(dedupe_key),
    )
    for pk, (head, more) in texts.items():
        if readers[pk].is_in_app:
            push_live(pk, event="notification", data={"kind": kind, "title": head, "body": more, "url": url})
    return rows


def _readers(ids: set[int], kind: NotificationKind) -> dict[int, Reader]:
    """Read in one query how each person wants to hear of a kind; who wants it through no channel is left out."""
    chosen = FilteredRelation("notification_choices", condition=Q(notification_choices__kind=kind.value))
    people = User.objects.filter(pk__in=ids).annotate(chosen=chosen).order_by("pk")
    now, readers = timezone.now(), {}
    for pk, language, zone, is_in_app, email, summary_at in people.values_list(
        "pk", "language", "time_zone", "chosen__is_in_app", "chosen__email", "notification_schedule__summary_at"
    ):
        email = kind.email if email is None else email
        is_in_app = kind.is_mandatory or is_in_app is not False
        if is_in_app or email:
            due_at = email_due_at(email, now, zone, summary_at or SUMMARY_AT)
            readers[pk] = Reader(language, is_in_app, email, due_at)
    return readers


def _drop_replaced(texts: dict[int, tuple[str, str]], dedupe_key: str) -> dict[int, tuple[str, str]]:
    """Keep what is new to each person, and delete the line on their bell that it replaces."""
    earlier = Notification.objects.filter(user_id__in=texts, dedupe_key=dedupe_key)
    known = {user: (title, body) for user, title, body in earlier.values_list("user_id", "title", "body")}
    new = {pk: text for pk, text in texts.items() if known.get(pk) != text}
    earlier.filter(user_id__in=new).delete()
    return new


def _texts_by_reader(
    readers: dict[int, Reader], title: LocalizedText, body: LocalizedText
) -> dict[int, tuple[str, str]]:
    """Write title and body for each reader, in their language."""
    in_each = {
        language: (localize(title, language)[:TITLE_CHARS], localize(body, language)[:BODY_CHARS])
        for language in {reader.language for reader in readers.values()}
    }
    return {pk: in_each[reader.language] for pk, reader in readers.items()}


def push_live(user_id: int, *, event: str, data: dict[str, object]) -> None:
    """Send an event to the user's open pages; PostgreSQL delivers it when the transaction commits, never before."""
    message = json.dumps({"user": user_id, "event": event, "data": data})
    if len(message.encode()) > 7900:  # PostgreSQL's NOTIFY payload limit is 8,000 bytes
        message = json.dumps(
            {"user": user_id, "event": event, "data": {"kind": data.get("kind", ""), "url": data.get("url", "")}}
        )
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, message])


def push_live_many(event: str, updates: Iterable[tuple[int, dict[str, object]]]) -> None:
    """Send an event to many people at once, in one statement; `updates` are user ids with their (short) data."""
    messages = [json.dumps({"user": user_id, "event": event, "data": data}) for user_id, data in updates]
    if messages:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT count(pg_notify(%s, message)) FROM unnest(%s::text[]) message", [CHANNEL, messages])


def people_with(permission: str, *, brand_id: int | None = None) -> list[int]:
    """List the ids of active staff whose role holds a permission and who reach the brand (or a desk or book of it)."""
    from crm.security.scope import staff_of_brand

    app_label, codename = permission.split(".")
    holders = User.objects.filter(
        is_active=True,
        kind="staff",
        groups__permissions__content_type__app_label=app_label,
        groups__permissions__codename=codename,
    ).distinct()
    if brand_id is not None:
        holders = holders.filter(pk__in=staff_of_brand(brand_id))
    return list(holders.values_list("pk", flat=True))
