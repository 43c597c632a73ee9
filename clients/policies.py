"""Who may do what to a client. Every decision first asks whether the client is within the user's reach."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from clients.choices import Stage
from clients.models import Client
from crm.models import Actor
from crm.security.policies import YES, Decision, has_permission, no, require
from crm.security.scope import reach_of

__all__ = [
    "can",
    "can_change",
    "can_close",
    "can_log",
    "can_merge",
    "can_move",
    "can_reveal",
    "require",
    "sees_contacts",
]


CONTACT = frozenset({"email", "phone"})
PROVED = frozenset({"first_name", "last_name", "date_of_birth", "nationality"})


def can(user: Actor, client: Client, permission: str) -> Decision:
    """Decide whether the role holds the permission and the client is in a book the user reaches; the system (None) may.

    The apps above decide with it about what belongs to a client.
    """
    if user is None:
        return YES
    if not user.is_team or client.book_id not in reach_of(user).books:
        return no(_("You don't have access to this client's book."))
    if client.merged_into_id and client.stage == Stage.CLOSED and ".view_" not in permission:
        return no(_("This record was merged into #%(number)s.") % {"number": client.merged_into_id})
    return has_permission(user, permission)


def can_merge(user: Actor, client: Client) -> Decision:
    """Decide whether the user may merge this record with another, or undo that: needed on both."""
    if user is not None and (not user.is_team or client.book_id not in reach_of(user).books):
        return no(_("You don't have access to this client's book."))
    return has_permission(user, "clients.merge_client")


def can_change(user: Actor, client: Client, fields: Iterable[str]) -> Decision:
    """Decide whether the user may change these personal details of a client.

    Contact details: only who sees them, or may reveal them, knows what is being replaced. What a document has proved, once
    the client is verified: only who reviews documents.
    """
    allowed = can(user, client, "clients.change_client")
    names = set(fields)
    if not allowed:
        return allowed
    if names & CONTACT and not (sees_contacts(user) or can_reveal(user, client)):
        return no(_("Your role can't change a client's contact details."))
    if names & PROVED and client.kyc_level and not has_permission(user, "clients.correct_identity"):
        return no(_("Verified by a document. Ask the KYC team to correct it."))
    return YES


def can_close(user: Actor, client: Client) -> Decision:
    """Decide whether the user may close the client's record."""
    return can(user, client, "clients.close_client")


def can_log(user: Actor, client: Client) -> Decision:
    """Decide whether the user may log calls, notes, follow-ups and e-mails: the daily work on a client."""
    return can(user, client, "clients.log_call")


def can_move(user: Actor, client: Client) -> Decision:
    """Decide whether the user may move the client to another book; the book it goes to is checked by the verb."""
    return can(user, client, "clients.move_client")


def can_reveal(user: Actor, client: Client) -> Decision:
    """Decide whether the user may see the client's phone and e-mail unmasked, each view of which is logged."""
    return can(user, client, "clients.reveal_contact")


def sees_contacts(user: Actor) -> bool:
    """Check whether the role sees phone and e-mail in full: roles that don't sell do."""
    return bool(has_permission(user, "crm.see_unmasked_contacts"))
