"""Files that people attach to e-mails and tickets: bounded, of a kind that we take by their first bytes, and scanned for malware.

They are never opened here and only ever handed out as a download. Who keeps one seals it under the client's key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, Protocol

from django.conf import settings
from django.utils.translation import gettext as _

from clients.messages.in_child import sniff
from crm.errors import DomainError
from crm.files import antivirus
from crm.i18n.formats import file_size

FILES_MAX: Final = 5
NAME_MAX: Final = 120
SCANNER_AWAY: Final = "scanner_away"


class Upload(Protocol):
    """An uploaded file, as Django has it."""

    name: str | None

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that may be kept."""

    name: str
    content: bytes
    content_type: str
    sha256: str


def check_files(uploads: Sequence[Upload], *, total_bytes_max: int | None = None) -> tuple[CheckedFile, ...]:
    """Read uploads within bounds and have them scanned. total_bytes_max: of all together, each at most the instance's limit.

    Raises: DomainError with what to do instead, also where the scanner doesn't answer.
    """
    if len(uploads) > FILES_MAX:
        raise DomainError(_("Attach at most %(count)s files.") % {"count": FILES_MAX}, code="files")
    checked = []
    left = total_bytes_max if total_bytes_max is not None else FILES_MAX * settings.UPLOAD_MAX_BYTES
    for upload in uploads:
        name = clean_name(upload.name or "")
        content = upload.read(min(left, settings.UPLOAD_MAX_BYTES) + 1)
        if len(content) > settings.UPLOAD_MAX_BYTES:
            named = {"name": name, "limit": file_size(settings.UPLOAD_MAX_BYTES)}
            raise DomainError(_("“%(name)s” is larger than %(limit)s.") % named, code="files")
        left -= len(content)
        if left < 0:
            limit = file_size(total_bytes_max or 0)
            raise DomainError(_("Attach at most %(size)s in total.") % {"size": limit}, code="files")
        checked.append(_checked(name, content))
    return tuple(checked)


def _checked(name: str, content: bytes) -> CheckedFile:
    kind = sniff(content, name)
    if not content or not kind:
        text = _("“%(name)s” can't be attached. Send a picture, a PDF, an Office document or a text file.")
        raise DomainError(text % {"name": name}, code="files")
    try:
        antivirus.scan(content)
    except antivirus.FileInfected:
        raise DomainError(_("“%(name)s” contains malware and wasn't saved.") % {"name": name}, code="files") from None
    except antivirus.TooLargeToScan:
        raise DomainError(_("“%(name)s” is too large to be checked.") % {"name": name}, code="files") from None
    except antivirus.ScannerAway:
        text = _("“%(name)s” can't be scanned at the moment. Try again later.")
        raise DomainError(text % {"name": name}, code=SCANNER_AWAY) from None
    return CheckedFile(name, content, kind, hashlib.sha256(content).hexdigest())


def clean_name(given: str) -> str:
    """Return a file's name without folders and what can't be printed."""
    last = PurePosixPath(given.replace("\\", "/")).name
    return "".join(letter for letter in last if letter.isprintable()).strip(" .")[-NAME_MAX:] or "file"
