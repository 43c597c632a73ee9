"""An attached file as a download: never rendered by the browser, whatever is in it."""

from __future__ import annotations

from django.http import Http404, HttpResponse

from crm.security.sealed_files import FileDamaged, FileMissing
from wallet.core import attachments
from wallet.models import AttachedFile


def attached(row: AttachedFile, shelf: attachments.Shelf) -> HttpResponse:
    """Answer with an attached file as a download. Raises Http404 when the stored file is missing or was changed."""
    try:
        content = attachments.content_of(row, shelf)
    except (FileMissing, FileDamaged) as error:
        raise Http404 from error
    response = HttpResponse(content, content_type="application/octet-stream")
    name = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in row.file_name)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
