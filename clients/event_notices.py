"""Events as notices to staff: the target of subscriptions that every installation has.

Nobody learns by a notice what they couldn't open: who is notified holds the right that an event needs, reaches its brand, and
reaches the client whom it is about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Client
from crm.choices import Role, UserKind
from crm.errors import DomainError
from crm.events.bus import EVENT_TYPES
from crm.events.envelope import Envelope
from crm.events.targets import Target
from crm.i18n.localized_text import LocalizedText, joined, phrase
from crm.models import EventSubscription, User
from crm.notices.kinds import CrmNotice
from crm.notices.notify import notify
from crm.security.policies import has_permission
from crm.security.scope import reach_of, staff_of_brand
from crm.staff.queries import staff_visible_to

PEOPLE_MAX: Final = 50
# What a person has to hold to be notified of an event: by its name, else by the app before the dot.
NEEDS: Final[Mapping[str, str]] = {
    "compliance.restriction_placed": "compliance.view_restriction",
    "compliance.restriction_lifted": "compliance.view_restriction",
    "compliance.watchlist_loaded": "compliance.view_watchlistsource",
    "client": "clients.view_client",
    "compliance": "compliance.view_screening",
    "crm": "crm.view_access_log",
    "ib": "ib.view_partner",
    "kyc": "kyc.view_document",
    "lead": "leads.view_lead",
    "monitoring": "monitoring.view_alert",
    "trading": "trading.view_tradingaccount",
    "wallet": "wallet.view_deposit",
}


def needed_for(event: str) -> str:
    """Return the right that an event needs; one that no role holds for an app that isn't listed."""
    return NEEDS.get(event) or NEEDS.get(event.partition(".")[0], "crm.nobody")


def _fields(user: User) -> dict[str, forms.Field]:
    staff = staff_visible_to(user).filter(is_active=True).order_by("first_name", "last_name", "pk")
    return {
        "role": forms.ChoiceField(
            label=gettext_lazy("Everyone with the role"),
            choices=[("", "–"), *Role.choices],
            required=False,
            help_text=gettext_lazy("Only people who may see the event and the client are notified."),
        ),
        "people": forms.ModelMultipleChoiceField(staff, label=gettext_lazy("These people"), required=False),
    }


def _read(values: Mapping[str, Any]) -> dict[str, Any]:
    people = sorted(person.pk for person in values.get("people") or ())
    if not people and not values.get("role"):
        raise DomainError(_("Choose a role or at least one person."))
    if len(people) > PEOPLE_MAX:
        raise DomainError(_("Choose at most %(count)s people, or a role.") % {"count": PEOPLE_MAX})
    return {"role": values.get("role") or "", "people": people}


def _initial(subscription: EventSubscription) -> dict[str, Any]:
    return {"role": subscription.options.get("role", ""), "people": subscription.options.get("people", [])}


def _people(subscription: EventSubscription) -> list[User]:
    """Read the active staff whom a subscription names, a role's first fifty at most."""
    staff = User.objects.filter(kind=UserKind.STAFF, is_active=True).order_by("pk")
    named = staff.filter(pk__in=subscription.options.get("people", []))
    role = subscription.options.get("role")
    return list((named | staff.filter(groups__name=role)).distinct()[:PEOPLE_MAX] if role else named)


def _send(subscription: EventSubscription, envelopes: list[Envelope]) -> None:
    """Notify each person once of all events that they may know of."""
    name = envelopes[0].name
    ids = {envelope.client for envelope in envelopes if envelope.client is not None}
    clients = {client.pk: client for client in Client.objects.filter(pk__in=ids)}
    brands = {envelope.brand for envelope in envelopes if envelope.brand is not None}
    staff_by_brand = {brand: set(staff_of_brand(brand)) for brand in brands}
    groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for person in _people(subscription):
        if not has_permission(person, needed_for(name)):
            continue
        known = tuple(
            place
            for place, envelope in enumerate(envelopes)
            if (envelope.brand is None or person.pk in staff_by_brand[envelope.brand])
            and (envelope.client is None or _reaches(person, clients.get(envelope.client)))
        )
        if known:
            groups[known].append(person.pk)
    for known, people in groups.items():
        about = [envelopes[place] for place in known]
        client = clients.get(about[0].client or 0) if len(about) == 1 else None
        notify(
            people,
            kind=CrmNotice.EVENT,
            title=subscription.name,
            body=_body(name, about, client),
            url=client.get_absolute_url() if client else "",
            dedupe_key=f"{CrmNotice.EVENT}:{subscription.pk}:{about[0].id}",
        )


def _reaches(person: User, client: Client | None) -> bool:
    return client is not None and client.book_id in reach_of(person).books


def _body(name: str, about: list[Envelope], client: Client | None) -> LocalizedText:
    event = EVENT_TYPES[name].label if name in EVENT_TYPES else name
    if client is not None:
        return phrase("%(event)s: %(client)s") % {"event": event, "client": client}
    return (
        phrase("%(event)s: %(count)d new") % {"event": event, "count": len(about)}
        if len(about) > 1
        else joined([event])
    )


NOTICE = Target("notice", gettext_lazy("Notify staff"), _fields, _read, _initial, _send)
