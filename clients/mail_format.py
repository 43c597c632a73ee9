"""A message's plain text as an e-mail: text part, and an HTML part in the brand's colours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import formataddr

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from clients.messages import forwarded, unsubscribing
from clients.messages.outgoing import is_marketing
from clients.messages.sent_files import contents_of
from clients.messages.tokens import message_id_of, reply_address
from clients.models import Mailbox, Message
from crm.models import Brand
from crm.notices.mail import sender_address
from crm.texts.catalogue import fill
from crm.texts.risk_warning import risk_warning_of

REFERENCES_MAX = 20
BUTTON = re.compile(r"^\[(?P<label>[^\]]+)\]\((?P<url>[^)\s]+)\)$")


def paragraphs(text: str) -> list[dict[str, object]]:
    """Split a body into its paragraphs: lines of text, or a button."""
    parts: list[dict[str, object]] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        button = BUTTON.match(block.strip())
        parts.append(button.groupdict() if button else {"lines": block.strip().split("\n")})
    return parts


def plain_text(text: str) -> str:
    """Write the text part of an e-mail: a button becomes its label and, below it, its address."""
    return re.sub(r"^\[([^\]]+)\]\(([^)\s]+)\)$", r"\1:\n\2", text.strip(), flags=re.MULTILINE) + "\n"


def as_email(message: Message, secret: Mapping[str, str]) -> EmailMultiAlternatives:
    """Build the e-mail of a message, with `secret` values (links, codes) filled in that its row doesn't keep."""
    brand = message.client.brand
    body = fill(message.body, secret) + forwarded.quote_of(message)
    address = sender_address(brand)
    mailbox = Mailbox.objects.filter(brand=brand, is_enabled=True).only("address").first()
    headers = {
        # The same letter sent again after a crash has the same id: mail servers and readers may drop the second.
        "Message-ID": message_id_of(message.pk, address.partition("@")[2]),
        "Auto-Submitted": "no" if message.sender_id else "auto-generated",
    }
    if message.answers is not None and message.answers.message_id:
        headers["In-Reply-To"] = message.answers.message_id
        earlier = reversed(message.answers.references[:REFERENCES_MAX])
        headers["References"] = " ".join([*earlier, message.answers.message_id])
    if is_marketing(message):
        headers["List-Unsubscribe"] = f"<{unsubscribing.address_for(message)}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    email = EmailMultiAlternatives(
        subject=message.subject,
        body=plain_text(body),
        from_email=formataddr((brand.name, address)),
        to=[message.to_address],
        reply_to=[_replies_to(message, mailbox)],
        headers=headers,
    )
    email.attach_alternative(html(brand, message.language, message.subject, body), "text/html")
    for file in [*contents_of(message), *forwarded.contents_of(message)]:
        email.attach(*file)
    return email


def _replies_to(message: Message, mailbox: Mailbox | None) -> str:
    """Return the reply address: the mailbox that is read, with the thread's token; the sender for a forward, or without one."""
    if message.sender and forwarded.is_forward(message):
        return message.sender.email
    if mailbox is not None:
        return reply_address(mailbox.address, message.thread_id) if message.thread_id else mailbox.address
    return message.sender.email if message.sender else message.client.brand.support_email


def html(brand: Brand, language: str, subject: str, body: str) -> str:
    """Write the HTML part of an e-mail. The risk warning stands below, unless the text itself has it."""
    warning = risk_warning_of(brand, language)
    context = {
        "language": language,
        "subject": subject,
        "brand": brand,
        "paragraphs": paragraphs(body),
        "risk_warning": "" if warning in body else warning,
    }
    with translation.override(language):
        return render_to_string("clients/letter_mail.html", context)
