"""The clients app's cards on role homes: silent clients, birthdays, the latest registrations."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.choices import Stage
from clients.facts import with_facts
from clients.filters import start_of
from clients.queries import clients_visible_to
from clients.tables import name_or_number
from crm.i18n import formats
from crm.models import User
from crm.ui.cards import ListCard, ListRow

SILENT_DAYS = 14
ROWS = 6
CALLS = 5
LOOKED_AT = 60
BIRTHDAY_DAYS = 7
FIELDS = ("id", "first_name", "last_name", "email", "country", "last_trade_at", "brand__base_currency")


def silent_since() -> dt.date:
    """Return the day since which a silent client has not traded."""
    return timezone.localdate() - dt.timedelta(days=SILENT_DAYS)


def silent_url(user: User) -> str:
    """Return the list of the agent's silent clients with money."""
    query = f"owner={user.pk}&no_trade_since={silent_since().isoformat()}&equity_from=0.01"
    return f"{reverse('clients')}?{query}"


def silent_filter(user: User) -> Q:
    """Select the agent's clients who have equity (`with_facts`) and have not traded for fourteen days."""
    return Q(owner=user, last_trade_at__lt=start_of(silent_since()), equity__gte="0.01") & ~Q(stage=Stage.LEAD)


def silent_clients(user: User) -> ListCard:
    """List whom to call first: silent clients by the equity at stake."""
    silent = with_facts(clients_visible_to(user), "equity").filter(silent_filter(user))
    silent = silent.select_related("brand").only(*FIELDS)
    now = timezone.now()
    rows = [
        ListRow(
            title=name_or_number(client),
            url=client.get_absolute_url(),
            note=_("Last trade %(ago)s") % {"ago": formats.ago(client.last_trade_at, now)},
            end=formats.money(client.equity, client.brand.base_currency),
            action=_("Call now"),
            action_url=reverse("client_call", args=[client.pk]),
            is_person=True,
        )
        for client in silent.order_by("-equity", "pk")[:CALLS]
    ]
    return ListCard(
        title=_("Call list"),
        rows=rows,
        icon="phone-call",
        url=silent_url(user),
        empty=_("Everybody is trading"),
        empty_text=_("Clients with equity and no trade for 14 days appear here."),
    )


def birthdays(user: User) -> ListCard:
    """List the agent's clients with a birthday in the next seven days."""
    today = timezone.localdate()
    days = [today + dt.timedelta(days=number) for number in range(BIRTHDAY_DAYS)]
    is_near = Q()
    for day in days:
        is_near |= Q(date_of_birth__month=day.month, date_of_birth__day=day.day)
    mine = clients_visible_to(user).filter(is_near, owner=user).exclude(stage__in=[Stage.LEAD, Stage.CLOSED])
    found = list(mine.only("id", "first_name", "last_name", "email", "date_of_birth").order_by("pk")[:LOOKED_AT])
    order = {(day.month, day.day): number for number, day in enumerate(days)}
    at = {
        client.pk: order[client.date_of_birth.month, client.date_of_birth.day]
        for client in found
        if client.date_of_birth
    }
    rows = [
        ListRow(
            title=name_or_number(client),
            url=client.get_absolute_url(),
            note=_("Turns %(age)s") % {"age": client.age_on(days[at[client.pk]])},
            end=_("Today") if not at[client.pk] else formats.day(days[at[client.pk]]),
            tone="success" if not at[client.pk] else "",
            action=_("E-mail"),
            action_url=reverse("client_mail", args=[client.pk]),
            action_icon="mail",
            is_person=True,
        )
        for client in sorted(found, key=lambda client: at[client.pk])[:ROWS]
    ]
    return ListCard(
        title=_("Birthdays this week"),
        rows=rows,
        icon="calendar",
        empty=_("No birthdays this week"),
        empty_text=_("Your clients' birthdays in the next seven days appear here."),
        empty_icon="calendar",
    )


def latest_registrations(user: User) -> ListCard:
    """List the newest clients in reach."""
    newest = clients_visible_to(user).exclude(stage=Stage.LEAD).defer("search_text").order_by("-id")[:LOOKED_AT]
    registered = sorted(newest, key=lambda client: client.registered_at or client.created_at, reverse=True)
    rows = [
        ListRow(
            title=name_or_number(client),
            url=client.get_absolute_url(),
            note=" · ".join(filter(None, [client.country, client.get_stage_display()])),
            end=formats.ago(client.registered_at),
            is_person=True,
        )
        for client in registered[:ROWS]
    ]
    return ListCard(
        title=_("Latest registrations"),
        rows=rows,
        icon="users",
        url=reverse("clients"),
        empty=_("No clients yet"),
        empty_text=_("Leads become clients when they register."),
        empty_icon="users",
    )
