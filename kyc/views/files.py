"""The documents themselves: decrypted for somebody who may see them, logged, never kept by a browser or a proxy.

Whatever leaves carries a watermark in its pixels, drawn in the confined child: the viewer's name, their number and the time. The
stored file itself is never given out, so a leaked picture names its source.

Nothing else in the house serves a client's file. The answer can't run anything (CSP sandbox), can't be sniffed into another
type, and can't be embedded by another site.
"""

from __future__ import annotations

from anyascii import anyascii
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.security import crypto
from crm.ui.views import StaffView
from crm.web.requests import UserRequest
from kyc import queries, store
from kyc.models import Document
from kyc.pages import PDF, page_picture, whole_file

JPEG = "image/jpeg"
CSP = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


class FileGone(DomainError):
    """A document whose content can't be read; the message says for which reason."""

    code = "file_gone"


class Page(StaffView):
    """One page as a picture, to look at."""

    permission = "kyc.open_document"

    def get(self, request: UserRequest, document_id: int, number: int) -> HttpResponse:
        document = queries.get_document(request.user, document_id, permission="kyc.open_document")
        if not 1 <= number <= document.page_count:
            raise Http404
        content = _content(request, document, number)
        try:
            picture = page_picture(content, document.content_type, number=number, lines=watermark_of(request))
        except IndexError:
            raise Http404 from None
        return guarded(HttpResponse(picture, content_type=JPEG))


class Copy(StaffView):
    """All pages with the watermark, to keep as evidence outside."""

    permission = "kyc.open_document"

    def get(self, request: UserRequest, document_id: int) -> HttpResponse:
        document = queries.get_document(request.user, document_id, permission="kyc.open_document")
        content = whole_file(_content(request, document, None), document.content_type, lines=watermark_of(request))
        kind, ending = (PDF, "pdf") if document.content_type == PDF else (JPEG, "jpg")
        response = HttpResponse(content, content_type=kind)
        name = f"{document.kind}-{document.pk}.{ending}"
        response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
        return guarded(response)


def watermark_of(request: UserRequest) -> list[str]:
    """Write who looks and when, in ASCII: the child has no other font at hand. The number names a login for good."""
    user, now = request.user, timezone.now()
    name = " ".join(anyascii(user.get_full_name()).split()) or user.email
    return [name, f"#{user.pk} {now:%Y-%m-%d %H:%M} UTC"]


def guarded(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store, private"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = CSP
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _content(request: UserRequest, document: Document, page: int | None) -> bytes:
    """Decrypt the file; what can't be read is an error page that says for which reason."""
    try:
        return b"".join(queries.content_of(request.user, document, page=page))
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
