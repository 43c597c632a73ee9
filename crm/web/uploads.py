"""Refusing what is too large before it is read.

Django parses a form before the view runs, because the CSRF check reads it: whatever a stranger sends to whatever page would
first fill the disk. So every request has a limit, held before anything is parsed: `DATA_UPLOAD_MAX_MEMORY_SIZE` where no file
is expected, and what the page says where one is:

    @takes_files(files=2)
    def upload(request): …

A request whose declared length is above the limit is answered 413 at once. Up to `DRAIN_BYTES_MAX` its body is read
and thrown away, a piece at a time, because a browser shows the answer only after it has sent everything; beyond that the
connection is closed. A stranger's is not read at all. Memory stays the same however much is sent, and nothing is written to disk.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from crm.web.api_problem import problem

# Room for the other fields of the form and the multipart frame.
FORM_BYTES_MAX = 256 * 1024
# Of somebody who has not signed in: as much as the web server collects without giving it a thread (`crm.project.web_worker`).
STRANGER_BYTES_MAX = 64 * 1024
DRAIN_BYTES_MAX = 64 * 1024 * 1024
PIECE_BYTES = 64 * 1024

Refuse = Callable[[HttpRequest, str], HttpResponse]
GetResponse = Callable[[HttpRequest], HttpResponse]


def refusal_page(request: HttpRequest, message: str) -> HttpResponse:
    """Answer an upload that is too large: a page, or a problem document for the API."""
    if request.path.startswith("/api/"):
        return problem(413, "Too large", message, code="too_large")
    return render(request, "crm/upload_refused.html", {"message": message, "back": request.get_full_path()}, status=413)


@dataclass(frozen=True)
class Limit:
    """How much a page takes: so many files of at most so many bytes (None: UPLOAD_MAX_BYTES).

    needs: the permission of those for whom `file_bytes_max` holds; from others the page takes what any page does.
    is_known: whether somebody who hasn't signed in is no stranger here; asked before anything is read or looked up.
    """

    files: int = 0
    file_bytes_max: int | None = None
    refuse: Refuse = refusal_page
    words: Callable[[], str] | None = None
    needs: str = ""
    form_bytes_max: int = 0
    is_known: Callable[[HttpRequest], bool] | None = None

    def for_(self, request: HttpRequest) -> Limit:
        if not self.needs or request.user.has_perm(self.needs):
            return self
        return replace(self, file_bytes_max=None)

    @property
    def bytes_max(self) -> int:
        if self.form_bytes_max:
            return self.form_bytes_max
        if not self.files:
            return settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
        return self.files * self._file_bytes_max + FORM_BYTES_MAX

    @property
    def _file_bytes_max(self) -> int:
        return self.file_bytes_max or settings.UPLOAD_MAX_BYTES

    @property
    def message(self) -> str:
        if self.words is not None:
            return self.words()
        most = self._file_bytes_max if self.files else self.bytes_max
        return _("This is larger than %(limit)s, the limit for this page. Nothing was saved.") % {
            "limit": filesizeformat(most)
        }


NO_FILES = Limit()
STRANGERS = Limit(form_bytes_max=STRANGER_BYTES_MAX)


def takes_files(
    view: Callable[..., Any] | None = None,
    *,
    files: int = 1,
    file_bytes_max: int | None = None,
    refuse: Refuse = refusal_page,
    words: Callable[[], str] | None = None,
    needs: str = "",
    is_known: Callable[[HttpRequest], bool] | None = None,
) -> Any:
    """Mark the view that a URL names (the outermost decorator): its requests may carry up to `files` files.

    refuse(request, message) makes the answer to what is too large, words() its message. needs, is_known: see `Limit`.
    """
    if view is None:
        return functools.partial(
            takes_files,
            files=files,
            file_bytes_max=file_bytes_max,
            refuse=refuse,
            words=words,
            needs=needs,
            is_known=is_known,
        )
    view.upload_limit = Limit(files, file_bytes_max, refuse, words, needs, is_known=is_known)  # type: ignore[attr-defined]
    return view


class BodyLimitMiddleware:
    """Runs before the CSRF check, so that nothing too large is parsed."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any) -> HttpResponse | None:
        length = declared_length(request)
        limit: Limit = getattr(view, "upload_limit", NO_FILES)
        is_stranger = not (
            request.user.is_authenticated
            or getattr(view, "csrf_exempt", False)
            or (limit.is_known is not None and limit.is_known(request))
        )
        if is_stranger and length > STRANGER_BYTES_MAX:
            if limit.files:
                leave_unread(request)
                return None
            limit = STRANGERS
        else:
            limit = limit.for_(request)
        if length <= limit.bytes_max:
            return None
        if not is_stranger:
            drain(request, length)
        response = limit.refuse(request, limit.message)
        response["Connection"] = "close"
        return response


def leave_unread(request: HttpRequest) -> None:
    """Leave an upload unread that a stranger sent, or somebody signed out meanwhile: the page sends them to sign in.

    The form is empty then, so there is nothing for which the CSRF check could stand.
    """
    request._mark_post_parse_error()  # type: ignore[attr-defined]
    request.csrf_processing_done = True  # type: ignore[attr-defined]


def declared_length(request: HttpRequest) -> int:
    """Return the bytes that the request declares; 0 where it declares none, or nonsense."""
    try:
        return max(0, int(request.META.get("CONTENT_LENGTH") or 0))
    except ValueError:
        return 0


def drain(request: HttpRequest, length: int) -> None:
    """Read the body away, so that the browser gets to the answer; never more than DRAIN_BYTES_MAX."""
    request._mark_post_parse_error()  # type: ignore[attr-defined]  # an empty form: nobody parses the body any more
    if length > DRAIN_BYTES_MAX:
        return
    left = length
    try:
        while left > 0 and (piece := request.read(min(PIECE_BYTES, left))):
            left -= len(piece)
    except OSError:
        return  # the sender gave up
