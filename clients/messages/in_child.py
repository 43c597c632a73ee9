"""What runs in the child that opens strangers' e-mails: parts, texts and attachments within bounds, HTML cleaned.

No database, no keys.
Started by `crm.files.parsing.prepared`; what it answers is JSON, of which `clients.messages.reading` makes values again.
"""

from __future__ import annotations

import email
import html
import re
from collections.abc import Iterator, Sequence
from email.header import decode_header, make_header
from email.message import Message
from email.policy import compat32
from email.utils import getaddresses, parsedate_to_datetime
from hashlib import sha256
from typing import Any, Final

import nh3

from crm.files.parsing.child.refusal import Refusal

HEADER_CHARS_MAX: Final = 2_000
ADDRESSES_MAX: Final = 50
REFERENCES_MAX: Final = 50
RESULTS_MAX: Final = 10
TEXT_CHARS_MAX: Final = 200_000
HTML_CHARS_MAX: Final = 500_000
MESSAGE_ID: Final = re.compile(r"<[^<>\s]{3,250}>")
TAGS: Final = {
    *(
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "caption",
        "center",
        "code",
        "col",
        "colgroup",
        "dd",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
    ),
    *(
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
    ),
    *("table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul"),
}
ATTRIBUTES: Final = {
    "a": {"href", "title"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align"},
    "ol": {"start"},
}
# Documents, pictures and text by their first bytes. Everything else isn't kept: programs, scripts, pages, disk images.
SIGNATURES: Final = (
    ("application/pdf", re.compile(rb"%PDF-")),
    ("image/jpeg", re.compile(rb"\xff\xd8\xff")),
    ("image/png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("image/gif", re.compile(rb"GIF8[79]a")),
    ("image/webp", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("image/heic", re.compile(rb"....ftyp(heic|heix|heif|hevc|mif1|msf1|avif)", re.DOTALL)),
    ("audio/ogg", re.compile(rb"OggS")),
)
OFFICE: Final = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}
TEXTS: Final = {"txt": "text/plain", "csv": "text/csv", "eml": "message/rfc822", "ics": "text/calendar"}


def warm_up() -> None:
    """Load what every e-mail needs, before the first fork."""
    nh3.clean("<p>x</p>", tags=TAGS)
    email.message_from_bytes(b"Subject: x\r\n\r\nx", policy=compat32)


def read_mail(contents: Sequence[bytes], **bounds: int) -> tuple[dict[str, Any], bytes]:
    """Read an e-mail; the attachments that are kept follow each other in the answer's bytes."""
    try:
        message = email.message_from_bytes(contents[0], policy=compat32)
        leaves = list(_leaves(message, parts_max=bounds["parts_max"], depth_max=bounds["depth_max"]))
    except RecursionError:
        raise Refusal("too_deep") from None
    facts = _heads(message)
    text, page, rest = _bodies(leaves)
    attachments, content = _attachments(rest, bounds)
    facts |= {"text": text[:TEXT_CHARS_MAX], "html": clean(page), "attachments": attachments}
    facts["is_cut"] = len(text) > TEXT_CHARS_MAX or len(page) > HTML_CHARS_MAX
    if not text and page:
        facts["text"] = html.unescape(nh3.clean(page[:HTML_CHARS_MAX], tags=set()))[:TEXT_CHARS_MAX].strip()
    facts["report"] = _report(message, leaves)
    return facts, content


def read_heads(contents: Sequence[bytes]) -> tuple[dict[str, Any], bytes]:
    """Read the headers alone, of an e-mail whose parts can't be read."""
    head = contents[0].partition(b"\r\n\r\n")[0].partition(b"\n\n")[0]
    return _heads(email.message_from_bytes(head, policy=compat32)), b""


def clean(page: str) -> str:
    """Keep text, tables and links of an HTML part; nothing that runs, loads or covers the page."""
    return nh3.clean(
        page[:HTML_CHARS_MAX],
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer nofollow",
        clean_content_tags={"script", "style", "title", "head", "template", "svg", "math"},
    ).strip()


def _leaves(message: Message, *, parts_max: int, depth_max: int) -> Iterator[Message]:
    """Yield the parts that aren't made of parts, in their order. An e-mail within the e-mail is one part."""
    waiting, seen = [(message, 0)], 0
    while waiting:
        part, depth = waiting.pop(0)
        seen += 1
        if seen > parts_max:
            raise Refusal("too_many_parts")
        if depth > depth_max:
            raise Refusal("too_deep")
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            inner = [(one, depth + 1) for one in part.get_payload() if isinstance(one, Message)]
            waiting[:0] = inner
        else:
            yield part


def _heads(message: Message) -> dict[str, Any]:
    sender = _addresses(message, "From")
    tried = [_addresses(message, name) for name in ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")]
    ids = MESSAGE_ID.findall(_raw(message, "Message-ID"))
    references = [
        *MESSAGE_ID.findall(_raw(message, "In-Reply-To")),
        *reversed(MESSAGE_ID.findall(_raw(message, "References"))),
    ]
    return {
        "from_name": sender[0][0][:100] if sender else "",
        "from_address": sender[0][1] if sender else "",
        "senders": len(sender),
        "to": [address for row in tried for _name, address in row][:ADDRESSES_MAX],
        "subject": _header(message, "Subject")[:200],
        "date": _date(_raw(message, "Date")),
        "message_id": ids[0] if ids else "",
        "references": list(dict.fromkeys(references))[:REFERENCES_MAX],
        "is_automatic": _is_automatic(message),
        "results": [
            str(one)[:HEADER_CHARS_MAX] for one in (message.get_all("Authentication-Results") or [])[:RESULTS_MAX]
        ],
    }


def _is_automatic(message: Message) -> bool:
    """Check for an absence note, a newsletter or a machine: RFC 3834 and what mail servers do in practice."""
    submitted = _raw(message, "Auto-Submitted").strip().lower()
    precedence = _raw(message, "Precedence").strip().lower()
    return submitted not in ("", "no") or precedence in ("bulk", "junk", "list") or "List-Id" in message


def _raw(message: Message, name: str) -> str:
    value = message.get(name)
    return " ".join(str(value)[: 10 * HEADER_CHARS_MAX].replace("\x00", "").split()) if value is not None else ""


def _header(message: Message, name: str) -> str:
    """Decode a header as it is read; what can't be decoded stays as it is written."""
    raw = _raw(message, name)[:HEADER_CHARS_MAX]
    try:
        text = str(make_header(decode_header(raw)))
    except Exception:
        text = raw
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _addresses(message: Message, name: str) -> list[tuple[str, str]]:
    values = [str(value)[:HEADER_CHARS_MAX] for value in (message.get_all(name) or [])[:5]]
    found = []
    for shown, address in getaddresses(values)[:ADDRESSES_MAX]:
        if "@" in address and len(address) <= 254 and address.isprintable() and " " not in address:
            decoded = shown
            try:
                decoded = str(make_header(decode_header(shown)))
            except Exception:
                decoded = shown
            found.append(("".join(letter for letter in decoded if letter.isprintable()), address.lower()))
    return found


def _date(text: str) -> str:
    try:
        return parsedate_to_datetime(text).isoformat()
    except Exception:
        return ""


def _bodies(leaves: list[Message]) -> tuple[str, str, list[Message]]:
    """Find the text and the HTML; everything else is an attachment."""
    text, page, rest = None, None, []
    for part in leaves:
        kind = part.get_content_type()
        is_file = part.get_content_disposition() == "attachment" or bool(part.get_filename())
        if kind == "text/plain" and text is None and not is_file:
            text = _decoded(part)
        elif kind == "text/html" and page is None and not is_file:
            page = _decoded(part)
        else:
            rest.append(part)
    return text or "", page or "", rest


def _decoded(part: Message) -> str:
    raw = _bytes(part)
    try:
        text = raw.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        text = raw.decode("utf-8", "replace")
    return text.replace("\x00", "").replace("\r\n", "\n")


def _bytes(part: Message) -> bytes:
    if part.get_content_type() == "message/rfc822" and part.is_multipart():
        inner = part.get_payload(0)
        return inner.as_bytes() if isinstance(inner, Message) else b""
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _attachments(parts: list[Message], bounds: dict[str, int]) -> tuple[list[dict[str, Any]], bytes]:
    rows: list[dict[str, Any]] = []
    kept = []
    for part in parts:
        content, name = _bytes(part), _name(part)
        if not content and part.get_content_maintype() in ("text", "message"):
            continue
        kind = sniff(content, name)
        count = len([row for row in rows if row["verdict"] == "kept"])
        verdict = "kept"
        if len(content) > bounds["attachment_bytes_max"]:
            verdict = "too_large"
        elif not kind:
            verdict = "not_taken"
        elif count >= bounds["attachments_max"]:
            verdict = "too_many"
        row = {
            "name": name,
            "content_type": kind or part.get_content_type()[:100],
            "size_bytes": len(content),
            "sha256": sha256(content).hexdigest(),
            "verdict": verdict,
        }
        rows.append(row)
        if verdict == "kept":
            kept.append(content)
    return rows, b"".join(kept)


def _name(part: Message) -> str:
    try:
        name = part.get_filename() or ""
        name = str(make_header(decode_header(name)))
    except Exception:
        name = ""
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(letter for letter in name if letter.isprintable()).strip(" .")[-120:]
    return name or ("message.eml" if part.get_content_type() == "message/rfc822" else "attachment")


def sniff(content: bytes, name: str) -> str:
    """Read the type of a file that we take from its first bytes; "" for any other. A name never makes a file harmless."""
    for kind, pattern in SIGNATURES:
        if pattern.match(content):
            return kind
    ending = name.rpartition(".")[2].lower()
    if content[:4] == b"PK\x03\x04":
        return OFFICE.get(ending, "")
    if (
        ending in TEXTS
        and b"\x00" not in content[:4096]
        and not content.lstrip()[:15].lower().startswith((b"<!doctype", b"<html"))
    ):
        return TEXTS[ending]
    return ""


def _report(message: Message, leaves: list[Message]) -> dict[str, str]:
    """Read a delivery report (RFC 3464): which of our e-mails it is about, and what became of it. Empty for anything else."""
    is_report = (
        message.get_content_type() == "multipart/report" and message.get_param("report-type") == "delivery-status"
    )
    status = next((one for one in _every(message) if one.get_content_type() == "message/delivery-status"), None)
    if not is_report or status is None:
        return {}
    blocks = status.get_payload()
    fields: dict[str, str] = {}
    for block in blocks if isinstance(blocks, list) else []:
        if not isinstance(block, Message):
            continue
        for name in ("Action", "Status", "Final-Recipient", "Original-Recipient", "Diagnostic-Code"):
            value = _header(block, name)
            if value:
                fields.setdefault(name.lower().replace("-", "_"), value[:300])
    about = ""
    for part in _every(message):
        if part.get_content_type() in ("message/rfc822", "text/rfc822-headers"):
            inner = (
                part.get_payload(0) if part.is_multipart() else email.message_from_bytes(_bytes(part), policy=compat32)
            )
            found = MESSAGE_ID.findall(_raw(inner, "Message-ID")) if isinstance(inner, Message) else []
            about = about or (found[0] if found else "")
    return {**fields, "about": about}


def _every(message: Message) -> Iterator[Message]:
    """Yield the parts of the first two levels, as a report has them."""
    for part in message.get_payload() if message.is_multipart() else []:
        if isinstance(part, Message):
            yield part


OPERATIONS: Final = {"read": read_mail, "heads": read_heads}
