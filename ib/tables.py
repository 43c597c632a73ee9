"""Lists of partners, plans, accruals and settlements for staff; a partner's own are in `ib/partner_pages/tables.py`."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clients.filters import brands_in_reach
from crm.choices import UserKind
from crm.i18n import formats
from crm.security.scope import reach_of
from crm.ui.columns import DASH
from crm.ui.filters import WhenFilter
from crm.ui.tables import (
    AgoColumn,
    BadgeColumn,
    BulkAction,
    Column,
    CountryColumn,
    DateColumn,
    Empty,
    MoneyColumn,
    NumberColumn,
    PersonColumn,
    QuickFilter,
    Table,
    TimeColumn,
)
from crm.ui.work_columns import WorkFilter, claim_cell
from crm.work.queries import clock_of
from ib.choices import AccrualState, Component, DisputeState, PartnerState, Reason
from ib.models import (
    Accrual,
    Attribution,
    CommissionDispute,
    CommissionRun,
    Partner,
    PartnerDay,
    PartnerLink,
    PartnerPlan,
    Plan,
    Settlement,
)
from ib.queries import of_deals, partners_visible_to, plans_visible_to
from ib.settlements.lines import lines_of
from trading.models import Deal, TradingServer

EXPORT = "ib.view_settlement"


class PartnerFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=PartnerState.choices, label=_("State"))
    brand = django_filters.ModelChoiceFilter(queryset=brands_in_reach, label=_("Brand"))
    joined = django_filters.DateFromToRangeFilter(field_name="joined_at", label=_("Joined between"))
    new = WhenFilter(field_name="joined_at", label=_("Joined"))
    quiet = django_filters.ChoiceFilter(
        choices=[("30", _("No trades in 30 days")), ("90", _("No trades in 90 days"))],
        label=_("Inactive"),
        method="without_trades",
    )

    class Meta:
        model = Partner
        fields = ["state", "brand", "joined"]

    def without_trades(self, rows: QuerySet[Partner], name: str, days: str) -> QuerySet[Partner]:
        """Filter active partners in whose network nothing was closed for so many days, whether it was paid or not."""
        since = timezone.now().date() - dt.timedelta(days=int(days))
        traded = PartnerDay.objects.filter(partner_id=OuterRef("pk"), day__gte=since)
        return rows.filter(~Exists(traded), state=PartnerState.ACTIVE)


class PartnerTable(Table):
    name, title, permission, export_permission = "ib.partners", _("Partners"), "ib.view_partner", EXPORT
    subtitle = _("Introducing brokers with their upline and plan")
    columns = [
        PersonColumn("name", _("Name"), link=True),
        Column("code", _("Code"), css="mono"),
        BadgeColumn("state", _("State")),
        Column("parent_name", _("Upline")),
        Column("plan_name", _("Plan")),
        Column("brand", _("Brand"), value="brand.name"),
        Column("manager", _("Manager"), hidden=True),
        Column("currency", pgettext_lazy("currency", "Payout currency")),
        DateColumn("joined_at", _("Since")),
    ]
    filterset = PartnerFilter
    quick_filters = [
        QuickFilter(_("Pending approval"), {"state": PartnerState.PENDING}),
        QuickFilter(_("Active"), {"state": PartnerState.ACTIVE}),
        QuickFilter(_("Blocked"), {"state": PartnerState.BLOCKED}),
        QuickFilter(_("New this month"), {"new": "month"}),
        QuickFilter(_("No trades in 30 days"), {"quiet": "30"}),
    ]
    search_fields = ["name", "code", "user__email"]
    search_hint = _("Name, code or e-mail")
    bulk_actions = [
        BulkAction("news", _("Send a message"), "ib_news_new", "ib.manage_partners", icon="megaphone"),
        BulkAction("task", _("Add task"), "ib_task_new", "ib.manage_partners", icon="clipboard-check"),
    ]
    empty = Empty(
        _("No partners yet"),
        _("Partners refer clients through links and earn commission on their trading."),
        "handshake",
        _("New partner"),
        "ib_partner_new",
        "ib.manage_partners",
    )

    def search(self, queryset: QuerySet[Any], words: str) -> QuerySet[Any]:
        """Keep the rows that have every word in the name, the code or the login's e-mail: each by an index of its own."""
        for word in words.split()[:6]:
            named = Partner.objects.filter(Q(name__icontains=word) | Q(code__icontains=word))
            logins = Partner.objects.filter(user__kind=UserKind.PARTNER, user__email__icontains=word)
            queryset = queryset.filter(pk__in=named.order_by().values("pk").union(logins.order_by().values("pk")))
        return queryset

    def queryset(self) -> QuerySet[Partner]:
        above = PartnerLink.objects.filter(partner_id=OuterRef("pk"), ends_at__isnull=True)
        plan = PartnerPlan.usual.filter(partner_id=OuterRef("pk"), ends_at__isnull=True)
        return (
            partners_visible_to(self.user)
            .select_related("brand", "manager")
            .annotate(
                parent_name=Subquery(above.values("parent__name")[:1]),
                plan_name=Subquery(plan.values("plan__name")[:1]),
            )
        )


class AccrualFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=AccrualState.choices, label=_("State"))
    reason = django_filters.ChoiceFilter(choices=[c for c in Reason.choices if c[0]], label=_("Reason"))
    partner = django_filters.CharFilter(field_name="partner__code", label=_("Partner code"))
    client = django_filters.NumberFilter(field_name="client_id", label=_("Client number"))
    deal = django_filters.NumberFilter(method="of_deal", label=_("Deal"))
    closed = django_filters.DateFromToRangeFilter(field_name="closed_at", label=_("Closed"))

    class Meta:
        model = Accrual
        fields = ["state", "reason", "partner", "client", "deal", "closed"]

    def of_deal(self, rows: QuerySet[Accrual], name: str, ticket: Any) -> QuerySet[Accrual]:
        """Filter by the platform's number, which people have; at most one deal per server bears it."""
        deals = Deal.objects.filter(ticket=ticket, server__in=TradingServer.objects.all())
        return rows.filter(of_deals(deals.values_list("id", flat=True)[:50]))


def deal_of(row: Accrual, table: Table) -> str:
    """Show the deal's number; of a client's month which one it is."""
    return formats.month(row.month, is_short=True).replace(" ", "\u00a0") if row.is_monthly else f"#{row.ticket}"


def symbol_of(row: Accrual, table: Table) -> str:
    """Show the deal's symbol; a client's month or a challenge has what is paid for it."""
    return str(Component(row.component).label) if row.is_monthly or row.is_sale else row.symbol


def why(row: Accrual, table: Table) -> str:
    """Show why a trade earned nothing."""
    return str(Reason(row.reason).label) if row.reason else ""


ACCRUAL_COLUMNS = [
    TimeColumn("closed_at", _("Closed"), link=True),
    Column("ticket", _("Deal"), render=deal_of, css="mono"),
    PersonColumn("partner", _("Partner"), value="partner.name"),
    NumberColumn("level", _("Level")),
    Column("client", _("Client"), render=lambda row, table: client_link(row.client_id)),
    Column("symbol", _("Symbol"), render=symbol_of),
    NumberColumn("lots", _("Lots"), digits=2),
    Column("component", _("Component"), render=lambda row, table: row.get_component_display(), hidden=True),
    NumberColumn("rate", _("Rate"), hidden=True),
    MoneyColumn("amount", _("Amount"), signed=True, total=True),
    BadgeColumn("state", _("State")),
    Column("reason", _("Reason"), render=why, css="clip"),
]


def client_link(client_id: int) -> str:
    """Link to the client's page; the label is the client's number."""
    return format_html('<a href="/clients/{}/">#{}</a>', client_id, client_id)


class AccrualTable(Table):
    """Every accrual: what was earned, what was not paid and why."""

    name, title, permission, export_permission = "ib.accruals", _("Commissions by trade"), "ib.view_accrual", EXPORT
    subtitle = _("One row per deal, partner, level and component, with the reason for each unpaid trade")
    columns = ACCRUAL_COLUMNS
    filterset: ClassVar[type[django_filters.FilterSet] | None] = AccrualFilter
    is_searchable = False
    row_url_name = "ib_accrual"
    empty = Empty(
        _("No commissions yet"),
        _("Commissions appear within seconds after a referred client closes a position."),
        "coins",
    )

    def queryset(self) -> QuerySet[Accrual]:
        rows = Accrual.objects.select_related("partner").filter(partner__in=partners_visible_to(self.user))
        if partner_id := self.scope.get("partner_id"):
            rows = rows.filter(partner_id=partner_id)
        if settlement_id := self.scope.get("settlement_id"):
            rows = rows & lines_of(Settlement.objects.select_related("previous").get(pk=settlement_id))
        return rows


