"""Compliance's lists: matches, restrictions, trails, the audit log."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from compliance import policies, queries, sentences, trails
from compliance.audit_log import audit_topics
from compliance.choices import EVIDENCE, HitState, RestrictionCause, RestrictionKind
from compliance.models import Hit, Restriction
from compliance.views.previews import HIT_PEEK
from crm import audit_codes
from crm.models import AuditEvent, User
from crm.ui.filters import WhenFilter
from crm.ui.keyset import Page
from crm.ui.tables import (
    AgoColumn,
    BadgeColumn,
    BulkAction,
    Column,
    Empty,
    NumberColumn,
    PersonColumn,
    QuickFilter,
    Table,
    TimeColumn,
)
from crm.ui.work_columns import SECOND_QUICK_FILTER, WORK_QUICK_FILTERS, WorkFilter, assign_action, work_columns

AREAS = [
    ("clients", _("Clients")),
    ("compliance", _("Compliance")),
    ("crm", _("Staff and access")),
    ("ib", _("Partners")),
    ("kyc", _("Documents")),
    ("leads", _("Leads")),
    ("monitoring", _("Agent monitoring")),
    ("portal", _("Client portal")),
    ("prop", _("Prop challenges")),
    ("trading", _("Trading")),
    ("wallet", _("Money")),
]
WHO = [("staff", _("Staff")), ("client", _("Client")), ("partner", _("Partner")), ("system", _("Keelson"))]


class HitFilter(WorkFilter):
    state = django_filters.ChoiceFilter(choices=HitState.choices, label=_("State"))
    source = django_filters.CharFilter(label=_("List"), method="on_list")
    found = django_filters.DateFromToRangeFilter(field_name="found_at", label=_("Found between"))
    waiting = WhenFilter(field_name="found_at", label=_("Found"))

    class Meta:
        model = Hit
        fields: list[str] = []

    def on_list(self, rows: QuerySet[Hit], _name: str, value: str) -> QuerySet[Hit]:
        on_another = Hit.objects.filter(part_of=OuterRef("pk"), entry__source__code=value)
        return rows.filter(Q(entry__source__code=value) | Exists(on_another))


def lists_of(row: Hit) -> str:
    """Name the lists that a match's person stands on."""
    return ", ".join(sorted({row.entry.source.name, *(part.entry.source.name for part in row.parts.all())}))


def birth_match(row: Hit) -> Any:
    """Show how the client's date of birth compares with the list's."""
    code = row.explanation.get("birth", "")
    return EVIDENCE.get(code, code)


def concerned(row: Hit) -> str:
    """Name whom a match concerns, where it isn't the client."""
    return f"{row.party.get_role_display()}: {row.party.name}" if row.party else ""


class HitTable(Table):
    name, title, permission = "screening-hits", _("Possible matches"), "compliance.view_hit"
    subtitle = _(
        "Clients, and people and companies connected with them, who may be on a watchlist. Accounts are frozen, or withdrawals "
        "blocked, until the match is reviewed."
    )
    columns = [
        PersonColumn("client", _("Client"), value="client.full_name", link=True),
        Column("party", _("Concerns"), value=concerned),
        Column("entry", _("Listed as"), value="entry.primary_name"),
        Column("source", _("List"), value=lists_of),
        NumberColumn("score", _("Score"), digits=2),
        Column("birth", _("Date of birth"), value=birth_match),
        BadgeColumn("state", _("State")),
        AgoColumn("found_at", _("Found"), sort=False),
        *work_columns(),
        PersonColumn("decided_by", _("Decided by")),
        Column("brand", _("Brand"), value="client.brand.name", hidden=True),
    ]
    filterset = HitFilter
    quick_filters = [
        QuickFilter(_("Pending review"), {"state": HitState.OPEN}),
        *WORK_QUICK_FILTERS,
        SECOND_QUICK_FILTER,
        QuickFilter(_("True match"), {"state": HitState.CONFIRMED}),
        QuickFilter(_("False positive"), {"state": HitState.FALSE_POSITIVE}),
    ]
    bulk_actions = (
        BulkAction(
            "dismiss",
            _("Dismiss as false positives"),
            "compliance:clear_selected",
            "compliance.decide_hit",
            icon="user-x",
        ),
        assign_action("compliance:assign"),
    )
    peek = HIT_PEEK
    export_permission = None
    empty = Empty(
        _("No possible matches"), _("Clients are screened when they are verified and on demand."), "shield-check"
    )

    def queryset(self) -> QuerySet[Hit]:
        reviews = queries.hits_visible_to(self.user).filter(part_of=None)
        return reviews.select_related(
            "client__brand", "party", "entry__source", "decided_by", "work__claimed_by", "work__assigned_to"
        ).prefetch_related(Prefetch("parts", Hit.objects.select_related("entry__source")))


