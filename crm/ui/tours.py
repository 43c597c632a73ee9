"""The guided tour: a few steps for each role that point at real elements of its pages. Everyone may skip or repeat it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.choices import Role, UserKind
from crm.ui.preferences import preference, set_preference

if TYPE_CHECKING:
    from crm.models import User
    from crm.ui.panels import Label

SECTION, KEY = "tour", "main"
DONE: Final = -1


@dataclass(frozen=True)
class Step:
    """One step: what it says, the page it is on, and the element it points at."""

    title: Label
    text: Label
    url_name: str
    selector: str

    @property
    def url(self) -> str:
        return reverse(self.url_name)


LIST, HEAD = ".k-table-card", "#main h1"
FIGURES = Step(
    _("Your figures"),
    _("Your key figures with their change and target. Click one to see what is behind it."),
    "home",
    ".k-kpis, #main h1",
)
QUEUE = Step(
    _("Your work queue"),
    _("What waits for you, the most urgent first. Choose Customise to hide cards or change their order."),
    "home",
    ".k-cockpit-main, .k-cockpit-lists, #main h1",
)
SEARCH = Step(
    _("Find anything"),
    _("Press Ctrl K on any page to find a person, a page or a help topic."),
    "home",
    "[data-palette]",
)
HELP = Step(
    _("Help and notifications"),
    _("The question mark explains the page you are on. Choose what you are notified of in your account menu."),
    "home",
    "[data-help]",
)
LEADS = Step(
    _("Leads"),
    _("Your leads, the newest first. Filter by status, press j and k to move, and Enter to open one."),
    "leads",
    LIST,
)
MY_DAY = Step(_("My day"), _("Tasks and call-backs that are due. Log each call from here."), "my_day", HEAD)
CLIENTS = Step(
    _("Clients"),
    _("Everyone you have access to. A record shows the stage, the money and the next step at the top."),
    "clients",
    LIST,
)
APPROVALS = Step(
    _("Second approvals"),
    _("What a colleague proposed and a second person must decide. You never decide your own proposals."),
    "approvals",
    HEAD,
)

STAFF_STEPS: dict[str, Sequence[Step]] = {
    Role.AGENT: (FIGURES, QUEUE, LEADS, MY_DAY, SEARCH, HELP),
    Role.RETENTION: (FIGURES, QUEUE, CLIENTS, MY_DAY, SEARCH, HELP),
    Role.DESK_HEAD: (
        FIGURES,
        QUEUE,
        Step(
            _("Pipeline"), _("All leads of your desk by status. Drag a card to change its status."), "leads_board", HEAD
        ),
        Step(
            _("Performance"),
            _("Your agents compared: calls, conversions and deposits against their targets."),
            "reports_performance",
            HEAD,
        ),
        SEARCH,
        HELP,
    ),
    Role.KYC_OFFICER: (
        FIGURES,
        QUEUE,
        Step(
            _("Review queue"),
            _("Documents pending review, the longest waiting first. Claim one, then approve or reject it by keyboard."),
            "kyc:queue",
            HEAD,
        ),
        Step(
            _("Possible matches"),
            _("Watchlist matches to confirm or clear. The account stays frozen until you decide."),
            "compliance:hits",
            HEAD,
        ),
        SEARCH,
        HELP,
    ),
    Role.MLRO: (
        FIGURES,
        QUEUE,
        Step(
            _("Possible matches"),
            _("Watchlist matches to confirm or clear. The account stays frozen until you decide."),
            "compliance:hits",
            HEAD,
        ),
        Step(
            _("Audit log"),
            _("Who changed what, when and why, sealed against later changes. Export it for the regulator."),
            "compliance:audit",
            HEAD,
        ),
        SEARCH,
        HELP,
    ),
    Role.FINANCE: (
        FIGURES,
        QUEUE,
        Step(
            _("Pending withdrawals"),
            _("Withdrawals that await approval, with all checks. Large ones need a second person."),
            "wallet:withdrawal_queue",
            HEAD,
        ),
        Step(
            _("Reconciliation"),
            _("PSP and bank reports compared with the ledger. Each difference is a break to resolve."),
            "wallet:reconciliation",
            HEAD,
        ),
        SEARCH,
        HELP,
    ),
    Role.IB_MANAGER: (
        FIGURES,
        QUEUE,
        Step(
            _("Partners"),
            _("All partners with their network, plan and earnings. Invite a new one from here."),
            "ib_partners",
            LIST,
        ),
        Step(
            _("Commission plans"),
            _("What partners earn and on what. A new version needs a second approval."),
            "ib_plans",
            HEAD,
        ),
        SEARCH,
        HELP,
    ),
    Role.SUPPORT: (
        FIGURES,
        QUEUE,
        CLIENTS,
        Step(
            _("Account requests"),
            _("What clients ask for on their trading accounts: leverage, archiving, a new password."),
            "trading_requests",
            HEAD,
        ),
        SEARCH,
        HELP,
    ),
    Role.MARKETING: (
        FIGURES,
        QUEUE,
        Step(
            _("Campaigns"),
            _("Leads, registrations and first deposits of each campaign, with the cost of each."),
            "campaigns",
            HEAD,
        ),
        Step(
            _("Landing pages"),
            _("Your public forms. Each lead remembers the page, campaign and link it came from."),
            "landing_pages",
            HEAD,
        ),
        SEARCH,
        HELP,
    ),
    Role.AUDITOR: (
        FIGURES,
        Step(
            _("Audit log"),
            _("Who changed what, when and why, sealed against later changes. Export it for the regulator."),
            "compliance:audit",
            HEAD,
        ),
        Step(_("Access log"), _("Who viewed, searched and exported which records."), "compliance:access_log", HEAD),
        Step(_("Ledger"), _("Every account and posting. Nothing is ever overwritten."), "wallet:ledger", HEAD),
        SEARCH,
        HELP,
    ),
    Role.ADMINISTRATOR: (
        FIGURES,
        QUEUE,
        Step(_("Staff"), _("Invite colleagues, give them roles and access, end their sessions."), "staff", LIST),
        APPROVALS,
        SEARCH,
        HELP,
    ),
}
CLIENT_STEPS = (
    Step(
        _("Your home"),
        _("Your balance, your accounts and the next step to start trading."),
        "portal",
        "#main h1, #main",
    ),
    Step(
        _("Deposit and withdraw"),
        _("Move money in and out. Each movement shows its state and a receipt."),
        "portal_wallet",
        "#main h1",
    ),
    Step(
        _("Trading accounts"),
        _("Open accounts, see their results, and download the platform."),
        "portal_accounts",
        "#main h1",
    ),
    Step(
        _("Documents"),
        _("Upload what we need to verify you, and see what has been approved."),
        "portal_documents",
        "#main h1",
    ),
    Step(
        _("Help and notifications"),
        _("The question mark explains the page you are on. Choose what you are notified of in your account menu."),
        "portal",
        "[data-help]",
    ),
)
PARTNER_STEPS = (
    Step(
        _("Overview"),
        _("Your earnings and how your clients move from click to first deposit."),
        "partner_home",
        "#main h1",
    ),
    Step(
        _("Links"),
        _("Your referral links with their QR codes. Share them with your own campaign names."),
        "partner_links",
        "#main h1",
    ),
    Step(
        _("Clients"), _("Who registered through you, and what their trading earned you."), "partner_clients", "#main h1"
    ),
    Step(_("Payouts"), _("What has been settled, and when it was paid out."), "partner_payouts", "#main h1"),
    Step(
        _("Help and notifications"),
        _("The question mark explains the page you are on. Choose what you are notified of in your account menu."),
        "partner_home",
        "[data-help]",
    ),
)


def steps_for(kind: str, roles: Collection[str]) -> Sequence[Step]:
    """Return the tour of a person: of their first role, in the order of the catalogue, among staff."""
    if kind == UserKind.CLIENT:
        return CLIENT_STEPS
    if kind == UserKind.PARTNER:
        return PARTNER_STEPS
    return next((STAFF_STEPS[role] for role in Role if role in roles), ())


def progress(user: User) -> int | None:
    """Return the step a person is at; DONE when they finished or dismissed it, None when they never began."""
    at = preference(user, SECTION, KEY)
    return None if at is None else int(at["step"])


def keep_progress(*, user: User, step: int) -> None:
    """Keep where a person is in their tour, or DONE."""
    set_preference(user=user, section=SECTION, key=KEY, value={"step": max(step, DONE)})
