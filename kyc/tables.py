"""The review queue as a list, and a client's documents."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from decimal import Decimal
from functools import cached_property
from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from clients.choices import RiskRating
from clients.countries import country_choices
from crm.i18n import formats
from crm.i18n.formats import ago
from crm.ui.columns import DASH
from crm.ui.tables import (
    AgoColumn,
    BadgeColumn,
    Column,
    CountryColumn,
    DateColumn,
    Empty,
    MoneyColumn,
    PersonColumn,
    QuickFilter,
    Table,
)
from crm.ui.work_columns import SOON, WORK_QUICK_FILTERS, WorkFilter, assign_action, work_columns
from crm.work import is_held_by_other
from kyc import queries
from kyc.choices import (
    ISSUE_SHORT,
    OPEN_STATES,
    DocumentKind,
    DocumentState,
    IssueCode,
    QueueReason,
    RequestState,
    Severity,
)
from kyc.models import Document, DocumentRequest, Issue
from kyc.urgency.order import VALUE_HOURS, flaw_label
from kyc.verdicts.blinding import blind_documents
from kyc.views.previews import DOCUMENT_PEEK

TONES = {Severity.BLOCKING: "danger", Severity.WARNING: "warning", Severity.INFO: "info"}
OPEN_CHOICES = [(state.value, state.label) for state in OPEN_STATES]


def value_bands() -> list[tuple[str, str]]:
    """List the bands by which the queue weighs a client's value, as their place among the floors."""
    floors = [formats.number(floor, 0) for floor, _hours in reversed(VALUE_HOURS)]
    between = [
        _now("%(floor)s to %(ceiling)s") % {"floor": floor, "ceiling": ceiling}
        for floor, ceiling in itertools.pairwise(floors)
    ]
    names = [
        _now("Below %(amount)s") % {"amount": floors[0]},
        *between,
        _now("%(amount)s and more") % {"amount": floors[-1]},
    ]
    return [(str(place), name) for place, name in enumerate(names)]


class QueueFilter(WorkFilter):
    state = django_filters.ChoiceFilter(choices=OPEN_CHOICES, label=_("State"))
    kind = django_filters.ChoiceFilter(choices=DocumentKind.choices, label=_("Document"))
    issue = django_filters.ChoiceFilter(choices=IssueCode.choices, label=_("Issue"), method="with_issue")
    waited = django_filters.ChoiceFilter(
        choices=[("4", _("More than 4 hours")), ("24", _("More than a day")), ("72", _("More than 3 days"))],
        label=_("Waiting"),
        method="waiting_longer",
    )
    asked = django_filters.ChoiceFilter(
        choices=[("client", _("The client"))], label=_("Waiting for"), method="waiting_for_client"
    )
    flaw = django_filters.ChoiceFilter(choices=[*IssueCode.choices, *QueueReason.choices], label=_("Main flaw"))
    country = django_filters.ChoiceFilter(choices=country_choices, field_name="client__country", label=_("Country"))
    risk = django_filters.ChoiceFilter(
        choices=RiskRating.choices, field_name="client__risk_rating", label=_("Risk rating")
    )
    value = django_filters.ChoiceFilter(choices=value_bands, label=_("Client value"), method="in_value_band")
    brand = django_filters.CharFilter(field_name="client__brand__code", label=_("Brand"))

    class Meta:
        model = Document
        fields: list[str] = []

    def waiting_for_client(self, queryset: QuerySet[Document], _name: str, _value: str) -> QuerySet[Document]:
        return queryset.filter(pk__in=DocumentRequest.objects.filter(state=RequestState.OPEN).values("document"))

    def in_value_band(self, queryset: QuerySet[Document], _name: str, value: str) -> QuerySet[Document]:
        floors = [floor for floor, _hours in reversed(VALUE_HOURS)]
        place = int(value)
        rows = queryset.filter(client_value__gte=floors[place - 1]) if place else queryset
        return rows.filter(client_value__lt=floors[place]) if place < len(floors) else rows

    def with_issue(self, queryset: QuerySet[Document], _name: str, value: str) -> QuerySet[Document]:
        return queryset.filter(
            pk__in=Issue.objects.filter(code=value, document__state=DocumentState.PENDING_REVIEW).values("document_id")
        )

    def waiting_longer(self, queryset: QuerySet[Document], _name: str, value: str) -> QuerySet[Document]:
        return queryset.filter(uploaded_at__lte=timezone.now() - dt.timedelta(hours=int(value)))


