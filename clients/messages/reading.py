"""A raw e-mail as values: read in a child process within bounds. What can't be read is kept with its headers and a note."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from clients.messages.choices import AttachmentVerdict
from crm.files import antivirus
from crm.files.parsing import Limits, ParsingRefused
from crm.files.parsing.prepared import PreparedChild

MEBIBYTE: Final = 2**20
MAIL_BYTES_MAX: Final = 25 * MEBIBYTE
ATTACHMENT_BYTES_MAX: Final = 15 * MEBIBYTE
ATTACHMENTS_MAX: Final = 20
PARTS_MAX: Final = 100
DEPTH_MAX: Final = 12
LIMITS: Final = Limits(cpu_seconds=15, wall_seconds=30.0, output_bytes=64 * MEBIBYTE, wait_seconds=60.0)
CHILD: Final = PreparedChild("clients.messages.in_child")


@dataclass(frozen=True, slots=True)
class ReadAttachment:
    """An attachment as read; content only where it is kept."""

    name: str
    content_type: str
    size_bytes: int
    sha256: str
    verdict: AttachmentVerdict
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class ReadMail:
    """An incoming e-mail. note: what of it couldn't be taken, for whoever reads it. to: every address that it was sent to.

    results: the headers in which mail servers say who the sender is, the newest first. report: of a delivery report.
    """

    from_name: str
    from_address: str
    to: tuple[str, ...]
    subject: str
    sent_at: dt.datetime | None
    message_id: str
    references: tuple[str, ...]
    is_automatic: bool
    results: tuple[str, ...]
    text: str = ""
    html: str = ""
    attachments: tuple[ReadAttachment, ...] = ()
    report: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    @property
    def fingerprint(self) -> str:
        """What makes two copies of an e-mail one: its id with sender, subject and text. An id alone can be written by anybody."""
        parts = (self.message_id, self.from_address, self.subject, self.text, *(one.sha256 for one in self.attachments))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def read_mail(raw: bytes, *, size_bytes: int | None = None) -> ReadMail:
    """Read an e-mail. size_bytes: its whole length, where `raw` is only the beginning.

    Raises: ParsingBusy, ScannerAway (it is tried again later).
    """
    size = size_bytes if size_bytes is not None else len(raw)
    bounds = {
        "parts_max": PARTS_MAX,
        "depth_max": DEPTH_MAX,
        "attachments_max": ATTACHMENTS_MAX,
        "attachment_bytes_max": ATTACHMENT_BYTES_MAX,
    }
    try:
        answer = CHILD.ask("read", [raw[:MAIL_BYTES_MAX]], limits=LIMITS, **bounds)
    except ParsingRefused as refused:
        return _unreadable(raw, refused)
    facts, notes = answer.facts, []
    attachments = _attachments(facts["attachments"], answer.content, is_whole=size <= len(raw[:MAIL_BYTES_MAX]))
    if size > len(raw[:MAIL_BYTES_MAX]):
        notes.append(
            _("This e-mail has %(size)s MB; only its beginning was fetched. The whole e-mail is still in the account.")
            % {"size": -(-size // MEBIBYTE)}
        )
    if facts["is_cut"]:
        notes.append(_("The text is longer than we show; the rest was left out."))
    left_out = [one for one in attachments if one.verdict != AttachmentVerdict.KEPT]
    if left_out:
        notes.append(_("Not every attachment was kept. Ask the sender for another way where you need it."))
    return ReadMail(
        **_heads(facts),
        text=facts["text"],
        html=facts["html"],
        attachments=attachments,
        report=facts["report"],
        note=" ".join(notes),
    )


def _unreadable(raw: bytes, refused: ParsingRefused) -> ReadMail:
    """Keep what can't be taken apart: its headers where they can be read, and the whole as a file."""
    heads: dict[str, Any] = {}
    try:
        heads = _heads(CHILD.ask("heads", [raw[: 256 * 1024]], limits=LIMITS).facts)
    except ParsingRefused:
        heads = _heads({})
    size = len(raw)
    verdict = AttachmentVerdict.KEPT if size <= ATTACHMENT_BYTES_MAX else AttachmentVerdict.TOO_LARGE
    whole = _scanned(
        ReadAttachment("message.eml", "message/rfc822", size, hashlib.sha256(raw).hexdigest(), verdict, raw)
    )
    note = _("This e-mail couldn't be read (%(why)s). It is attached as it came.") % {"why": refused.code}
    return ReadMail(**heads, attachments=(whole,), note=note)


def _heads(facts: Mapping[str, Any]) -> dict[str, Any]:
    sent_at = None
    if facts.get("date"):
        sent_at = dt.datetime.fromisoformat(facts["date"])
        sent_at = sent_at if sent_at.tzinfo else sent_at.replace(tzinfo=dt.UTC)
        sent_at = min(sent_at, timezone.now())
    # Several senders are none that could be proved.
    address = facts.get("from_address", "") if facts.get("senders", 0) == 1 else ""
    return {
        "from_name": facts.get("from_name", ""),
        "from_address": address,
        "to": tuple(facts.get("to", ())),
        "subject": facts.get("subject", ""),
        "sent_at": sent_at,
        "message_id": facts.get("message_id", ""),
        "references": tuple(facts.get("references", ())),
        "is_automatic": bool(facts.get("is_automatic")),
        "results": tuple(facts.get("results", ())),
    }


def _attachments(rows: list[dict[str, Any]], content: bytes, *, is_whole: bool) -> tuple[ReadAttachment, ...]:
    place, found = 0, []
    for number, row in enumerate(rows):
        verdict = AttachmentVerdict(row["verdict"])
        kept = b""
        if verdict == AttachmentVerdict.KEPT:
            kept = content[place : place + row["size_bytes"]]
            place += row["size_bytes"]
        if not is_whole and number == len(rows) - 1:  # the last one was cut
            verdict, kept = AttachmentVerdict.TOO_LARGE, b""
        values = (row["name"], row["content_type"], row["size_bytes"], row["sha256"])
        found.append(_scanned(ReadAttachment(*values, verdict, kept)))
    return tuple(found)


def _scanned(attachment: ReadAttachment) -> ReadAttachment:
    """Have a kept attachment scanned for malware, where a scanner is configured. Raises: ScannerAway."""
    if attachment.verdict != AttachmentVerdict.KEPT:
        return attachment
    values = (attachment.name, attachment.content_type, attachment.size_bytes, attachment.sha256)
    try:
        antivirus.scan(attachment.content)
    except antivirus.FileInfected:
        return ReadAttachment(*values, AttachmentVerdict.INFECTED)
    except antivirus.TooLargeToScan:
        return ReadAttachment(*values, AttachmentVerdict.TOO_LARGE)
    return attachment
