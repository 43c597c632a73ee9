"""What a token may be used for: a fixed catalogue, said in words. A scope narrows its user's rights and never widens them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Scope:
    """`powerful`: a token gets it from a second person only. `for_partners`: for a partner's own data, and only there."""

    code: str
    label: str | Promise
    powerful: bool = False
    for_partners: bool = False


SCOPES: Final = (
    Scope("leads:read", _("Read leads and their acquisition")),
    Scope("leads:write", _("Create leads")),
    Scope("clients:read", _("Read clients, their notes, calls and tasks; contact details masked")),
    Scope("clients:write", _("Add notes and tasks to clients, complete tasks, change the sales status")),
    Scope("contacts:read", _("Read e-mail addresses and phone numbers in full"), powerful=True),
    Scope("support:read", _("Read tickets and their messages")),
    Scope("support:write", _("Open tickets and reply to them")),
    Scope("kyc:read", _("Read the status of documents and questionnaires, never files or answers")),
    Scope("kyc:write", _("Send documents of clients")),
    Scope("trading:read", _("Read trading accounts, deals and positions")),
    Scope("trading:write", _("Open trading accounts"), powerful=True),
    Scope("payments:read", _("Read deposits, withdrawals and transfers")),
    Scope("payments:write", _("Request withdrawals"), powerful=True),
    Scope("ledger:read", _("Read accounts, journals and balances of the ledger and its reconciliation"), powerful=True),
    Scope("partners:read", _("Read partners, commissions and settlements")),
    Scope("compliance:read", _("Read compliance cases and monitoring alerts"), powerful=True),
    Scope("webhooks:write", _("Subscribe to events and end these subscriptions")),
    Scope("reports:read", _("Read the daily figures of agents and desks")),
    Scope("marketing:read", _("Read segments and campaigns")),
    Scope("own_clients:read", _("Read your clients, with names as agreed"), for_partners=True),
    Scope("own_earnings:read", _("Read your earnings with their calculation, and your settlements"), for_partners=True),
    Scope("own_links:read", _("Read your links with clicks and registrations, and your funnel"), for_partners=True),
)
BY_CODE: Final = {scope.code: scope for scope in SCOPES}
POWERFUL: Final = frozenset(scope.code for scope in SCOPES if scope.powerful)


def scopes_of(*, is_partner: bool) -> tuple[Scope, ...]:
    """List what may be chosen: partners have scopes of their own, which open nothing but their own data."""
    return tuple(scope for scope in SCOPES if scope.for_partners == is_partner)


def label_of(code: str) -> str:
    """Name a scope in words; one that only an older version knew keeps its code."""
    scope = BY_CODE.get(code)
    return str(scope.label) if scope else code
