"""Reads of clients. Every one starts from what the user may see."""

from __future__ import annotations

from django.db.models import F, QuerySet
from django.http import Http404

from clients.facts import side_tables
from clients.models import Client
from crm.models import Actor, User
from crm.security.policies import require_permission
from crm.security.scope import reach_of

# In more books than this are more people than a search finds: it reads them from its own index alone.
BOOKS_BESIDE_SEARCH_MAX = 50


def clients_visible_to(user: Actor, *, is_searched: bool = False) -> QuerySet[Client]:
    """Select the clients in the books a user reaches; for a client login, only their own record.

    is_searched: for a search by words. The planner takes a word for a commoner one than it is, and reads everybody in all books
    from a second index beside it (55 ms for 400,000), unless it can't.
    """
    if not user or not user.is_authenticated:
        return Client.objects.none()
    if user.is_client:
        return Client.objects.filter(user_id=user.pk)
    if not user.is_team:
        return Client.objects.none()
    books = reach_of(user).books
    if is_searched and len(books) > BOOKS_BESIDE_SEARCH_MAX:
        return Client.objects.alias(in_book=F("book_id") + 0).filter(in_book__in=books)
    return Client.objects.filter(book_id__in=books)


def reaches(user: Actor, client: Client) -> bool:
    """Check `clients_visible_to` for one client that was read already: no query."""
    if not user or not user.is_authenticated:
        return False
    if user.is_client:
        return client.user_id == user.pk
    return bool(user.is_team) and client.book_id in reach_of(user).books


def around_visible_to(user: User, *, is_narrowed: bool) -> QuerySet[Client] | None:
    """Select a wider set than `clients_visible_to`, of which every order is a range of an index.

    That is the one book of a user who has one, else every client. Never show it: a list walks it to find its own rows
    (`crm.ui.nearest`). None for a whole book, which is such a range itself; is_narrowed: by filters or a search.
    """
    books = reach_of(user).books
    if len(books) > 1:
        return Client.objects.all()
    return Client.objects.filter(book_id__in=books) if is_narrowed else None


def get_client(user: User, client_id: int, *, permission: str = "clients.view_client") -> Client:
    """Find one client, or 404 when it is not visible, NotAllowed (403) when it is but the role lacks the right."""
    rows = clients_visible_to(user).select_related("brand", "book", "owner", *side_tables())
    client = rows.filter(pk=client_id).first()
    if client is None:
        raise Http404
    if user.is_team:
        require_permission(user, permission)
    return client


def is_in_own_book(user: Actor, client: Client) -> bool:
    """Check whether the client is in a book that this person owns, as the access log records for each view."""
    return client.book_id in reach_of(user).own_books
