"""The case pack of an alert as a PDF: what was expected and seen, which records, the explanation, decisions and audit trail.

Small and bounded, so it's written while one waits, in the reader's language. Clients are named only where the reader sees them, and
the agent as the reader may see them.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit_codes import label_of
from crm.i18n import formats
from crm.models import AuditEvent, StaffEmployment, User
from crm.rendering.pdf_stream import write_pdf
from crm.rendering.report import Column, Look, Report, Row, Section
from crm.security import audit
from monitoring.audit_codes import MonitoringAction
from monitoring.leaving.checks import results_of
from monitoring.leaving.phases import phases_of
from monitoring.models import Alert, Escalation
from monitoring.queries import clients_seen
from monitoring.reasons import figures_of, in_words

TRAIL_MAX = 200


def write(alert: Alert, *, reader: User, name: str) -> bytes:
    """Write an alert's case pack as a tagged PDF, and record that it was made. name: the agent as the reader may see them.

    The caller has found the alert for the reader, and noted the access.
    """
    audit.record(actor=reader, action=MonitoringAction.CASE_PACK, target=alert, brand_id=alert.brand_id)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "pack.pdf"
        write_pdf(report_of(alert, reader=reader, name=name), target)
        return target.read_bytes()


def report_of(alert: Alert, *, reader: User, name: str) -> Report:
    """Compose the report."""
    brand = alert.brand
    last = alert.last_day or alert.day
    days = formats.day(alert.day) if last == alert.day else f"{formats.day(alert.day)} – {formats.day(last)}"
    return Report(
        key=f"monitoring.alert:{alert.pk}",
        title=_("Case pack: %(agent)s, %(day)s") % {"agent": name, "day": formats.day(alert.day)},
        look=Look(brand.name, brand.legal_name, brand.licence_number, brand.colour, brand.accent_colour),
        made_at=timezone.now(),
        subtitle=brand.legal_name or brand.name,
        facts=[
            (_("Agent"), name),
            (_("Desk"), str(alert.desk or "–")),
            (_("Days"), days),
            (_("Severity"), alert.get_severity_display()),
            (_("State"), alert.get_state_display()),
            (_("Raised"), formats.moment(alert.raised_at, zone=True)),
            (_("Reviewer"), str(alert.reviewer or "–")),
            (_("Employment"), "; ".join(phases_of(alert.agent, last)) or "–"),
        ],
        sections=[
            _findings(alert),
            _records(alert, reader),
            _explanations(alert, name),
            _decisions(alert),
            *_offboarding(alert),
            _trail(alert, name),
        ],
    )


def _findings(alert: Alert) -> Section:
    rows: list[Row] = [
        [
            row.label,
            row.days,
            row.observed,
            None if row.usual is None else formats.number(row.usual, 1),
            None if row.median is None else formats.number(row.median, 1),
            row.rare,
        ]
        for row in figures_of(alert.reasons)
    ]
    sentences = [sentence[:1].upper() + sentence[1:] + "." for sentence in map(in_words, alert.reasons)]
    return Section(
        _("Why this day stands out"),
        " ".join(sentences),
        columns=[
            Column(_("Signal"), weight=2),
            Column(_("Days"), end=True),
            Column(_("Seen"), end=True),
            Column(_("Expected"), end=True),
            Column(_("Peer median"), end=True),
            Column(_("How rare"), weight=2),
        ],
        rows=rows,
        empty=_("A broken rule; no statistics were needed."),
    )


def _records(alert: Alert, reader: User) -> Section:
    clients, days = clients_seen(alert, reader=reader)
    rows: list[Row] = [
        [
            row.name or f"#{row.client_id}",
            _("outside") if row.is_outside else _("own"),
            row.views,
            row.reveals,
            row.calls,
            formats.moment(row.last_at),
        ]
        for row in clients
    ]
    return Section(
        _("Clients concerned"),
        _("Opened, revealed or called in %(days)s days; outside the own book and without a call first.")
        % {"days": days},
        columns=[
            Column(_("Client"), weight=2),
            Column(_("Own book")),
            Column(_("Views"), end=True),
            Column(_("Revealed"), end=True),
            Column(_("Calls"), end=True),
            Column(_("Last")),
        ],
        rows=rows,
        empty=_("No client records"),
    )


def _explanations(alert: Alert, name: str) -> Section:
    rows: list[Row] = [
        [
            row.question,
            f"{row.asked_by}, {formats.moment(row.asked_at)}",
            row.answer or _("Not answered"),
            formats.moment(row.answered_at) if row.answered_at else "–",
        ]
        for row in alert.explanations.select_related("asked_by").order_by("pk")
    ]
    columns = [Column(_("Question"), weight=2), Column(_("Asked by")), Column(name, weight=2), Column(_("Answered"))]
    return Section(
        _("Explanation by the agent"), columns=columns, rows=rows, empty=_("The agent hasn't been asked yet.")
    )


def _decisions(alert: Alert) -> Section:
    rows: list[Row] = [
        [row.get_verdict_display(), row.text, str(row.reviewer), str(row.second or "–"), formats.moment(row.decided_at)]
        for row in alert.decisions.select_related("reviewer", "second").order_by("pk")
    ]
    escalation = Escalation.objects.select_related("decided_by").filter(alert=alert, decided_at__isnull=False).first()
    if escalation is not None:
        officer = str(escalation.decided_by)
        rows.append(
            [escalation.get_state_display(), escalation.reason, officer, "–", formats.moment(escalation.decided_at)]
        )
    return Section(
        _("Decisions"),
        columns=[
            Column(_("Decision")),
            Column(_("Reason"), weight=3),
            Column(_("By")),
            Column(_("Second person")),
            Column(_("Time")),
        ],
        rows=rows,
        empty=_("Not decided yet"),
    )


def _offboarding(alert: Alert) -> list[Section]:
    """List what the checks find of a leaver now; no section for somebody who stays."""
    row = StaffEmployment.objects.select_related("user").filter(pk=alert.agent_id, leaves_on__isnull=False).first()
    if row is None:
        return []
    rows: list[Row] = [[str(result.check.label), result.left] for result in results_of(row.user)]
    text = _("Not confirmed yet")
    if row.offboarded_at is not None:
        text = _("Confirmed by %(name)s, %(at)s.") % {
            "name": row.offboarded_by,
            "at": formats.moment(row.offboarded_at),
        }
    return [
        Section(_("Offboarding"), text, columns=[Column(_("Check"), weight=2), Column(_("Left"), end=True)], rows=rows)
    ]


def _trail(alert: Alert, name: str) -> Section:
    found = AuditEvent.objects.filter(target_type="monitoring.alert", target_id=str(alert.pk)).select_related("actor")
    rows: list[Row] = [
        [
            formats.moment(row.at),
            label_of(row.action),
            name if row.actor_id == alert.agent_id else row.actor_label or _("System"),
            row.pk,
        ]
        for row in found.order_by("pk")[:TRAIL_MAX]
    ]
    columns = [Column(_("Time")), Column(_("Action"), weight=2), Column(_("By")), Column(_("Audit row"), end=True)]
    return Section(_("Audit trail"), columns=columns, rows=rows)
