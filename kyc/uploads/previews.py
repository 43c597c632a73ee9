"""A small picture of a page that its sender hasn't sent yet: for whoever comes back to a draft, or sees what a phone added."""

from __future__ import annotations

from crm.errors import DomainError, outcome_of
from crm.files import antivirus
from crm.files.parsing import Limits, parse
from kyc import store
from kyc.intake import IMAGE_FORMATS, JPEG_PIXELS_MAX, PIXELS_MAX
from kyc.models import UploadDraft, UploadPage

SIDE_PX = 360
LIMITS = Limits(cpu_seconds=5, wall_seconds=8, wait_seconds=3)


def preview_of(draft: UploadDraft, page: UploadPage) -> bytes:
    """Draw a page as a small JPEG, in the confined child and after the virus scan; empty where there is nothing to draw."""
    form = IMAGE_FORMATS.get(page.content_type)
    if form is None or not page.is_whole:
        return b""
    drawn = outcome_of(lambda: _drawn(draft, page, form), only=DomainError)
    return drawn.result if drawn else b""


def _drawn(draft: UploadDraft, page: UploadPage, form: str) -> bytes:
    content = store.read(client_id=draft.client_id, key=page.store_key)
    antivirus.scan(content)
    return parse(
        "image.clean",
        content,
        limits=LIMITS,
        forms=[form],
        pixels_max=JPEG_PIXELS_MAX if form == "JPEG" else PIXELS_MAX,
        side_min=1,
        side_max=SIDE_PX,
        quality=80,
    ).content
