"""What became of an e-mail that we sent: delivered, opened, bounced, complained of; in whatever order it is reported."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from clients import timeline
from clients.choices import ClientsNotice, TimelineKind
from clients.messages.choices import DELIVERY_WEIGHT, DeliveryState, SuppressionReason
from clients.messages.forwarded import is_forward
from clients.messages.suppression import suppress
from clients.models import Message
from crm.db.locking import lock
from crm.events import ClientMailOpened, publish
from crm.i18n.localized_text import phrase
from crm.notices.notify import notify


@dataclass(frozen=True, slots=True)
class Report:
    """What a mail server or service says of one e-mail. is_lasting: the address will not work later either."""

    state: DeliveryState
    at: dt.datetime
    detail: str = ""
    is_lasting: bool = False


@transaction.atomic
def note_delivery(message: Message, report: Report) -> bool:
    """Follow a report; False where it says nothing new. The same reports in any order end the same.

    A lasting bounce and a complaint put the address on the brand's suppression list, and their sender is notified.
    """
    row = lock(Message, message.pk, "client")
    if is_forward(row) and report.state in (DeliveryState.OPENED, DeliveryState.CLICKED, DeliveryState.COMPLAINED):
        return False  # by a colleague or another firm: it says nothing of the client
    if report.state == DeliveryState.COMPLAINED:
        _stop(row, SuppressionReason.COMPLAINT, report)
    elif report.state == DeliveryState.BOUNCED and report.is_lasting:
        _stop(row, SuppressionReason.BOUNCE, report)
    if DELIVERY_WEIGHT[report.state] <= DELIVERY_WEIGHT[row.delivery]:
        return False
    row.delivery, row.delivery_at, row.delivery_detail = report.state, report.at, report.detail[:300]
    row.save(update_fields=["delivery", "delivery_at", "delivery_detail"])
    if report.state in (DeliveryState.OPENED, DeliveryState.CLICKED):
        publish(
            ClientMailOpened(
                client_id=row.client_id,
                brand_id=row.client.brand_id,
                message_id=row.pk,
                is_clicked=report.state == DeliveryState.CLICKED,
            )
        )
    return True


def _stop(message: Message, reason: SuppressionReason, report: Report) -> None:
    suppress(brand_id=message.client.brand_id, address=message.to_address, reason=reason, detail=report.detail)
    titles = {
        SuppressionReason.BOUNCE: phrase("E-mail came back: %(subject)s"),
        SuppressionReason.COMPLAINT: phrase("Client marked an e-mail as spam: %(subject)s"),
    }
    title = titles[reason] % {"subject": message.subject}
    timeline.add_entry(
        client_id=message.client_id,
        kind=TimelineKind.EMAIL,
        title=title,
        body=report.detail,
        at=report.at,
        dedupe_key=f"message-{reason}:{message.pk}",
    )
    reader = message.sender_id or message.client.owner_id
    if reader:
        notify(
            [reader],
            kind=ClientsNotice.MAIL_FAILED,
            title=title,
            body=str(message.client),
            url=message.client.get_absolute_url(),
            dedupe_key=f"clients.mail_{reason}:{message.pk}",
        )
