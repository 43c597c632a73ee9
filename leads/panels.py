"""What the leads app puts on the menu, on the client's page, on dashboards and into the palette."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clients.choices import Stage
from clients.models import Client
from clients.policies import can
from clients.tables import ClientTable
from crm import approvals
from crm.choices import Role
from crm.i18n import formats
from crm.models import User
from crm.security.scope import reach_of
from crm.ui.kpis import once_per_page
from crm.ui.panels import Card, CreateEntry, MenuEntry, PageKey, RecordPart, SetupStep, Tile, register
from crm.ui.records import HeroFigure
from crm.ui.tables import BulkAction
from crm.web.requests import UserRequest
from leads import dedupe, queries, routing
from leads.automations import kinds, running, signal_step, tag_step, text_step  # noqa: F401  they declare steps and the handler of due ones
from leads.automations.verbs import ActivationApproval
from leads.automations.views import automations_card
from leads.choices import CHANGES_MAX
from leads.learned.scoring import explained
from leads.models import LandingPage, Lead, RegistrationInvitation, RoutingRule
from leads.pipeline import next_statuses
from leads.views import home_cards

COUNTED = 100
GOOD_SCORE = 70
LIST = "crm/ui/_list_card.html"


def untouched(user: User) -> int | None:
    """Count the agent's own leads that wait for a first touch, up to a hundred; None where there are none."""
    since = timezone.now() - queries.WAITING_FOR
    rows = Lead.objects.filter(assigned_to=user, assigned_at__gte=since, touched_at=None, is_duplicate=False)
    return len(rows.order_by().values_list("pk", flat=True)[:COUNTED]) or None


def lead_card(request: UserRequest, client: Client) -> dict[str, Any] | None:
    """Collect a lead's status, score and source with what can be done next. Later stages keep where the person came from."""
    captures = once_per_page(request.user, f"leads.captures:{client.pk}", lambda: queries.captures_of(client))
    if not captures:
        return None
    newest = captures[0]
    is_lead = client.stage == Stage.LEAD
    invited = RegistrationInvitation.objects.filter(client=client).order_by("-id").first() if is_lead else None
    return {
        "newest": newest,
        "captures": captures,
        "is_lead": is_lead,
        "next": next_statuses(request.user, client) if is_lead else [],
        "reasons": newest.score_reasons,
        "learned": explained(newest.learned_reasons),
        "experience": next((lead.get_experience_display() for lead in captures if lead.experience), ""),
        "intended": next((lead for lead in captures if lead.intended_deposit is not None), None),
        "percent": None if newest.probability is None else 100 * newest.probability,
        "routing": routing.explain(newest.routing_reasons),
        "match": dedupe.explain(newest.match_reasons),
        "invited": invited,
        "now": timezone.now(),
        "can_invite": is_lead and bool(can(request.user, client, "leads.send_invitation")),
    }


def lead_figures(request: UserRequest, client: Client) -> list[HeroFigure]:
    """Show a lead's score, source and first contact; from the registration on, money takes their place."""
    captures = once_per_page(request.user, f"leads.captures:{client.pk}", lambda: queries.captures_of(client))
    if client.stage != Stage.LEAD or not captures:
        return []
    newest = captures[0]
    best = max(newest.score_reasons, key=lambda reason: reason["points"], default=None)
    campaign = str(newest.campaign) if newest.campaign else newest.get_channel_display()
    return [
        HeroFigure(
            _("Score"), str(client.score), hint=str(best["name"]) if best else "", tone=_score_tone(client.score)
        ),
        HeroFigure(_("Source"), newest.source or "–", hint=campaign),
        _first_contact(newest),
    ]


def _score_tone(score: int) -> str:
    return "success" if score >= GOOD_SCORE else ""


def _first_contact(lead: Lead) -> HeroFigure:
    """Say how long the first contact took, or what is left of the time for it."""
    received = gettext("Received %(ago)s") % {"ago": formats.ago(lead.captured_at)}
    if lead.touched_at:
        return HeroFigure(_("First contact"), formats.duration(lead.touched_at - lead.captured_at), hint=received)
    if lead.sla_due_at:
        tone = "danger" if lead.sla_due_at < timezone.now() else ""
        return HeroFigure(_("First contact due"), formats.ago(lead.sla_due_at), hint=received, tone=tone)
    return HeroFigure(_("First contact"), gettext("None yet"), hint=received)


def acquisition_place(client: Client) -> str:
    """Put status and score on top for a lead; later they are history, folded at the foot."""
    return "top" if client.stage == Stage.LEAD else "foot"


def waiting_tile(user: User) -> dict[str, Any] | None:
    """Collect the leads that wait for this agent; None hides the tile from people who receive no leads."""
    leads = queries.waiting_for(user)
    if not leads and not user.has_perm("leads.receive_lead"):
        return None
    return {"leads": leads, "now": timezone.now(), "older": queries.left_untouched(user, most=COUNTED)}


def has_rule(user: User) -> bool:
    """Check for an active routing rule in reach."""
    return RoutingRule.objects.filter(brand__in=reach_of(user).whole_brands, is_active=True).exists()


def has_landing_page(user: User) -> bool:
    """Check for a published landing page in reach."""
    return LandingPage.objects.filter(brand__in=reach_of(user).whole_brands, is_published=True).exists()


