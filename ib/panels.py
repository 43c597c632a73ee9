"""What partners' bookkeeping puts on other pages: the menus, the client page's tab, tiles, and the palette."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clients.models import Client
from compliance.aml import graph
from compliance.retention.obstacles import obstacle
from crm import approvals
from crm.api.tokens import register_partner_rules
from crm.choices import ApprovalState, Role
from crm.models import User
from crm.security.scope import reach_of
from crm.ui import panels
from crm.ui.kpis import kpi_tile
from crm.ui.panels import CreateEntry, MenuEntry, PaletteSource, SetupStep, Tab, Tile, register
from crm.ui.tables import Column
from ib import figures
from ib.abuse.choices import AbuseState
from ib.abuse.reviews import REVIEW
from ib.agreements.ratios import RatioApproval
from ib.applications.approving import ApplicationApproval
from ib.choices import PartnerRight, PartnerState
from ib.models import Attribution, ClientForfeit, Partner, Plan, Upline
from ib.plans import PlanApproval
from ib.policies import can_manage_partners
from ib.queries import partners_visible_to
from ib.replay.proposals import ReplayApproval
from ib.settlements.forfeits import VerdictApproval
from ib.settlements.payout_approval import PayoutApproval
from ib.settlements.terms import TermsApproval
from ib.team.api_tokens import RULES
from ib.team.rights import has_right
from ib.tracking.assigning import AttributionApproval
from ib.tracking.choices import ClaimState
from ib.tracking.claims import CLAIM
from ib.views import home_cards
from leads.models import LeadSource
from leads.views.setup import SourceTable
from wallet.choices import account_owners

approvals.register(
    ApplicationApproval,
    AttributionApproval,
    PayoutApproval,
    PlanApproval,
    RatioApproval,
    ReplayApproval,
    TermsApproval,
    VerdictApproval,
)


def linked_partners(user: User, client: Client) -> Iterator[graph.Linked]:
    """Yield, for an AML case, the partner who introduced a client and the one that the client is."""
    introduced = Attribution.objects.filter(client=client, ends_at__isnull=True).values("partner")
    for partner in partners_visible_to(user).filter(pk__in=introduced):
        yield _linked(user, partner, _now("Introduced the client"))
    for partner in partners_visible_to(user).filter(client=client):
        yield _linked(user, partner, _now("The client is this partner"))


def _linked(user: User, partner: Partner, kind: str) -> graph.Linked:
    url = partner.get_absolute_url() if user.has_perm("ib.view_partner") else ""
    return graph.Linked(("partner", partner.pk), partner.name, url, (kind,), _now("Partner"))


graph.source(linked_partners)


def partner_tab(request: HttpRequest, client: Client) -> HttpResponse:
    """Show who referred this client, and what their trades earned whom."""
    assert isinstance(request.user, User)
    attributions = list(
        Attribution.objects.filter(client=client).select_related("partner", "link").order_by("-starts_at")[:20]
    )
    current = next((row for row in attributions if row.ends_at is None), None)
    upline = (
        Upline.objects.filter(partner_id=current.partner_id, ends_at__isnull=True)
        .select_related("ancestor")
        .order_by("level")
        if current
        else Upline.objects.none()
    )
    earned = figures.earned_from(client) if request.user.has_perm("ib.view_accrual") else []
    context = {"client": client, "attributions": attributions, "upline": upline[:20], "earned": earned}
    context["forfeits"] = ClientForfeit.objects.filter(client=client, lifted_at__isnull=True)
    context["may_judge"] = attributions and can_manage_partners(request.user, client.brand_id)
    return render(request, "ib/_client_tab.html", context)


def find_partners(user: User, query: str, limit: int) -> list[panels.SearchResult]:
    """Find partners by a part of their name, among those that somebody sees; the newest first."""
    matches = partners_visible_to(user).filter(name__icontains=query).order_by("-id")[:limit]
    return [
        panels.SearchResult(partner.name, partner.get_absolute_url(), partner.code, "handshake") for partner in matches
    ]


def pending_applications(user: User) -> int:
    """Count the applications that await a proposal, up to a hundred."""
    pending = partners_visible_to(user).filter(state=PartnerState.PENDING)
    return pending.exclude(approvals__state=ApprovalState.PENDING)[:100].count()


def open_claims(user: User) -> int:
    """Count the open claims on clients, up to a hundred."""
    return CLAIM.visible_to(user).filter(state=ClaimState.OPEN)[:100].count()


def open_reviews(user: User) -> int:
    """Count the open referral reviews, up to a hundred."""
    return REVIEW.visible_to(user).filter(state=AbuseState.OPEN)[:100].count()


def has_plan(user: User) -> bool:
    """Check for a commission plan in reach."""
    return Plan.objects.filter(brand__in=reach_of(user).whole_brands).exists()


register(
    SetupStep(
        "plan",
        _("Commission plan"),
        _("What introducing brokers earn from their clients' trading."),
        "percent",
        "ib_plans",
        has_plan,
        "ib.propose_plan",
        80,
        is_optional=True,
    )
)
register(
    CreateEntry(_("Partner"), "ib_partner_new", "ib.manage_partners", "handshake", 50, is_dialog=False),
    MenuEntry(
        "partners",
        _("Partners"),
        "ib_partners",
        "ib.view_partner",
        icon="handshake",
        order=10,
        words="IB introducing broker",
    ),
    MenuEntry(
        "partners",
        _("Partner applications"),
        "ib_applications",
        "ib.view_partner",
        "door-open",
        15,
        count=pending_applications,
        count_permission="ib.manage_partners",
        words="applicants approve onboarding",
    ),
    MenuEntry(
        "partners",
        _("Partner performance"),
        "ib_performance",
        "ib.view_accrual",
        "chart-column",
        17,
        words="leaderboard volume churn",
    ),
    MenuEntry(
        "partners",
        _("Partner tasks"),
        "ib_tasks",
        "ib.view_partner",
        "circle-check",
        16,
        words="to do follow-up reminder",
    ),
    MenuEntry("partners", _("Commission plans"), "ib_plans", "ib.view_plan", "percent", 20, words="rates rebate"),
    MenuEntry(
        "partners",
        _("Commissions by trade"),
        "ib_accruals",
        "ib.view_accrual",
        "receipt",
        30,
        words="accruals rebates",
        group="commissions",
    ),
    MenuEntry(
        "partners",
        _("Not paid"),
        "ib_exclusions",
        "ib.view_accrual",
        "circle-x",
        40,
        words="excluded why",
        group="commissions",
    ),
    MenuEntry(
        "partners",
        _("Settlement periods"),
        "ib_periods",
        "ib.view_settlement",
        "calendar-clock",
        50,
        words="settlement payout",
        group="commissions",
    ),
    MenuEntry(
        "partners",
        _("Commission disputes"),
        "ib_disputes",
        "ib.view_settlement",
        "git-fork",
        55,
        words="hold freeze",
        group="commissions",
    ),
    MenuEntry(
        "partners",
        _("Commission replays"),
        "ib_replays",
        "ib.view_accrual",
        "rotate-ccw",
        58,
        words="recalculate replay",
        group="commissions",
    ),
    MenuEntry(
        "partners", _("Commission runs"), "ib_runs", "ib.view_accrual", icon="refresh-cw", order=60, group="commissions"
    ),
    MenuEntry(
        "partners",
        _("Client claims"),
        "ib_claims",
        "ib.view_partner",
        "user-x",
        18,
        count=open_claims,
        count_permission="ib.manage_partners",
        words="attribution several partners",
    ),
    MenuEntry(
        "partners",
        _("Referral reviews"),
        "ib_abuse",
        "ib.view_partner",
        "thumbs-down",
        19,
        count=open_reviews,
        count_permission="ib.manage_partners",
        words="abuse fraud self-referral",
    ),
    MenuEntry(
        "partners",
        _("Banners"),
        "ib_materials",
        "ib.view_partner",
        "file",
        70,
        words="creatives materials embed",
        group="promotion",
    ),
    MenuEntry(
        "partners",
        _("News for partners"),
        "ib_news",
        "ib.view_partner",
        "bell",
        72,
        words="announcements messages",
        group="promotion",
    ),
    MenuEntry(
        "partners",
        _("Postbacks"),
        "ib_postbacks",
        "ib.view_partner",
        "split",
        74,
        words="s2s tracking network",
        group="promotion",
    ),
    Tab("client", "partner", _("Partner"), partner_tab, "ib.view_partner", order=70),
    PaletteSource("partners", _("Partners"), find_partners, "ib.view_partner", 40),
)
MANAGER = (Role.IB_MANAGER,)
LIST = "crm/ui/_list_card.html"
register(
    kpi_tile("ib-partners", _("New partners this month"), home_cards.new_partners, "ib.view_partner", 1, roles=MANAGER),
    kpi_tile(
        "ib-registrations", _("Referred registrations"), home_cards.registrations, "ib.view_partner", 2, roles=MANAGER
    ),
    kpi_tile("ib-earned", _("Commissions this month"), home_cards.commission, "ib.view_accrual", 3, roles=MANAGER),
    kpi_tile("ib-unpaid", _("Not paid this month"), home_cards.unpaid_share, "ib.view_accrual", 4, roles=MANAGER),
    Tile(
        "ib-days",
        "crm/ui/_chart_card.html",
        home_cards.by_day,
        "ib.view_settlement",
        5,
        title=_("Commissions by day"),
        place="main",
        roles=MANAGER,
    ),
    Tile(
        "ib-queue",
        LIST,
        home_cards.waiting,
        "ib.view_partner",
        6,
        title=_("Waiting for a decision"),
        place="queue",
        roles=MANAGER,
    ),
    Tile(
        "ib-reasons",
        "crm/ui/_bars_card.html",
        home_cards.unpaid_by_reason,
        "ib.view_accrual",
        20,
        title=_("Not paid in 7 days, by reason"),
        roles=MANAGER,
        lazy=True,
    ),
    Tile(
        "ib-top",
        LIST,
        home_cards.top_partners,
        "ib.view_accrual",
        21,
        title=_("Top partners this month"),
        roles=MANAGER,
    ),
    Tile("ib-tasks", LIST, home_cards.tasks, "ib.view_partner", 19, title=_("My partner tasks"), roles=MANAGER),
    Tile(
        "ib-links",
        LIST,
        home_cards.links,
        "ib.view_partner",
        22,
        title=_("Links by registrations, 30 days"),
        roles=MANAGER,
    ),
)
for number, (label, name, icon, right) in enumerate(
    [
        (_("Overview"), "partner_home", "layout-dashboard", PartnerRight.SEE_MONEY),
        (_("Network"), "partner_network", "network", PartnerRight.SEE_NETWORK),
        (_("Clients"), "partner_clients", "users", PartnerRight.SEE_CLIENTS),
        (_("Earnings"), "partner_earnings", "coins", PartnerRight.SEE_MONEY),
        (_("Links"), "partner_links", "link", PartnerRight.SEE_LINKS),
        (_("Payouts"), "partner_payouts", "hand-coins", PartnerRight.SEE_MONEY),
        (pgettext_lazy("commissions", "Disputes"), "partner_disputes", "gavel", PartnerRight.SEE_MONEY),
        (_("Team"), "partner_team", "user-check", PartnerRight.MANAGE_TEAM),
        (_("API"), "partner_tokens", "key-round", PartnerRight.USE_API),
    ]
):
    register(MenuEntry("", label, name, partial(has_right, right), icon, 10 * number, audience="partner"))

register_partner_rules(RULES)
account_owners.register("partner", lambda ids: dict(Partner.objects.filter(pk__in=ids).values_list("pk", "name")))


def is_partner(client: Client) -> bool:
    """Check for a partner with this client record who isn't closed."""
    return Partner.objects.filter(client=client).exclude(state=PartnerState.CLOSED).exists()


obstacle(_("The client is a partner."), is_partner)


def _postbacks_link(source: LeadSource) -> str:
    return format_html('<a href="{}">{}</a>', reverse("source_postbacks", args=[source.pk]), _("Postbacks"))


SourceTable.columns = [
    *SourceTable.columns,
    Column("postbacks", _("Postbacks"), value="pk", render=lambda row, _table: _postbacks_link(row), export=False),
]
