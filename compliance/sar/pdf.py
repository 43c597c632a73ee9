"""A report as PDF: what the XML says, for people. Bounded (200 transactions), so it's written while one waits."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from compliance.aml.choices import MovementKind, MovementMethod
from compliance.sar.models import ReportingEntity, SuspicionReport
from crm.i18n import formats
from crm.rendering.pdf_stream import write_pdf
from crm.rendering.report import Column, Look, Report, Row, Section


def write(report: SuspicionReport, entity: ReportingEntity) -> bytes:
    """Write a submitted report as a tagged PDF in the reader's language."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "report.pdf"
        write_pdf(_composed(report, entity), target)
        return target.read_bytes()


def _composed(report: SuspicionReport, entity: ReportingEntity) -> Report:
    content = report.content
    facts, brand = content["facts"], report.client.brand
    sections = [
        Section(_("Grounds for suspicion"), content["narrative"]),
        Section(_("Subject"), facts=about(facts["subject"], content["occupation"])),
    ]
    sections += [
        Section(f"{person['role'].title()}: {person['first_name']} {person['last_name']}", facts=about(person))
        for person in facts["subject"].get("people", [])
    ]
    if content["action"]:
        sections.append(Section(_("Action taken"), content["action"]))
    names = entity.indicators
    rows: list[Row] = [[code, names.get(code, "")] for code in content["indicators"]]
    sections.append(Section(_("Indicators"), columns=[Column(_("Code")), Column(_("Name"), weight=4)], rows=rows))
    if facts["transactions"]:
        sections.append(_transactions(facts))
    return Report(
        key=f"suspicion-report:{report.pk}:{report.xml_sha256[:16]}",
        title=report.get_kind_display(),
        made_at=report.written_at,
        look=Look(brand.name, brand.legal_name, brand.licence_number, brand.colour, brand.accent_colour),
        subtitle=f"{report} · {brand.legal_name} · {_('Confidential: the MLRO’s circle only')}",
        facts=[
            (_("State"), report.get_state_display()),
            (_("Reporting entity ID"), str(facts["entity"]["rentity_id"])),
            (_("Reporting person"), f"{facts['entity']['first_name']} {facts['entity']['last_name']}"),
            (_("FIU reference"), report.fiu_reference or "–"),
            (_("Amends"), facts["earlier_reference"] or "–"),
            (_("SHA-256 of the XML"), report.xml_sha256),
        ],
        sections=sections,
    )


def about(subject: dict[str, Any], occupation: str = "") -> list[tuple[str, str]]:
    """List what a report says about a person or company, label and value."""
    papers = [f"{paper['kind']} {paper['number']} ({paper['country']})" for paper in subject.get("documents", [])]
    place = ", ".join(filter(None, [subject["address"], subject["postal_code"], subject["city"], subject["country"]]))
    lines = [
        (_("Name"), subject.get("name") or f"{subject['first_name']} {subject['last_name']}"),
        (_("Registration number"), subject.get("number", "")),
        (_("Date of birth"), _day(subject.get("born_on", ""))),
        (_("Incorporated on"), _day(subject.get("incorporated_on", ""))),
        (_("Nationality"), subject.get("nationality", "")),
        (_("Activity"), subject.get("activity", "")),
        (_("Occupation"), occupation),
        (_("Address"), place),
        (_("Phone"), f"{subject['phone_prefix']} {subject['phone_number']}".strip()),
        (_("E-mail"), subject["email"]),
        (_("Identification"), "; ".join(papers)),
    ]
    return [(label, value) for label, value in lines if value]


def _day(text: str) -> str:
    day = parse_date(text) if text else None
    return formats.day(day) if day else ""


def described(row: dict[str, Any]) -> str:
    """Name a transaction as people read it: what, how and with what instrument."""
    return f"{MovementKind(row['kind']).label} · {MovementMethod(row['method']).label} {row['instrument']}".strip()


def _transactions(facts: dict[str, Any]) -> Section:
    rows: list[Row] = []
    for row in facts["transactions"]:
        at = parse_datetime(row["at"])
        rows.append(
            [
                f"{at:%Y-%m-%d %H:%M}" if at else "",
                f"{described(row)}\n{row['number']}",
                f"{row['amount']} {row['currency']}",
                f"{row['local']} {facts['entity']['currency']}",
            ]
        )
    columns = [
        Column(_("Time (UTC)")),
        Column(_("Transaction"), weight=2.5),
        Column(_("Amount"), end=True),
        Column(_("Local amount"), end=True),
    ]
    return Section(_("Transactions"), columns=columns, rows=rows)
