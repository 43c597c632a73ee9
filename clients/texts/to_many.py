"""One e-mail to many clients in a few statements: what `clients.mail` writes for one, row by row the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import policies, timeline
from clients.audit_codes import ClientsAction
from clients.choices import MessageState, TimelineKind
from clients.facts import rebuild_clients
from clients.mail import TO_MANY, UNDO_MANY_SECONDS
from clients.models import Client, MailThread, Message, TimelineEntry
from clients.queries import is_in_own_book
from clients.texts.letters import brand_values, get_letter, personal_values
from crm.choices import AccessKind
from crm.db.bulk import copy_models, update_models
from crm.db.locking import lock_all
from crm.errors import DomainError, NotAllowed
from crm.i18n.localized_text import phrase
from crm.models import User
from crm.queue.enqueue import enqueue_soon_on_commit
from crm.security import access_log, audit
from crm.security.policies import require_permission
from crm.texts.catalogue import Text
from crm.texts.reading import Written, written_for


@transaction.atomic
def send_letters(
    *, template: str, recipients: Sequence[tuple[Client, str]], values: Mapping[str, str] | None = None
) -> set[int]:
    """Queue an e-mail to each client, once for the key beside them; returns the ids of those who don't want marketing.

    recipients: with brand and owner read along, one brand's object for all of its clients. values: what the e-mail needs beside
    the values that all have. Clients without an address get none. Who: the system. Raises: DomainError for an unknown e-mail,
    or a missing value.
    """
    letter, given = get_letter(template), values or {}
    missing = {variable.name for variable in letter.own} - given.keys()
    if missing:
        raise DomainError(_("This e-mail template requires: %(fields)s") % {"fields": ", ".join(sorted(missing))})
    ids = [client.pk for client, _key in recipients]
    sent = Message.objects.filter(client_id__in=ids, dedupe_key__in=[key for _client, key in recipients])
    known = set(sent.values_list("client_id", flat=True))
    refused = {client.pk for client, _key in recipients if letter.is_marketing and not client.marketing_consent}
    of_brands: dict[tuple[int, str], tuple[Written, dict[str, str]]] = {}
    messages = []
    for client, key in recipients:
        if not client.email or client.pk in refused | known:
            continue
        place = (client.brand_id, client.language)
        if place not in of_brands:
            written = written_for(letter, client.brand, client.language)
            of_brands[place] = written, {**brand_values(client.brand, written.language), **given}
        written, common = of_brands[place]
        text = written.text.filled({**common, **personal_values(client)})
        messages.append(_message(client, key, template, written.language, text))
    if messages:
        copy_models(messages)
        copy_models([_entry(message) for message in messages])
        enqueue_soon_on_commit("clients.send_waiting_mail")
    return refused


@transaction.atomic
def write_to_many(*, client_ids: Collection[int], actor: User, subject: str, message: str) -> dict[int, int]:
    """Send clients one e-mail that a person wrote, with each one's values; returns the e-mail's id by client.

    It waits five minutes, in which it can be undone. Those left out can't be reached by the person any more, have no address or
    want no marketing. Who: `clients.log_call` in reach. Raises: NotAllowed, where none is in reach; DomainError without a
    subject or a text.
    """
    require_permission(actor, "clients.log_call")
    typed = Text(subject.strip(), message.strip())
    if not typed.heading or not typed.body:
        raise DomainError(_("Enter a subject and a text."))
    letter, now = get_letter(TO_MANY), timezone.now()
    found = lock_all(Client.objects.defer("search_text"), "brand", "owner", pks=client_ids, no_key=True)
    reached = [client for client in found if policies.can_log(actor, client)]
    if found and not reached:
        policies.require(policies.can_log(actor, found[0]))
    clients = [client for client in reached if client.email and client.marketing_consent]
    of_brands: dict[tuple[int, str], tuple[Written, dict[str, str]]] = {}
    messages = []
    for client in clients:
        place = (client.brand_id, client.language)
        if place not in of_brands:
            written = written_for(letter, client.brand, client.language)
            of_brands[place] = written, brand_values(client.brand, written.language)
        written, common = of_brands[place]
        values = {**common, **personal_values(client)}
        own = typed.filled(values)
        text = written.text.filled({**values, "subject": own.heading, "message": own.body})
        row = _message(client, "", TO_MANY, written.language, text)
        row.sender, row.created_at, row.due_at = actor, now, now + dt.timedelta(seconds=UNDO_MANY_SECONDS)
        messages.append(row)
    _put_into_threads(messages, now)
    copy_models(messages)
    copy_models([_entry(row) for row in messages])
    _record_sent(messages, {client.pk: client for client in clients}, actor)
    rebuild_clients([row.client_id for row in messages], "last_contact_at")
    return {row.client_id: row.pk for row in messages}


def _put_into_threads(messages: Sequence[Message], now: dt.datetime) -> None:
    threads = [MailThread(client_id=row.client_id, subject=row.subject, opened_at=now, last_at=now) for row in messages]
    copy_models(threads)
    for row, thread in zip(messages, threads, strict=True):
        row.thread = thread


def _record_sent(messages: Sequence[Message], clients: Mapping[int, Client], actor: User) -> None:
    access_log.note_many(
        user=actor,
        kind=AccessKind.MAIL,
        views=[
            access_log.View(
                client_id=row.client_id,
                brand_id=clients[row.client_id].brand_id,
                target=f"clients.message:{row.pk}",
                in_book=is_in_own_book(actor, clients[row.client_id]),
            )
            for row in messages
        ],
    )
    audit.record_many(
        {
            "actor": actor,
            "action": ClientsAction.MAIL_SENT,
            "target": row,
            "client_id": row.client_id,
            "brand_id": clients[row.client_id].brand_id,
            "after": {"template": TO_MANY, "subject": row.subject},
        }
        for row in messages
    )


@transaction.atomic
def take_back_mails(*, message_ids: Collection[int], actor: User) -> int:
    """Take back one's own e-mails to many that weren't sent yet; returns how many.

    Who: the person who wrote them, `clients.log_call` in reach; others' are left as they are. Raises: NotAllowed, where all
    are others'.
    """
    require_permission(actor, "clients.log_call")
    named = Message.objects.filter(pk__in=list(message_ids), template=TO_MANY)
    rows = named.filter(sender=actor)
    ids = set(rows.values_list("client_id", flat=True))
    if not ids and named.exists():
        raise NotAllowed(_("Another person sent these e-mails."))
    found = lock_all(Client.objects.defer("search_text"), pks=ids, no_key=True)
    clients = {client.pk: client for client in found if policies.can_log(actor, client)}
    messages = lock_all(rows.filter(state=MessageState.QUEUED, client_id__in=list(clients)))
    for row in messages:
        row.move_to(MessageState.UNDONE)
    update_models(messages, ["state"])
    keys = {f"message:{row.pk}": row for row in messages}
    entries = list(TimelineEntry.objects.filter(client_id__in=list(clients), dedupe_key__in=list(keys)))
    for entry in entries:
        title = phrase("Not sent: %(subject)s") % {"subject": keys[entry.dedupe_key].subject}
        for name, value in timeline.entry_texts(title=title).items():
            setattr(entry, name, value)
    update_models(entries, ["title", "body", "data"])
    rebuild_clients([row.client_id for row in messages], "last_contact_at")
    audit.record_many(
        {
            "actor": actor,
            "action": ClientsAction.MAIL_UNDONE,
            "target": row,
            "client_id": row.client_id,
            "brand_id": clients[row.client_id].brand_id,
            "after": {"state": row.state},
        }
        for row in messages
    )
    return len(messages)


def _message(client: Client, key: str, template: str, language: str, text: Text) -> Message:
    return Message(
        client=client,
        template=template,
        language=language,
        to_address=client.email,
        subject=" ".join(text.heading.split())[:200],
        body=text.body,
        dedupe_key=key,
    )


def _entry(message: Message) -> TimelineEntry:
    return TimelineEntry(
        client_id=message.client_id,
        kind=TimelineKind.EMAIL,
        actor=message.sender,
        at=message.created_at,
        dedupe_key=f"message:{message.pk}",
        **timeline.entry_texts(
            title=message.subject, body=message.as_kept, data={"message_id": message.pk, "template": message.template}
        ),
    )
