"""A file that staff send by WhatsApp: checked like every upload, kept under the client's key, fetched by the service from us.

The service is given an address that holds for some minutes: the message's random reference, until when, and a signature over
both. It is answered only while the message is on its way, a few times, and each answer is in the access log.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Sequence
from typing import Final

from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from clients.messages import files
from clients.messages.uploaded_files import CheckedFile, Upload, check_files
from clients.models import TextFile, TextMessage
from clients.telephony.addresses import public
from clients.texting.choices import TextFileState, TextState
from crm.errors import DomainError
from crm.i18n.formats import file_size
from crm.models import AccessEvent

SALT: Final = "clients.text-file-link"
BYTES_MAX: Final = 16 * 2**20
TOTAL_BYTES_MAX: Final = 2 * BYTES_MAX  # of files that are sent in one step
IMAGE_BYTES_MAX: Final = 5 * 2**20
LINK_SECONDS: Final = 15 * 60
FETCHES_MAX: Final = 5
LINK: Final = re.compile(r"([0-9a-f]{32})-(\d{10})-([0-9a-f]{64})")
# What WhatsApp shows: https://www.twilio.com/docs/whatsapp/guidance-whatsapp-media-messages
SENDABLE: Final = frozenset(
    {
        "application/pdf",
        "image/jpeg",
        "image/png",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
)
# Stands for a file in a preview, which no file is sent with.
NAMED: Final = CheckedFile("", b"", "", "")
ON_ITS_WAY: Final = frozenset({TextState.SENDING, TextState.UNKNOWN, TextState.SENT})


def check_sendable(uploads: Sequence[Upload]) -> tuple[CheckedFile, ...]:
    """Read, check and scan files to send. Raises: DomainError, as `check_files`, and for what WhatsApp doesn't take."""
    return tuple(_sendable(checked) for checked in check_files(uploads, total_bytes_max=TOTAL_BYTES_MAX))


def _sendable(checked: CheckedFile) -> CheckedFile:
    if len(checked.content) > BYTES_MAX:
        named = {"name": checked.name, "limit": file_size(BYTES_MAX)}
        raise DomainError(_("“%(name)s” is larger than %(limit)s.") % named, code="files")
    if checked.content_type not in SENDABLE:
        raise DomainError(
            _("WhatsApp doesn't take “%(name)s”. Send a JPEG or PNG picture, a PDF, or a Word or Excel file.")
            % {"name": checked.name},
            code="files",
        )
    if checked.content_type.startswith("image/") and len(checked.content) > IMAGE_BYTES_MAX:
        limit = file_size(IMAGE_BYTES_MAX)
        raise DomainError(_("WhatsApp takes pictures of at most %(limit)s.") % {"limit": limit}, code="files")
    return checked


def keep_with(row: TextMessage, file: CheckedFile) -> TextFile:
    """Keep the file of a message that is being written, under its client's key, in the caller's transaction."""
    return TextFile.objects.create(
        message=row,
        number=1,
        state=TextFileState.KEPT,
        name=file.name,
        content_type=file.content_type,
        size_bytes=len(file.content),
        sha256=file.sha256,
        sealed_for_id=row.sealed_for_id,
        store_key=files.write(file.content, row.sealed_for_id),
    )


def link_of(row: TextMessage, now: float | None = None) -> str:
    """Write the address from which the service fetches a message's file; "" where it has none."""
    if not row.files or not TextFile.objects.filter(message=row).exists():
        return ""
    until = f"{int(now or time.time()) + LINK_SECONDS:010d}"
    token = f"{row.reference}-{until}-{_signature(row.reference, until)}"
    return public(reverse("text_file_link", kwargs={"token": token}))


def file_behind(token: str) -> TextFile | None:
    """Find the file that a service may fetch with this address now."""
    match = LINK.fullmatch(token)
    if match is None or not constant_time_compare(_signature(match[1], match[2]), match[3]):
        return None
    if int(match[2]) < time.time():
        return None
    rows = TextFile.objects.filter(message__reference=match[1], message__state__in=sorted(ON_ITS_WAY))
    row = rows.select_related("message__thread", "message__service").exclude(store_key="").first()
    if row is None or row.message.thread.client_id is None:
        return None
    fetched = AccessEvent.objects.filter(client_id=row.message.thread.client_id, target=target_of(row), user=None)
    since = timezone.now() - dt.timedelta(seconds=LINK_SECONDS)
    return row if fetched.filter(at__gte=since).count() < FETCHES_MAX else None


def target_of(row: TextFile) -> str:
    """Name a file in the access log."""
    return f"clients.textfile:{row.pk}"


def _signature(reference: str, until: str) -> str:
    return salted_hmac(SALT, f"{reference}:{until}", algorithm="sha256").hexdigest()
