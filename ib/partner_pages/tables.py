"""A partner's own lists: clients without their full names, earnings by trade, settlements and payouts."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.models import User
from crm.ui.table_parts import FilterRequest
from crm.ui.tables import (
    AgoColumn,
    BadgeColumn,
    Column,
    CountryColumn,
    DateColumn,
    Empty,
    MoneyColumn,
    NumberColumn,
    PersonColumn,
    Table,
    TimeColumn,
)
from ib import figures
from ib.choices import AccrualState, AttributionMethod, DisputeState, PartnerRight, PartnerState, PayoutTo, Reason
from ib.links import UTM_LONGEST
from ib.models import Accrual, Attribution, CommissionDispute, PartnerLink, Payout, ReferralLink, Settlement, Upline
from ib.partner_pages.client_names import masked_name
from ib.partner_pages.figures import STEPS
from ib.partner_pages.sources import TAGS, with_tag
from ib.settlements.lines import lines_of
from ib.tables import SETTLEMENT_COLUMNS, deal_of, symbol_of, why
from ib.team.rights import access_of, has_right
from leads.attribution import SUB_ID_LONGEST
from trading.models import Deal

LEVELS_MAX = 1000


def partner_id_of(user: User) -> int:
    """Find the partner whose lists a login sees; 0, which is nobody's number, sees nothing."""
    access = access_of(user)
    return access.partner.pk if access else 0


def sees_money(user: User) -> bool:
    """Whether a login's role sees what was earned, on lists that others read without it."""
    return has_right(PartnerRight.SEE_MONEY, user)


def client_name(row: Accrual | Attribution, table: Table) -> str:
    """Name a partner's own client as they are agreed to read it."""
    access = access_of(table.user)
    assert access is not None, "a list without a partner has no rows"
    return masked_name(row.client, access.partner)


def whose(row: Accrual, table: Table) -> str:
    """Own clients by their name; of clients further down only whose they are."""
    if row.level == 1:
        return client_name(row, table)
    return str(_("Client of %(partner)s") % {"partner": row.introducer})


def own_links(request: FilterRequest | None) -> QuerySet[ReferralLink]:
    """Offer the partner's own links; none for a filter that is built without a request."""
    return (
        ReferralLink.objects.filter(partner_id=partner_id_of(request.user)) if request else ReferralLink.objects.none()
    )


class MyClientsFilter(django_filters.FilterSet):
    step = django_filters.ChoiceFilter(
        choices=[("verified", _("Verified")), ("funded", _("Funded")), ("active", _("Active"))],
        label=_("Reached"),
        method="of_step",
    )
    method = django_filters.ChoiceFilter(choices=AttributionMethod.choices, label=_("Acquisition"))
    link = django_filters.ModelChoiceFilter(queryset=own_links, label=_("Link"))
    sub_id = django_filters.CharFilter(label=_("Sub-id"), max_length=SUB_ID_LONGEST)
    country = django_filters.CharFilter(field_name="client__country", label=_("Country code"), max_length=2)
    utm_source = django_filters.CharFilter(method="of_tag", label=TAGS["source"], max_length=UTM_LONGEST)
    utm_medium = django_filters.CharFilter(method="of_tag", label=TAGS["medium"], max_length=UTM_LONGEST)
    utm_campaign = django_filters.CharFilter(method="of_tag", label=TAGS["campaign"], max_length=UTM_LONGEST)
    since = django_filters.DateFromToRangeFilter(field_name="starts_at", label=_("Since"))

    class Meta:
        model = Attribution
        fields = ["step", "method", "link", "sub_id", "country", "utm_source", "utm_medium", "utm_campaign", "since"]

    def of_step(self, rows: QuerySet[Attribution], name: str, step: str) -> QuerySet[Attribution]:
        return rows.filter(STEPS[step]())

    def of_tag(self, rows: QuerySet[Attribution], name: str, value: str) -> QuerySet[Attribution]:
        return with_tag(rows, name.removeprefix("utm_"), value)


class MyClientsTable(Table):
    """The clients a partner referred, with the name that is agreed and the country."""

    name, title = "partners.clients", _("Clients")
    subtitle = _("Clients who registered through your links. Contact details aren't shared")
    columns = [
        PersonColumn("client", _("Client"), render=client_name, key="client_id"),
        BadgeColumn("stage", _("Stage"), value="client.stage"),
        MoneyColumn("earned", _("Earned this period"), currency="partner.currency", permission=sees_money),
        NumberColumn("lots", _("Lots this period"), digits=2),
        AgoColumn("last_trade", _("Last trade"), value="client.last_trade_at"),
        CountryColumn("country", _("Country"), value="client.country"),
        Column("campaign", _("Campaign"), value="link.campaign"),
        Column("sub_id", _("Sub-id")),
        DateColumn("starts_at", _("Since")),
    ]
    filterset = MyClientsFilter
    is_adjustable = False
    is_searchable = False
    empty = Empty(
        _("No clients yet"), _("Share one of your links. Clients who register through it appear here."), "users"
    )

    def queryset(self) -> QuerySet[Attribution]:
        rows = Attribution.objects.filter(partner_id=partner_id_of(self.user), ends_at__isnull=True)
        rows = rows.select_related("client", "link", "partner")
        access = access_of(self.user)
        return figures.with_earnings(rows, access.partner) if access else rows.none()

    def row_url(self, row: Attribution) -> str:
        return ""