class ExclusionTable(AccrualTable):
    name, title = "ib.exclusions", _("Not paid")
    subtitle = _("Closed trades of referred clients without commission, with the reason")
    columns = [column for column in ACCRUAL_COLUMNS if column.name not in ("amount", "state", "rate")]
    empty = Empty(_("All trades were paid"), icon="circle-check")

    def queryset(self) -> QuerySet[Accrual]:
        return super().queryset().filter(state=AccrualState.EXCLUDED)


class PartnerAccrualTable(AccrualTable):
    """In the tab of one partner."""

    name = "ib.partner_accruals"
    columns = [
        TimeColumn("closed_at", _("Closed"), sort=True, link=True),
        *(column for column in ACCRUAL_COLUMNS if column.name not in ("closed_at", "partner")),
    ]
    default_order = "-closed_at"
    filterset = None
    is_adjustable = False


class SettlementAccrualTable(PartnerAccrualTable):
    name = "ib.settlement_accruals"


SETTLEMENT_COLUMNS = [
    Column("name", _("Period"), link=True, css="nowrap"),
    PersonColumn("partner", _("Partner"), value="partner.name"),
    NumberColumn("trades", _("Trades")),
    NumberColumn("lots", _("Lots"), digits=2),
    MoneyColumn("accrued", _("Accrued"), total=True),
    MoneyColumn("amount", _("Credited"), total=True),
    MoneyColumn("carried_out", _("Carried forward"), hidden=True),
    BadgeColumn("state", _("State")),
    AgoColumn("settled_at", _("Settled")),
]


class SettlementTable(Table):
    name, title, permission, export_permission = "ib.settlements", _("Settlements"), "ib.view_settlement", EXPORT
    columns = SETTLEMENT_COLUMNS
    is_searchable = False
    row_url_name = "ib_settlement"
    empty = Empty(
        _("Nothing settled yet"), _("A settlement closes a period and credits each partner's commissions."), "coins"
    )

    def queryset(self) -> QuerySet[Settlement]:
        rows = Settlement.objects.select_related("partner").filter(partner__in=partners_visible_to(self.user))
        if partner_id := self.scope.get("partner_id"):
            rows = rows.filter(partner_id=partner_id)
        if period_id := self.scope.get("period_id"):
            rows = rows.filter(period_id=period_id)
        return rows


class PartnerSettlementTable(SettlementTable):
    name = "ib.partner_settlements"
    columns = [column for column in SETTLEMENT_COLUMNS if column.name != "partner"]
    is_adjustable = False


LATE, CLAIMED_BY_ME = QuickFilter(_("Late"), {"clock": "late"}), QuickFilter(_("Claimed by me"), {"whose": "mine"})


class DisputeFilter(WorkFilter):
    state = django_filters.ChoiceFilter(choices=DisputeState.choices, label=_("State"))
    partner = django_filters.CharFilter(field_name="partner__code", label=_("Partner code"))

    class Meta:
        model = CommissionDispute
        fields = ["state", "partner"]


class DisputeTable(Table):
    """What waits for somebody's answer before it is settled, and what was answered."""

    name, title, permission = "ib.disputes", _("Commission disputes"), "ib.view_settlement"
    subtitle = _(
        "Commissions that aren't settled until someone resolves them: disputed by partners, or put on hold by staff"
    )
    columns = [
        TimeColumn("opened_at", _("Opened"), link=True),
        PersonColumn("partner", _("Partner"), value="partner.name"),
        Column("subject", _("On hold"), render=lambda row, table: held_by(row)),
        Column("reason", _("Reason"), css="clip"),
        Column("opened_by", _("By"), hidden=True),
        BadgeColumn("state", _("State")),
        Column("due", _("Due"), render=lambda row, table: due_cell(row, table), export=False),
        Column("claimed_by", _("Claimed by"), render=claim_cell),
        Column("answer", _("Answer"), css="clip", hidden=True),
        AgoColumn("resolved_at", _("Resolved")),
    ]
    filterset = DisputeFilter
    quick_filters = [QuickFilter(_("In dispute"), {"state": DisputeState.OPEN}), LATE, CLAIMED_BY_ME]
    is_searchable = False
    row_url_name = "ib_dispute"
    empty = Empty(_("No disputes"), _("Partners can dispute a commission on its page."), "lock")

    def queryset(self) -> QuerySet[CommissionDispute]:
        rows = CommissionDispute.objects.filter(partner__in=partners_visible_to(self.user))
        return rows.select_related("partner__brand", "opened_by", "work__claimed_by")