class RestrictionFilter(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(choices=RestrictionKind.choices, label=_("Type"))
    cause = django_filters.ChoiceFilter(choices=RestrictionCause.choices, label=_("Cause"))
    state = django_filters.ChoiceFilter(
        choices=[("force", _("In force")), ("asked", _("Lift requested")), ("lifted", _("Lifted"))],
        label=_("State"),
        method="in_state",
    )

    class Meta:
        model = Restriction
        fields: list[str] = []

    def in_state(self, rows: QuerySet[Restriction], _name: str, value: str) -> QuerySet[Restriction]:
        if value == "lifted":
            return rows.filter(lifted_at__isnull=False)
        rows = rows.filter(lifted_at__isnull=True)
        return rows.filter(lift_requested_by__isnull=False) if value == "asked" else rows


def restriction_state(row: Restriction, _table: Table) -> Any:
    """Show whether a restriction is in force, asked to be lifted, or lifted."""
    if row.lifted_at is not None:
        return format_html('<span class="k-badge tone-neutral">{}</span>', _("Lifted"))
    if row.lift_requested_by_id is not None:
        return format_html('<span class="k-badge tone-warning">{}</span>', _("Lift requested"))
    return format_html('<span class="k-badge tone-danger">{}</span>', _("In force"))


class RestrictionTable(Table):
    name, title, permission = "restrictions", _("Restrictions"), "compliance.place_restriction"
    subtitle = _("What clients are currently blocked from. Lifting a restriction takes two people.")
    columns = [
        PersonColumn("client", _("Client"), value="client.full_name", link=True),
        BadgeColumn("kind", _("Restriction")),
        Column("state", _("State"), render=restriction_state),
        Column("cause", _("Cause"), value="get_cause_display"),
        Column("reason", _("Reason"), css="clip muted"),
        Column("placed_by", _("Placed by")),
        AgoColumn("placed_at", _("Placed")),
        Column("lift_requested_by", _("Requested by"), hidden=True),
        Column("lifted_by", _("Lifted by"), hidden=True),
        TimeColumn("lifted_at", _("Lifted"), hidden=True),
    ]
    filterset = RestrictionFilter
    empty = Empty(_("No restrictions"), _("Add restrictions on a client's compliance page."), "lock-open")

    def queryset(self) -> QuerySet[Restriction]:
        return queries.restrictions_visible_to(self.user).select_related(
            "client", "placed_by", "lift_requested_by", "lifted_by"
        )

    def row_url(self, row: Restriction) -> str:
        return f"/compliance/clients/{row.client_id}/"


# ── the audit log ──────────────────────────────────────────────────────────────────────────────────────────────────


class AuditFilter(django_filters.FilterSet):
    """What `TrailFilter` knows, and no more: a pack holds what the page showed when it was asked for."""

    area = django_filters.ChoiceFilter(choices=AREAS, label=_("Area"), method="in_area")
    who = django_filters.ChoiceFilter(choices=WHO, label=_("User"), method="by_whom")
    day = django_filters.DateFromToRangeFilter(field_name="at", label=_("Day"))

    class Meta:
        model = AuditEvent
        fields: list[str] = []

    def in_area(self, rows: QuerySet[AuditEvent], _name: str, value: str) -> QuerySet[AuditEvent]:
        return trails.TrailFilter(area=value).apply(rows)

    def by_whom(self, rows: QuerySet[AuditEvent], _name: str, value: str) -> QuerySet[AuditEvent]:
        return trails.TrailFilter(who=value).apply(rows)


class LogFilter(AuditFilter):
    """The whole log is narrowed to an action by its code, a person or a client, too."""

    action = django_filters.ChoiceFilter(choices=audit_codes.choices, label=_("Action"))
    topic = django_filters.ChoiceFilter(choices=audit_topics.TOPICS, label=_("Topic"), method="in_topic")
    actor = django_filters.CharFilter(label=_("User (e-mail)"), method="by_person")
    client = django_filters.NumberFilter(field_name="client_id", label=_("Client number"))

    def in_topic(self, rows: QuerySet[AuditEvent], _name: str, value: str) -> QuerySet[AuditEvent]:
        return audit_topics.in_topic(rows, value)

    def by_person(self, rows: Any, _name: str, value: str) -> Any:
        return rows.filter(actor__in=User.objects.filter(email__iexact=value.strip()))


def what(row: AuditEvent, _table: Table) -> Any:
    """Show what was done and to what."""
    return format_html(
        '<strong>{}</strong> <span class="faint">{}</span>',
        audit_codes.label_of(row.action),
        sentences.on_what(row.target_type, row.target_id),
    )


def changes(row: AuditEvent, _table: Table) -> Any:
    """Show what changed, and why."""
    body: dict[str, Any] = row.body_plain  # type: ignore[attr-defined]
    shown = list(sentences.details(body, target_type=row.target_type))[:8]
    return format_html_join("", '<div class="audit-detail"><span class="faint">{}</span> {}</div>', shown)


def seal_mark(row: AuditEvent, table: _AuditTable) -> Any:
    """Show whether a row is sealed."""
    if row.pk in table.sealed:
        return format_html('<span class="pos" title="{}">●</span>', _("Sealed"))
    return format_html('<span class="faint" title="{}">○</span>', _("Not sealed yet; sealing runs every minute"))


class _AuditTable(Table):
    """Rows with their decrypted bodies: the keys of a page are read with one statement."""

    is_searchable = False
    default_order = "-id"
    page_size = 50
    columns = [
        TimeColumn("at", _("Time"), seconds=True),
        Column("actor", _("User"), value="actor_label", css="nowrap"),
        Column("action", _("Action"), render=what),
        Column("changes", _("Changes, reason, evidence"), render=changes),
        Column("client", _("Client"), value=lambda row: f"#{row.client_id}" if row.client_id else ""),
        Column("ip", _("IP address"), css="mono"),
        Column("sealed", _("Sealed"), render=seal_mark),
        Column("id", _("Entry"), css="faint num"),
    ]

    @cached_property
    def page(self) -> Page:
        page: Page = Table.page.func(self)  # type: ignore[attr-defined]
        trails.attach_bodies(page.rows)
        return page

    @cached_property
    def sealed(self) -> set[int]:
        return trails.sealed_ids(self.page.rows)

    def row_url(self, row: AuditEvent) -> str:
        return ""


class AuditTable(_AuditTable):
    name, title, permission = "audit-log", _("Audit log"), "crm.view_audit"
    subtitle = _("Every action with user, time, IP address and reason. Append-only and sealed.")
    filterset = LogFilter
    empty = Empty(_("No entries match"), _("Widen the filter."), "history")

    def queryset(self) -> QuerySet[AuditEvent]:
        return trails.events_visible_to(self.user).select_related("actor")


class TrailTable(_AuditTable):
    """One client's whole trail. `scope`: client_id, a client that the view has checked."""

    name, title, permission = "audit-trail", _("Audit trail"), "crm.view_audit"
    filterset = AuditFilter
    columns = [column for column in _AuditTable.columns if column.name != "client"]
    empty = Empty(_("No entries match"), _("Widen the filter."), "history")
    # With the list, so that it asks for the pack of what the list shows after a filter was changed in place.
    toolbar = "compliance/_trail_export.html"

    def queryset(self) -> QuerySet[AuditEvent]:
        return trails.trail_of(self.user, self.client).order_by() if self.client else AuditEvent.objects.none()

    @cached_property
    def client(self) -> Client | None:
        from clients.queries import clients_visible_to

        return clients_visible_to(self.user).filter(pk=self.scope.get("client_id", 0)).first()

    @cached_property
    def may_be_packed(self) -> bool:
        return bool(self.client and policies.can_export_trail(self.user, self.client))
