"""A recording as a browser plays it: any part of it, decrypted on the way, each play in the access log."""

from __future__ import annotations

import re
from itertools import chain
from typing import Final

from django.core.cache import cache
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse

from clients.models import PhoneRecording
from clients.queries import is_in_own_book
from clients.telephony.choices import RecordingState
from clients.telephony.queries import recordings_visible_to
from clients.telephony.recordings import CONTENT_TYPE, stream
from crm.choices import AccessKind
from crm.security import access_log
from crm.security.crypto import KeyDestroyed
from crm.security.sealed_files import FileDamaged, FileMissing
from crm.web.requests import UserRequest

RANGE: Final = re.compile(r"bytes=(\d{0,12})-(\d{0,12})")
# A browser asks for a recording in several parts: those of one play are one row of the access log.
PLAY_SECONDS_MIN: Final = 60


def play(request: UserRequest, recording_id: int) -> HttpResponseBase:
    """Answer with a recording, or the part that was asked for. Who may listen is the view's permission."""
    rows = recordings_visible_to(request.user).filter(state=RecordingState.KEPT)
    row = rows.select_related("phone_call__client", "phone_call__exchange").filter(pk=recording_id).first()
    if row is None:
        raise Http404
    asked = request.headers.get("Range", "")
    part = part_of(asked, row.size_bytes) if asked else (0, row.size_bytes - 1)
    if part is None:
        refused = HttpResponse(status=416)
        refused["Content-Range"] = f"bytes */{row.size_bytes}"
        return _guarded(refused)
    first, last = part
    pieces = stream(row, first=first, last=last)
    try:
        beginning = next(pieces, b"")
    except (FileDamaged, FileMissing, KeyDestroyed):
        raise Http404 from None
    _note(request, row)
    status = 206 if asked else 200
    response = StreamingHttpResponse(chain([beginning], pieces), status=status, content_type=CONTENT_TYPE)
    response["Content-Length"] = str(last - first + 1)
    if asked:
        response["Content-Range"] = f"bytes {first}-{last}/{row.size_bytes}"
    return _guarded(response)


def part_of(asked: str, size: int) -> tuple[int, int] | None:
    """Read one range of bytes, as RFC 9110 writes it; None for one that the recording doesn't have."""
    match = RANGE.fullmatch(asked.strip())
    if match is None or match[1] == match[2] == "":
        return None
    if not match[1]:  # the last so many bytes
        count = int(match[2])
        return (max(size - count, 0), size - 1) if count else None
    first, last = int(match[1]), min(int(match[2] or size - 1), size - 1)
    return (first, last) if first <= last else None


def _note(request: UserRequest, row: PhoneRecording) -> None:
    key = f"recording-play:{request.session.session_key}:{request.user.pk}:{row.pk}"
    is_new = cache.add(key, 1, timeout=max(row.seconds, PLAY_SECONDS_MIN))
    if not is_new and cache.get(key):  # a cache that is away knows nothing: then each part is a row
        return
    call = row.phone_call
    access_log.note(
        user=request.user,
        kind=AccessKind.DOWNLOAD,
        client_id=call.client_id,
        brand_id=call.exchange.brand_id,
        target=f"clients.phonerecording:{row.pk}",
        in_book=is_in_own_book(request.user, call.client) if call.client is not None else None,
    )


def _guarded(response: HttpResponseBase) -> HttpResponseBase:
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "no-store, private"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