def due_cell(row: CommissionDispute, table: Table) -> Any:
    """Show how much working time is left to answer, or by how much an answer is late."""
    if row.work is None or row.work.state != "open":
        return DASH
    clock = clock_of(row.work, row.partner.brand, table.now)
    return format_html('<span class="nowrap {}">{}</span>', "neg" if clock.is_late else "", clock.text)


def held_by(row: CommissionDispute) -> str:
    """Say what of a partner isn't settled meanwhile."""
    return str(_("All settlements and payouts") if row.deal_id is None else _("One deal"))


class RunTable(Table):
    name, title, permission = "ib.runs", _("Commission runs"), "ib.view_accrual"
    subtitle = _("Each commission calculation and its results; replays and corrections add differences only")
    columns = [
        TimeColumn("started_at", _("Started")),
        BadgeColumn("kind", _("Kind")),
        Column("brand", _("Brand"), value="brand.name"),
        TimeColumn("from_at", _("Deals from")),
        TimeColumn("to_at", pgettext_lazy("day", "To")),
        NumberColumn("deals", _("Deals")),
        NumberColumn("accrued", _("Paid rows")),
        NumberColumn("excluded", _("Not paid")),
        NumberColumn("corrected", _("Corrections")),
        Column("actor", _("By")),
        Column("reason", _("Reason"), css="clip"),
    ]
    is_searchable = False
    empty = Empty(_("No runs yet"), icon="refresh-cw")

    def queryset(self) -> QuerySet[CommissionRun]:
        return CommissionRun.objects.select_related("brand", "actor").filter(
            brand_id__in=reach_of(self.user).whole_brands
        )


class PlanTable(Table):
    name, title, permission = "ib.plans", _("Commission plans"), "ib.view_plan"
    subtitle = _(
        "Rates by symbol group and level. Active versions can't be changed; a second person activates each version"
    )
    columns = [
        Column("name", _("Name"), link=True),
        Column("description", _("Description"), css="clip"),
        Column("brand", _("Brand"), value="brand.name"),
        DateColumn("created_at", _("Since")),
    ]
    search_fields = ["name", "description"]
    empty = Empty(
        _("No plans yet"),
        _("A plan sets the commission per closed lot for each level."),
        "receipt-text",
        _("New plan"),
        "ib_plan_new",
    )

    def queryset(self) -> QuerySet[Plan]:
        return plans_visible_to(self.user).select_related("brand")


class PartnerClientTable(Table):
    """In the tab of one partner: the clients they referred."""

    name, title, permission = "ib.partner_clients", _("Referred clients"), "ib.view_partner"
    columns = [
        Column("client", _("Client"), render=lambda row, table: client_link(row.client_id)),
        BadgeColumn("stage", _("Stage"), value="client.stage"),
        CountryColumn("country", _("Country"), value="client.country"),
        AgoColumn("last_trade", _("Last trade"), value="client.last_trade_at"),
        Column("method", _("Source"), value="get_method_display"),
        DateColumn("starts_at", _("Since")),
    ]
    is_searchable = False
    is_adjustable = False
    empty = Empty(
        _("No referred clients yet"),
        _("Clients who register through this partner's links, and those assigned to the partner, appear here."),
        "users",
    )

    def queryset(self) -> QuerySet[Attribution]:
        partner_ids = partners_visible_to(self.user).filter(pk=self.scope["partner_id"]).values("pk")
        return Attribution.objects.filter(partner_id__in=partner_ids, ends_at__isnull=True).select_related("client")

    def row_url(self, row: Attribution) -> str:
        return ""
