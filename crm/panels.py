"""The ground floor's own entries in menu and palette."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm import approvals
from crm.api.scope_requests import ScopeApproval
from crm.approvals.queries import count_to_decide, takes_part, waiting_for
from crm.choices import DeliveryState, DueState, Role
from crm.events import targets
from crm.i18n import formats
from crm.imports import importing
from crm.outbound.personal_data import WebhookDataApproval
from crm.outbound.recording import WEBHOOK
from crm.pages import (
    admin_cards,
    import_downloads,  # noqa: F401  its job kind
    setup_guide,
)
from crm.pages.api_tokens import may_have_tokens
from crm.staff.grants import GrantApproval
from crm.staff.policy_changes import PolicyApproval
from crm.texts.publishing import TextApproval
from crm.ui.cards import ListCard, ListRow
from crm.ui.kpis import kpi_tile
from crm.ui.panels import CreateEntry, MenuEntry, SetupStep, Tile, register
from crm.work.proposals import WorkApproval

if TYPE_CHECKING:
    from crm.models import User

approvals.register(GrantApproval, PolicyApproval, ScopeApproval, TextApproval, WebhookDataApproval, WorkApproval)
targets.declare(WEBHOOK)
APPROVALS_SHOWN = 6


def failed_events(user: User) -> int:
    """Count the deliveries and the scheduled work that wait for a decision, up to a hundred."""
    from crm.models import DueRow, EventDelivery

    dead = EventDelivery.objects.filter(state=DeliveryState.DEAD).order_by().values_list("pk", flat=True)
    failed = DueRow.objects.filter(state=DueState.FAILED).order_by().values_list("pk", flat=True)
    return len(dead[:100].union(failed[:100], all=True)[:100])


def approvals_list(user: User) -> ListCard:
    """List the oldest proposals that wait for this person's decision, then their own that wait for somebody else."""
    waiting = sorted(waiting_for(user), key=lambda proposal: (proposal.is_own, proposal.asked_at))
    rows = [
        ListRow(
            title=proposal.title,
            url=proposal.url,
            note=gettext("Requested by you") if proposal.is_own else str(proposal.maker or ""),
            end=formats.ago(proposal.asked_at),
        )
        for proposal in waiting[:APPROVALS_SHOWN]
    ]
    return ListCard(
        title=gettext("Pending second approvals"),
        rows=rows,
        icon="users",
        url=reverse("approvals"),
        empty=gettext("Nothing to approve"),
        empty_text=gettext("Proposals that need a second person appear here."),
    )


