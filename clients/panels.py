"""What the clients app puts on the menu, on the client's page and into the command palette."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.books import brand_has_clients, has_clients, has_clients_of_its_owner
from clients.chat.policies import KEEPS_ANSWERS
from clients.chat.queries import chats_awaiting
from clients.country_rules.changes import RIGHT, CountryRuleApproval
from clients.country_rules.exemption_pages import rules_card
from clients.country_rules.exemptions import ExemptionApproval
from clients.custom_fields import views as custom
from clients.custom_fields.listing import custom_card
from clients.event_notices import NOTICE
from clients.mail_services.setup import MailServiceApproval
from clients.merging.views import merged_card
from clients.messages.policies import ASSIGNS, LIFTS
from clients.messages.queries import threads_visible_to, unknown_visible_to
from clients.messages.setup import MailboxApproval
from clients.models import Client, Task
from clients.ownership.history import RIGHT as PAST_OWNERS
from clients.ownership.history import owners_card
from clients.queries import clients_visible_to
from clients.record.webhook_people import people_for_webhooks
from clients.search import search_clients
from clients.segments.membership import names_in
from clients.segments.views import segments_card
from clients.telephony.policies import SETS_UP as SETS_EXCHANGES_UP
from clients.telephony.setup import PhoneExchangeApproval
from clients.texting.queries import unknown_texts_visible_to
from clients.texting.setup import TextServiceApproval
from clients.views import home_cards, next_steps
from clients.views.tabs import linked_tab, mail_tab, text_tab, timeline_tab, views_tab
from crm import approvals
from crm.brand_policies.registry import segments_are_named_by
from crm.choices import AccessKind, Role
from crm.due.kinds import label_of
from crm.due.queries import next_of_client
from crm.events import targets
from crm.models import Book, Brand, User
from crm.money.numbers import is_whole
from crm.outbound.personal import declare_people
from crm.security import access_log
from crm.staff.blockers import blocks_archiving, blocks_change
from crm.texts.publishing import OPENS
from crm.ui import panels
from crm.ui.panels import Card, CreateEntry, MenuEntry, PaletteSource, RecordPart, Tab, Tile, register
from crm.web.requests import UserRequest

targets.declare(NOTICE)
declare_people(people_for_webhooks)
blocks_archiving(Book, has_clients)
blocks_change(Book, "owner", has_clients_of_its_owner)
blocks_change(Brand, "base_currency", brand_has_clients)
COUNTED = 100
LIST = "crm/ui/_list_card.html"
TILE_ROWS = 6


def find_clients(user: User, query: str, limit: int) -> Iterator[panels.SearchResult]:
    """Find people by name, e-mail, phone or number. A search is logged like one on the list."""
    if len(query.strip()) < 3 and not is_whole(query.strip()):
        return
    rows = search_clients(clients_visible_to(user), query).select_related("brand").order_by("-id")[:limit]
    clients = list(rows.only("id", "first_name", "last_name", "stage", "country", "brand__name"))
    access_log.note(user=user, kind=AccessKind.SEARCH, target="palette", rows=len(clients), reason=query)
    for client in clients:
        hint = " · ".join(filter(None, [client.get_stage_display(), client.country, client.brand.name]))
        yield panels.SearchResult(str(client), client.get_absolute_url(), hint, "user")


def due_tasks(user: User) -> int | None:
    """Count the person's follow-ups that are due, up to a hundred."""
    due = Task.objects.filter(assignee=user, done_at=None, due_at__lte=timezone.now()).order_by()
    return len(due.values_list("pk", flat=True)[:COUNTED]) or None


def threads_awaiting(user: User) -> int | None:
    """Count the threads of one's own clients that await a reply, up to a hundred."""
    rows = threads_visible_to(user).filter(awaits_reply=True, client__owner=user).order_by()
    return len(rows.values_list("pk", flat=True)[:COUNTED]) or None


def mail_unassigned(user: User) -> int | None:
    """Count the e-mails that wait for a client, up to a hundred."""
    rows = unknown_visible_to(user).filter(state="unassigned").order_by()
    return len(rows.values_list("pk", flat=True)[:COUNTED]) or None


