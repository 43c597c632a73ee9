"""The documents themselves: decrypted for somebody who may see them, logged, never kept by a browser or a proxy.

Nothing else in the house serves a client's file. The answer can't run anything (CSP sandbox), can't be sniffed into another
type, and can't be embedded by another site.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.security import crypto
from crm.ui.views import StaffView
from crm.web.requests import UserRequest
from kyc import queries, store
from kyc.models import Document
from kyc.pages import PDF, page_png

CSP = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


class FileGone(DomainError):
    """A document whose content can't be read; the message says for which reason."""

    code = "file_gone"


class Page(StaffView):
    """One page as a picture, to look at."""

    permission = "kyc.open_document"

    def get(self, request: UserRequest, document_id: int, number: int) -> HttpResponseBase:
        document = queries.get_document(request.user, document_id, permission="kyc.open_document")
        if not 1 <= number <= document.page_count:
            raise Http404
        content = _content(request, document, number)
        if document.content_type == PDF:
            try:
                return guarded(HttpResponse(page_png(b"".join(content), number=number), content_type="image/png"))
            except IndexError:
                raise Http404 from None
        return guarded(StreamingHttpResponse(content, content_type=document.content_type))


class Original(StaffView):
    """The whole file, to keep as evidence outside."""

    permission = "kyc.open_document"

    def get(self, request: UserRequest, document_id: int) -> HttpResponseBase:
        document = queries.get_document(request.user, document_id, permission="kyc.open_document")
        response = StreamingHttpResponse(_content(request, document, None), content_type=document.content_type)
        ending = "pdf" if document.content_type == PDF else "jpg"
        name = f"{document.kind}-{document.pk}.{ending}"
        response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
        response["Content-Length"] = str(document.size_bytes)
        return guarded(response)


def guarded(response: HttpResponseBase) -> HttpResponseBase:
    response["Cache-Control"] = "no-store, private"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = CSP
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _content(request: UserRequest, document: Document, page: int | None) -> Iterable[bytes]:
    """Start streaming; the first chunk is read here, so that a damaged file is an error page and not half a picture."""
    chunks = queries.content_of(request.user, document, page=page)
    try:
        first = next(chunks, b"")
    except crypto.KeyDestroyed:
        raise FileGone(_("The client's data was erased, so this document can't be opened any more.")) from None
    except store.FileMissing:
        raise FileGone(
            _("The file is missing from storage. Contact an administrator: the audit log has its hash.")
        ) from None
    except store.FileDamaged as error:
        raise FileGone(
            _("The stored file is damaged (%(error)s). Contact an administrator.") % {"error": error}
        ) from error
    return _chained(first, chunks)


def _chained(first: bytes, rest: Iterable[bytes]) -> Iterable[bytes]:
    yield first
    yield from rest