ADMINISTRATOR, LIST = (Role.ADMINISTRATOR,), "crm/ui/_list_card.html"
MANAGES, DELIVERS, COMPANY = "crm.manage_staff", "crm.manage_events", "crm.manage_company"
register(
    SetupStep(
        "entity",
        _("Legal entity"),
        _("The company behind your brands, with its licence."),
        "landmark",
        "legal_entities",
        setup_guide.has_entity,
        COMPANY,
        10,
    ),
    SetupStep(
        "brand",
        _("Brand"),
        _("The name clients see: currencies, languages, time zone, risk warning and look."),
        "tag",
        "brands",
        setup_guide.has_brand,
        COMPANY,
        20,
    ),
    SetupStep(
        "desk",
        _("Desk"),
        _("A team with one head, and the languages and countries it serves."),
        "users",
        "desks",
        setup_guide.has_desk,
        COMPANY,
        30,
    ),
    SetupStep(
        "people",
        _("People"),
        _("Invite colleagues. A second administrator approves their roles and access."),
        "user-plus",
        "staff",
        setup_guide.has_colleagues,
        MANAGES,
        40,
    ),
    SetupStep(
        "book",
        _("Agent's book"),
        _("Routing assigns leads to agents who own a book."),
        "user-check",
        "books",
        setup_guide.has_book,
        COMPANY,
        50,
    ),
    MenuEntry(
        "setup",
        _("Set-up guide"),
        "setup_guide",
        COMPANY,
        "flag",
        5,
        words="first day getting started onboarding wizard",
        group="company",
    ),
)
register(
    Tile(
        "approvals", LIST, approvals_list, takes_part, 40, title=_("Pending second approvals"), roles=(Role.DESK_HEAD,)
    ),
    Tile(
        "approvals-queue",
        LIST,
        approvals_list,
        takes_part,
        6,
        title=_("Pending second approvals"),
        place="queue",
        roles=ADMINISTRATOR,
    ),
    kpi_tile(
        "second-factors", _("Staff without second factor"), admin_cards.second_factors, MANAGES, 1, roles=ADMINISTRATOR
    ),
    kpi_tile("failed-events", _("Failed events"), admin_cards.failed_events, DELIVERS, 3, roles=ADMINISTRATOR),
    kpi_tile("failed-mail", _("Failed e-mails in 7 days"), admin_cards.failed_mail, DELIVERS, 4, roles=ADMINISTRATOR),
    Tile("setup-gaps", LIST, admin_cards.setup_gaps, MANAGES, 21, title=_("Set-up gaps"), roles=ADMINISTRATOR),
    Tile("system", LIST, admin_cards.system, DELIVERS, 22, title=_("System"), roles=ADMINISTRATOR),
    CreateEntry(_("Staff member"), "staff_invite", "crm.manage_staff", "briefcase", 90, is_dialog=False),
    CreateEntry(_("Brand"), "brand_new", COMPANY, "image", 91, is_dialog=False),
    MenuEntry("", _("Home"), "home", None, "house", 0),
    MenuEntry(
        "",
        _("Second approvals"),
        "approvals",
        takes_part,
        "check-check",
        20,
        count=count_to_decide,
        words="four eyes waiting for me proposals maker checker",
    ),
    MenuEntry(
        "insight",
        _("Work by officer"),
        "work_statistics",
        "crm.manage_work",
        "clipboard-list",
        80,
        words="queue statistics handling time late take-over sla kyc screening",
        group="agents",
    ),
    MenuEntry(
        "setup",
        _("Staff"),
        "staff",
        "crm.manage_staff",
        "briefcase",
        10,
        words="roles grants invite users",
        group="people",
    ),
    MenuEntry(
        "setup",
        _("Access requests"),
        "staff_grants",
        "crm.manage_staff",
        "key-round",
        20,
        words="four eyes approve",
        group="people",
    ),
    MenuEntry(
        "setup",
        _("Legal entities"),
        "legal_entities",
        COMPANY,
        "building-2",
        21,
        words="company licence regulator jurisdiction",
        group="company",
    ),
    MenuEntry(
        "setup",
        _("Brands"),
        "brands",
        COMPANY,
        "image",
        22,
        words="brand look logo colours picture branding risk warning sender",
        group="company",
    ),
    MenuEntry("setup", _("Desks"), "desks", COMPANY, "headset", 23, words="teams languages countries", group="people"),
    MenuEntry("setup", _("Books"), "books", COMPANY, "book", 24, words="pools agents owners", group="people"),
    MenuEntry(
        "setup",
        _("Policies"),
        "policies",
        "crm.propose_policies",
        "stamp",
        26,
        words="limits settings rules thresholds four eyes",
        group="company",
    ),
    MenuEntry(
        "clients",
        _("Data imports"),
        "data_imports",
        importing.PERMISSION,
        "folder",
        90,
        words="another crm migration clients leads notes partners balances csv xlsx salesforce hubspot",
    ),
    MenuEntry(
        "setup",
        _("Access explained"),
        "explain_access",
        "crm.explain_access",
        "circle-question-mark",
        30,
        group="people",
    ),
    MenuEntry(
        "",
        _("API tokens"),
        "api_tokens",
        may_have_tokens,
        "key",
        95,
        words="api keys integration service accounts oauth scopes",
    ),
    MenuEntry(
        "setup",
        _("Failed events"),
        "events",
        "crm.manage_events",
        "circle-alert",
        80,
        count=failed_events,
        words="outbox replay scheduled work due reminders expiry deadlines lag",
        group="system",
    ),
    MenuEntry(
        "setup",
        _("Webhooks"),
        "webhook_endpoints",
        "crm.manage_events",
        "external-link",
        81,
        words="integration zapier n8n callback endpoint signing secret deliveries dead letter",
        group="system",
    ),
)
