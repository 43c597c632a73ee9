"""Documents as workbooks: typed cells, frozen headings, streamed.

The hash of the figures is that of the same report's PDF.
    write_report(report, path, brand=brand, language="en")

For sheets of another shape: `crm.rendering.xlsx.Book`.
"""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from django.utils import timezone, translation

from crm.models import Brand
from crm.rendering.pdf_stream import WrittenFile
from crm.rendering.report import Report
from crm.rendering.xlsx import Progress, write_workbook


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
    """Write a report as XLSX. `progress(done, total, words)` may raise to stop."""
    with translation.override(language), timezone.override(ZoneInfo(zone or brand.time_zone)):
        return write_workbook(report, target, progress=progress, expected_rows=expected_rows)
