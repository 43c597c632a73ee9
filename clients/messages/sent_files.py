"""Files that staff send with an e-mail: checked like those that come in, kept encrypted under the client's key."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import IO, Final, Protocol

from django.utils.translation import gettext as _

from clients.messages import files
from clients.messages.in_child import sniff
from clients.models import Message, SentAttachment
from crm.errors import DomainError
from crm.files import antivirus
from crm.i18n.formats import file_size

FILES_MAX: Final = 5
TOTAL_BYTES_MAX: Final = 10 * 2**20  # base64 makes 14 MB of it, and many servers take 15


class Upload(Protocol):
    """An uploaded file, as Django has it."""

    name: str | None
    size: int | None
    file: IO[bytes]

    def read(self) -> bytes: ...


def keep_with(message: Message, uploads: Sequence[Upload]) -> list[SentAttachment]:
    """Keep the files of an e-mail that is being written.

    Raises: DomainError for too many or too large files, a type that isn't sent, malware, or a scanner that doesn't answer.
    """
    if len(uploads) > FILES_MAX:
        raise DomainError(_("Attach at most %(count)s files.") % {"count": FILES_MAX})
    if sum(upload.size or 0 for upload in uploads) > TOTAL_BYTES_MAX:
        raise DomainError(_("Attach at most %(size)s in total.") % {"size": file_size(TOTAL_BYTES_MAX)})
    return [_keep(message, number, upload) for number, upload in enumerate(uploads)]


def contents_of(message: Message) -> list[tuple[str, bytes, str]]:
    """Decrypt the files of an e-mail for sending: name, content, type. Raises: as `sealed_files.read`."""
    rows = SentAttachment.objects.filter(message=message).order_by("number")
    return [(row.name, files.read(row), row.content_type) for row in rows]


def _keep(message: Message, number: int, upload: Upload) -> SentAttachment:
    content, name = upload.read(), _name(upload.name or "")
    kind = sniff(content, name)
    if not kind:
        raise DomainError(
            _("%(name)s can't be sent: attach PDFs, pictures, Office files or plain text.") % {"name": name}
        )
    try:
        antivirus.scan(content)
    except antivirus.FileInfected:
        raise DomainError(_("%(name)s contains malware and can't be sent.") % {"name": name}) from None
    except (antivirus.TooLargeToScan, antivirus.ScannerAway):
        raise DomainError(_("%(name)s can't be scanned at the moment. Try again later.") % {"name": name}) from None
    return SentAttachment.objects.create(
        message=message,
        number=number,
        name=name,
        content_type=kind,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        sealed_for_id=message.client_id,
        store_key=files.write(content, message.client_id),
    )


def _name(given: str) -> str:
    name = re.split(r"[/\\]", given)[-1]
    return "".join(letter for letter in name if letter.isprintable()).strip(" .")[-120:] or "attachment"
