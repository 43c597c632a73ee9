"""The demo's mailbox: the letters that the file backend wrote, for people who try the journey. 404 unless settings.DEMO."""

from __future__ import annotations

import email
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

SHOWN = 30
LARGEST_BYTES = 512 * 1024


@dataclass(frozen=True)
class DemoLetter:
    subject: str
    sender: str
    to: str
    date: str
    text: str


def letters(folder: Path, *, limit: int = SHOWN) -> list[DemoLetter]:
    """The newest letters of the folder. A file may hold several, parted by lines of dashes."""
    found: list[DemoLetter] = []
    files = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True) if folder.is_dir() else []
    for path in files[:limit]:
        for part in path.read_bytes()[:LARGEST_BYTES].split(b"\n" + b"-" * 79 + b"\n"):
            if part.strip():
                found.append(_read(part.strip()))
    return found[:limit]


def _read(raw: bytes) -> DemoLetter:
    message = email.message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(preferencelist=("plain",))
    return DemoLetter(
        subject=str(message["Subject"] or ""), sender=str(message["From"] or ""), to=str(message["To"] or ""),
        date=str(message["Date"] or ""), text=str(body.get_content()) if body is not None else "",
    )  # fmt: skip


def mailbox(request: HttpRequest) -> HttpResponse:
    if not settings.DEMO:
        raise Http404
    to = request.GET.get("to", "").strip().lower()
    found = [letter for letter in letters(Path(settings.EMAIL_FILE_PATH)) if to in letter.to.lower()]
    return render(request, "crm/pages/demo_mail.html", {"letters": found, "to": to})
