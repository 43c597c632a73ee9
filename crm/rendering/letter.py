"""HTML → PDF/UA with embedded fonts, by WeasyPrint. Nothing is loaded from outside; a picture is a `data:` address.

Half a second for three pages, in a worker: never in a web request, and never more than `ROWS_MAX` table rows (its time grows
faster than the number of pages; `crm.rendering.pdf_stream` writes what is longer).
"""

from __future__ import annotations

from functools import cache
from typing import Any

from crm.rendering.pdfua_fixes import apply_fixes

ROWS_MAX = 600


@cache
def _font_configuration() -> Any:
    """Look the fonts up once per process."""
    from weasyprint.text.fonts import FontConfiguration

    return FontConfiguration()


def render_pdf(html: str) -> bytes:
    """Render HTML as a tagged PDF (pdf/ua-1). Needs neither settings nor tables: it runs in child processes."""
    from PIL import ImageFile
    from weasyprint import HTML

    ImageFile.LOAD_TRUNCATED_IMAGES = False  # WeasyPrint switches it on for the whole process
    pdf = HTML(string=html, url_fetcher=_inside_only()).write_pdf(
        pdf_variant="pdf/ua-1", font_config=_font_configuration(), finisher=apply_fixes
    )
    assert isinstance(pdf, bytes)
    return pdf


@cache
def _inside_only() -> Any:
    """Load pictures that the HTML holds as `data:`; anything else stops the report (weasyprint.urls.FatalURLFetchingError)."""
    from weasyprint.urls import URLFetcher

    return URLFetcher(allowed_protocols=["data"], fail_on_errors=True)


def warm_up() -> None:
    """Import WeasyPrint and look up the fonts before the first report is asked for: a second and a half that nobody waits for."""
    render_pdf("<html lang=en><title>Warm</title><p>Warm")
