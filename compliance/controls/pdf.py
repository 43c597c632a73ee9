"""The controls of a month as a PDF for auditors: small and bounded, so it's written while one waits."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from django.utils.translation import gettext as _

from compliance.controls.months import Month
from compliance.controls.showing import ShownFigure, shown
from crm.i18n import formats
from crm.rendering.pdf_stream import write_pdf
from crm.rendering.report import Column, Look, Report, Row, Section


def write(month: Month) -> bytes:
    """Write a month's controls as a tagged PDF in the reader's language."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "controls.pdf"
        write_pdf(report_of(month), target)
        return target.read_bytes()


def report_of(month: Month) -> Report:
    """Compose the report: all controls in a table, then those that failed with what failed."""
    brand, figures = month.brand, [shown(figure) for figure in month.figures]
    columns = [
        Column(_("Control"), weight=2),
        Column(_("Target"), weight=3),
        Column(_("Result")),
        Column(_("Checked"), end=True),
        Column(_("Failed"), end=True),
    ]
    rows: list[Row] = [[item.name, item.target, item.result, item.total, item.failed] for item in figures]
    kept = month.kept
    return Report(
        key=f"controls:{brand.pk}:{month.first:%Y-%m}",
        title=_("Controls report %(month)s") % {"month": formats.month(month.first)},
        look=Look(brand.name, brand.legal_name, brand.licence_number, brand.colour, brand.accent_colour),
        made_at=month.measured_at,
        subtitle=brand.legal_name or brand.name,
        facts=[
            (_("State"), _("Kept") if kept is not None else _("Running: figures of this moment")),
            (_("Measured"), formats.moment(month.measured_at, zone=True)),
            (_("Digest"), kept.digest if kept is not None else "–"),
        ],
        sections=[Section(_("Controls"), columns=columns, rows=rows), *_failures(figures)],
        content_hash_given=kept.digest if kept is not None else "",
    )


def _failures(figures: Sequence[ShownFigure]) -> list[Section]:
    sections = []
    for item in figures:
        if item.is_met:
            continue
        more = _("%(count)s more") % {"count": item.more} if item.more else ""
        rows: list[Row] = [[label] for label, _url in item.rows]
        sections.append(
            Section(item.name, item.target, columns=[Column(_("Failed"))], rows=[*rows, [more]] if more else rows)
        )
    return sections
