"""Macros: replies that a brand has ready, with the client's values filled in, and what they set when they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.texts.letters import common_values
from crm.db.locking import lock
from crm.errors import DomainError
from crm.models import Brand, User
from crm.security import audit
from crm.security.policies import require, require_permission
from crm.security.scope import reach_of
from crm.texts.catalogue import PLACEHOLDER, fill
from support import changing, policies
from support.audit_codes import SupportAction
from support.choices import TicketCategory, TicketState
from support.models import Macro, Ticket

MACROS_MAX: Final = 200
VARIABLES: Final = {
    "first_name": gettext_lazy("Client's first name"),
    "full_name": gettext_lazy("Client's full name"),
    "agent": gettext_lazy("Client's agent; the brand where there is none"),
    "brand": gettext_lazy("Name of the brand"),
    "support_email": gettext_lazy("Support e-mail of the brand"),
    "number": gettext_lazy("Number of the ticket"),
    "subject": gettext_lazy("Subject of the ticket"),
}
# What a ticket may become with the reply.
THEN: Final = (TicketState.OPEN, TicketState.PENDING, TicketState.SOLVED)


@dataclass(frozen=True, slots=True)
class MacroContent:
    """What a macro says and sets; empty: unchanged."""

    name: str
    text: str
    then: str = ""
    category: str = ""
    assign_to_id: int | None = None
    is_active: bool = True


def macros_visible_to(user: User) -> QuerySet[Macro]:
    """Select the macros of the brands that a person reaches."""
    if not user.is_team or not user.has_perm(policies.SEES):
        return Macro.objects.none()
    return Macro.objects.filter(brand__in=reach_of(user).brands)


def macros_for(user: User, ticket: Ticket) -> list[Macro]:
    """List the macros that are offered in a ticket, by name."""
    return list(macros_visible_to(user).filter(brand=ticket.brand_id, is_active=True).order_by("name")[:MACROS_MAX])


def filled(macro: Macro, ticket: Ticket) -> str:
    """Write a macro for a ticket's client."""
    values: Mapping[str, object] = {
        **common_values(ticket.client, ticket.client.language),
        "number": ticket.number,
        "subject": ticket.subject,
    }
    return fill(macro.text, values)


@transaction.atomic
def save_macro(*, brand_id: int, actor: User, content: MacroContent, macro_id: int | None = None) -> Macro:
    """Write a brand's macro, new or changed. Unknown variables are refused: the client would read them.

    Who: `support.manage_macro` on the whole brand. Raises: NotAllowed, DomainError.
    """
    require_permission(actor, policies.MANAGES_MACROS)
    require(policies.reaches_brand(actor, brand_id))
    brand = lock(Brand, brand_id)
    if macro_id is None:
        macro = Macro(brand=brand)
        if Macro.objects.filter(brand=brand).count() >= MACROS_MAX:
            raise DomainError(_("A brand has at most %(count)s macros.") % {"count": MACROS_MAX})
    else:
        macro = lock(Macro.objects.filter(brand=brand), macro_id)
    _check(macro, content)
    before = {"name": macro.name, "then": macro.then, "category": macro.category} if macro.pk else None
    macro.name, macro.text, macro.is_active = content.name.strip(), content.text.strip(), content.is_active
    macro.then, macro.category, macro.assign_to_id = content.then, content.category, content.assign_to_id
    macro.save()
    audit.record(
        actor=actor,
        action=SupportAction.MACRO_SAVED,
        target=macro,
        brand_id=brand.pk,
        before=before,
        after={"name": macro.name, "then": macro.then, "category": macro.category, "is_active": macro.is_active},
    )
    return macro


def _check(macro: Macro, content: MacroContent) -> None:
    name = content.name.strip()
    if not name or not content.text.strip():
        raise DomainError(_("Enter a name and a text."))
    if Macro.objects.filter(brand=macro.brand, name__iexact=name).exclude(pk=macro.pk).exists():
        raise DomainError(_("This brand has another macro of this name."), code="name")
    unknown = sorted({match[1] for match in PLACEHOLDER.finditer(content.text)} - VARIABLES.keys())
    if unknown:
        raise DomainError(_("Unknown variables: %(names)s") % {"names": ", ".join(unknown)}, code="text")
    if (content.then and content.then not in THEN) or (
        content.category and content.category not in TicketCategory.values
    ):
        raise DomainError(_("Choose a category."))


def apply_settings(macro: Macro, *, ticket_id: int, actor: User) -> None:
    """Set what a macro sets beside its text, through the verbs that check it; the state goes with the reply.

    Raises: as `change_category` and `assign_ticket`.
    """
    if macro.category:
        changing.change_category(ticket_id=ticket_id, actor=actor, category=macro.category)
    if macro.assign_to_id is not None:
        changing.assign_ticket(ticket_id=ticket_id, actor=actor, to_id=macro.assign_to_id)
