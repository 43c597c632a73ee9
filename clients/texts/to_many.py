"""One e-mail to many clients in a few statements: what `clients.mail.send_mail_to` writes for one, row by row the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import TimelineKind
from clients.models import Client, Message, TimelineEntry
from clients.texts.letters import brand_values, get_letter, personal_values
from crm.db.bulk import copy_models
from crm.errors import DomainError
from crm.queue.enqueue import enqueue_soon_on_commit
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
        at=message.created_at,
        dedupe_key=f"message:{message.pk}",
        **timeline.entry_texts(
            title=message.subject, body=message.as_kept, data={"message_id": message.pk, "template": message.template}
        ),
    )