class MyNetworkFilter(django_filters.FilterSet):
    level = django_filters.NumberFilter(method="of_level", label=_("Level"))
    state = django_filters.ChoiceFilter(field_name="partner__state", choices=PartnerState.choices, label=_("State"))
    joined = django_filters.DateFromToRangeFilter(field_name="partner__joined_at", label=_("Joined between"))

    class Meta:
        model = Upline
        fields = ["level", "state", "joined"]

    def of_level(self, rows: QuerySet[Upline], name: str, level: Any) -> QuerySet[Upline]:
        """Filter by the level as rates and earnings count it: 2 is a direct sub-partner."""
        return rows.filter(level=int(level)) if 0 < level < LEVELS_MAX else rows.none()


class MyNetworkTable(Table):
    """Today's sub-partners at every level; their clients are only counted."""

    name, title = "partners.network", _("Sub-partners")
    subtitle = _("All partners below you, at every level. Their clients remain anonymous")
    columns = [
        PersonColumn("name", _("Name"), value="partner.name", key="partner_id"),
        Column("code", _("Code"), value="partner.code", css="mono"),
        NumberColumn("level", _("Level")),
        Column("above", _("Upline")),
        NumberColumn("clients", _("Clients")),
        BadgeColumn("state", _("State"), value="partner.state"),
        DateColumn("joined", _("Since"), value="partner.joined_at"),
    ]
    filterset = MyNetworkFilter
    is_adjustable = False
    search_fields = ["partner__name", "partner__code"]
    search_hint = _("Name or code")
    empty = Empty(_("No sub-partners yet"), _("Invite sub-partners with the link on the network page."), "network")

    def queryset(self) -> QuerySet[Upline]:
        clients = Attribution.objects.filter(partner_id=OuterRef("partner_id"), ends_at__isnull=True).order_by()
        count = clients.values("partner_id").annotate(n=Count("pk")).values("n")
        above = PartnerLink.objects.filter(partner_id=OuterRef("partner_id"), ends_at__isnull=True)
        return (
            Upline.objects.filter(ancestor_id=partner_id_of(self.user), ends_at__isnull=True, level__gt=1)
            .select_related("partner")
            .annotate(clients=Coalesce(Subquery(count), 0), above=Subquery(above.values("parent__name")[:1]))
        )

    def row_url(self, row: Upline) -> str:
        return ""


class MyEarningsFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=AccrualState.choices, label=_("State"))
    reason = django_filters.ChoiceFilter(choices=[c for c in Reason.choices if c[0]], label=_("Reason"))
    level = django_filters.NumberFilter(label=_("Level"))
    closed = django_filters.DateFromToRangeFilter(field_name="closed_at", label=_("Closed"))

    class Meta:
        model = Accrual
        fields = ["state", "reason", "level", "closed"]


class MyEarningsTable(Table):
    """What each trade earned the partner, or why it earned nothing."""

    name, title = "partners.earnings", _("Earnings by trade")
    subtitle = _("All closed trades in your network, with your commission or the reason why there is none")
    columns = [
        TimeColumn("closed_at", _("Closed"), sort=True, link=True),
        MoneyColumn("amount", _("Amount"), signed=True),  # early in the row: a phone shows three columns at first
        BadgeColumn("state", _("State")),
        Column("symbol", _("Symbol"), render=symbol_of),
        NumberColumn("lots", _("Lots"), digits=2),
        Column("client", _("Client"), render=whose),
        NumberColumn("level", _("Level")),
        Column("reason", _("Reason"), render=why, css="clip"),
        Column("ticket", _("Deal"), render=deal_of, css="mono"),
    ]
    filterset = MyEarningsFilter
    # By an index of the partner's: by id, those who had no trades lately would be looked for among everybody's.
    default_order = "-closed_at"
    is_adjustable = False
    is_searchable = False
    empty = Empty(
        _("No trades yet"), _("Trades appear within seconds after one of your clients closes a position."), "coins"
    )

    def queryset(self) -> QuerySet[Accrual]:
        rows = Accrual.objects.filter(partner_id=partner_id_of(self.user)).select_related("client", "introducer")
        if settlement_id := self.scope.get("settlement_id"):
            rows = rows & lines_of(
                Settlement.objects.select_related("previous").get(pk=settlement_id, partner_id=partner_id_of(self.user))
            )
        return rows

    def row_url(self, row: Accrual) -> str:
        return reverse("partner_trade", kwargs={"accrual_id": row.pk})