def issue_badges(row: Document, _table: Table) -> Any:
    """Show the issues of the last run as badges, worst first."""
    issues = sorted(row.shown_issues, key=lambda issue: list(TONES).index(Severity(issue.severity)))  # type: ignore[attr-defined]
    unique = list({issue.code: issue for issue in issues}.values())
    if not unique:
        return (
            DASH
            if row.state != DocumentState.PENDING_REVIEW
            else format_html('<span class="pos">{}</span>', _now("No issues"))
        )
    return format_html_join(
        " ",
        '<span class="k-badge tone-{}" title="{}">{}</span>',
        (
            (
                TONES[Severity(issue.severity)],
                issue.get_code_display(),
                ISSUE_SHORT.get(issue.code, issue.get_code_display()),
            )
            for issue in unique[:4]
        ),
    )


def waited(row: Document, table: Table) -> Any:
    """Show how long a document has waited; red marks what is late by the clock of its work item, amber what soon will be."""
    due_at = row.work.due_at if row.work else None
    css = "" if due_at is None else "neg" if due_at < table.now else "k-amber" if due_at < table.now + SOON else ""
    return format_html('<span class="{}" title="{}">{}</span>', css, row.uploaded_at.isoformat(), ago(row.uploaded_at))


def flaw_badge(row: Document, _table: Table) -> Any:
    """Name why a person decides; what the checks found besides is in the tooltip of the badge."""
    if row.state != DocumentState.PENDING_REVIEW:
        return DASH
    asked = format_html(' <span class="k-badge tone-info">{}</span>', _now("Waiting for client"))
    return format_html("{}{}", _flaw_of(row), asked if row.is_asked else "")  # type: ignore[attr-defined]


def _flaw_of(row: Document) -> Any:
    if not row.flaw:
        return format_html('<span class="pos">{}</span>', _now("No issues"))
    others = list(dict.fromkeys(str(issue.get_code_display()) for issue in row.shown_issues))  # type: ignore[attr-defined]
    worst = {issue.code: issue.severity for issue in row.shown_issues}.get(row.flaw)  # type: ignore[attr-defined]
    tone, more = TONES[Severity(worst)] if worst else "neutral", len(others) - 1
    badge = format_html(
        '<span class="k-badge tone-{}" title="{}">{}</span>', tone, "\n".join(others), flaw_label(row.flaw)
    )
    return format_html('{} <span class="faint">+{}</span>', badge, more) if more > 0 else badge


def worth(row: Document) -> Decimal | None:
    """Return the value of a client who has one: a column of zeros would hide them."""
    return row.client_value or None


class DocumentQueueTable(Table):
    name, title, permission = "kyc-queue", _("Review queue"), "kyc.review_document"
    subtitle = _("Documents pending review, the most urgent first")
    columns = [
        PersonColumn("client", _("Client"), value="client.full_name", link=True, sort="client__last_name"),
        Column("kind", _("Document"), value="title", sort=True, css="nowrap"),
        BadgeColumn("state", _("State"), hidden=True),
        Column("flaw", _("Main flaw"), render=flaw_badge, sort=True, export=False, place="state"),
        Column("issues", _("Issues"), render=issue_badges, export=False, hidden=True),
        BadgeColumn("risk", _("Risk"), value="client.risk_rating", sort="client__risk_rating"),
        MoneyColumn("client_value", _("Client value"), currency="client.brand.base_currency", sort=True, value=worth),
        Column("uploaded_at", _("Waiting"), sort=True, render=waited, place="when", css="nowrap"),
        *work_columns(sort_due=True),
        CountryColumn("country", _("Country"), value="client.country", sort="client__country"),
        Column("brand", _("Brand"), value="client.brand.name", place="hide"),
        Column("page_count", _("Pages"), hidden=True, css="end"),
    ]
    filterset = QueueFilter
    quick_filters = [*WORK_QUICK_FILTERS, QuickFilter(_("Waiting for client"), {"asked": "client"})]
    bulk_actions = (assign_action("kyc:assign"),)
    peek = DOCUMENT_PEEK
    default_order = "urgent_at"
    page_size = 200
    search_hint = _("Client")
    export_permission = None
    empty = Empty(
        _("No documents to review"),
        _("Uploaded documents appear here once the automatic checks are done."),
        "file-check",
    )

    def queryset(self) -> QuerySet[Document]:
        return (
            queries.queue(self.user)
            .annotate(is_asked=Exists(DocumentRequest.objects.filter(document=OuterRef("pk"), state=RequestState.OPEN)))
            .select_related("client__brand", "work__claimed_by", "work__assigned_to")
            .prefetch_related(Prefetch("issues", queryset=Issue.objects.order_by("-id"), to_attr="shown_issues"))
        )

    def search(self, queryset: QuerySet[Document], words: str) -> QuerySet[Document]:
        for word in words.lower().split()[:4]:
            queryset = queryset.filter(client__search_text__contains=word)
        return queryset

    def row_class(self, row: Document) -> str:
        return "faint" if row.work and is_held_by_other(self.user, row.work, self.now) else ""


class DocumentFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=DocumentState.choices, label=_("State"))
    kind = django_filters.ChoiceFilter(choices=DocumentKind.choices, label=_("Document"))
    uploaded = django_filters.DateFromToRangeFilter(field_name="uploaded_at", label=_("Uploaded"))
    reviewed = django_filters.DateFromToRangeFilter(field_name="reviewed_at", label=_("Reviewed"))
    reviewer = django_filters.ChoiceFilter(
        choices=[("me", _("Me")), ("policy", _("Automatic"))], label=_("Reviewed by"), method="decided_by"
    )
    expiring = django_filters.ChoiceFilter(
        choices=[("30", _("In the next 30 days"))], label=_("Expires"), method="expiring_within"
    )
    expires = django_filters.DateFromToRangeFilter(field_name="expires_on", label=_("Expires"))
    issue = django_filters.ChoiceFilter(choices=IssueCode.choices, label=_("Issue"), method="with_issue")

    class Meta:
        model = Document
        fields: list[str] = []

    def expiring_within(self, rows: QuerySet[Document], _name: str, days: str) -> QuerySet[Document]:
        today = timezone.localdate()
        return rows.filter(expires_on__range=(today, today + dt.timedelta(days=int(days))))

    def decided_by(self, rows: QuerySet[Document], _name: str, value: str) -> QuerySet[Document]:
        if value == "policy":
            return rows.filter(decided_by_policy__isnull=False)
        return rows.filter(reviewed_by=self.request.user)

    def with_issue(self, rows: QuerySet[Document], _name: str, value: str) -> QuerySet[Document]:
        return rows.filter(Exists(Issue.objects.filter(document_id=OuterRef("pk"), code=value)))


class StateColumn(BadgeColumn):
    """The state, except of a document whose second look the reader holds."""

    def shown(self, row: Any, table: Any) -> str:
        if row.pk in table.blind:
            return format_html('<span class="k-badge tone-warning">{}</span>', _now("Second look pending"))
        return super().shown(row, table)

    def plain(self, row: Any, table: Any) -> Any:
        return _now("Second look pending") if row.pk in table.blind else super().plain(row, table)


def unless_blind(read: Callable[[Document], Any]) -> Callable[[Document, Any], Any]:
    """Show a value of the decision, except to whoever judges the document again."""
    return lambda row, table: "" if row.pk in table.blind else read(row)


class DocumentTable(Table):
    """Every document, decided ones included."""

    name, title, permission = "kyc-documents", _("KYC documents"), "kyc.open_document"
    columns = [
        PersonColumn("client", _("Client"), value="client.full_name", link=True),
        Column("title", _("Document")),
        StateColumn("state", _("State")),
        AgoColumn("uploaded_at", _("Uploaded"), place="when"),
        Column("decider", _("Reviewed by"), render=unless_blind(lambda row: row.decider)),
        AgoColumn("reviewed_at", _("Reviewed"), render=unless_blind(lambda row: ago(row.reviewed_at))),
        DateColumn("expires_on", _("Expires"), render=unless_blind(lambda row: formats.day(row.expires_on))),
        Column("reason_code", _("Reason"), value="get_reason_code_display", hidden=True),
        Column("brand", _("Brand"), value="client.brand.name", hidden=True),
    ]
    filterset = DocumentFilter
    quick_filters = [
        QuickFilter(_("Pending review"), {"state": DocumentState.PENDING_REVIEW}),
        QuickFilter(_("Rejected"), {"state": DocumentState.REJECTED}),
        QuickFilter(_("Reviewed by me"), {"reviewer": "me"}),
        QuickFilter(_("Automatic"), {"reviewer": "policy"}),
        QuickFilter(_("Expiring in 30 days"), {"state": DocumentState.APPROVED, "expiring": "30"}),
    ]
    peek = DOCUMENT_PEEK
    search_hint = _("Client, or # and document number")
    empty = Empty(
        _("No documents"), _("All documents uploaded by clients appear here, including reviewed ones."), "files"
    )

    @cached_property
    def blind(self) -> set[int]:
        return blind_documents(self.user)

    def queryset(self) -> QuerySet[Document]:
        return queries.documents_visible_to(self.user).select_related(
            "client__brand", "reviewed_by", "decided_by_policy"
        )

    def search(self, queryset: QuerySet[Document], words: str) -> QuerySet[Document]:
        if words.startswith("#"):
            from clients.identifiers.keeping import number_fingerprint

            return queryset.filter(number_fingerprint=number_fingerprint(words[1:]) or "-")
        for word in words.lower().split()[:4]:
            queryset = queryset.filter(client__search_text__contains=word)
        return queryset