def has_routed_lead(user: User) -> bool:
    """Check for a lead that a rule gave to an agent, such as one's own test."""
    leads = Lead.objects.filter(brand__in=reach_of(user).whole_brands, routing_rule__isnull=False)
    return leads.filter(assigned_to__isnull=False).exists()


approvals.register(ActivationApproval)
register(
    SetupStep(
        "routing",
        _("Routing rule"),
        _("Which desk gets which leads, and how it shares them."),
        "route",
        "lead_rules",
        has_rule,
        "leads.manage_rules",
        90,
    ),
    SetupStep(
        "landing-page",
        _("Landing page"),
        _("A page with a form, in the brand's look."),
        "globe",
        "landing_pages",
        has_landing_page,
        "leads.change_landingpage",
        100,
    ),
    SetupStep(
        "test-lead",
        _("Test lead"),
        _("Fill in your landing page's form yourself and see who the lead is assigned to."),
        "user-plus",
        "landing_pages",
        has_routed_lead,
        "leads.view_landingpage",
        110,
    ),
)
register(
    CreateEntry(_("Lead"), "lead_new", "leads.add_lead", "user-plus", 10),
    CreateEntry(_("Campaign"), "campaign_new", "leads.change_campaign", "megaphone", 60),
    MenuEntry(
        "sales",
        _("Leads"),
        "leads",
        "leads.view_lead",
        "user-plus",
        10,
        count=untouched,
        count_permission="leads.receive_lead",
        words="prospects pipeline enquiries",
    ),
    MenuEntry(
        "sales",
        _("Pipeline"),
        "leads_board",
        "leads.view_lead",
        "kanban",
        20,
        words="board statuses",
        # Retention agents work with clients; of leads the list is enough.
        roles=(
            *(Role.AGENT, Role.DESK_HEAD, Role.MARKETING, Role.IB_MANAGER),
            *(Role.SUPPORT, Role.MLRO, Role.AUDITOR, Role.ADMINISTRATOR),
        ),
    ),
    MenuEntry(
        "sales",
        _("Possible duplicates"),
        "possible_duplicates",
        "clients.merge_client",
        "merge",
        25,
        words="merge same person household dedupe",
    ),
    MenuEntry("sales", _("Lead imports"), "lead_imports", "leads.import_lead", "upload", 30, words="csv file upload"),
    MenuEntry(
        "sales", _("Campaigns"), "campaigns", "leads.view_campaign", "megaphone", 40, words="cost utm source marketing"
    ),
    MenuEntry(
        "sales",
        _("Automations"),
        "automations",
        "leads.view_automation",
        "zap",
        45,
        words="sequence trigger drip series workflow",
        roles=(Role.MARKETING, Role.DESK_HEAD, Role.AUDITOR, Role.ADMINISTRATOR),
    ),
    MenuEntry(
        "setup",
        _("Landing pages"),
        "landing_pages",
        "leads.view_landingpage",
        "globe",
        20,
        words="forms public",
        group="records",
    ),
    MenuEntry(
        "setup",
        _("Lead rules"),
        "lead_rules",
        "leads.manage_rules",
        "route",
        30,
        words="routing scoring sla shifts",
        group="records",
    ),
    MenuEntry(
        "setup",
        _("Lead sources"),
        "lead_sources",
        "leads.manage_sources",
        "share-2",
        35,
        words="api keys affiliates",
        group="records",
    ),
    RecordPart("client", "figure", "lead", lead_figures, "leads.view_lead", 10),
    Card("client", "automations", "leads/automations/_card.html", automations_card, "leads.view_automation", 57),
    Card("client", "lead", "leads/_card.html", lead_card, "leads.view_lead", 10, place=acquisition_place),
    Tile(
        "next-calls",
        LIST,
        home_cards.next_calls,
        "clients.log_call",
        10,
        title=_("Next calls"),
        place="queue",
        roles=(Role.AGENT,),
    ),
    Tile("new-leads", LIST, home_cards.new_leads, "leads.view_lead", 20, title=_("New leads"), roles=(Role.AGENT,)),
    Tile(
        "late-leads",
        LIST,
        home_cards.late_leads,
        "leads.assign_lead",
        40,
        title=_("Leads past their SLA"),
        place="queue",
        roles=(Role.DESK_HEAD,),
    ),
    Tile(
        "campaigns-to-check",
        LIST,
        home_cards.campaigns_to_check,
        "leads.change_campaign",
        10,
        title=_("Needs attention"),
        place="queue",
        roles=(Role.MARKETING,),
    ),
    PageKey("l", _("Next lead"), "lead_next", "clients.log_call"),
    Tile("leads-waiting", "leads/_tile_waiting.html", waiting_tile, "leads.receive_lead", 10, dashboard="my_day"),
)

ClientTable.bulk_actions = [
    *ClientTable.bulk_actions,
    BulkAction("mail", _("Send e-mail"), "clients_bulk_mail", "clients.log_call", icon="mail", most=CHANGES_MAX),
    BulkAction("tag", _("Tag"), "clients_bulk_tag", "clients.change_client", icon="tags", most=CHANGES_MAX),
    BulkAction("start", _("Start automation"), "clients_bulk_start", "leads.manage_automation", icon="workflow"),
]
