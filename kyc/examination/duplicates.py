"""Has another client of the brand sent this document, or this picture? Brands never look into each other's files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.db.models import QuerySet

from kyc.choices import DocumentState, IssueCode
from kyc.examination.look import perceptual_hash
from kyc.examination.sheet import Result, Sheet, failed, passed

if TYPE_CHECKING:
    from kyc.models import Document

# Of 1,024 bits. The same picture saved again, smaller or darker, differs in under 10; two pages of one layout in 25 and more.
NEAR_BITS = 14
CANDIDATES_MAX = 200


def check(sheet: Sheet) -> Iterator[Result]:
    """Find the same document at another client of the brand: by number, file, or picture."""
    from kyc.models import Document  # the child that reads documents imports this module, and has no tables

    others = Document.objects.filter(client__brand_id=sheet.subject.brand_id).exclude(client_id=sheet.subject.client_id)
    others = others.exclude(state=DocumentState.REPLACED)
    if sheet.number_fingerprint:
        same_number = others.filter(
            number_fingerprint=sheet.number_fingerprint, issuing_country=sheet.issuing_country
        ).values_list("client_id", flat=True)[:1]
        for client_id in same_number:
            yield failed(IssueCode.DOC_NO_DUPLICATE, 1.0, field="number", found=f"#{client_id}")
    found = list(_same_picture(sheet, others))
    yield from found or [passed()]


def _same_picture(sheet: Sheet, others: QuerySet[Document]) -> Iterator[Result]:
    from kyc.fingerprints import bands_of, distance

    exact = others.filter(sha256=sheet.sha256).values_list("client_id", flat=True).first()
    if exact is not None:
        sheet.phash = _look(sheet)
        yield failed(IssueCode.IMAGE_DUPLICATE, 1.0, found=f"#{exact}")
        return
    sheet.phash = _look(sheet)
    if sheet.phash is None:
        return
    candidates = others.filter(phash_bands__overlap=bands_of(sheet.phash), kind=sheet.kind).values_list(
        "client_id", "phash"
    )
    near = [
        (bits, client_id)
        for client_id, phash in candidates[:CANDIDATES_MAX]
        if phash and (bits := distance(bytes(phash), sheet.phash)) <= NEAR_BITS
    ]
    if near:
        bits, client_id = min(near)
        sheet.measures["phash_distance"] = bits
        yield failed(IssueCode.IMAGE_DUPLICATE, round(1 - bits / 40, 2), found=f"#{client_id}")


def _look(sheet: Sheet) -> bytes | None:
    """Return the picture's hash. Bills of one company look alike: only photographs have a look of their own."""
    if sheet.has_words:
        return None
    return sheet.phash or perceptual_hash(sheet.pages[0])
