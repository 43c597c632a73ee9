"""What KYC puts on pages it does not own: menu, the client's KYC tab, a tile, search by document number."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from crm import approvals
from crm.choices import Role
from crm.models import User
from crm.ui import panels
from crm.ui.kpis import kpi_tile
from crm.ui.panels import CreateEntry, MenuEntry, PaletteSource, RecordPart, Tab, Tile, register
from kyc import queries
from kyc.categories import policies as category_policies
from kyc.categories.decisions import CategoryApproval
from kyc.categories.requests import requests_visible_to
from kyc.choices import DocumentState, SecondLookState
from kyc.levels.changes import RIGHT, LevelApproval
from kyc.providers import policies as provider_policies
from kyc.providers.setup import KycProviderApproval
from kyc.questionnaires import policies as questionnaire_policies
from kyc.questionnaires.edd import reviews_visible_to
from kyc.questionnaires.publishing import QuestionnaireApproval
from kyc.verdicts.changes import VerdictPolicyApproval
from kyc.verdicts.policies import sees_policy
from kyc.verdicts.second_looks import looks_visible_to
from kyc.views import client_overview, home_cards, officer_cards
from kyc.views.client import kyc_tab

OFFICER = (Role.KYC_OFFICER,)
REVIEW = "kyc.review_document"
LIST = "crm/ui/_list_card.html"


def waiting(user: User) -> int | None:
    """Count what waits for a decision, at most 99."""
    pending = queries.queue(user).filter(state=DocumentState.PENDING_REVIEW)
    return len(pending.values_list("pk", flat=True)[:99]) or None


def second_looks_waiting(user: User) -> int | None:
    """Count the second looks that wait, at most 99."""
    waiting_looks = looks_visible_to(user).filter(state=SecondLookState.OPEN).order_by()
    return len(waiting_looks.values_list("pk", flat=True)[:99]) or None


def reviews_waiting(user: User) -> int | None:
    """Count the enhanced reviews that wait, at most 99."""
    return len(reviews_visible_to(user).filter(state="open").values_list("pk", flat=True)[:99]) or None


def requests_waiting(user: User) -> int | None:
    """Count the requests to be professional that wait, at most 99."""
    return len(requests_visible_to(user).filter(state="open").values_list("pk", flat=True)[:99]) or None


def find_by_number(user: User, query: str, limit: int) -> Iterator[panels.SearchResult]:
    """Find a document by its whole number; only its keyed hash is stored, so a part of it finds nothing."""
    if len(query) < 5 or not any(character.isdigit() for character in query):
        return
    for document in queries.find_by_number(user, query, limit=limit):
        yield panels.SearchResult(
            f"{document.title}: {document.client.full_name}",
            document.get_absolute_url(),
            str(document.get_state_display()),
            "id-card",
        )


register(
    CreateEntry(_("Document"), "kyc:upload", "kyc.send_document", "upload", 35, is_dialog=False, for_client=True),
    MenuEntry(
        "compliance",
        _("Review queue"),
        "kyc:queue",
        "kyc.review_document",
        "file-check",
        10,
        count=waiting,
        words="kyc documents passport verify",
        group="kyc",
    ),
    MenuEntry(
        "compliance",
        _("KYC documents"),
        "kyc:documents",
        "kyc.open_document",
        "files",
        20,
        words="kyc archive",
        group="kyc",
    ),
    MenuEntry(
        "compliance",
        _("Periodic reviews"),
        "kyc:client_reviews",
        "kyc.review_client",
        "rotate-cw",
        15,
        words="refresh kyc high risk overdue cdd",
        group="assessment",
    ),
    MenuEntry(
        "compliance",
        _("Expiring documents"),
        "kyc:expiring",
        "kyc.view_document",
        "siren",
        25,
        words="validity renew passport expired grace",
        group="kyc",
        roles=(Role.KYC_OFFICER, Role.MLRO, Role.SUPPORT),
    ),
    MenuEntry(
        "compliance",
        _("KYC levels"),
        "kyc:levels",
        RIGHT,
        "badge-check",
        30,
        words="verification tiers limits requirements deposits withdrawals",
        group="kyc_rules",
    ),
    MenuEntry(
        "compliance",
        _("Second looks"),
        "kyc:second_looks",
        "kyc.review_document",
        "scan-face",
        30,
        count=second_looks_waiting,
        words="blind sample kyc",
        group="kyc",
    ),
    MenuEntry(
        "compliance",
        _("KYC quality"),
        "kyc:quality",
        sees_policy,
        "chart-no-axes-column",
        40,
        words="automatic decisions agreement time",
        group="kyc_rules",
    ),
    MenuEntry(
        "compliance",
        _("KYC policy"),
        "kyc:policy",
        sees_policy,
        "bot",
        50,
        words="automatic approval sample rules",
        group="kyc_rules",
    ),
    MenuEntry(
        "compliance",
        _("KYC providers"),
        "kyc:providers",
        provider_policies.sees_providers,
        "fingerprint-pattern",
        55,
        words="sumsub outside vendor webhook connection applicant",
        group="kyc_rules",
        roles=(Role.KYC_OFFICER, Role.ADMINISTRATOR),
    ),
    MenuEntry(
        "compliance",
        _("Enhanced due diligence"),
        "kyc:edd",
        questionnaire_policies.READS,
        "shield-alert",
        60,
        count=reviews_waiting,
        count_permission=questionnaire_policies.DECIDES,
        words="edd pep source of funds review",
        group="assessment",
    ),
    MenuEntry(
        "compliance",
        _("Client category requests"),
        "kyc:category_requests",
        category_policies.SEES,
        "graduation-cap",
        70,
        count=requests_waiting,
        count_permission=category_policies.PROPOSES,
        words="professional eligible counterparty mifid",
        group="assessment",
    ),
    MenuEntry(
        "compliance",
        _("Questionnaires"),
        "kyc:questionnaires",
        questionnaire_policies.WRITES,
        "clipboard",
        80,
        words="appropriateness source of funds tax crs fatca pep builder",
        group="assessment",
    ),
    RecordPart("client", "step", "kyc", client_overview.next_steps, "kyc.view_document", 20),
    RecordPart("client", "creation", "kyc", client_overview.creations, "kyc.send_document", 20),
    Tab("client", "kyc", _("KYC"), kyc_tab, "kyc.view_document", order=30),
    Tile(
        "documents-owed",
        LIST,
        home_cards.documents_owed,
        "kyc.view_document",
        30,
        title=_("Documents owed by my clients"),
        roles=(Role.AGENT,),
    ),
    PaletteSource("kyc-documents", _("Documents"), find_by_number, "kyc.open_document", 60),
)

approvals.register(LevelApproval, VerdictPolicyApproval, QuestionnaireApproval, CategoryApproval, KycProviderApproval)
register(
    kpi_tile("kyc-waiting", _("Documents waiting"), officer_cards.waiting, REVIEW, 1, roles=OFFICER),
    kpi_tile("kyc-oldest", _("Oldest wait"), officer_cards.oldest_wait, REVIEW, 2, roles=OFFICER),
    kpi_tile("kyc-decided", _("Decided by me today"), officer_cards.decided_today, REVIEW, 3, roles=OFFICER),
    kpi_tile("kyc-passed", _("Passed automatic checks"), officer_cards.passed_checks, REVIEW, 4, roles=OFFICER),
    Tile(
        "kyc-days",
        "crm/ui/_chart_card.html",
        officer_cards.by_day,
        REVIEW,
        5,
        title=_("Documents received and decided by day"),
        place="main",
        roles=OFFICER,
    ),
    Tile(
        "kyc-next",
        LIST,
        officer_cards.next_documents,
        REVIEW,
        6,
        title=_("My next documents"),
        place="queue",
        roles=OFFICER,
    ),
    Tile(
        "kyc-issues",
        "crm/ui/_bars_card.html",
        officer_cards.issues_this_week,
        REVIEW,
        20,
        title=_("Issues found in 7 days"),
        roles=OFFICER,
    ),
    Tile("kyc-expiring", LIST, officer_cards.expiring, REVIEW, 21, title=_("Expiring in 30 days"), roles=OFFICER),
    Tile(
        "kyc-second",
        LIST,
        officer_cards.second_document,
        REVIEW,
        22,
        title=_("Proof of address missing"),
        roles=OFFICER,
    ),
)
