"""E-mails: a row in the transaction of its cause, sent by a worker afterwards; beat sends what is left.

    mail.send(kind="accounts.invitation", to=Recipient.of(user), letter=lambda: Letter(…), is_secret=True)

`letter` is called under the recipient's language, so its texts go through gettext there.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formataddr, parseaddr

import orjson
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation

from crm.choices import MailState
from crm.i18n import formats
from crm.i18n.languages import variant_of
from crm.i18n.localized_text import phrase
from crm.models import Brand, OutgoingMail, User
from crm.notices.kinds import CrmNotice
from crm.queue.enqueue import enqueue_on_commit
from crm.security import crypto

logger = logging.getLogger(__name__)
PURPOSE = "outgoing-mail"
# Eight tries over about a day, then the people who watch failed deliveries are notified.
BACK_OFF_SECONDS = (10, 60, 300, 900, 3600, 4 * 3600, 16 * 3600)


@dataclass(frozen=True)
class Letter:
    """What an e-mail says. `button` is a label and an absolute address; `closing` comes below it, in small print."""

    subject: str
    paragraphs: tuple[str, ...]
    button: tuple[str, str] | None = None
    closing: tuple[str, ...] = ()
    greeting: str = ""
    # A list within the letter: what it says, a remark and an absolute address of each.
    items: tuple[tuple[str, str, str], ...] = ()
    # Where the reader chooses which e-mails they get: a label and an absolute address.
    settings_link: tuple[str, str] | None = None


@dataclass(frozen=True)
class Parts:
    """An e-mail as it goes out. unsubscribe: where the reader chooses which e-mails they get."""

    subject: str
    text: str
    html: str
    unsubscribe: str = ""


@dataclass(frozen=True)
class Recipient:
    """Who gets an e-mail: the address, the language to write in ("" is the brand's), and the brand in whose name."""

    email: str
    language: str = ""
    brand: Brand | None = None
    dates: str = ""

    @classmethod
    def of(cls, user: User) -> Recipient:
        """Return the owner of a login; staff are written to without a brand's name and colours."""
        return cls(user.email, user.language, None if user.is_team else user.brand, formats.preferred_dates(user))

    @property
    def written_in(self) -> str:
        """The language to write in: theirs in the brand's region, else the brand's, else the company's."""
        own = self.brand.default_language if self.brand else ""
        return variant_of(self.language, own) or variant_of(own) or settings.LANGUAGE_CODE


def send(
    *, kind: str, to: Recipient, letter: Callable[[], Letter], dedupe_key: str = "", is_secret: bool = False
) -> OutgoingMail | None:
    """Queue an e-mail in the caller's transaction; the same dedupe_key is sent once, and None returned for the second.

    is_secret: the body holds a link or code that opens a login; it is stored encrypted and deleted once sent.
    """
    brand = to.brand
    with translation.override(to.written_in), formats.dates_as(to.dates):
        written = letter()
        context = {"letter": written, "brand": brand, "language": translation.get_language(), "base": settings.BASE_URL}
        parts = Parts(
            subject=str(written.subject),
            text=render_to_string("mail/letter.txt", context).strip() + "\n",
            html=render_to_string("mail/letter.html", context),
            unsubscribe=written.settings_link[1] if written.settings_link else "",
        )
    return queue(kind=kind, to=to.email, brand=brand, parts=parts, dedupe_key=dedupe_key, is_secret=is_secret)


def queue(
    *, kind: str, to: str, brand: Brand | None, parts: Parts, dedupe_key: str = "", is_secret: bool = False
) -> OutgoingMail | None:
    """Queue an e-mail that is written already; as `send` does with the one that it writes."""
    body = orjson.dumps({"text": parts.text, "html": parts.html, "unsubscribe": parts.unsubscribe})
    row = OutgoingMail(
        kind=kind,
        to=to,
        subject=" ".join(parts.subject.split())[:200],
        body=crypto.encrypt(body, purpose=PURPOSE) if is_secret else body,
        is_secret=is_secret,
        sender_name=brand.name if brand else "",
        reply_to=brand.support_email if brand else "",
        brand=brand,
        dedupe_key=dedupe_key,
        due_at=timezone.now(),
    )
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        if not dedupe_key or not OutgoingMail.objects.filter(dedupe_key=dedupe_key).exists():
            raise
        return None
    enqueue_on_commit("crm.send_mail", row.pk)
    return row


def deliver(*, mail_id: int | None = None) -> bool:
    """Send one waiting mail (this one, or the one due first). False when there is none.

    The row stays locked while it is sent: two workers never send it both. A crash between sending and commit sends it
    again: an e-mail twice is better than none.
    """
    with transaction.atomic():
        waiting = OutgoingMail.objects.filter(state=MailState.WAITING, due_at__lte=timezone.now())
        if mail_id is not None:
            waiting = waiting.filter(pk=mail_id)
        row = (
            waiting.select_related("brand")
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("due_at", "id")
            .first()
        )
        if row is None:
            return False
        try:
            _message(row).send()
        except Exception as error:  # SMTP servers fail in every way there is; the row keeps the reason
            _note_failure(row, error)
        else:
            row.move_to(MailState.SENT)
            row.finished_at, row.error = timezone.now(), ""
            row.attempts += 1
            if row.is_secret:
                row.body = b""
            row.save(update_fields=["state", "finished_at", "attempts", "error", "body"])
    return True


def deliver_due(*, limit: int = 100) -> int:
    """Send what is due, one by one; returns how many were tried."""
    tried = 0
    while tried < limit and deliver():
        tried += 1
    return tried


def sender_address(brand: Brand | None) -> str:
    """Return the address that a brand's e-mails are sent from: its own, else the installation's."""
    own = brand.sender_email if brand else ""
    return own or parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def _message(row: OutgoingMail) -> EmailMultiAlternatives:
    raw = bytes(row.body)
    body = orjson.loads(crypto.decrypt(raw, purpose=PURPOSE) if row.is_secret else raw)
    address = sender_address(row.brand)
    headers = {"X-Keelson-Mail": f"{row.kind} {row.pk}", "Auto-Submitted": "auto-generated"}
    if address_of_settings := body.get("unsubscribe"):
        headers["List-Unsubscribe"] = f"<{address_of_settings}>"
    message = EmailMultiAlternatives(
        subject=row.subject,
        body=body["text"],
        from_email=formataddr((row.sender_name, address)) if row.sender_name else settings.DEFAULT_FROM_EMAIL,
        to=[row.to],
        reply_to=[row.reply_to] if row.reply_to else None,
        headers=headers,
    )
    message.attach_alternative(body["html"], "text/html")
    return message


def _note_failure(row: OutgoingMail, error: Exception) -> None:
    from crm.notices.notify import notify, people_with

    logger.warning("mail %s could not be sent: %s", row.pk, type(error).__name__)
    row.attempts += 1
    row.error = f"{type(error).__name__}: {error}"[:2000]
    if row.attempts > len(BACK_OFF_SECONDS):
        row.move_to(MailState.FAILED)
        row.finished_at = timezone.now()
        notify(
            people_with("crm.manage_events", brand_id=row.brand_id),
            kind=CrmNotice.MAIL_FAILED,
            title=phrase("E-mail “%(subject)s” to %(address)s could not be sent")
            % {"subject": row.subject, "address": row.to},
            body=row.error[:300],
            dedupe_key=f"mail.failed:{row.pk}",
        )
    else:
        row.due_at = timezone.now() + dt.timedelta(seconds=BACK_OFF_SECONDS[row.attempts - 1])
    row.save(update_fields=["state", "attempts", "due_at", "error", "finished_at"])