def statement_files(row: Settlement, table: Table) -> str:
    """Link to the files of the settlement."""
    links = [
        (reverse("partner_statement", args=[row.pk, ending]), ending.upper(), row.name) for ending in ("pdf", "csv")
    ]
    return format_html_join(" ", '<a href="{0}" download aria-label="{1} {2}">{1}</a>', links)


def disputed_deal(row: CommissionDispute, table: Table) -> str:
    """Name the platform's number of the disputed deal; a client's month has none."""
    return f"#{row.ticket}" if row.ticket else "–"  # type: ignore[attr-defined]


def answer_due(row: CommissionDispute) -> Any:
    """Return when an open dispute is to be answered."""
    return row.work.due_at if row.work and row.state == DisputeState.OPEN else None


class MySettlementsTable(Table):
    name, title = "partners.settlements", _("Settlements")
    columns = [
        *(column for column in SETTLEMENT_COLUMNS if column.name not in ("partner", "accrued")),
        Column("statement", pgettext_lazy("partner", "Statement"), render=statement_files, css="nowrap", export=False),
    ]
    is_adjustable = False
    is_searchable = False
    row_url_name = ""
    empty = Empty(_("Nothing settled yet"), _("What you earn is settled at the end of your settlement cycle."), "coins")

    def queryset(self) -> QuerySet[Settlement]:
        return Settlement.objects.filter(partner_id=partner_id_of(self.user))

    def row_url(self, row: Settlement) -> str:
        return reverse("partner_settlement", kwargs={"settlement_id": row.pk})


class MyDisputesFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=DisputeState.choices, label=_("State"))

    class Meta:
        model = CommissionDispute
        fields = ["state"]


class MyDisputesTable(Table):
    """The partner's disputes about deals, those that staff put on hold included."""

    name, title = "partners.disputes", _("Your disputes")
    subtitle = _("Commissions that you disputed or we put on hold. They aren’t settled until they’re resolved.")
    columns = [
        TimeColumn("opened_at", _("Opened"), link=True),
        Column("deal", _("Deal"), render=disputed_deal, css="mono"),
        BadgeColumn("state", _("State")),
        Column("reason", _("Reason"), css="clip short"),
        DateColumn("due", _("Answer expected by"), value=answer_due),
        Column("answer", _("Answer"), css="clip short"),
        DateColumn("resolved_at", _("Resolved")),
        MoneyColumn("adjusted", _("Adjustment"), currency="adjusted_currency", signed=True),
    ]
    filterset = MyDisputesFilter
    is_adjustable = False
    is_searchable = False
    empty = Empty(_("No disputes"), _("You can dispute a commission on its page under Earnings."), "lock")

    def queryset(self) -> QuerySet[CommissionDispute]:
        lines = Accrual.objects.filter(pk=OuterRef("adjustment_id"))
        return (
            CommissionDispute.objects.filter(partner_id=partner_id_of(self.user), deal_id__isnull=False)
            .select_related("work")
            .annotate(
                ticket=Subquery(Deal.every.filter(pk=OuterRef("deal_id")).values("ticket")[:1]),
                adjusted=Subquery(lines.values("amount")[:1]),
                adjusted_currency=Subquery(lines.values("currency")[:1]),
            )
        )

    def row_url(self, row: CommissionDispute) -> str:
        return reverse("partner_dispute_page", kwargs={"dispute_id": row.pk})


def paid_to(row: Payout, table: Table) -> str:
    """Say where a payout went."""
    return str(PayoutTo(row.destination.partition(":")[0]).label)


class MyPayoutsTable(Table):
    name, title = "partners.payouts", _("Payouts")
    columns = [
        TimeColumn("paid_at", _("Date")),
        MoneyColumn("amount", _("Amount")),
        Column("to", _("Paid to"), render=paid_to),
        Column("reference", _("Reference"), css="mono"),
        Column("id", _("Number"), render=lambda row, table: f"P-{row.pk}", css="mono"),
    ]
    is_adjustable = False
    is_searchable = False
    empty = Empty(_("No payouts yet"), icon="hand-coins")

    def queryset(self) -> QuerySet[Payout]:
        return Payout.objects.filter(partner_id=partner_id_of(self.user))

    def row_url(self, row: Payout) -> str:
        return ""
