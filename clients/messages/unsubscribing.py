"""Unsubscribing from marketing by the link in an e-mail, and by a mail program's own button (RFC 8058)."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from clients import timeline
from clients.audit_codes import ClientsAction
from clients.choices import TimelineKind
from clients.messages import tokens
from clients.messages.choices import SuppressionReason
from clients.messages.forwarded import is_forward
from clients.messages.suppression import suppress
from clients.models import Client, Message
from crm.db.locking import lock
from crm.i18n.localized_text import phrase
from crm.security import audit


def address_for(message: Message) -> str:
    """Return where an e-mail's reader unsubscribes."""
    path = reverse("mail_unsubscribe", args=[tokens.unsubscribe_token(message.pk)])
    return f"{settings.BASE_URL.rstrip('/')}{path}"


def message_of(token: str) -> Message | None:
    """Find the e-mail whose unsubscribe address this is."""
    pk = tokens.unsubscribed_message(token)
    rows = Message.objects.select_related("client__brand").defer("secret", "body")
    return rows.filter(pk=pk).first() if pk is not None else None


@transaction.atomic
def unsubscribe(message_id: int) -> bool:
    """Stop marketing to the client whom an e-mail was for; False where that is so already. The signed address is the proof."""
    message = Message.objects.get(pk=message_id)
    if is_forward(message):
        return False
    client = lock(Client, message.client_id)
    is_new = suppress(
        brand_id=client.brand_id,
        address=message.to_address,
        reason=SuppressionReason.UNSUBSCRIBED,
        detail=message.subject,
    )
    if not client.marketing_consent and not is_new:
        return False
    client.marketing_consent = False
    client.save(update_fields=["marketing_consent"])
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.EMAIL,
        title=phrase("Unsubscribed from news and offers"),
        dedupe_key=f"unsubscribed:{message.pk}",
    )
    audit.record(
        actor=None,
        action=ClientsAction.MAIL_UNSUBSCRIBED,
        target=client,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={"marketing_consent": False},
        evidence={"message": message.pk},
    )
    return True
