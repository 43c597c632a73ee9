"""The leads app's cards on role homes: the next calls, new leads, leads past their time, campaigns that need attention."""

from __future__ import annotations

import datetime as dt

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.choices import Stage
from clients.countries import country_name
from clients.models import Client, Task
from clients.queries import clients_visible_to
from clients.tables import name_or_number
from crm.i18n.formats import ago
from crm.models import User
from crm.security.scope import reach_of
from crm.ui.cards import ListCard, ListRow
from leads import queries
from leads.models import Campaign, LandingPage, Lead

CALLS = 5
ROWS = 6
AHEAD = dt.timedelta(hours=8)
QUIET_DAYS = 30


def next_calls(user: User) -> ListCard:
    """List the next five calls: follow-ups that are due, then leads nobody has called, those with the least time first."""
    now = timezone.now()
    tasks = (
        Task.objects.filter(assignee=user, done_at=None, due_at__lte=now + AHEAD, client__in=clients_visible_to(user))
        .select_related("client")
        .defer("client__search_text")
    )
    rows: list[ListRow] = []
    called: set[int] = set()
    for task in tasks.order_by("due_at", "pk")[:CALLS]:
        called.add(task.client_id)
        rows.append(_call(task.client, task.title, ago(task.due_at, now), "danger" if task.is_overdue(now) else ""))
    for lead in queries.waiting_for(user, limit=CALLS + len(called)):
        if lead.client_id not in called and len(rows) < CALLS:
            called.add(lead.client_id)
            due = lead.sla_due_at
            note = " · ".join(filter(None, [_("New lead"), country_name(lead.client.country), lead.source]))
            late = "danger" if due and due < now else "warning" if due else ""
            rows.append(_call(lead.client, note, ago(due or lead.captured_at, now), late))
    return ListCard(
        title=_("Next calls"),
        rows=rows,
        icon="phone-call",
        url=reverse("my_day"),
        url_text=_("My day"),
        empty=_("All calls done"),
        empty_text=_("Due follow-ups and new leads appear here."),
        slug="next-calls",
        live="lead",
    )


def _call(client: Client, note: str, end: str, tone: str) -> ListRow:
    return ListRow(
        title=name_or_number(client),
        url=client.get_absolute_url(),
        note=note,
        end=end,
        tone=tone,
        action=_("Call now"),
        action_url=reverse("client_call", args=[client.pk]),
        is_person=True,
    )


def new_leads(user: User) -> ListCard:
    """List the newest leads of the agent's own book."""
    mine = clients_visible_to(user).filter(owner=user, stage=Stage.LEAD).defer("search_text").order_by("-id")[:ROWS]
    rows = [
        ListRow(
            title=name_or_number(client),
            url=client.get_absolute_url(),
            note=" · ".join(filter(None, [country_name(client.country), client.campaign or client.source])),
            end=str(client.score),
            end_note=ago(client.created_at),
            is_person=True,
        )
        for client in mine
    ]
    return ListCard(
        title=_("New leads"),
        rows=rows,
        icon="user-plus",
        url=f"{reverse('leads')}?owner={user.pk}",
        empty=_("No leads yet"),
        empty_text=_("Leads assigned to you appear here."),
        empty_icon="user-plus",
    )


def late_leads(user: User) -> ListCard:
    """List the leads in reach whose time to a first contact has run out, the longest first."""
    now = timezone.now()
    late = (
        Lead.objects.filter(
            client__book_id__in=reach_of(user).books,
            client__stage=Stage.LEAD,
            touched_at=None,
            is_duplicate=False,
            sla_due_at__lt=now,
            captured_at__gte=now - queries.WAITING_FOR,
        )
        .select_related("client", "assigned_to")
        .defer("client__search_text")
        .order_by("sla_due_at", "pk")[:ROWS]
    )
    rows = [
        ListRow(
            title=name_or_number(lead.client),
            url=lead.client.get_absolute_url(),
            note=str(lead.assigned_to or _("Unassigned")),
            end=ago(lead.sla_due_at, now) if lead.sla_due_at else "",
            tone="danger",
            is_person=True,
        )
        for lead in late
    ]
    return ListCard(
        title=_("Leads past their SLA"),
        rows=rows,
        icon="timer",
        url=f"{reverse('leads')}?sales_status=new&sort=created_at",
        empty=_("No lead is late"),
        empty_text=_("Leads without a first contact in time appear here."),
    )


def campaigns_to_check(user: User) -> ListCard:
    """List running campaigns without a cost and landing pages that have brought no lead for a month."""
    brands = reach_of(user).brands
    since = timezone.now() - dt.timedelta(days=QUIET_DAYS)
    without_cost = Campaign.objects.filter(brand_id__in=brands, is_active=True, cost=0).order_by("name")
    rows = [
        ListRow(row.name, reverse("campaign_edit", args=[row.pk]), _("No cost entered"), tone="warning")
        for row in without_cost[:ROWS]
    ]
    busy = Lead.objects.filter(brand_id__in=brands, captured_at__gte=since, landing_page__isnull=False)
    quiet = (
        LandingPage.objects.filter(brand_id__in=brands, is_published=True)
        .exclude(pk__in=busy.order_by().values("landing_page_id"))
        .select_related("campaign")
    )
    rows += [
        ListRow(
            f"{page.slug} ({page.language})",
            reverse("landing_page_edit", args=[page.pk]),
            _("Landing page without leads in 30 days"),
        )
        for page in quiet.order_by("slug", "language")[: ROWS - len(rows)]
    ]
    return ListCard(
        title=_("Needs attention"),
        rows=rows,
        icon="triangle-alert",
        url=reverse("campaigns"),
        url_text=_("Campaigns"),
        empty=_("Nothing needs attention"),
        empty_text=_("Every campaign has a cost and every landing page brings leads."),
    )
