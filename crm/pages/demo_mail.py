"""The demo's mailbox: the letters that the file backend wrote, for people who try the journey. 404 unless settings.DEMO."""

from __future__ import annotations

import email
import hashlib
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Final

from csp.decorators import csp as csp_override
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin

SHOWN = 30
LARGEST_BYTES = 512 * 1024


@dataclass(frozen=True)
class DemoLetter:
    subject: str
    sender: str
    to: str
    date: str
    text: str
    html: str
    key: str


def letters(folder: Path, *, limit: int = SHOWN) -> list[DemoLetter]:
    """Read the newest letters of the folder. A file may hold several, separated by lines of dashes."""
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
    plain, rich = message.get_body(preferencelist=("plain",)), message.get_body(preferencelist=("html",))
    return DemoLetter(
        subject=str(message["Subject"] or ""),
        sender=str(message["From"] or ""),
        to=str(message["To"] or ""),
        date=str(message["Date"] or ""),
        text=str(plain.get_content()) if plain is not None else "",
        html=str(rich.get_content()) if rich is not None else "",
        key=hashlib.sha256(raw).hexdigest()[:20],
    )


def mailbox(request: HttpRequest) -> HttpResponse:
    """Show the demo's newest letters, or those to one address."""
    if not settings.DEMO:
        raise Http404
    to = request.GET.get("to", "").strip().lower()
    found = [letter for letter in letters(Path(settings.EMAIL_FILE_PATH)) if to in letter.to.lower()]
    return render(request, "crm/pages/demo_mail.html", {"letters": found, "to": to})


# What a mail program allows: the letter's own styles, nothing that runs, nothing from elsewhere. `sandbox` gives it an origin
# of its own, so that it could not read this site's pages even if something ran.
LETTER_POLICY: Final = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
    "frame-ancestors": ["'self'"],
    "sandbox": ["allow-popups"],
}


@csp_override(LETTER_POLICY)  # type: ignore[arg-type]  # typed for views without arguments
@xframe_options_sameorigin
def letter_html(request: HttpRequest, key: str) -> HttpResponse:
    """Serve the HTML part of one letter, for a frame of the mailbox."""
    if not settings.DEMO:
        raise Http404
    for letter in letters(Path(settings.EMAIL_FILE_PATH)):
        if letter.key == key and letter.html:
            return HttpResponse(letter.html)
    raise Http404