def texts_unassigned(user: User) -> int | None:
    """Count the unknown numbers whose messages wait for a client, up to a hundred."""
    rows = unknown_texts_visible_to(user).filter(discarded_at=None).order_by()
    return len(rows.values_list("pk", flat=True)[:COUNTED]) or None


def due_card(request: UserRequest, client: Client) -> dict[str, Any] | None:
    """List what is due next for the client; None, so no card, where nothing is."""
    rows = next_of_client(request.user, client.pk)
    return {"rows": [(label_of(row.kind), row.at) for row in rows]} if rows else None


def tasks_tile(user: User) -> dict[str, Any] | None:
    """List this person's next follow-ups, overdue ones first; None, so no tile, for those who have none."""
    mine = Task.objects.filter(assignee=user, done_at=None).select_related("client").defer("client__search_text")
    tasks = list(mine.order_by("due_at", "pk")[:TILE_ROWS])
    return {"tasks": tasks} if tasks else None


segments_are_named_by(names_in)
approvals.register(
    CountryRuleApproval,
    ExemptionApproval,
    MailboxApproval,
    MailServiceApproval,
    PhoneExchangeApproval,
    TextServiceApproval,
)
register(
    MenuEntry(
        "",
        _("My day"),
        "my_day",
        "clients.log_call",
        "list-todo",
        10,
        count=due_tasks,
        words="tasks follow-ups calendar",
    ),
    MenuEntry(
        "clients", _("Clients"), "clients", "clients.view_client", "users", 10, words="people profiles customers"
    ),
    MenuEntry(
        "clients",
        _("Calls"),
        "phone_calls",
        "clients.log_call",
        "phone-call",
        14,
        words="phone dialled recordings",
        # An agent's own calls are on their clients' pages; the palette finds the list.
        roles=(
            Role.RETENTION,
            Role.DESK_HEAD,
            Role.SUPPORT,
            Role.KYC_OFFICER,
            Role.MLRO,
            Role.FINANCE,
            Role.IB_MANAGER,
        ),
    ),
    MenuEntry(
        "clients",
        _("Chats"),
        "chats",
        "clients.view_client",
        "send",
        15,
        count=chats_awaiting,
        count_permission="clients.log_call",
        words="chat live messages portal support conversation",
        roles=(Role.AGENT, Role.DESK_HEAD, Role.SUPPORT),
    ),
    MenuEntry(
        "clients",
        _("Canned answers"),
        "canned_answers",
        KEEPS_ANSWERS,
        "bookmark",
        37,
        words="chat ready replies snippets macros templates",
    ),
    MenuEntry(
        "clients",
        _("E-mail threads"),
        "mail_threads",
        "clients.view_client",
        "mail",
        16,
        count=threads_awaiting,
        count_permission="clients.log_call",
        words="inbox e-mails replies messages conversation",
        roles=(Role.AGENT, Role.RETENTION, Role.DESK_HEAD, Role.SUPPORT),
    ),
    MenuEntry(
        "clients",
        _("Unassigned e-mails"),
        "unassigned_mail",
        ASSIGNS,
        "message-square",
        17,
        count=mail_unassigned,
        words="unknown sender queue spam inbox",
        roles=(Role.DESK_HEAD, Role.SUPPORT),
    ),
    MenuEntry(
        "clients",
        _("SMS and WhatsApp"),
        "text_threads",
        "clients.view_client",
        "smartphone",
        18,
        words="sms whatsapp text messages conversation",
        # Others are notified, and write from their clients' pages; the palette finds the list.
        roles=(Role.MLRO,),
    ),
    MenuEntry(
        "clients",
        _("Unassigned messages"),
        "unassigned_texts",
        ASSIGNS,
        "phone-missed",
        19,
        count=texts_unassigned,
        words="sms whatsapp unknown number queue spam",
        roles=(Role.SUPPORT,),
    ),
    MenuEntry(
        "clients",
        _("SMS services"),
        "text_services",
        SETS_EXCHANGES_UP,
        "hash",
        38,
        words="sms whatsapp twilio messages service",
        group="channels",
    ),
    MenuEntry(
        "clients",
        _("Suppression list"),
        "suppressions",
        LIFTS,
        "ban",
        35,
        words="bounce complaint unsubscribe blocked e-mail addresses",
    ),
    MenuEntry(
        "clients",
        _("E-mail accounts"),
        "mailboxes",
        SETS_EXCHANGES_UP,
        "at-sign",
        36,
        words="imap e-mail account inbox incoming",
        group="channels",
    ),
    MenuEntry(
        "clients",
        _("E-mail services"),
        "mail_services",
        SETS_EXCHANGES_UP,
        "package",
        37,
        words="mailgun postmark mandrill webhook bounce delivered",
        group="channels",
    ),
    MenuEntry(
        "clients",
        _("Phone exchanges"),
        "phone_exchanges",
        SETS_EXCHANGES_UP,
        "phone",
        34,
        words="telephony twilio asterisk calls click-to-call pbx",
        group="channels",
    ),
    MenuEntry(
        "clients",
        _("Segments"),
        "segments",
        "clients.view_client",
        "tag",
        15,
        words="audience target group list conditions campaign",
        roles=(Role.MARKETING, Role.DESK_HEAD, Role.ADMINISTRATOR),
    ),
    MenuEntry(
        "setup",
        _("Country rules"),
        "country_rules",
        RIGHT,
        "map-pin",
        27,
        words="countries sanctions prohibited accepted residence risk band",
        group="records",
    ),
    MenuEntry(
        "setup",
        _("Texts"),
        "texts",
        OPENS,
        "languages",
        28,
        words="e-mails letters templates consents agreements terms risk warning notices",
        group="company",
    ),
    MenuEntry(
        "setup",
        _("Custom fields"),
        "custom_fields",
        custom.RIGHT,
        "table-2",
        29,
        words="fields columns attributes details",
        group="records",
    ),
    CreateEntry(_("Follow-up"), "client_task", "clients.log_call", "calendar-clock", 20, for_client=True),
    CreateEntry(_("E-mail"), "client_mail", "clients.log_call", "mail", 25, for_client=True),
    CreateEntry(_("SMS or WhatsApp"), "client_text", "clients.log_call", "send", 26, for_client=True),
    Tab("client", "timeline", _("Timeline"), timeline_tab, "clients.view_client", 10),
    Tab("client", "mail", _("E-mail"), mail_tab, "clients.view_client", 80),
    Tab("client", "sms", _("SMS and WhatsApp"), text_tab, "clients.view_client", 82),
    Tab("client", "linked", _("Linked clients"), linked_tab, "clients.view_linked_clients", 90),
    Tab("client", "looks", _("Access log"), views_tab, "crm.view_access_log", 95),
    Card("client", "custom", "clients/custom_fields/_card.html", custom_card, "clients.view_client", 15),
    Card("client", "owners", "clients/_owners_card.html", owners_card, PAST_OWNERS, 55),
    Card("client", "rules", "clients/country_rules/_client_card.html", rules_card, "clients.view_client", 20),
    Card("client", "merges", "clients/merging/_card.html", merged_card, "clients.view_client", 12),
    Card("client", "segments", "clients/segments/_card.html", segments_card, "clients.view_client", 58),
    Card("client", "due", "clients/_due_card.html", due_card, "clients.view_client", 60),
    RecordPart("client", "step", "contact", next_steps.next_steps, "clients.log_call", 10),
    RecordPart("client", "creation", "work", next_steps.creations, "clients.log_call", 10),
    PaletteSource("clients", _("People"), find_clients, "clients.view_client", 10),
    Tile(
        "follow-ups",
        "clients/_tile_tasks.html",
        tasks_tile,
        "clients.log_call",
        12,
        title=_("Follow-ups"),
        place="queue",
        # Sales has its calls in one list; these have no other queue for what they promised.
        roles=(Role.KYC_OFFICER, Role.MLRO, Role.FINANCE, Role.IB_MANAGER),
    ),
    Tile(
        "silent-clients",
        LIST,
        home_cards.silent_clients,
        "clients.log_call",
        10,
        title=_("Call list"),
        place="queue",
        roles=(Role.RETENTION,),
    ),
    Tile(
        "birthdays",
        LIST,
        home_cards.birthdays,
        "clients.log_call",
        31,
        title=_("Birthdays this week"),
        roles=(Role.RETENTION,),
    ),
    Tile(
        "latest-registrations",
        LIST,
        home_cards.latest_registrations,
        "clients.view_client",
        31,
        title=_("Latest registrations"),
        roles=(Role.SUPPORT, Role.DESK_HEAD),
    ),
)
