"""Delivery reports that come by e-mail: an address that doesn't exist gets no more e-mail.

A report counts only with the signed Message-ID of the e-mail that it is about: else anybody could stop a client's e-mails.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _

from clients.messages import tokens
from clients.messages.choices import DeliveryState
from clients.messages.delivery import Report, note_delivery
from clients.models import IncomingMail, Message


def note_report(mail: IncomingMail, report: Mapping[str, str]) -> None:
    """Follow a report on one of our e-mails; what it says is noted on it."""
    found = tokens.messages_in([report.get("about", "")])
    message = Message.objects.select_related("client").filter(pk__in=found, client__brand=mail.brand_id).first()
    if message is None:
        mail.note = " ".join(
            filter(None, [mail.note, _("This report names none of our e-mails; nothing was changed.")])
        )
        mail.save(update_fields=["note"])
        return
    action, status = report.get("action", "").lower(), report.get("status", "")
    detail = report.get("diagnostic_code", "") or status
    if action == "failed":
        is_lasting = status.startswith("5")
        note_delivery(message, Report(DeliveryState.BOUNCED, mail.received_at, detail=detail, is_lasting=is_lasting))
    elif action in ("delivered", "relayed"):
        note_delivery(message, Report(DeliveryState.DELIVERED, mail.received_at))
