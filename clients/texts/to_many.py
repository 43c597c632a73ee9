"""One e-mail to many clients in a few statements: what `clients.mail.send_mail_to` writes for one, row by row the same."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import TimelineKind
from clients.models import Client, Message, TimelineEntry
from clients.texts.letters import brand_values, get_letter, personal_values
from crm.db.bulk import copy_models
from crm.errors import DomainError
from crm.queue.enqueue import enqueue_soon_on_commit
from crm.texts.reading import written_for


@transaction.atomic
def send_letters(*, template: str, keys: Mapping[int, str]) -> set[int]:
    """Queue an e-mail to each of these clients, once for each one's key; returns those who don't want marketing.

    keys: by the client's id. Clients without an address get none. Who: the system.
    Raises: DomainError for an unknown e-mail, or one that needs values of its own.
    """
    letter = get_letter(template)
    if letter.own:
        fields = ", ".join(sorted(variable.name for variable in letter.own))
        raise DomainError(_("This e-mail template requires: %(fields)s") % {"fields": fields})
    clients = Client.objects.filter(pk__in=keys).exclude(email="").select_related("brand", "owner").order_by("pk")
    sent = Message.objects.filter(client_id__in=keys, dedupe_key__in=list(keys.values()))
    known = set(sent.values_list("client_id", flat=True))
    refused: set[int] = set()
    messages = []
    values: dict[tuple[int, str], dict[str, str]] = {}
    now = timezone.now()
    for client in clients.defer("search_text"):
        if letter.is_marketing and not client.marketing_consent:
            refused.add(client.pk)
        if client.pk in refused | known:
            continue
        written = written_for(letter, client.brand, client.language)
        place = (client.brand_id, written.language)
        if place not in values:
            values[place] = brand_values(client.brand, written.language)
        text = written.text.filled({**values[place], **personal_values(client)})
        messages.append(
            Message(
                client=client,
                template=template,
                language=written.language,
                to_address=client.email,
                subject=" ".join(text.heading.split())[:200],
                body=text.body,
                dedupe_key=keys[client.pk],
                due_at=now,
                created_at=now,
            )
        )
    if messages:
        copy_models(messages)
        copy_models([_entry(message) for message in messages])
        enqueue_soon_on_commit("clients.send_waiting_mail")
    return refused


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
