"""Documents as PDF in a brand's look: tagged (PDF/UA-1), fonts embedded, the hash of the figures printed on the last page.

- `letter(template, context, …)` → bytes: a page laid out in HTML (templates/wallet/documents/pdf/).
- `write_report(report, path)`: any `crm.rendering.report.Report`. Short ones are set by WeasyPrint with the look of letters,
  long ones by the streaming writer. `wallet.documents.xlsx.write_report` writes the same report as a workbook, with the same hash.
- `look_of(brand)`: for `Report(look=…)`.

Slow (WeasyPrint: 0.1–0.5 s): in a job, not in a request.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string
from django.utils import timezone, translation

from crm.models import Brand, BrandLook
from crm.rendering import letter as letters
from crm.rendering.cell_text import cell_text
from crm.rendering.pdf_stream import Progress, WrittenFile, write_pdf
from crm.rendering.report import Look, Report
from wallet.documents.store import Draft
from wallet.models import Letterhead

# WeasyPrint looks for the widths of a paper's columns itself: beyond so many rows the streaming writer is far ahead.
PAPER_ROWS_MAX = 150


def look_of(brand: Brand) -> Look:
    """Return the brand's look: names, licence number, colours."""
    return Look(brand.name, brand.legal_name, brand.licence_number, brand.colour, brand.accent_colour)


def _letterhead(brand: Brand) -> dict[str, Any]:
    head = Letterhead.objects.filter(brand=brand).first()
    logo = head.logo_address if head else ""
    return {"logo": logo or _logo_of_pages(brand), **({"letterhead": head} if head else {})}


def _logo_of_pages(brand: Brand) -> str:
    """Return the logo of the brand's pages as a `data:` address, for a letterhead without one of its own."""
    content = bytes(BrandLook.objects.filter(brand=brand).values_list("logo", flat=True).first() or b"")
    kind = "png" if content.startswith(b"\x89PNG") else "svg+xml"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}" if content else ""


def html_of(template: str, context: dict[str, Any], *, brand: Brand, language: str, zone: str = "") -> str:
    """Render a template as the letter's HTML, in a language and time zone, with the brand's look as `look`."""
    with translation.override(language), timezone.override(ZoneInfo(zone or brand.time_zone)):
        look = {"brand": brand, "look": look_of(brand), "language": language, **_letterhead(brand)}
        return render_to_string(template, {**context, **look})


def letter(template: str, context: dict[str, Any], *, brand: Brand, language: str, zone: str = "") -> bytes:
    """Render a template as PDF in the brand's look."""
    return letters.render_pdf(html_of(template, context, brand=brand, language=language, zone=zone))


def of_draft(draft: Draft) -> bytes:
    """Render a draft's letter as PDF."""
    return letters.render_pdf(html_of_draft(draft))


def html_of_draft(draft: Draft) -> str:
    """Render a draft's letter as HTML, with the hash of its figures."""
    context = {"content_hash": draft.content_hash, **draft.context}
    return html_of(draft.template, context, brand=draft.brand, language=draft.language, zone=draft.zone)


def write_report(
    report: Report,
    target: Path,
    *,
    brand: Brand,
    language: str,
    zone: str = "",
    expected_rows: int = 0,
    progress: Progress = lambda *_args: None,
) -> WrittenFile:
    """Write a report as PDF.

    expected_rows: about how many there will be; above `PAPER_ROWS_MAX`, or when a table is read in steps, the
    streaming writer takes it. `progress(done, total, words)` may raise to stop.
    """
    streamed = any(callable(section.rows) for section in report.sections)
    rows = expected_rows or sum(len(section.rows) for section in report.sections if not callable(section.rows))
    with translation.override(language), timezone.override(ZoneInfo(zone or brand.time_zone)):
        if streamed or rows > PAPER_ROWS_MAX:
            return write_pdf(report, target, progress=progress, expected_rows=rows)
    return _write_short(report, target, brand=brand, language=language, zone=zone, rows=rows)


def _write_short(report: Report, target: Path, *, brand: Brand, language: str, zone: str, rows: int) -> WrittenFile:
    content_hash = report.content_hash()
    with translation.override(language), timezone.override(ZoneInfo(zone or brand.time_zone)):
        context = {
            "paper": report,
            "content_hash": content_hash,
            "made_at": report.made_at,
            "facts": [(label, cell_text(value)) for label, value in report.facts],
            "sections": [
                {
                    "title": section.title,
                    "text": section.text,
                    "columns": section.columns,
                    "empty": section.empty,
                    "facts": [(label, cell_text(value)) for label, value in section.facts],
                    "rows": [_cells(section.columns, row) for row in section.each_row()],
                    "total": _cells(section.columns, section.total) if section.total else None,
                }
                for section in report.sections
            ],
        }
    pdf = letter("wallet/documents/pdf/paper.html", context, brand=brand, language=language, zone=zone)
    target.write_bytes(pdf)
    return WrittenFile(content_hash, hashlib.sha256(pdf).hexdigest(), pages_of(pdf), rows)


def _cells(columns: Any, row: Any) -> list[tuple[bool, str]]:
    """Return each cell of a row as (is aligned at the end, text)."""
    return [(column.end, cell_text(value)) for column, value in zip(columns, row, strict=True)]


def pages_of(pdf: bytes) -> int:
    """Count the pages of a PDF."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    try:
        return len(document)
    finally:
        document.close()
